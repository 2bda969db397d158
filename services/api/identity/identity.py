"""Authentication of a gateway process: API keys, sessions, the owner's token, passwords.

With a cache of callers for some seconds.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Annotated, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from pydantic import SecretStr
from sqlalchemy import Connection, Engine
from starlette.requests import HTTPConnection

from luna.contracts.identity import ROLE_SCOPES, NewUser
from luna.energy.errors import ConflictError, LunaError, UnauthenticatedError, UnavailableError
from luna.energy.refusals import refuse
from luna.platform import passwords
from luna.platform.address_policy import AddressKind, classify_address
from luna.platform.clock import Clock, SystemClock
from luna.platform.database import api_keys, sessions, users
from luna.platform.database.engine import do_in_unit
from luna.platform.settings import Settings
from services.api.identity.access_tokens import AccessTokens
from services.api.identity.caller import LOCAL, NOBODY, Caller
from services.api.identity.rate_limits import Budget, Limiter
from services.api.identity.source import Source, TrustedProxies

# Callers are cached so long; a key that another process revoked stays valid until then.
CACHE_SECONDS = 5.0
CACHE_SIZE = 4096
# While no user is set up, the database is asked again after this.
NOBODY_SECONDS = 1.0
# Each hash takes 19 MiB and a core for some hundredths of a second.
MAX_HASHING = 2
MAX_WAITING_TO_HASH = 32
# Limit of all sign-ins together, as a multiple of one address's: stops guessing from many
# addresses.
LOGIN_SHARE = 20
# Limit of a name's sign-ins from the home's network, likewise: one device there that guesses locks
# out nobody else.
HOME_SHARE = 5
HOME_SIDE = "home"
OUTSIDE = "outside"
FIRST_USER = "admin"
OWNER_COOKIE = "luna_owner"
LONGEST_CREDENTIAL = 4096

log = structlog.get_logger("luna.api")
ResultT = TypeVar("ResultT")


@dataclass
class Identity:
    """Authenticates callers; one per process."""

    settings: Settings
    database: Engine
    limiter: Limiter
    tokens: AccessTokens
    # Gives full access until the first user is set up, on a gateway that listens on this machine
    # alone.
    owner_token: str
    clock: Clock = field(default_factory=SystemClock)
    # Needed to set up the first user from another machine; written to the log only.
    setup_code: str = field(default_factory=lambda: secrets.token_hex(8))
    _cache: dict[bytes, tuple[float, Caller]] = field(default_factory=dict)
    _somebody: bool = False
    _nobody_until: float = 0.0
    _hashing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MAX_HASHING))

    @cached_property
    def proxies(self) -> TrustedProxies:
        """The proxies whose forwarding headers are trusted."""
        return TrustedProxies.parse(self.settings.trusted_proxies)

    async def identify(
        self, request: HTTPConnection, source: Source, *, afresh: bool = False
    ) -> Caller:
        """Return the caller: by the Authorization header, else by a cookie.

        ``afresh`` bypasses the cache.

        Raises:
            UnauthenticatedError: the header's credentials are not valid.
            UnavailableError: the database is away.
        """
        header = request.headers.get("authorization")
        if header is not None:
            if self.bears_owner_token(request):
                owner = await self._know_owner(request)
                if owner is None:
                    raise _not_valid()
                return owner
            return await self._look_up(header, self._by_header, afresh=afresh)
        cookie = request.cookies.get(cookie_name(source))
        if cookie:
            try:
                return await self._look_up(cookie, self._by_cookie, afresh=afresh)
            except UnauthenticatedError:
                # Browsers go on sending cookies of ended sessions, and of other installations: such
                # a cookie is ignored.
                log.debug("a cookie of no session")
        return await self._know_owner(request) or NOBODY

    def bears_owner_token(self, request: HTTPConnection) -> bool:
        """Return whether a request bears the owner's token, also when it no longer gives access."""
        header = request.headers.get("authorization", "")
        return hmac.compare_digest(
            header.encode("utf-8", "surrogateescape"), f"Bearer {self.owner_token}".encode()
        )

    async def is_owner(self, request: HTTPConnection) -> bool:
        """Return whether a request has full access by the owner's token.

        The token is in a header, or in the cookie that the link set.
        """
        return await self._know_owner(request) is not None

    async def takes_owner(self) -> bool:
        """Return whether the owner's token gives access.

        It does on a gateway that listens on this machine alone, until the first user is set up.
        """
        return self.settings.takes_owner_token and not await self.anybody_there()

    @cached_property
    def owner_cookie(self) -> str:
        """The value of the cookie that the link sets in a browser."""
        return browser_cookie_of(self.owner_token)

    async def _know_owner(self, request: HTTPConnection) -> Caller | None:
        cookie = request.cookies.get(OWNER_COOKIE, "")
        if self.bears_owner_token(request):
            caller = LOCAL
        elif cookie and hmac.compare_digest(
            cookie.encode("utf-8", "surrogateescape"), self.owner_cookie.encode()
        ):
            caller = replace(LOCAL, csrf_token=csrf_token_of(cookie))
        else:
            return None
        return caller if await self.takes_owner() else None

    async def know(self, *, cookie: str = "", token: str = "") -> Caller:
        """Return the caller of a session's cookie, else of an access token.

        Raises:
            UnauthenticatedError: it is not valid, or has expired.
        """
        if cookie:
            return await self._look_up(cookie, self._by_cookie)
        return await self._look_up(f"Bearer {token}", self._by_header)

    async def anybody_there(self) -> bool:
        """Return whether a user is set up.

        True is cached for good, since the last admin cannot be removed.
        """
        if not self._somebody and time.monotonic() >= self._nobody_until:
            self._somebody = await self.write(users.any_there)
            self._nobody_until = time.monotonic() + NOBODY_SECONDS
        return self._somebody

    async def write(self, work: Callable[[Connection], ResultT]) -> ResultT:
        """Run ``work`` in one unit of work, in a thread."""
        return await to_thread.run_sync(do_in_unit, self.database, work)

    async def hash_password(self, password: str) -> str:
        """Return the hash to store of a password."""
        return await self._hash(partial(passwords.hash_password, password))

    async def check_password(
        self, source: Source, name: str, password: SecretStr
    ) -> users.Credentials:
        """Return the user's credentials if the password is right.

        An unknown name gives the same error after the same time, so that names cannot be probed.

        Raises:
            UnauthenticatedError: name or password is wrong.
            TooManyRequestsError: too many attempts from this address, for this name, or in all.
        """
        await self.spend_on_sign_in(source, name)
        text = password.get_secret_value()
        stored = (
            None if "\x00" in name else await self.write(partial(users.find_credentials, name=name))
        )
        if (
            not await self._hash(
                partial(passwords.is_right, text, stored.password_hash if stored else None)
            )
            or stored is None
        ):
            raise refuse("password-wrong", field="password")
        if passwords.is_outdated(stored.password_hash):
            password_hash = await self.hash_password(text)
            return await self.write(
                partial(users.rehash, checked=stored, password_hash=password_hash)
            )
        return stored

    async def spend_on_sign_in(self, source: Source, name: str) -> None:
        """Count an attempt to sign in.

        Raises:
            TooManyRequestsError: too many from this address, for this name, or in all.
        """
        most = self.settings.sign_ins_per_minute
        await self.limiter.spend(Budget("login_address", most), network_of(source))
        # Counted apart for the home's own network: whoever guesses from outside locks out nobody at
        # home.
        side = _side_of(source)
        await self.limiter.spend(
            Budget("login_user", most * (HOME_SHARE if side == HOME_SIDE else 1)), f"{side}:{name}"
        )
        await self.limiter.spend(Budget("login_global", LOGIN_SHARE * most), side)

    async def spend_on_link(self, source: Source) -> None:
        """Count an attempt to open a browser by a link.

        Raises:
            TooManyRequestsError: too many from this address, or in all.
        """
        most = self.settings.sign_ins_per_minute
        await self.limiter.spend(Budget("link_address", most), network_of(source))
        await self.limiter.spend(Budget("link_global", LOGIN_SHARE * most), _side_of(source))

    def forget_callers(self) -> None:
        """Clear the cache after a change of users, keys or permissions."""
        self._cache.clear()
        self._nobody_until = 0.0

    def is_monitor(self, request: HTTPConnection) -> bool:
        """Return whether a request bears the token of monitoring."""
        token = self.settings.monitor_token
        header = request.headers.get("authorization", "")
        return token is not None and hmac.compare_digest(
            header.encode(), f"Bearer {token.get_secret_value()}".encode()
        )

    async def announce(self) -> None:
        """Create the first user if the settings hold its password.

        Else log the code that sets one up from another machine.
        """
        # The first sign-in with an unknown name takes as long as every other.
        await to_thread.run_sync(passwords.hash_of_nobody)
        try:
            if await self.anybody_there():
                return
            secret = self.settings.admin_password
            if secret is not None:
                password = secret.get_secret_value()
                passwords.require_good(password, name=FIRST_USER, field="LUNA_ADMIN_PASSWORD")
                first = NewUser(name=FIRST_USER, password=secret)
                password_hash = await self.hash_password(password)
                # Another process of the gateway may create it first.
                with suppress(ConflictError):
                    await self.write(
                        lambda connection: users.add_first(connection, first, password_hash)
                    )
                    self.forget_callers()
                    log.info("the first user was made", user=FIRST_USER)
            elif not self.settings.takes_owner_token:
                remedy = "POST /v1/auth/setup with this code."
                log.warning(
                    "nobody is set up yet; until then the gateway does nothing",
                    setup_code=self.setup_code,
                    remedy=remedy,
                )
        except UnavailableError as error:
            log.warning("whether anybody is set up is not known yet", reason=str(error))

    async def _hash(self, work: Callable[[], ResultT]) -> ResultT:
        if self._hashing.statistics().tasks_waiting >= MAX_WAITING_TO_HASH:
            raise refuse("passwords-waiting")
        return await to_thread.run_sync(work, limiter=self._hashing)

    async def _look_up(
        self,
        credential: str,
        find: Callable[[Connection, str], Caller | None],
        *,
        afresh: bool = False,
    ) -> Caller:
        if len(credential) > LONGEST_CREDENTIAL:
            raise _not_valid()
        subject = f"{find.__name__}:{credential}".encode("utf-8", "surrogateescape")
        key = hashlib.sha256(subject).digest()
        entry = self._cache.get(key)
        if entry is not None and entry[0] > time.monotonic() and not afresh:
            return entry[1]
        caller = await self.write(lambda connection: find(connection, credential))
        if caller is None:
            self._cache.pop(key, None)
            raise _not_valid()
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        self._cache[key] = (time.monotonic() + CACHE_SECONDS, caller)
        return caller

    def _by_header(self, connection: Connection, header: str) -> Caller | None:
        scheme, _, credential = header.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not (credential.isascii() and credential.isprintable()):
            return None
        if credential.startswith(f"{api_keys.MARK}_"):
            key = api_keys.find(connection, credential, now=self.clock.now())
            if key is None:
                return None
            account = key.account
            scopes = key.scopes
            prefix = key.prefix
            return Caller(
                name=account.name,
                means="key",
                role=account.role,
                scopes=scopes,
                sites=account.sites,
                user_id=account.user_id,
                key_prefix=prefix,
            )
        session_id = self.tokens.read(credential, now=self.clock.now())
        if session_id is None:
            return None
        session = sessions.find_by_id(
            connection, session_id, now=self.clock.now(), idle=self.settings.session_idle
        )
        return None if session is None else _caller_of_session(session)

    def _by_cookie(self, connection: Connection, cookie: str) -> Caller | None:
        session = sessions.find_by_token(
            connection, cookie, now=self.clock.now(), idle=self.settings.session_idle
        )
        return None if session is None else _caller_of_session(session, cookie=cookie)


