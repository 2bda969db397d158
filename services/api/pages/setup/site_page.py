"""Pages of a stored site: its parts, its versions, and its sensors by role.

A sensor that is exchanged keeps the meaning of its earlier readings, unless its owner says that it
always had the new one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, Literal

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from luna.contracts.data import BuildSlotsRequest
from luna.energy.errors import InvalidInputError
from luna.energy.refusals import refuse
from luna.energy.sensor_roles import DatedSensor, SensorEntry
from luna.energy.site import SENSOR_ROLES, Site, parse_site
from luna.energy.site.control import NOT_SENT, Control
from luna.energy.site.differences import list_differences
from luna.energy.site.sensor_changes import exchange_sensors
from luna.energy.site.sensors import resolve_sensors
from luna.energy.timeline import SLOT, floor_to, parse_zone
from luna.platform.database import (
    control,
    departures,
    readings,
    recorded_span,
    setup_drafts,
    site_changes,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.site_changes import SiteChange
from luna.platform.database.sites import SiteVersion, StoredSite
from luna.platform.mqtt import BrokerError
from luna.platform.own_sites import require_own
from luna.platform.queue.jobs import submit_job
from luna.words.fields import ChangeText, say_changes
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES, Page, PageRoute, Reader, numbers_of, show, words_of
from services.api.pages.setup import views
from services.api.pages.setup.broker_topics import look_up_topics, propose_topics
from services.api.pages.setup.composition import has_meter
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
    """Show the site's parts with ways to change them, and its versions.

    ``other_clock``: the version that is restored only if its clock is accepted.
    """
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        versions = sites.list_versions(connection, site_id, limit=MOST_VERSIONS + 1)
        proposals = departures.read_proposals(connection, site_id, now=gateway.clock.now())
        words = words_of(request, PAGE)
        language = Reader.of(request).language
        price_note = say_simulated_prices(
            connection, stored.site, gateway=gateway, words=words, with_reason=True
        )
    numbers = views.numbers_of_site(stored.site, language)
    changes: list[tuple[SiteVersion, list[ChangeText]]] = []
    for version, earlier in pairwise(versions):
        differences = list_differences(earlier.configuration, version.configuration)
        changes.append((version, say_changes(differences, numbers)))
    if len(versions) <= MOST_VERSIONS:
        # The first version has no earlier one to compare it with.
        changes.append((versions[-1], []))
    parts = views.view_site_parts(stored.site, words, numbers)
    if price_note:
        dict(parts)["tariff"].append((words("simulated_prices"), price_note))
    context: dict[str, Any] = {
        "parts": parts,
        "assumed": views.view_assumptions(stored.site, words, numbers),
        "fixed": find_fixed(stored.site),
        "steers": _find_steering(stored.site.control),
        "sensors": list_standing(stored.site, gateway.clock.now()),
        "departure_count": len(proposals),
        "planning": PAGES["planning"].address(site_id),
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


def _find_steering(section: Control | None) -> bool | None:
    """Return whether devices follow the meters, None where nothing is sent to them."""
    if section is None or section.by in NOT_SENT:
        return None
    return section.steering


@router.page("POST", "/ui/sites/{site_id}/site/change", "administer")
def begin_change(
    site_id: SitePath,
    gateway: CurrentGateway,
    step: Annotated[Literal["site", "devices", "tariff", "control"], Form()] = "site",
) -> Response:
    """Begin a draft with the stored site's answers, and lead to one of its steps."""
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


@router.page("POST", "/ui/sites/{site_id}/site/steering", "administer")
def switch_steering(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    steering: Annotated[bool, Form()] = False,
) -> Response:
    """Store whether the devices follow the meters, where only the site's file has the rest.

    Like any change of the control it has to be armed anew.
    """
    require_own(site_id, caller.sites)
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        section = stored.site.control
        if section is None:
            raise refuse("no-control", field="control")
        if steering and not has_meter(stored.site.sensor_roles):
            raise refuse("steering-unmetered", field="control.steering")
        changed = section.model_copy(update={"steering": steering})
        site = stored.site.model_copy(update={"control": changed})
        change = site_changes.prepare(connection, site, now=now)
        site_changes.store(connection, change, version=stored.version)
        control.disarm(connection, site_id)
    return RedirectResponse(PAGE.address(site_id), 303)


