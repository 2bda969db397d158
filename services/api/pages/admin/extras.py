"""Additional libraries: what they are for and how large they are.

Installed as a job once somebody has agreed, and removed.
"""

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from luna.contracts.extras import ExtraChange, ExtraName, ExtraState
from luna.energy.errors import LunaError
from luna.house.capabilities.extras import change_extra, list_extras
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.admin.page_clock import read_clock
from services.api.pages.admin.pages import PAGE, TABS
from services.api.pages.layout import PageRoute, show
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/admin/extras", "administer")
def show_extras(
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    agree: Annotated[ExtraName | None, Query()] = None,
) -> Response:
    """Show every addition; of ``agree`` its size and a button to agree."""
    return _show(request, gateway, caller, agree=agree)


@router.page("POST", "/ui/admin/extras/{name}/{wanted}", "administer")
async def order_extra(
    name: ExtraName,
    wanted: ExtraState,
    request: Request,
    gateway: CurrentGateway,
    *,
    caller: CurrentCaller,
) -> Response:
    """Submit the change as a job, and lead to the jobs."""
    change = partial(
        gateway.accept, change_extra, caller, name=name, change=ExtraChange(wanted=wanted)
    )
    try:
        await to_thread.run_sync(change)
    except LunaError as error:
        return _show(request, gateway, caller, error=error)
    return RedirectResponse("/ui/admin/jobs", 303)


def _show(
    request: Request,
    gateway: Gateway,
    caller: Caller,
    *,
    agree: ExtraName | None = None,
    error: LunaError | None = None,
) -> Response:
    clock = read_clock(gateway, request)
    extras = gateway.carry_out(list_extras, caller).extras
    context: dict[str, Any] = {"extras": extras, "agree": agree, "error": error}
    context |= {"tabs": TABS, "section": "extras", "instant": clock.say, "zone": clock.zone}
    return show(
        request,
        PAGE,
        template="admin_extras.html.j2",
        status=error.status if error else 200,
        **context,
    )