def cookie_name(source: Source) -> str:
    """Return the name of the session's cookie.

    Over https browsers enforce the rules of ``__Host-``.
    """
    return "__Host-luna_session" if source.secure else "luna_session"


def browser_cookie_of(owner_token: str) -> str:
    """Return the owner's cookie.

    It is derived from the token, so that a leaked cookie is no token for programs.
    """
    return hmac.new(owner_token.encode(), b"browser", hashlib.sha256).hexdigest()


def csrf_token_of(cookie: str) -> str:
    """Return the CSRF token of a session's cookie."""
    return hashlib.sha256(f"csrf:{cookie}".encode("utf-8", "surrogateescape")).hexdigest()


def _caller_of_session(session: sessions.OpenSession, *, cookie: str | None = None) -> Caller:
    account = session.account
    return Caller(
        name=account.name,
        means="token" if cookie is None else "session",
        role=account.role,
        scopes=ROLE_SCOPES[account.role],
        sites=account.sites,
        user_id=account.user_id,
        session_id=session.session_id,
        confirmed_until=session.confirmed_until,
        csrf_token=None if cookie is None else csrf_token_of(cookie),
    )


def _not_valid() -> LunaError:
    return refuse("credentials-expired", field="Authorization")


async def _current(request: Request) -> Identity:
    identity: Identity = request.app.state.identity
    return identity


# Identity of the gateway's callers, for handlers and pages.
CurrentIdentity = Annotated[Identity, Depends(_current)]


def network_of(source: Source) -> str:
    """Return the address that attempts are counted by.

    Of IPv6 its /64, of which one customer has all addresses.
    """
    try:
        address = ip_address(source.address)
    except ValueError:
        return source.address
    if isinstance(address, IPv4Address):
        return source.address
    return str(IPv6Network((address.packed, 64), strict=False))


def _side_of(source: Source) -> str:
    """Return whether a request comes from the home's network, this machine included."""
    try:
        kind = classify_address(ip_address(source.address))
    except ValueError:
        return OUTSIDE
    return HOME_SIDE if kind in {AddressKind.HOME, AddressKind.LOOPBACK} else OUTSIDE
