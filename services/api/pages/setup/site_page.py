"""What a site is, how it is changed, and the versions it had, each with a way back.

Of its sensors: which say what, and how that is changed; what they counted before keeps its meaning
unless it is said that it always was otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsRequest
from luna.energy.errors import InvalidInputError
from luna.energy.refusals import refuse
from luna.energy.sensor_roles import DatedSensor, SensorEntry
from luna.energy.site import SENSOR_ROLES, Site, parse_site
from luna.energy.site.differences import list_differences
from luna.energy.site.sensor_changes import exchange_sensors
from luna.energy.site.sensors import resolve_sensors
from luna.energy.timeline import SLOT, floor_to, parse_zone
from luna.platform.database import readings, recorded_span, setup_drafts, site_changes, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.site_changes import SiteChange
from luna.platform.database.sites import StoredSite
from luna.platform.own_sites import require_own
from luna.platform.queue.jobs import submit_job
from luna.words.refusals import say_refusal
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES, Page, PageRoute, Reader, numbers_of, show, words_of
from services.api.pages.setup import views
from services.api.pages.setup.editing import answers_of, find_fixed
from services.api.pages.simulated_prices import say_simulated_prices
from services.api.routing import ResourceRouter

# With the words of set-up, which asked for the same.
PAGE = Page("setup", "/ui/sites/{site_id}/site", "administer")
SENSORS_PAGE = Page("setup", "/ui/sites/{site_id}/site/sensors", "administer")
# As many as a role takes.
MOST_SENSORS = 16
MOST_VERSIONS = 20
VersionField = Annotated[int, Form(ge=1, le=2**31 - 1)]

router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/sites/{site_id}/site", "administer")
def show_site(
    site_id: SitePath, request: Request, gateway: CurrentGateway, *, other_clock: int | None = None
) -> Response:
    """Show what the site is with ways to change it, and its versions.

    ``other_clock``: the one that comes back only where its clock is accepted.
    """
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        versions = sites.list_versions(connection, site_id, limit=MOST_VERSIONS + 1)
        words = words_of(request, PAGE)
        language = Reader.of(request).language
        price_note = say_simulated_prices(
            connection, stored.site, gateway=gateway, words=words, with_reason=True
        )
    earlier = [each.configuration for each in versions[1:]]
    changes = [
        (each, list_differences(before, each.configuration))
        for each, before in zip(versions, earlier, strict=False)
    ]
    # Of the first one there is nothing to tell apart.
    changes += [(versions[-1], [])] if len(versions) <= MOST_VERSIONS else []
    numbers = views.numbers_of_site(stored.site, language)
    lines = views.view_site_parts(stored.site, words, numbers)
    if price_note:
        lines = [
            (
                step,
                [*entries, (words("simulated_prices"), price_note)]
                if step == "tariff"
                else entries,
            )
            for step, entries in lines
        ]
    context: dict[str, Any] = {
        "parts": lines,
        "assumed": views.view_assumptions(stored.site, words, numbers),
        "fixed": find_fixed(stored.site),
        "sensors": list_standing(stored.site, gateway.clock.now()),
    }
    return show(
        request,
        PAGE,
        template="site.html.j2",
        site=stored.site,
        versions=changes,
        other_clock=other_clock,
        **context,
    )


@router.page("POST", "/ui/sites/{site_id}/site/change", "administer")
def begin_change(
    site_id: SitePath,
    gateway: CurrentGateway,
    step: Annotated[Literal["site", "devices", "tariff", "control"], Form()] = "site",
) -> Response:
    """Begin a draft with what the site is, and lead to one of its steps."""
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        answers = answers_of(stored.site)
        begun: dict[str, Any] = {
            "changes": site_id,
            "version": stored.version,
            "before": answers,
            "fixed": find_fixed(stored.site),
        }
        draft_id = setup_drafts.create(connection, answers | begun)
    return RedirectResponse(f"/ui/setup/{draft_id}/{step}", 303)


@router.page("POST", "/ui/sites/{site_id}/site/back", "administer")
def bring_back(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    version: VersionField,
    *,
    accept_time_zone: Annotated[bool, Form()] = False,
) -> Response:
    """Store a version that the site had as its newest.

    What it has now stays a version. Another clock has to be accepted.
    """
    require_own(site_id, caller.sites)
    with unit_of_work(gateway.database) as connection:
        earlier = sites.parse_stored(site_id, sites.read_version(connection, site_id, version))
        # Its sensors have the times that they had.
        change = site_changes.prepare(
            connection,
            earlier,
            now=gateway.clock.now(),
            changed_sensors="always",
            accept_time_zone=accept_time_zone,
        )
        if change.clock is not None:
            return RedirectResponse(
                f"{PAGE.address(site_id)}?other_clock={version}#version-{version}", 303
            )
        site_changes.store(connection, change)
    return RedirectResponse(PAGE.address(site_id), 303)


@dataclass(frozen=True, slots=True)
class SensorForm:
    """What a form says: the sensors of each role, those outside the house's meter, the version they
    were read from, and what to do with them.
    """

    named: Mapping[str, Sequence[str]]
    outside: Sequence[str]
    version: str
    since: str = "from-now"
    stores: bool = False


async def read_form(request: Request) -> SensorForm:
    """Return what was typed; fields that were left empty are none."""
    fields = (await request.form(max_files=0)).multi_items()
    typed = [(name, value.strip()[:255]) for name, value in fields if isinstance(value, str)]

    def named(field: str) -> list[str]:
        return [text for name, text in typed if name == field and text][:MOST_SENSORS]

    single = dict(typed)
    return SensorForm(
        {role: named(role) for role in SENSOR_ROLES},
        named("outside"),
        single.get("version", ""),
        single.get("since", "from-now"),
        single.get("go") == "store",
    )


TypedSensors = Annotated[SensorForm, Depends(read_form)]


@router.page("GET", "/ui/sites/{site_id}/site/sensors", "administer")
def show_sensors(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show the sensors of each role as they count now."""
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        form = SensorForm(
            list_standing(stored.site, now),
            stored.site.input_sensors.outside_house_meter,
            str(stored.version),
        )
        return _show_form(request, connection, stored, form, now=now)


