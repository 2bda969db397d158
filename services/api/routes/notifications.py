"""What owners were told, and whether messages arrive."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.notification import Notification, NotifyTestReply, NotifyTestRequest
from luna.platform.database import notifications
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, Limit, cut_page, read_number
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.routing import ResourceRouter

router = ResourceRouter("notifications")

SiteQuery = Annotated[str | None, Query(max_length=64, description="of this site alone")]


class NotificationList(Message):
    """What owners were told, the latest first."""

    notifications: Annotated[list[Notification], Field(description="each event once, with how it stands at every target")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


@router.operation("List what owners were told")
def list_notifications(
    gateway: CurrentGateway, caller: CurrentCaller, *, site_id: SiteQuery = None, limit: Limit = 100, cursor: Cursor = None
) -> NotificationList:
    """Return events of all sites of the caller, or of one, and to whom they went."""
    with unit_of_work(gateway.database) as connection:
        rows = notifications.list_newest(connection, site_id=site_id, among=caller.sites, below=read_number(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.notification_id,))
    return NotificationList(notifications=page, cursor=following)


@router.operation("Send a test message", response_model=NotifyTestReply)
async def test_notifications(gateway: CurrentGateway) -> Response:
    """Send a test message to every target of the settings now, whatever the hour, and return what became of each."""
    return await gateway.ask(NotifyTestRequest())
