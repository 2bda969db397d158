"""Pages of people and their sites, for admins, and of everybody's own keys for programs."""

from functools import partial
from typing import Annotated, Any, NamedTuple, get_args

from anyio import to_thread
from fastapi import Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from luna.contracts.identity import KeyScope, MadeKey, NewKey, NewUser, Role
from luna.energy.errors import LunaError
from luna.energy.site import invalid_input
from luna.house.capabilities.keys import create_key, delete_key, list_keys
from luna.house.capabilities.users import create_user, delete_user
from luna.platform.database import sites, users
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.identity.identity import CurrentIdentity
from services.api.pages.admin.page_clock import read_clock
from services.api.pages.admin.pages import PAGE as ADMIN
from services.api.pages.admin.pages import TABS
from services.api.pages.layout import Page, PageRoute, show
from services.api.pages.setup.pages import Typed
from services.api.routing import ResourceRouter

# With the words of the account, whose keys they are.
PAGE = Page("account", "/ui/keys")
UserName = Annotated[str, Path(min_length=1, max_length=64)]
router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/admin/people", "administer")
def show_people(request: Request, gateway: CurrentGateway) -> Response:
    """Show the people with their roles and sites."""
    return _show_people(request, gateway)


@router.page("POST", "/ui/admin/people", "administer", critical=True)
async def add_person(
    request: Request,
    gateway: CurrentGateway,
    identity: CurrentIdentity,
    caller: CurrentCaller,
    *,
    typed: Typed,
) -> Response:
    """Add a person, or show the form again with the error."""
    try:
        sites = [name.removeprefix("site-") for name in typed if name.startswith("site-")]
        document = {
            "name": typed.get("name", ""),
            "password": typed.get("password", ""),
            "role": typed.get("role", "user"),
            "sites": sites,
        }
        user = NewUser.model_validate(document)
        await to_thread.run_sync(partial(gateway.carry_out, create_user, caller, user=user))
    except ValidationError as exc:
        return _show_people(request, gateway, typed=typed, error=invalid_input(exc, field=""))
    except LunaError as error:
        return _show_people(request, gateway, typed=typed, error=error)
    identity.forget_callers()
    return RedirectResponse("/ui/admin/people", 303)


@router.page("POST", "/ui/admin/people/{name}/remove", "administer", critical=True)
async def remove_person(
    name: UserName, gateway: CurrentGateway, identity: CurrentIdentity, caller: CurrentCaller
) -> Response:
    """Remove a person with their sign-ins and keys."""
    await to_thread.run_sync(partial(gateway.carry_out, delete_user, caller, name=name))
    identity.forget_callers()
    return RedirectResponse("/ui/admin/people", 303)


@router.page("GET", "/ui/keys", "read")
def show_keys(
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    changed: Annotated[bool, Query()] = False,
) -> Response:
    """Show one's own keys, for an admin everybody's."""
    return _show_keys(request, gateway, caller, View(changed=changed))


@router.page("POST", "/ui/keys", "read", critical=True)
async def make_key(
    request: Request, gateway: CurrentGateway, caller: CurrentCaller, *, typed: Typed
) -> Response:
    """Make a key and show it, this once."""
    scopes = [scope for scope in get_args(KeyScope) if typed.get(f"scope-{scope}")]
    try:
        days = int(typed.get("days", "") or 365)
        document = {"name": typed.get("name", "").strip(), "scopes": scopes, "days": days}
        key = NewKey.model_validate(document)
        new_key = await to_thread.run_sync(partial(gateway.carry_out, create_key, caller, key=key))
    except ValidationError as exc:
        return _show_keys(request, gateway, caller, View(typed, invalid_input(exc, field="")))
    except LunaError as error:
        return _show_keys(request, gateway, caller, View(typed, error))
    return _show_keys(request, gateway, caller, View(new_key=new_key))


@router.page("POST", "/ui/keys/{prefix}/remove", "read")
async def remove_key(
    prefix: UserName, gateway: CurrentGateway, identity: CurrentIdentity, caller: CurrentCaller
) -> Response:
    """Take a key away."""
    await to_thread.run_sync(partial(gateway.carry_out, delete_key, caller, prefix=prefix))
    identity.forget_callers()
    return RedirectResponse("/ui/keys", 303)


def _show_people(
    request: Request,
    gateway: Gateway,
    *,
    typed: dict[str, str] | None = None,
    error: LunaError | None = None,
) -> Response:
    with unit_of_work(gateway.database) as connection:
        people = users.list_after(connection, limit=500)
        names = sites.names(connection)
    clock = read_clock(gateway, request)
    context: dict[str, Any] = {
        "people": people,
        "sites": names,
        "typed": typed or {},
        "error": error,
        "roles": get_args(Role),
    }
    context |= {"tabs": TABS, "section": "people", "instant": clock.say, "zone": clock.zone}
    return show(
        request,
        ADMIN,
        template="admin_people.html.j2",
        status=error.status if error else 200,
        **context,
    )


class View(NamedTuple):
    """The parts of the page of keys beside the keys."""

    typed: dict[str, str] = {"scope-read": "on"}
    error: LunaError | None = None
    new_key: MadeKey | None = None
    changed: bool = False


def _show_keys(request: Request, gateway: Gateway, caller: Caller, view: View) -> Response:
    keys = gateway.carry_out(list_keys, caller, limit=500).keys
    offered = [scope for scope in get_args(KeyScope) if scope in caller.scopes]
    clock = read_clock(gateway, request)
    context: dict[str, Any] = {
        "keys": keys,
        "scopes": offered,
        "caller": caller,
        "instant": clock.say,
        "zone": clock.zone,
        "fault": "",
        **view._asdict(),
    }
    return show(
        request,
        PAGE,
        template="account_keys.html.j2",
        status=view.error.status if view.error else 200,
        **context,
    )
