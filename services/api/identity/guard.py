"""Request guard before every route.

It checks authentication, origin and CSRF token, rate limits, scopes and password confirmation.
"""

import hmac
from urllib.parse import parse_qs, unquote, urlsplit

import structlog
from fastapi import Request
from pydantic import SecretStr

from luna.energy.errors import UnauthenticatedError
from luna.energy.refusals import refuse
from luna.platform.settings.model import is_loopback
from services.api.identity.caller import MONITOR, NOBODY, Caller
from services.api.identity.identity import Identity, cookie_name
from services.api.identity.rate_limits import Budget
from services.api.identity.source import Source, read_source
from services.api.operation import Operation
from services.api.uploads import PeekedBody

SAFE = ("GET", "HEAD", "OPTIONS")
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
GLOBAL_SHARE = 20
FORM = "application/x-www-form-urlencoded"
FILES = "multipart/form-data"
MONITORS = ("/health/live", "/health/ready")

log = structlog.get_logger("luna.api")


async def admit(request: Request, operation: Operation) -> Caller:
    """Return the caller if the request is permitted.

    Set ``caller``, ``source``, ``operation`` and ``csrf_token`` in ``request.state``.

    Raises:
        UnauthenticatedError: the operation needs a caller, and the request has no valid
            credentials.
        ForbiddenError: the caller lacks the scope, or the request comes from a page of another
            origin.
        ConfirmationError: the operation is critical, and the password was not given lately.
        TooManyRequestsError: the budget of the caller, of the address or of the whole gateway is
            used up.
        UnavailableError: the database is away.
    """
    identity: Identity = request.app.state.identity
    source = await read_source(request, identity.proxies)
    request.state.source = source
    request.state.operation = operation
    request.state.caller = NOBODY
    request.state.csrf_token = ""
    if request.scope["path"] in MONITORS:
        return NOBODY
    is_program_here = (
        source.here
        and "authorization" not in request.headers
        and cookie_name(source) not in request.cookies
    )
    # Requests that a page of another origin could send from a browser here need the token; replies
    # that it cannot read do not.
    may_read = is_program_here and operation.method == "GET"
    if operation.monitor and (
        identity.is_monitor(request) or identity.bears_owner_token(request) or may_read
    ):
        # Before anything that needs the database: monitoring has to work while that is away.
        request.state.caller = MONITOR
        return MONITOR
    _require_own_origin(request, source)
    # A public operation ignores credentials, also invalid ones.
    caller = NOBODY
    if operation.scope != "public":
        try:
            caller = await identity.identify(request, source, afresh=operation.critical)
        except UnauthenticatedError:
            # A guessed key counts as a request.
            await identity.limiter.spend(
                Budget("address", identity.settings.requests_per_minute), source.address
            )
            raise
    request.state.caller = caller
    request.state.csrf_token = caller.csrf_token or ""
    structlog.contextvars.bind_contextvars(user=caller.name)
    await _spend(identity, caller, source, operation)
    if operation.scope != "public":
        await _authorise(request, operation, caller)
    return caller


async def _authorise(request: Request, operation: Operation, caller: Caller) -> None:
    identity: Identity = request.app.state.identity
    if caller.means == "nobody":
        if await identity.anybody_there():
            remedy = "Sign in: POST /v1/auth/login, or send a key: Authorization: Bearer luna_…"
        elif identity.settings.takes_owner_token:
            remedy = (
                "Send the owner's token, which luna open --token prints: Authorization: Bearer "
                "…; a browser is opened by luna open."
            )
        else:
            remedy = "Set up the first user: POST /v1/auth/setup."
        raise refuse("nobody-signed-in", remedy=remedy)
    if operation.scope not in caller.scopes:
        raise refuse(
            "scope-missing", scope=operation.scope, yours=", ".join(sorted(caller.scopes)) or "none"
        )
    if request.method not in SAFE and caller.csrf_token is not None:
        await _require_csrf_token(request, caller)
    is_confirmed = (
        caller.confirmed_until is not None and caller.confirmed_until > identity.clock.now()
    )
    if operation.critical and caller.means != "local" and not is_confirmed:
        password = request.headers.get("X-Confirm-Password")
        if password is None:
            raise refuse("password-again")
        await identity.check_password(
            request.state.source, caller.name, SecretStr(unquote(password))
        )


async def _spend(identity: Identity, caller: Caller, source: Source, operation: Operation) -> None:
    # Unlimited for programs on this machine: before the first user is set up, and for public
    # operations.
    if caller.user_id is None and source.here:
        return
    most = identity.settings.requests_per_minute
    await identity.limiter.spend(Budget("global", GLOBAL_SHARE * most), "all")
    await identity.limiter.spend(Budget("address", most), source.address)
    if caller.means != "nobody":
        await identity.limiter.spend(
            Budget("caller", most), f"{caller.user_id}:{caller.key_prefix or ''}"
        )
        if operation.solves:
            await identity.limiter.spend(
                Budget("solver", identity.settings.solves_per_minute), str(caller.user_id)
            )


def _require_own_origin(request: Request, source: Source) -> None:
    """Refuse an unsafe request from a page of another origin.

    Source: OWASP CSRF Prevention Cheat Sheet.

    Browsers send these headers with every unsafe request, and a page's scripts cannot change them;
    programs send none.
    """
    if request.method in SAFE:
        return
    origin = request.headers.get("origin")
    fetched = request.headers.get("sec-fetch-site")
    is_foreign = fetched is not None and fetched not in ("same-origin", "none")
    if origin is not None and not _is_own_origin(origin, source):
        is_foreign = True
    if is_foreign:
        raise refuse("page-of-other-origin", field="Origin", value=origin)


def _is_own_origin(origin: str, source: Source) -> bool:
    try:
        parts = urlsplit(origin)
        if parts.netloc.lower() != source.host.lower():
            return False
        scheme = "https" if source.secure else "http"
        # The scheme may differ on loopback alone: there the same program answers on both.
        return parts.scheme == scheme or is_loopback(parts.hostname or "")
    except ValueError:
        return False


async def _require_csrf_token(request: Request, caller: Caller) -> None:
    token = request.headers.get(CSRF_HEADER)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if token is None and media_type == FORM:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        token = fields.get(CSRF_FIELD, [""])[-1]
    if token is None and media_type == FILES and isinstance(request.receive, PeekedBody):
        # A form with a file is read later, as a stream: its token precedes the file. A token in the
        # query would be logged.
        token = await request.receive.peek_field(request.headers["content-type"], CSRF_FIELD)
    if token is None or not hmac.compare_digest(token.encode(), (caller.csrf_token or "").encode()):
        raise refuse("page-token-of-other-session", field=CSRF_HEADER)
