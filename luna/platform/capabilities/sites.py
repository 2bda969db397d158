"""Which sites there are, and deleting one."""

from typing import Annotated, Any

from pydantic import Field

from luna.contracts.health import UnreadableSiteReply
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.energy.site import Site
from luna.platform.capability import CapabilityCall, SiteName, capability
from luna.platform.database import control, site_removal, sites
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


@capability(
    "DELETE",
    "/v1/sites/{site_id}",
    noun="sites",
    scope="configure",
    command="site remove",
    shown="{site_id} is deleted with its data.",
    status=204,
    errors=(ConflictError,),
    critical=True,
    sure="everything known of the site is deleted with it, for good; luna site show keeps its configuration",
)
def delete_site(call: CapabilityCall, site_id: SiteName) -> None:
    """Delete a site with its data.

    Delete the site and all that was measured, forecast, planned and decided for it, for good. 409 while it is armed or jobs of it are open.
    """
    artefacts, objects = site_removal.remove(call.connection, site_id), call.objects()

    def remove_artefacts() -> None:
        for key in artefacts:
            objects.remove(key)

    # Nothing names them any more: what cannot be removed now costs space and nothing else.
    call.after_commit(remove_artefacts)


SITES = (list_sites, delete_site)
