"""Changes of a site, sent to its open pages."""

from fastapi import Response

from services.api.events import sse_response
from services.api.gateway import CurrentGateway
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PageRoute
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/sites/{site_id}/events", "read")
async def watch_site(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Send the marks of the site, at once and with each change, as server-sent events.

    A page compares them with its own, and so finds what changed.
    """
    first = await gateway.pulse.look(site_id, fresh=True)
    return sse_response(gateway.pulse.follow(site_id, first), limit=gateway.streams)
