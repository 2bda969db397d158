"""Signing in and out, setting up, giving the password again: what routes and pages call."""

import hmac
import secrets
from datetime import timedelta
from functools import partial

from fastapi import Request, Response
from pydantic import SecretStr
from sqlalchemy import Connection

from luna.contracts.identity import ACCESS_TOKEN_LIFE, Me, NewUser, PasswordChange, SetUp, SignIn, Tokens, User
from luna.energy.refusals import refuse
from luna.platform import passwords
from luna.platform.database import sessions, users
from luna.platform.own_secrets import use_link
from services.api.identity.caller import Caller
from services.api.identity.identity import OWNER_COOKIE, Identity, cookie_name, csrf_token_of
from services.api.identity.limits import Budget
from services.api.identity.source import Source

CONFIRMED = timedelta(minutes=5)
# How long a browser stays open that was let in by the link; it ends when somebody is set up.
OPENED = timedelta(days=365)
# Sign-ins of all together, by those of one: a flood of guesses from many addresses stops here.
LOGIN_SHARE = 20


async def open_browser(request: Request, response: Response, code: str) -> bool:
    """Take a link's code and let the browser in until somebody is set up; return whether the code still opens anything."""
    identity: Identity = request.app.state.identity
    if not await identity.takes_owner() or not use_link(identity.settings, code, now=identity.clock.now()):
        return False
    secure, life = request.state.source.secure, int(OPENED.total_seconds())
    # Lax: a link in a terminal that is itself a page leads here from another site.
    response.set_cookie(OWNER_COOKIE, identity.owner_cookie, path="/", httponly=True, secure=secure, samesite="lax", max_age=life)
    return True


async def needs_set_up(identity: Identity) -> bool:
    """Return whether nobody is set up yet, so that a page leads to the set-up and not to the sign-in."""
    return not await identity.anybody_there()


async def set_up(request: Request, credentials: SetUp) -> User:
    """Make the first user, an admin, once.

    Raises:
        ConflictError: somebody is set up already.
        ForbiddenError: asked without the owner's token or the code of the gateway's log.
        InvalidInputError: the password cannot be taken.
        TooManyRequestsError: too many tries.
    """
    identity: Identity = request.app.state.identity
    await _spend_on_sign_in(identity, request.state.source, credentials.name)
    if await identity.anybody_there():
        raise refuse("set-up-already", field="name")
    code = credentials.code.get_secret_value() if credentials.code else ""
    if not await identity.is_owner(request) and not hmac.compare_digest(code.encode(), identity.setup_code.encode()):
        raise refuse("set-up-code-wrong", field="code")
    passwords.require_good(credentials.password.get_secret_value(), name=credentials.name)
    first = NewUser(name=credentials.name, password=credentials.password, role="admin")
    password_hash = await identity.hash_password(credentials.password.get_secret_value())
    user = await identity.write(lambda connection: users.add_first(connection, first, password_hash))
    identity.forget_callers()
    return user


async def sign_in(request: Request, response: Response, credentials: SignIn) -> Me:
    """Begin a session and say whose: its cookie goes into ``response``, or its tokens come along. Whatever session the browser had ends.

    Raises:
        UnauthenticatedError: name or password is wrong; which of them is not said.
        TooManyRequestsError: too many tries from this address, for this name, or in all.
    """
    identity: Identity = request.app.state.identity
    source: Source = request.state.source
    request.state.audited_name = credentials.name
    account = await check_password(identity, source, credentials.name, credentials.password)
    now, secret = identity.clock.now(), secrets.token_urlsafe(32)
    cookie = secret if credentials.form == "session" else None
    before = request.cookies.get(cookie_name(source))

    def begin(connection: Connection) -> int:
        users.require_unchanged(connection, account)
        if before:
            sessions.end_by_token(connection, before)
        users.note_sign_in(connection, account.user_id, now=now)
        ends = now + identity.settings.session_life
        session_id = sessions.open_session(connection, account.user_id, token=cookie, address=source.address, now=now, ends=ends)
        if cookie is None:
            sessions.give_refresh_token(connection, session_id, secret, expires_at=now + identity.settings.session_idle)
        return session_id

    session_id = await identity.write(begin)
    identity.forget_callers()
    if cookie is None:
        tokens = _make_tokens(identity, session_id, secret)
        return describe(await identity.know_token(tokens.access_token), tokens=tokens)
    set_cookie(response, source, cookie)
    request.state.csrf_token = csrf_token_of(cookie)
    return describe(await identity.know_cookie(cookie))


async def sign_out(request: Request, response: Response, caller: Caller) -> None:
    """End the caller's session, and forget its cookie."""
    identity: Identity = request.app.state.identity
    if caller.session_id is not None:
        await identity.write(partial(sessions.end, session_id=caller.session_id))
        identity.forget_callers()
    response.delete_cookie(cookie_name(request.state.source), path="/", secure=request.state.source.secure, httponly=True, samesite="strict")