@router.page("POST", "/ui/sites/{site_id}/site/back", "administer")
def bring_back(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    version: VersionField,
    *,
    accept_time_zone: Annotated[bool, Form()] = False,
) -> Response:
    """Store an earlier version of the site as its newest.

    The current one stays a version. Another clock has to be accepted.
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
            address = f"{PAGE.address(site_id)}?other_clock={version}#version-{version}"
            return RedirectResponse(address, 303)
        site_changes.store(connection, change)
    return RedirectResponse(PAGE.address(site_id), 303)


@dataclass(frozen=True, slots=True)
class SensorForm:
    """The typed sensors of each role and those outside the house's meter.

    ``version``: the site's version that they were read from; ``since``: from when they count so;
    ``stores``: whether they are to be stored; ``looks``: whether the broker is asked for more.
    """

    named: Mapping[str, Sequence[str]]
    outside: Sequence[str]
    version: str
    since: str = "from-now"
    stores: bool = False
    looks: bool = False

    def propose(self, sensors: Mapping[str, str]) -> "tuple[SensorForm, list[str]]":
        """Return the form with sensors for roles that have none, and these roles."""
        roles = [role for role in sensors if not self.named.get(role)]
        added = {role: (sensors[role],) for role in roles}
        return replace(self, named={**self.named, **added}), roles


async def read_form(request: Request) -> SensorForm:
    """Return the typed sensors without empty fields."""
    fields = (await request.form(max_files=0)).multi_items()
    typed = [(name, value.strip()[:255]) for name, value in fields if isinstance(value, str)]

    def named(field: str) -> list[str]:
        return [text for name, text in typed if name == field and text][:MOST_SENSORS]

    single = dict(typed)
    return SensorForm(
        named={role: named(role) for role in SENSOR_ROLES},
        outside=named("outside"),
        version=single.get("version", ""),
        since=single.get("since", "from-now"),
        stores=single.get("go") == "store",
        looks=single.get("go") == "topics",
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
    if form.looks:
        return _propose_topics(site_id, request, gateway, form, now=now)
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        try:
            change = _prepare(connection, stored.site, form, now=now)
        except InvalidInputError as fault:
            return _show_form(request, connection, stored, form, now=now, fault=fault)
        if not form.stores or change.site == stored.site:
            return _show_form(request, connection, stored, form, now=now, change=change)
        if form.version != str(stored.version):
            raise refuse("site-changed-meanwhile", field="version", value=stored.version)
        site_changes.store(connection, change, version=stored.version)
        span = recorded_span.of_site(connection, site_id) if form.since == "always" else None
    if span is None:
        return RedirectResponse(f"/ui/sites/{site_id}/site", 303)
    build = BuildSlotsRequest(site_id=site_id, first=span[0], end=min(span[1], now), accept=True)
    job = submit_job(gateway.database, gateway.queue, build)
    return RedirectResponse(f"{PAGES['data'].address(site_id)}?job={job.job_id}", 303)


def _propose_topics(
    site_id: str, request: Request, gateway: Gateway, form: SensorForm, *, now: datetime
) -> Response:
    """Show the form with what the broker's topics say of a car; nothing is stored."""
    proposed: list[str] = []
    phrase = "topics_none"
    try:
        form, proposed = form.propose(propose_topics(look_up_topics(gateway.settings)))
    except BrokerError as error:
        phrase = "broker_refused" if error.fault == "refused" else "broker_away"
    if proposed:
        phrase = "topics_found"
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        return _show_form(request, connection, stored, form, now=now, topics=(phrase, proposed))


