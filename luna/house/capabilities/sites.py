"""Sites: which there are, how each is configured, adding, changing and deleting one."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.health import UnreadableSiteReply
from luna.contracts.message import Message
from luna.drivers.profiles import require_profiles
from luna.energy.errors import ConflictError, LunaError, UnreadableError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.sensor_changes import ChangedSensors
from luna.house.capability import (
    CapabilityCall,
    RouteForm,
    SiteName,
    Tagged,
    TerminalForm,
    TextTable,
    capability,
)
from luna.platform.database import control, site_changes, site_removal, sites
from luna.platform.database.sites import StoredSite, UnreadableSite
from luna.platform.paging import Cursor, cut_page, read_text
from luna.words import Numbers

_TAG = "the site's version, for If-Match and If-None-Match"
SiteVersion = Annotated[int, Field(description='the version to change, from the ETag: "3"')]


class PastOfSite(BaseModel):
    """Effects of another configuration on recorded data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changed_sensors: Annotated[
        ChangedSensors,
        Field(description="apply a sensor's new sign or role from now on, or always"),
    ] = "from-now"
    accept_time_zone: Annotated[
        bool,
        Field(description=("accept another time zone although it moves the days of recorded data")),
    ] = False


class UnreadableDocument(UnreadableSiteReply):
    """The same with what is stored.

    A configuration that this release knows, stored with ``If-Match``, takes its place.
    """

    version: int
    configuration: Annotated[Any, Field(description="as it is stored")]


class SiteList(Message):
    """Sites in order of their names."""

    sites: Annotated[list[Site], Field(description="each as it was configured last")]
    unreadable: Annotated[
        list[UnreadableDocument],
        Field(description="sites of the page that this release cannot read"),
    ] = []
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def describe_unreadable(site: UnreadableSite, *, armed: bool, untold: bool) -> UnreadableSiteReply:
    """Return what is the matter with a site that cannot be read."""
    error = site.error
    return UnreadableSiteReply(
        site=site.name,
        field=error.field or "",
        detail=error.message,
        remedy=error.remedy or "",
        armed=armed,
        untold=untold,
    )


def _show_sites(reply: SiteList, _: Numbers) -> Iterator[str | TextTable]:
    rows = []
    for site in reply.sites:
        capacity = sum(battery.capacity_kwh for battery in site.batteries)
        rows.append([site.name, site.timezone, f"{capacity:g} kWh", f"{site.peak_kw:g} kW"])
    yield TextTable(("site", "timezone", "batteries", "PV"), rows)
    for unreadable in reply.unreadable:
        error = LunaError(unreadable.detail, field=unreadable.field, remedy=unreadable.remedy)
        yield f"\n{unreadable.site}: {error}"
        if unreadable.untold:
            yield (
                "Control is on, but Luna cannot read any version of this home and sends no "
                "commands. The devices keep their last command. Set them by hand."
            )
        elif unreadable.armed:
            yield (
                "Control is on. Until Luna can read this home again, the devices run on their own."
            )


@capability("GET", "/v1/sites", noun="sites", scope="read", command="site list", shown=_show_sites)
def list_sites(
    call: CapabilityCall,
    *,
    limit: Annotated[int, Field(ge=1, le=500, description="sites of one page at most")] = 50,
    cursor: Cursor = None,
) -> SiteList:
    """List sites.

    Return the sites with their configurations, by name. Sites that this release cannot read are
    listed separately.
    """
    rows = sites.list_page(
        call.connection, after=read_text(cursor), limit=limit + 1, among=call.sites
    )
    armed = control.list_armed(call.connection)
    uncontrolled = sites.find_uncontrolled(
        call.connection, (row for row in rows if isinstance(row, UnreadableSite)), armed
    )
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.name,))
    unreadable = []
    for row in page:
        if not isinstance(row, UnreadableSite):
            continue
        described = describe_unreadable(
            row, armed=row.name in armed, untold=row.name in uncontrolled
        )
        unreadable.append(
            UnreadableDocument(
                **described.model_dump(), version=row.version, configuration=row.configuration
            )
        )
    return SiteList(
        sites=[row.site for row in page if isinstance(row, StoredSite)],
        unreadable=unreadable,
        cursor=following,
    )


@capability(
    "POST",
    "/v1/sites",
    status=201,
    route=RouteForm(location="/v1/sites/{name}", tag=_TAG),
    errors=(ConflictError,),
    noun="sites",
    scope="configure",
    local_command="site add",
)
def create_site(call: CapabilityCall, site: Site) -> Tagged[Site]:
    """Add a site.

    Store a new site; 409 if the name exists. Its control is off.
    """
    require_profiles(site, call.data_folder())
    return Tagged(site, sites.create(call.connection, site))


@capability(
    "GET",
    "/v1/sites/{site_id}",
    noun="sites",
    scope="read",
    local_command="site show",
    route=RouteForm(tag=_TAG),
    errors=(UnreadableError,),
    # Its tools tell an assistant the same in words.
    for_assistants=False,
)
def read_site(call: CapabilityCall, site_id: SiteName) -> Tagged[Site]:
    """Read a site.

    Return the site's current configuration; its ETag is its version. 409 if this release cannot
    read it; the list shows its stored form.
    """
    stored = sites.read(call.connection, site_id)
    return Tagged(stored.site, stored.version)


@capability(
    "PUT",
    "/v1/sites/{site_id}",
    route=RouteForm(changes="version", tag=_TAG),
    errors=(ConflictError,),
    noun="sites",
    scope="configure",
    local_command="site add",
)
def change_site(
    call: CapabilityCall, site_id: SiteName, site: Site, *, past: PastOfSite, version: SiteVersion
) -> Tagged[Site]:
    """Change a site.

    Store another configuration as the site's next version; the old one is kept. 412 if somebody
    else changed it meanwhile, 428 without `If-Match`.

    409 if another time zone would move recorded data to other days, unless `accept_time_zone` is
    true.

    A sensor's new sign or role counts from now on, and the returned site holds both times;
    `changed_sensors=always` applies it to the past as well.
    """
    if site.name != site_id:
        raise refuse("site-keeps-name", field="name", value=site.name, site_id=site_id)
    require_profiles(site, call.data_folder())
    change = site_changes.prepare(call.connection, site, now=call.now, **past.model_dump())
    return Tagged(change.site, site_changes.store(call.connection, change, version=version))


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
    terminal=TerminalForm(
        sure=("this deletes all data of the site for good; luna site show prints its configuration")
    ),
)
def delete_site(call: CapabilityCall, site_id: SiteName) -> None:
    """Delete a site with its data.

    Delete the site and all its measurements, forecasts, plans and decisions for good. 409 while its
    control is on or jobs are open.
    """
    artefacts = site_removal.remove(call.connection, site_id)
    objects = call.objects()

    def remove_artefacts() -> None:
        for key in artefacts:
            objects.remove(key)

    # Nothing names them any more: what cannot be removed now costs space and nothing else.
    call.after_commit(remove_artefacts)


CAPABILITIES = (
    list_sites,
    create_site,
    read_site,
    change_site,
    delete_site,
)
