"""Declare the messages sent to owners, their channels, and whether they arrived."""

import re
from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.notification import (
    ChannelChange,
    ChannelList,
    ChannelName,
    NewChannel,
    Notification,
    NotificationChannel,
    NotifyTestRequest,
)
from luna.energy.errors import ConflictError
from luna.energy.refusals import refuse
from luna.house.capability import CapabilityCall, ReplyTable, TerminalForm, capability
from luna.platform.database import notification_channels, notifications
from luna.platform.paging import Cursor, Limit, cut_page, read_number
from luna.words import Numbers, say_instant

_CHANNELS = "/v1/notifications/channels"
_ADDRESS = re.compile(r"notify\.[a-z0-9_]+|[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
OfSite = Annotated[str | None, Field(max_length=64, description="only this site")]


class NotificationList(Message):
    """Notifications to owners, the latest first."""

    notifications: Annotated[
        list[Notification], Field(description="each event once, with how it stands at every target")
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _show(notification: Notification, numbers: Numbers) -> list[str]:
    deliveries = ", ".join(f"{sent.target} {sent.status}" for sent in notification.deliveries)
    return [
        say_instant(notification.recorded_at, numbers.zone),
        notification.site or "Luna",
        notification.event,
        notification.text,
        deliveries,
    ]


@capability(
    "GET",
    "/v1/notifications",
    noun="notifications",
    scope="read",
    command="notify list",
    shown=ReplyTable(
        ("when", "site", "event", "message", "sent to"),
        _show,
        "notifications",
        none="There are no messages yet.",
    ),
)
def list_notifications(
    call: CapabilityCall, *, site_id: OfSite = None, limit: Limit = 100, cursor: Cursor = None
) -> NotificationList:
    """List sent messages.

    Return the messages of the caller's sites, or of one, with their recipients.
    """
    rows = notifications.list_newest(
        call.connection,
        site_id=site_id,
        among=call.sites,
        below=read_number(cursor),
        limit=limit + 1,
    )
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.notification_id,))
    return NotificationList(notifications=page, cursor=following)


@capability(
    "POST",
    "/v1/notifications/test",
    noun="notifications",
    scope="configure",
    local_command="notify test",
)
# A worker is told no more.
def test_notifications(call: CapabilityCall) -> NotifyTestRequest:  # noqa: ARG001
    """Send a test message.

    Send a test message to every channel and target of the settings now, and return the results.
    """
    return NotifyTestRequest()


def _show_channel(channel: NotificationChannel, _: Numbers) -> list[str]:
    return [channel.name, channel.kind, ", ".join(channel.events)]


@capability(
    "GET",
    _CHANNELS,
    noun="notifications",
    scope="administer",
    command="notify channels",
    shown=ReplyTable(
        ("channel", "kind", "told of"), _show_channel, "channels", none="There are no channels."
    ),
)
def list_channels(call: CapabilityCall) -> ChannelList:
    """List the channels.

    Return the stored channels without their addresses.
    """
    return ChannelList(channels=notification_channels.list_all(call.connection))


@capability(
    "POST",
    _CHANNELS,
    noun="notifications",
    scope="administer",
    command="notify add",
    shown="Messages go by {name} from now on. Try it: luna notify test",
    terminal=TerminalForm(arguments=("name",), options={"events": "event"}),
    status=201,
    errors=(ConflictError,),
)
def add_channel(call: CapabilityCall, channel: NewChannel) -> NotificationChannel:
    """Add a channel.

    Store a channel for messages. With the event "system" it also gets faults of the installation.
    """
    if _ADDRESS.fullmatch(channel.address.get_secret_value()) is None:
        raise refuse("channel-address", field="address")
    return notification_channels.add(call.connection, channel)


@capability(
    "PUT",
    f"{_CHANNELS}/{{name}}",
    noun="notifications",
    scope="administer",
    command="notify events",
    shown="{name} gets messages of these kinds from now on.",
    terminal=TerminalForm(arguments=("name",), options={"events": "event"}),
)
def change_channel(
    call: CapabilityCall, name: ChannelName, change: ChannelChange
) -> NotificationChannel:
    """Change a channel's events.

    Store which events a channel gets from now on.
    """
    return notification_channels.set_events(call.connection, name, change.events)


@capability(
    "DELETE",
    f"{_CHANNELS}/{{name}}",
    noun="notifications",
    scope="administer",
    command="notify remove",
    shown="No message goes by {name} any more.",
    terminal=TerminalForm(arguments=("name",)),
    status=204,
)
def remove_channel(call: CapabilityCall, name: ChannelName) -> None:
    """Remove a channel.

    Remove a channel and cancel its waiting messages.
    """
    notification_channels.remove(call.connection, name)


CAPABILITIES = (
    list_notifications,
    test_notifications,
    list_channels,
    add_channel,
    change_channel,
    remove_channel,
)