def _prepare(
    connection: Connection, stored: Site, form: SensorForm, *, now: datetime
) -> SiteChange:
    """Return the change to the typed sensors.

    Raises:
        InvalidInputError: the sensors are invalid.
    """
    at = floor_to(now, SLOT)
    sensors: dict[str, Any] = {role: _merge_role(stored, role, form, at) for role in SENSOR_ROLES}
    submetered = set[str]()
    for role, definition in SENSOR_ROLES.items():
        if definition.flow == "submetered":
            submetered |= {*form.named[role]}
    sensors["outside_house_meter"] = [name for name in form.outside if name in submetered]
    document = stored.model_dump(mode="json", by_alias=True) | {"input_sensors": sensors}
    changed = parse_site(document)
    if form.since == "always":
        return site_changes.prepare(connection, changed, now=now, changed_sensors="always")
    return site_changes.prepare(connection, exchange_sensors(stored, changed, at=at), now=now)


def _merge_role(site: Site, role: str, form: SensorForm, at: datetime) -> list[Any]:
    """Return a role's sensors as in a site's file.

    Ended ones stay, and those that still count keep their times.
    """
    merged: list[SensorEntry] = []
    current = {}
    for entry, has_ended in _entries(site, role, at):
        if has_ended:
            merged.append(entry)
        else:
            current[_written(entry)] = entry
    merged += [current.get(name, name) for name in form.named[role]]
    return [_dump_entry(entry) for entry in merged]


def _dump_entry(entry: SensorEntry) -> Any:
    if isinstance(entry, DatedSensor):
        return entry.model_dump(mode="json", by_alias=True)
    return entry


def _entries(site: Site, role: str, at: datetime) -> Iterator[tuple[SensorEntry, bool]]:
    """Yield a role's sensors, each with whether it has ended."""
    entries = getattr(site.input_sensors, role)
    resolved = resolve_sensors(entries, parse_zone(site.timezone))
    for entry, sensor in zip(entries, resolved, strict=True):
        yield entry, sensor.has_ended(at)


def _written(entry: SensorEntry) -> str:
    return entry.sensor if isinstance(entry, DatedSensor) else entry


def list_standing(site: Site, at: datetime) -> dict[str, list[str]]:
    """Return the sensors of each role that count now or will, as they are written."""
    standing: dict[str, list[str]] = {}
    for role in SENSOR_ROLES:
        entries = _entries(site, role, at)
        standing[role] = [_written(entry) for entry, has_ended in entries if not has_ended]
    return standing


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
    words = words_of(request, SENSORS_PAGE)
    fault: InvalidInputError | None = outcome.get("fault")
    change: SiteChange | None = outcome.get("change")
    before = _pair_with_roles(site, now)
    after = before if change is None else _pair_with_roles(change.site, now)
    changed_sensors = () if change is None else change.sensors
    roles = {}
    for role, definition in SENSOR_ROLES.items():
        roles[role] = ([*form.named[role]], definition.flow == "submetered")
    context: dict[str, Any] = {
        "roles": roles,
        "form": form,
        "known": sorted(readings.read_units(connection, site.name)),
        "fault": fault,
        "faulty_role": "" if fault is None else _find_role(fault),
        "checked": change is not None,
        "topics": outcome.get("topics"),
        "has_broker": bool(site.vehicles and request.app.state.gateway.settings.mqtt_url),
        "same": change is not None and change.site == site,
        "ended": sorted(before - after),
        "begun": sorted(after - before),
        "changed_sensors": [views.say_sensor_change(sensor, words) for sensor in changed_sensors],
    }
    return show(
        request,
        SENSORS_PAGE,
        template="sensors.html.j2",
        site=site,
        numbers=numbers_of(request, site),
        **context,
    )


def _find_role(fault: InvalidInputError) -> str:
    """Return the role of the wrong sensors; "" if it is not a single role."""
    if fault.reason == "outside-meter-no-meter":
        return "total_load_consumption"
    parts = (fault.field or "").split(".")
    return next((role for role in SENSOR_ROLES if role in parts), "")


def _pair_with_roles(site: Site, now: datetime) -> set[tuple[str, str]]:
    pairs = set()
    for role, names in list_standing(site, now).items():
        pairs |= {(role, name) for name in names}
    return pairs
