"""Routes of authentication: sign in and out, first user, password confirmation.

Pages call the same functions.
"""

import hmac
import secrets
from datetime import timedelta
from functools import partial

from fastapi import Request, Response
from sqlalchemy import Connection

from luna.contracts.identity import (
    ACCESS_TOKEN_LIFE,
    Me,
    NewUser,
    PasswordAgain,
    PasswordChange,
    Refresh,
    SetUp,
    SignIn,
    Tokens,
    User,
)
from luna.energy.errors import (
    ConflictError,
    ForbiddenError,
    TooManyRequestsError,
    UnauthenticatedError,
)
from luna.energy.refusals import refuse
from luna.platform import passwords
from luna.platform.database import api_keys, sessions, users
from luna.platform.own_secrets import use_link
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.identity import (
    OWNER_COOKIE,
    CurrentIdentity,
    Identity,
    cookie_name,
    csrf_token_of,
    network_of,
)
from services.api.identity.rate_limits import Budget
from services.api.identity.source import Source
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.problems import document_errors
from services.api.routing import ResourceRouter

router = ResourceRouter("identity", route_class=CheckedRoute)

CONFIRMED = timedelta(minutes=5)
# Life of the cookie that the link sets; it gives access only until the first user is set up.
OPENED = timedelta(days=365)
ALONE = "a command is who calls it"
SIGN_IN_ERRORS = document_errors(UnauthenticatedError, TooManyRequestsError)
SET_UP_ERRORS = document_errors(ConflictError, ForbiddenError, TooManyRequestsError)
PASSWORD_ERRORS = document_errors(ConflictError, TooManyRequestsError)


async def open_browser(request: Request, response: Response, code: str) -> bool:
    """Redeem a link's code for the owner's cookie, valid until the first user is set up.

    Return whether the code was valid.
    """
    identity: Identity = request.app.state.identity
    await identity.spend_on_link(request.state.source)
    if not await identity.takes_owner() or not use_link(
        identity.settings, code, now=identity.clock.now()
    ):
        return False
    secure = request.state.source.secure
    life = int(OPENED.total_seconds())
    # Lax: the link may be followed from another site, as from a terminal in a browser.
    response.set_cookie(
        OWNER_COOKIE,
        identity.owner_cookie,
        path="/",
        httponly=True,
        secure=secure,
        samesite="lax",
        max_age=life,
    )
    return True


@router.operation(
    "Set up the first user",
    Operation("POST", "/v1/auth/setup", "public", "user add", keyed=False),
    status_code=201,
    responses=SET_UP_ERRORS,
)
async def set_up(credentials: SetUp, request: Request) -> User:
    """Make the first user, an admin.

    Once. It takes the owner's token, or the code of the gateway's log.
    """
    identity: Identity = request.app.state.identity
    request.state.audited_name = credentials.name
    await identity.spend_on_sign_in(request.state.source, credentials.name)
    if await identity.anybody_there():
        raise refuse("set-up-already", field="name")
    code = credentials.code.get_secret_value() if credentials.code else ""
    if not await identity.is_owner(request) and not hmac.compare_digest(
        code.encode(), identity.setup_code.encode()
    ):
        raise refuse("set-up-code-wrong", field="code")
    passwords.require_good(credentials.password.get_secret_value(), name=credentials.name)
    first = NewUser(name=credentials.name, password=credentials.password, role="admin")
    password_hash = await identity.hash_password(credentials.password.get_secret_value())
    user = await identity.write(
        lambda connection: users.add_first(connection, first, password_hash)
    )
    identity.forget_callers()
    return user


@router.operation(
    "Sign in",
    Operation("POST", "/v1/auth/login", "public", alone=ALONE, keyed=False),
    responses=SIGN_IN_ERRORS,
)
async def sign_in(credentials: SignIn, request: Request, response: Response) -> Me:
    """Begin a session in this browser (a cookie), or return tokens for a program.

    A program asks for tokens by `form`: `tokens`.
    """
    identity: Identity = request.app.state.identity
    source: Source = request.state.source
    request.state.audited_name = credentials.name
    account = await identity.check_password(source, credentials.name, credentials.password)
    now = identity.clock.now()
    secret = secrets.token_urlsafe(32)
    cookie = secret if credentials.form == "session" else None
    # The browser's earlier session ends.
    before = request.cookies.get(cookie_name(source))

    def begin(connection: Connection) -> int:
        users.require_unchanged(connection, account)
        if before:
            sessions.end_by_token(connection, before)
        users.note_sign_in(connection, account.user_id, now=now)
        ends = now + identity.settings.session_life
        session_id = sessions.open_session(
            connection, account.user_id, token=cookie, address=source.address, now=now, ends=ends
        )
        if cookie is None:
            sessions.give_refresh_token(
                connection, session_id, secret, expires_at=now + identity.settings.session_idle
            )
        return session_id

    session_id = await identity.write(begin)
    identity.forget_callers()
    if cookie is None:
        tokens = _make_tokens(identity, session_id, secret)
        return _describe(await identity.know(token=tokens.access_token), tokens=tokens)
    # For this host alone, out of reach of scripts, not sent along by other sites.
    response.set_cookie(
        cookie_name(source),
        cookie,
        path="/",
        httponly=True,
        secure=source.secure,
        samesite="strict",
    )
    request.state.csrf_token = csrf_token_of(cookie)
    return _describe(await identity.know(cookie=cookie))


