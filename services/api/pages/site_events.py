"""What changes of a site, told to every page of it that is open."""

from fastapi import APIRouter, Response

from services.api.events import sse_response
from services.api.gateway import CurrentGateway
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/ui/sites/{site_id}/events")
async def watch_site(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Tell the marks of the site, at once and with each change, as server-sent events; which kinds of thing changed, the page sees by what it knew."""
    first = await gateway.pulse.look(site_id, fresh=True)
    return sse_response(gateway.pulse.follow(site_id, first), limit=gateway.streams)