async def refresh(identity: Identity, source: Source, refresh_token: SecretStr) -> Tokens:
    """Return the next pair of tokens; the one given is used up.

    Raises:
        UnauthenticatedError: it is none, has ended, or was used before, which ends the sign-in.
        TooManyRequestsError: too many tries that failed.
    """
    now, following = identity.clock.now(), secrets.token_urlsafe(32)

    def use(connection: Connection) -> int | None:
        session_id = sessions.use_refresh_token(connection, refresh_token.get_secret_value(), now=now)
        if session_id is None or sessions.find_by_id(connection, session_id, now=now, idle=identity.settings.session_idle) is None:
            return None
        # In the same transaction: who comes second ends the sign-in after it has its next token, not before.
        sessions.give_refresh_token(connection, session_id, following, expires_at=now + identity.settings.session_idle)
        return session_id

    session_id = await identity.write(use)
    if session_id is None:
        identity.forget_callers()
        await identity.limiter.spend(Budget("login_address", identity.settings.sign_ins_per_minute), source.address)
        raise refuse("refresh-token-expired", field="refresh_token")
    return _make_tokens(identity, session_id, following)


async def confirm(identity: Identity, source: Source, caller: Caller, password: SecretStr) -> None:
    """Let what is critical ask the caller's session for no password for a while.

    Raises:
        UnauthenticatedError: the password is wrong.
        ConflictError: there is no session to keep it in.
        TooManyRequestsError: too many tries.
    """
    if caller.session_id is None:
        raise refuse("only-sign-in-confirmed", field="Authorization")
    await check_password(identity, source, caller.name, password)
    until = identity.clock.now() + CONFIRMED
    await identity.write(partial(sessions.confirm, session_id=caller.session_id, until=until))
    identity.forget_callers()


async def confirm_by_header(identity: Identity, caller: Caller, source: Source, password: str) -> bool:
    """Return True where the password that came with the request is the caller's.

    Raises:
        UnauthenticatedError: it is not.
        TooManyRequestsError: too many tries.
    """
    await check_password(identity, source, caller.name, SecretStr(password))
    return True


async def change_password(request: Request, response: Response, caller: Caller, change: PasswordChange) -> None:
    """Change the caller's password. Every sign-in of theirs ends; the browser that asked gets a new one.

    Raises:
        UnauthenticatedError: the present password is wrong.
        InvalidInputError: the new one cannot be taken.
        ConflictError: the caller is no person who signed in.
        TooManyRequestsError: too many tries.
    """
    identity: Identity = request.app.state.identity
    source: Source = request.state.source
    if caller.session_id is None:
        raise refuse("password-without-sign-in", field="Authorization")
    await check_password(identity, source, caller.name, change.password)
    new = change.new_password.get_secret_value()
    passwords.require_good(new, name=caller.name, field="new_password")
    if new == change.password.get_secret_value():
        raise refuse("password-as-before", field="new_password")
    password_hash = await identity.hash_password(new)
    await identity.write(lambda connection: users.change(connection, caller.name, password_hash=password_hash))
    identity.forget_callers()
    if caller.means == "session":
        await sign_in(request, response, SignIn(name=caller.name, password=change.new_password))


async def check_password(identity: Identity, source: Source, name: str, password: SecretStr) -> users.Credentials:
    """Return what the right password was held against; kept anew where today's parameters are stronger.

    Raises:
        UnauthenticatedError: name or password is wrong.
        TooManyRequestsError: too many tries from this address, for this name, or in all.
    """
    await _spend_on_sign_in(identity, source, name)
    text = password.get_secret_value()
    stored = None if "\x00" in name else await identity.write(partial(users.find_credentials, name=name))
    if not await identity.is_right(text, stored.password_hash if stored else None) or stored is None:
        raise refuse("password-wrong", field="password")
    if passwords.is_outdated(stored.password_hash):
        password_hash = await identity.hash_password(text)
        return await identity.write(partial(users.rehash, checked=stored, password_hash=password_hash))
    return stored


def set_cookie(response: Response, source: Source, cookie: str) -> None:
    """Give a browser its session: for this host alone, out of reach of scripts, not sent along by other sites."""
    response.set_cookie(cookie_name(source), cookie, path="/", httponly=True, secure=source.secure, samesite="strict")


def describe(caller: Caller, *, tokens: Tokens | None = None) -> Me:
    """Return who asks and what they may do."""
    person = caller.user_id is not None
    return Me(
        name=caller.name if person else None,
        role=caller.role,
        scopes=sorted(caller.scopes),
        sites=None if caller.sites is None else sorted(caller.sites),
        means="local" if caller.means in ("local", "nobody", "monitor") else caller.means,
        csrf_token=caller.csrf_token,
        confirmed_until=caller.confirmed_until,
        tokens=tokens,
    )


def _make_tokens(identity: Identity, session_id: int, refresh_token: str) -> Tokens:
    seconds = int(ACCESS_TOKEN_LIFE.total_seconds())
    return Tokens(access_token=identity.tokens.make(session_id, now=identity.clock.now()), refresh_token=refresh_token, expires_in=seconds)


async def _spend_on_sign_in(identity: Identity, source: Source, name: str) -> None:
    most = identity.settings.sign_ins_per_minute
    await identity.limiter.spend(Budget("login_address", most), source.address)
    await identity.limiter.spend(Budget("login_user", most), name)
    await identity.limiter.spend(Budget("login_global", LOGIN_SHARE * most), "all")