@router.operation(
    "Get the next tokens",
    Operation("POST", "/v1/auth/refresh", "public", alone=ALONE, keyed=False),
    responses=SIGN_IN_ERRORS,
)
async def refresh_tokens(refresh: Refresh, request: Request, identity: CurrentIdentity) -> Tokens:
    """Return a new pair for a refresh token, which is used up.

    One that is used twice ends the sign-in.
    """
    now = identity.clock.now()
    following = secrets.token_urlsafe(32)

    def use(connection: Connection) -> int | None:
        session_id = sessions.use_refresh_token(
            connection, refresh.refresh_token.get_secret_value(), now=now
        )
        if (
            session_id is None
            or sessions.find_by_id(
                connection, session_id, now=now, idle=identity.settings.session_idle
            )
            is None
        ):
            return None
        # In the same transaction: a second use of the token then ends the session together with
        # this new token.
        sessions.give_refresh_token(
            connection, session_id, following, expires_at=now + identity.settings.session_idle
        )
        return session_id

    session_id = await identity.write(use)
    if session_id is None:
        identity.forget_callers()
        await identity.limiter.spend(
            Budget("login_address", identity.settings.sign_ins_per_minute),
            network_of(request.state.source),
        )
        raise refuse("credentials-expired", field="refresh_token")
    return _make_tokens(identity, session_id, following)


@router.operation(
    "Sign out",
    Operation("POST", "/v1/auth/logout", "read", alone=ALONE, keyed=False),
    status_code=204,
)
async def sign_out(request: Request, response: Response, caller: CurrentCaller) -> None:
    """End the session or sign-in that this request was made with."""
    identity: Identity = request.app.state.identity
    if caller.session_id is not None:
        await identity.write(partial(sessions.end, session_id=caller.session_id))
        identity.forget_callers()
    response.delete_cookie(
        cookie_name(request.state.source),
        path="/",
        secure=request.state.source.secure,
        httponly=True,
        samesite="strict",
    )


@router.operation(
    "Give the password again",
    Operation("POST", "/v1/auth/confirm", "read", alone=ALONE, keyed=False),
    status_code=204,
    responses=PASSWORD_ERRORS,
)
async def confirm_password(
    again: PasswordAgain, request: Request, identity: CurrentIdentity, caller: CurrentCaller
) -> None:
    """Let what is critical ask for no password for five minutes."""
    if caller.session_id is None:
        raise refuse("only-sign-in-confirmed", field="Authorization")
    await identity.check_password(request.state.source, caller.name, again.password)
    until = identity.clock.now() + CONFIRMED
    await identity.write(partial(sessions.confirm, session_id=caller.session_id, until=until))
    identity.forget_callers()


@router.operation("Say who asks", Operation("GET", "/v1/auth/me", "read", alone=ALONE, keyed=False))
async def read_me(caller: CurrentCaller) -> Me:
    """Return the caller, their rights and their sites."""
    return _describe(caller)


@router.operation(
    "Change one's password",
    Operation("POST", "/v1/auth/password", "read", "user password", keyed=False),
    status_code=204,
    responses=PASSWORD_ERRORS,
)
async def change_password(
    change: PasswordChange, request: Request, response: Response, caller: CurrentCaller
) -> None:
    """Change the password.

    Every sign-in ends; the browser that asked gets a new session. Keys stay, unless they are to be
    removed as well.
    """
    identity: Identity = request.app.state.identity
    if caller.session_id is None:
        raise refuse("password-without-sign-in", field="Authorization")
    await identity.check_password(request.state.source, caller.name, change.password)
    new = change.new_password.get_secret_value()
    passwords.require_good(new, name=caller.name, field="new_password")
    if new == change.password.get_secret_value():
        raise refuse("password-as-before", field="new_password")
    password_hash = await identity.hash_password(new)

    def store(connection: Connection) -> None:
        users.change(connection, caller.name, password_hash=password_hash)
        if change.revoke_keys:
            api_keys.remove_all(connection, caller.name)

    await identity.write(store)
    identity.forget_callers()
    if caller.means == "session":
        await sign_in(SignIn(name=caller.name, password=change.new_password), request, response)


def _describe(caller: Caller, *, tokens: Tokens | None = None) -> Me:
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
    return Tokens(
        access_token=identity.tokens.make(session_id, now=identity.clock.now()),
        refresh_token=refresh_token,
        expires_in=seconds,
    )
