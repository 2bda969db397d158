"""Sign in and out, set up the first user, give the password again."""

from fastapi import Request, Response

from luna.contracts.identity import Me, PasswordAgain, PasswordChange, Refresh, SetUp, SignIn, Tokens, User
from luna.energy.errors import ConflictError, ForbiddenError, TooManyRequestsError, UnauthenticatedError
from services.api.identity import login
from services.api.identity.caller import CurrentCaller
from services.api.identity.identity import CurrentIdentity
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.problems import document_errors
from services.api.routing import ResourceRouter

router = ResourceRouter("identity", route_class=CheckedRoute)

SIGN_IN_ERRORS = document_errors(UnauthenticatedError, TooManyRequestsError)


@router.operation(
    "Set up the first user",
    Operation("POST", "/v1/auth/setup", "public", "user add", keyed=False),
    status_code=201,
    responses=document_errors(ConflictError, ForbiddenError, TooManyRequestsError),
)
async def set_up(credentials: SetUp, request: Request) -> User:
    """Make the first user, an admin; once. It takes the owner's token, or the code of the gateway's log."""
    request.state.audited_name = credentials.name
    return await login.set_up(request, credentials)


@router.operation("Sign in", Operation("POST", "/v1/auth/login", "public", alone="a command is who calls it", keyed=False), responses=SIGN_IN_ERRORS)
async def sign_in(credentials: SignIn, request: Request, response: Response) -> Me:
    """Begin a session in this browser (a cookie), or return tokens for a program (`form`: `tokens`)."""
    return await login.sign_in(request, response, credentials)


@router.operation(
    "Get the next tokens", Operation("POST", "/v1/auth/refresh", "public", alone="a command is who calls it", keyed=False), responses=SIGN_IN_ERRORS
)
async def refresh_tokens(refresh: Refresh, request: Request, identity: CurrentIdentity) -> Tokens:
    """Return a new pair for a refresh token, which is used up. One that is used twice ends the sign-in."""
    return await login.refresh(identity, request.state.source, refresh.refresh_token)


@router.operation("Sign out", Operation("POST", "/v1/auth/logout", "read", alone="a command is who calls it", keyed=False), status_code=204)
async def sign_out(request: Request, response: Response, caller: CurrentCaller) -> None:
    """End the session or sign-in that this request was made with."""
    await login.sign_out(request, response, caller)


@router.operation(
    "Give the password again",
    Operation("POST", "/v1/auth/confirm", "read", alone="a command is who calls it", keyed=False),
    status_code=204,
    responses=document_errors(ConflictError, TooManyRequestsError),
)
async def confirm_password(again: PasswordAgain, request: Request, identity: CurrentIdentity, caller: CurrentCaller) -> None:
    """Let what is critical ask for no password for five minutes."""
    await login.confirm(identity, request.state.source, caller, again.password)


@router.operation("Say who asks", Operation("GET", "/v1/auth/me", "read", alone="a command is who calls it", keyed=False))
async def read_me(caller: CurrentCaller) -> Me:
    """Return who asks, what they may do and on which sites."""
    return login.describe(caller)


@router.operation(
    "Change one's password",
    Operation("POST", "/v1/auth/password", "read", "user password", keyed=False),
    status_code=204,
    responses=document_errors(ConflictError, TooManyRequestsError),
)
async def change_password(change: PasswordChange, request: Request, response: Response, caller: CurrentCaller) -> None:
    """Change the password. Every sign-in ends; the browser that asked gets a new session."""
    await login.change_password(request, response, caller, change)
