"""Which sites there are."""

from typing import Annotated, Any

from pydantic import Field

from luna.contracts.health import UnreadableSiteReply
from luna.contracts.message import Message
from luna.energy.site import Site
from luna.platform.capability import CapabilityCall, capability
from luna.platform.database import control, sites
from luna.platform.database.sites import StoredSite, UnreadableSite
from luna.platform.paging import Cursor, cut_page, read_text


class UnreadableDocument(UnreadableSiteReply):
    """The same with what is stored; a configuration that this release knows, stored with ``If-Match``, takes its place."""

    version: int
    configuration: Annotated[Any, Field(description="as it is stored")]


class SiteList(Message):
    """Sites in order of their names."""

    sites: Annotated[list[Site], Field(description="each as it was configured last")]
    unreadable: Annotated[list[UnreadableDocument], Field(description="sites of the page that this release cannot read")] = []
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def describe_unreadable(site: UnreadableSite, *, armed: bool, untold: bool) -> UnreadableSiteReply:
    """Return what is the matter with a site that cannot be read."""
    error = site.error
    return UnreadableSiteReply(site=site.name, field=error.field or "", detail=error.message, remedy=error.remedy or "", armed=armed, untold=untold)


@capability("GET", "/v1/sites", noun="sites", scope="read", command="site list", shown="")
def list_sites(
    call: CapabilityCall, *, limit: Annotated[int, Field(ge=1, le=500, description="sites of one page at most")] = 50, cursor: Cursor = None
) -> SiteList:
    """List sites.

    Return the sites with their configurations, in order of their names; those that this release cannot read stand apart, as they are stored.
    """
    rows = sites.list_page(call.connection, after=read_text(cursor), limit=limit + 1, among=call.sites)
    armed = control.list_armed(call.connection)
    untold = sites.find_untold(call.connection, (row for row in rows if isinstance(row, UnreadableSite)), armed)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.name,))
    unreadable = [
        UnreadableDocument(
            **describe_unreadable(row, armed=row.name in armed, untold=row.name in untold).model_dump(), version=row.version, configuration=row.configuration
        )
        for row in page
        if isinstance(row, UnreadableSite)
    ]
    return SiteList(sites=[row.site for row in page if isinstance(row, StoredSite)], unreadable=unreadable, cursor=following)


SITES = (list_sites,)