@router.page("POST", "/ui/sites/{site_id}/site/sensors", "administer")
def change_sensors(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    caller: CurrentCaller,
    form: TypedSensors,
) -> Response:
    """Show what the typed sensors change, or store it.

    A past that is read anew is built by a job, which the page Data shows.
    """
    require_own(site_id, caller.sites)
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        try:
            change = _prepare(connection, stored.site, form, now=now)
        except InvalidInputError as fault:
            return _show_form(request, connection, stored, form, now=now, fault=fault)
        if not form.stores or change.site == stored.site:
            return _show_form(
                request,
                connection,
                stored,
                form,
                now=now,
                changed=change.site,
                changes=change.sensors,
            )
        if form.version != str(stored.version):
            raise refuse("site-changed-meanwhile", field="version", value=stored.version)
        site_changes.store(connection, change, version=stored.version)
        span = recorded_span.of_site(connection, site_id) if form.since == "always" else None
    if span is None:
        return RedirectResponse(f"/ui/sites/{site_id}/site", 303)
    job = submit_job(
        gateway.database,
        gateway.queue,
        BuildSlotsRequest(site_id=site_id, first=span[0], end=min(span[1], now), accept=True),
    )
    return RedirectResponse(f"{PAGES['data'].address(site_id)}?job={job.job_id}", 303)


def _prepare(
    connection: Connection, stored: Site, form: SensorForm, *, now: datetime
) -> SiteChange:
    """Return the site with the typed sensors, and those that count otherwise than before.

    Raises:
        InvalidInputError: they cannot be so.
    """
    at = floor_to(now, SLOT)
    # As a site's file has them: what ended stays, what stands keeps its times.
    document: dict[str, Any] = {}
    for role in SENSOR_ROLES:
        entries = list(_entries(stored, role, at))
        standing = {_written(entry): entry for entry, has_ended in entries if not has_ended}
        sensors = [entry for entry, has_ended in entries if has_ended] + [
            standing.get(name, name) for name in form.named[role]
        ]
        document[role] = [
            entry.model_dump(mode="json", by_alias=True)
            if isinstance(entry, DatedSensor)
            else entry
            for entry in sensors
        ]
    submetered = {
        name
        for role, definition in SENSOR_ROLES.items()
        if definition.flow == "submetered"
        for name in form.named[role]
    }
    document["outside_house_meter"] = [name for name in form.outside if name in submetered]
    changed = parse_site(
        stored.model_dump(mode="json", by_alias=True) | {"input_sensors": document}
    )
    if form.since == "always":
        return site_changes.prepare(connection, changed, now=now, changed_sensors="always")
    return site_changes.prepare(connection, exchange_sensors(stored, changed, at=at), now=now)


def _entries(site: Site, role: str, at: datetime) -> Iterator[tuple[SensorEntry, bool]]:
    """Yield the sensors of a role, and whether each counts no more."""
    entries = getattr(site.input_sensors, role)
    for entry, sensor in zip(
        entries, resolve_sensors(entries, parse_zone(site.timezone)), strict=True
    ):
        yield entry, sensor.has_ended(at)


def _written(entry: SensorEntry) -> str:
    return entry.sensor if isinstance(entry, DatedSensor) else entry


def list_standing(site: Site, at: datetime) -> dict[str, list[str]]:
    """Return the sensors of each role that count, or will, as they are written."""
    return {
        role: [_written(entry) for entry, has_ended in _entries(site, role, at) if not has_ended]
        for role in SENSOR_ROLES
    }


def _show_form(
    request: Request,
    connection: Connection,
    stored: StoredSite,
    form: SensorForm,
    *,
    now: datetime,
    **outcome: Any,
) -> Response:
    site = stored.site
    language = Reader.of(request).language
    words = words_of(request, SENSORS_PAGE)
    fault: InvalidInputError | None = outcome.get("fault")
    changed: Site | None = outcome.get("changed")
    # Each with its role.
    before, after = (
        {(role, name) for role, names in list_standing(each, now).items() for name in names}
        for each in (site, changed or site)
    )
    context: dict[str, Any] = {
        "roles": {
            role: ([*form.named[role]], definition.flow == "submetered")
            for role, definition in SENSOR_ROLES.items()
        },
        "form": form,
        "known": sorted(readings.read_units(connection, site.name)),
        "refusal": None if fault is None else say_refusal(fault, language),
        "checked": changed is not None,
        "same": changed == site,
        "ended": sorted(before - after),
        "begun": sorted(after - before),
        "changed_sensors": [
            views.say_sensor_change(each, words) for each in outcome.get("changes", ())
        ],
    }
    return show(
        request,
        SENSORS_PAGE,
        template="sensors.html.j2",
        site=site,
        numbers=numbers_of(request, site),
        **context,
    )
