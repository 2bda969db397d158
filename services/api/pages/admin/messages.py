"""Pages of the channels of messages, and a test message."""

from functools import partial
from typing import Annotated, Any, NamedTuple

from anyio import to_thread
from fastapi import Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from luna.contracts.notification import (
    ChannelChange,
    EventKind,
    NewChannel,
    NotifyTestReply,
    NotifyTestRequest,
)
from luna.energy.errors import LunaError
from luna.energy.site import invalid_input
from luna.house.capabilities.notifications import add_channel, change_channel, remove_channel
from luna.platform.database import notification_channels
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.admin.page_clock import read_clock
from services.api.pages.admin.pages import PAGE, TABS
from services.api.pages.layout import PageRoute, show
from services.api.pages.setup.pages import Typed
from services.api.routing import ResourceRouter

ChannelPath = Annotated[str, Path(min_length=1, max_length=64)]
USUAL_EVENTS: tuple[EventKind, ...] = ("plan", "device", "prices", "saving")
SYSTEM: EventKind = "system"

router = ResourceRouter(route_class=PageRoute)


class MessagesView(NamedTuple):
    """The parts of the page beside the channels."""

    typed: dict[str, str] = {}
    error: LunaError | None = None
    test: NotifyTestReply | None = None


@router.page("GET", "/ui/admin/messages", "administer")
def show_messages(request: Request, gateway: CurrentGateway) -> Response:
    """Show the channels of messages."""
    return _show(request, gateway, MessagesView())


@router.page("POST", "/ui/admin/messages", "administer")
async def store_channel(
    request: Request, gateway: CurrentGateway, caller: CurrentCaller, *, typed: Typed
) -> Response:
    """Store a channel; a refusal is shown with its name, without its address."""
    events = (*USUAL_EVENTS, SYSTEM) if typed.get("system") else USUAL_EVENTS
    document = {
        "name": typed.get("name", "").strip(),
        "address": typed.get("address", "").strip(),
        "events": events,
    }
    try:
        channel = NewChannel.model_validate(document)
        await to_thread.run_sync(partial(gateway.carry_out, add_channel, caller, channel=channel))
    except ValidationError as exc:
        return _show(request, gateway, MessagesView(typed, invalid_input(exc, field="")))
    except LunaError as error:
        return _show(request, gateway, MessagesView(typed, error))
    return RedirectResponse("/ui/admin/messages", 303)


@router.page("POST", "/ui/admin/messages/test", "administer")
async def try_channels(request: Request, gateway: CurrentGateway) -> Response:
    """Send a test message by every channel, and show who took it."""
    reply, error = await gateway.ask_or_refusal(NotifyTestRequest(), NotifyTestReply)
    return await to_thread.run_sync(_show, request, gateway, MessagesView({}, error, reply))


@router.page("POST", "/ui/admin/messages/{name}/events", "administer")
async def switch_events(
    name: ChannelPath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    typed: Typed,
) -> Response:
    """Store whether a channel is told of faults of the installation.

    Of what else stays as it is.
    """
    try:
        change = partial(_switch_system, gateway, name, on=bool(typed.get("system")))
        events = await to_thread.run_sync(change)
        command = partial(
            gateway.carry_out,
            change_channel,
            caller,
            name=name,
            change=ChannelChange(events=events),
        )
        await to_thread.run_sync(command)
    except LunaError as error:
        return _show(request, gateway, MessagesView(error=error))
    return RedirectResponse("/ui/admin/messages", 303)


@router.page("POST", "/ui/admin/messages/{name}/remove", "administer")
async def take_channel_away(
    name: ChannelPath, request: Request, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Remove a channel."""
    try:
        await to_thread.run_sync(partial(gateway.carry_out, remove_channel, caller, name=name))
    except LunaError as error:
        return _show(request, gateway, MessagesView(error=error))
    return RedirectResponse("/ui/admin/messages", 303)


def _switch_system(gateway: Gateway, name: str, *, on: bool) -> tuple[EventKind, ...]:
    with unit_of_work(gateway.database) as connection:
        stored = {channel.name: channel for channel in notification_channels.list_all(connection)}
    events = stored[name].events if name in stored else USUAL_EVENTS
    others = tuple(event for event in events if event != SYSTEM)
    if on:
        return (*others, SYSTEM)
    # A channel of faults alone would get nothing without them.
    return others or USUAL_EVENTS


def _show(request: Request, gateway: Gateway, view: MessagesView) -> Response:
    with unit_of_work(gateway.database) as connection:
        channels = notification_channels.list_all(connection)
    clock = read_clock(gateway, request)
    context: dict[str, Any] = {"channels": channels}
    context |= view._asdict()
    context |= {"tabs": TABS, "section": "messages", "instant": clock.say, "zone": clock.zone}
    status = view.error.status if view.error else 200
    return show(request, PAGE, template="admin_messages.html.j2", status=status, **context)
