"""What owners were told, and whether messages arrive."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.notification import Notification, NotifyTestRequest
from luna.platform.capability import CapabilityCall, ReplyTable, capability
from luna.platform.database import notifications
from luna.platform.paging import Cursor, Limit, cut_page, read_number
from luna.words import Numbers, say_instant

OfSite = Annotated[str | None, Field(max_length=64, description="of this site alone")]


class NotificationList(Message):
    """What owners were told, the latest first."""

    notifications: Annotated[list[Notification], Field(description="each event once, with how it stands at every target")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _show(notification: Notification, numbers: Numbers) -> list[str]:
    deliveries = ", ".join(f"{each.target} {each.status}" for each in notification.deliveries)
    return [say_instant(notification.recorded_at, numbers.zone), notification.site, notification.event, notification.text, deliveries]


@capability(
    "GET",
    "/v1/notifications",
    noun="notifications",
    scope="read",
    command="notify list",
    shown=ReplyTable(("when", "site", "event", "message", "sent to"), _show, "notifications", none="Nobody was told anything yet."),
)
def list_notifications(call: CapabilityCall, *, site_id: OfSite = None, limit: Limit = 100, cursor: Cursor = None) -> NotificationList:
    """List what owners were told.

    Return events of all sites of the caller, or of one, and to whom they went.
    """
    rows = notifications.list_newest(call.connection, site_id=site_id, among=call.sites, below=read_number(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.notification_id,))
    return NotificationList(notifications=page, cursor=following)


@capability("POST", "/v1/notifications/test", noun="notifications", scope="configure", local_command="notify test")
def test_notifications(call: CapabilityCall) -> NotifyTestRequest:  # noqa: ARG001 - a worker is told no more
    """Send a test message.

    Send a test message to every target of the settings now, whatever the hour, and return what became of each.
    """
    return NotifyTestRequest()
