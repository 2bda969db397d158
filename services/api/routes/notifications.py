"""Whether messages arrive."""

from fastapi import Response

from luna.contracts.notification import NotifyTestReply, NotifyTestRequest
from services.api.gateway import CurrentGateway
from services.api.routing import ResourceRouter

router = ResourceRouter("notifications")


@router.operation("Send a test message", response_model=NotifyTestReply)
async def test_notifications(gateway: CurrentGateway) -> Response:
    """Send a test message to every target of the settings now, whatever the hour, and return what became of each."""
    return await gateway.ask(NotifyTestRequest())
