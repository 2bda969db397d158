"""The door: sign in, make the first account, give the password again, change it, sign out."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import SecretStr, ValidationError

from luna.contracts.identity import PasswordAgain, PasswordChange, SetUp, SignIn
from luna.energy.errors import LunaError, TooManyRequestsError, UnauthenticatedError
from luna.energy.site import invalid_input
from services.api.identity.caller import CurrentCaller
from services.api.identity.identity import CurrentIdentity
from services.api.pages.layout import Page, PageRoute, show
from services.api.pages.setup.pages import Typed
from services.api.routes import auth
from services.api.routing import ResourceRouter

PAGE = Page("account", "/ui/login", "public")
SIGN_IN = "/ui/login"
CONFIRM = "/ui/confirm"
Next = Annotated[str, Query(alias="next", max_length=500)]

router = ResourceRouter(route_class=PageRoute)


def safe_next(address: str) -> str:
    """Return an address of this gateway to go on to: "/" for any other."""
    own = (
        address.startswith("/")
        and not address.startswith("//")
        and "\\" not in address
        and address.isprintable()
    )
    return address if own and not address.startswith((SIGN_IN, CONFIRM)) else "/"


@router.page("GET", SIGN_IN, "public")
async def show_sign_in(request: Request, identity: CurrentIdentity, after: Next = "/") -> Response:
    """Show the sign-in form, or the form of the first account."""
    return await _show_sign_in(request, identity, after)


@router.page("POST", SIGN_IN, "public")
async def sign_in_page(request: Request, identity: CurrentIdentity, typed: Typed) -> Response:
    """Sign in and lead on; what is refused is said with the name kept."""
    response = RedirectResponse(safe_next(typed.get("next", "/")), 303)
    try:
        credentials = SignIn(
            name=typed.get("name", ""), password=SecretStr(typed.get("password", ""))
        )
        await auth.sign_in(credentials, request, response)
    except ValidationError:
        return await _show_sign_in(
            request, identity, typed.get("next", "/"), name=typed.get("name", ""), fault="wrong"
        )
    except LunaError as error:
        return await _show_sign_in(
            request, identity, typed.get("next", "/"), name=typed.get("name", ""), error=error
        )
    return response


@router.page("POST", "/ui/first-account", "public")
async def make_first_account(request: Request, identity: CurrentIdentity, typed: Typed) -> Response:
    """Make the first account, sign in with it, and lead to set-up."""
    name = typed.get("name", "")
    password = SecretStr(typed.get("password", ""))
    response = RedirectResponse("/", 303)
    try:
        credentials = SetUp(
            name=name,
            password=password,
            code=SecretStr(typed["code"].strip()) if typed.get("code") else None,
        )
        await auth.set_up(credentials, request)
        await auth.sign_in(SignIn(name=name, password=password), request, response)
    except ValidationError as exc:
        return await _show_sign_in(
            request, identity, "/", name=name, error=invalid_input(exc, field="")
        )
    except LunaError as error:
        return await _show_sign_in(request, identity, "/", name=name, error=error)
    return response


@router.page("GET", "/ui/open", "public")
async def open_by_link(
    request: Request, code: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Sign in the browser that opens the link shown at Luna's start.

    One that opens nothing any more is told so.
    """
    response = RedirectResponse("/", 303)
    if await auth.open_browser(request, response, code):
        return response
    return _show(request, "account_by_link.html.j2", status=410)


@router.page("POST", "/ui/logout", "read")
async def sign_out_page(request: Request, caller: CurrentCaller) -> Response:
    """End the session."""
    response = RedirectResponse(SIGN_IN, 303)
    await auth.sign_out(request, response, caller)
    return response


@router.page("GET", CONFIRM, "read")
async def show_confirm(request: Request, after: Next = "/") -> Response:
    """Ask for the password again."""
    return _show(request, "account_confirm.html.j2", after=safe_next(after))


@router.page("POST", CONFIRM, "read")
async def confirm_page(
    request: Request, identity: CurrentIdentity, caller: CurrentCaller, typed: Typed
) -> Response:
    """Take the password, and lead back to where it was needed."""
    after = safe_next(typed.get("next", "/"))
    try:
        await auth.confirm_password(
            PasswordAgain(password=SecretStr(typed.get("password", ""))), request, identity, caller
        )
    except LunaError as error:
        return _show(request, "account_confirm.html.j2", error=error, after=after)
    return RedirectResponse(after, 303)


@router.page("GET", "/ui/password", "read")
async def show_password(request: Request) -> Response:
    """Show the form for another password."""
    return _show(request, "account_password.html.j2", changed=False)


@router.page("POST", "/ui/password", "read")
async def change_password_page(request: Request, caller: CurrentCaller, typed: Typed) -> Response:
    """Change the password.

    Every other sign-in of theirs ends, and their keys where they ask for it.
    """
    change = PasswordChange(
        password=SecretStr(typed.get("password", "")),
        new_password=SecretStr(typed.get("new_password", "")),
        revoke_keys="revoke_keys" in typed,
    )
    response = RedirectResponse("/ui/keys?changed=1", 303)
    try:
        await auth.change_password(change, request, response, caller)
    except LunaError as error:
        return _show(request, "account_password.html.j2", error=error)
    return response


async def _show_sign_in(
    request: Request,
    identity: Any,
    after: str,
    *,
    name: str = "",
    error: LunaError | None = None,
    fault: str = "",
) -> Response:
    first = not await identity.anybody_there()
    needs_code = first and not await identity.is_owner(request)
    if needs_code and identity.settings.takes_owner_token:
        return _show(request, "account_by_link.html.j2", status=401)
    context: dict[str, Any] = {
        "first": first,
        "needs_code": needs_code,
        "name": name or ("admin" if first else ""),
        "after": safe_next(after),
    }
    return _show(request, "account_sign_in.html.j2", error=error, fault=fault, **context)


def _show(
    request: Request,
    template: str,
    *,
    error: LunaError | None = None,
    fault: str = "",
    status: int | None = None,
    **context: Any,
) -> Response:
    if error is not None and not fault:
        fault = _name_fault(error)
    if not status and error:
        status = error.status
    elif not status:
        status = 422 if fault else 200
    frame: Mapping[str, Any] = {"error": error, "fault": fault}
    return show(request, PAGE, template=template, status=status, **{**frame, **context})


def _name_fault(error: LunaError) -> str:
    """Return the page's phrase for an error; "" for the error's own sentence."""
    if isinstance(error, UnauthenticatedError):
        return "wrong"
    if isinstance(error, TooManyRequestsError):
        return "too_often"
    faults = {"code": "code", "new_password": "weak", "password": "weak", "name": "name"}
    return faults.get((error.field or "").split(".")[-1], "")
