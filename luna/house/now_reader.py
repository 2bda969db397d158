"""Read the house now from a stored site's plan, days, devices and sensors."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.charging_sessions import (
    SessionAhead,
    find_charging_run,
    list_names,
    list_planned_sessions,
)
from luna.contracts.device_runs import PlannedRun, list_switched_runs
from luna.contracts.plan import PlanReply
from luna.energy.devices.battery import Battery
from luna.energy.devices.kind import DeviceUseKind
from luna.energy.observations import SocReading
from luna.energy.proposed_runs import LITTLE_KWH
from luna.energy.site import Site
from luna.energy.soc_plausibility import HOUR, judge_levels, pace_of_batteries
from luna.energy.timeline import SLOT, floor_to, local_day, parse_zone
from luna.house import control_service, findings
from luna.house.findings import SiteFinding
from luna.house.now import (
    DAY,
    LITTLE_SOC,
    Basis,
    DeviceUse,
    HouseFigure,
    HouseNow,
    PlannedHouse,
    PlannedSession,
    basis_until,
)
from luna.house.site_day import Day, find_slot, read_days, save_beside_inverter
from luna.platform.database import (
    battery_levels,
    observations,
    operator_limits,
    plan_faults,
    plans,
    sites,
)
from luna.platform.database.savings import find_controlled

# Notes of a plan that begins with an assumed or an old charge of the batteries.
ASSUMED_CHARGES = frozenset({"soc_assumed", "soc_earlier"})
# The last hours' records show whether a present reading is possible.
_JUDGED_SLOTS = 12


def read_house(
    connection: Connection,
    site: Site,
    planned: PlannedHouse,
    *,
    plan_max_age: timedelta | None,
    now: datetime,
    silent: Sequence[SiteFinding] | None = None,
) -> HouseNow:
    """Return a stored site's current state.

    Args:
        connection: to the database.
        site: a stored one.
        planned: as ``read_planned`` returned it.
        plan_max_age: age at which a plan is no longer followed; None: not checked.
        now: the instant of the question.
        silent: earlier findings on silent sensors; None: look for them now.

    Raises:
        NotFoundError: no such site.
    """
    site_id = site.name
    states = tuple(control_service.read_states(connection, site_id, now=now))
    site_findings = findings.find(
        connection,
        site,
        plan=planned.plan,
        states=states,
        plan_max_age=plan_max_age or timedelta.max,
        now=now,
    )
    silent = findings.find_silent(connection, site, now=now) if silent is None else silent
    return HouseNow(
        site=site,
        now=now,
        planned=planned,
        states=states,
        vacation=control_service.is_on_vacation(connection, site_id, now=now),
        findings=(*site_findings, *silent),
        planned_before=plans.issued_last(connection, site_id) is not None,
        fault=plan_faults.load(connection, site_id),
        limits=tuple(operator_limits.list_in_force(connection, site_id, now)),
    )


def read_planned(
    connection: Connection, site: Site, *, now: datetime, before: PlannedHouse | None = None
) -> PlannedHouse:
    """Return a stored site's plan, with costs and savings of its days.

    ``before`` is the result of the last reading, whose slots are used again.
    """
    zone = parse_zone(site.timezone)
    plan = plans.read_due(connection, site.name, now)
    first = now.astimezone(zone).date()
    days = [local_day(first + timedelta(days=offset), zone) for offset in (-1, 0, 1)]
    (yesterday, today, tomorrow), slots = read_days(
        connection, site, days, now=now, before=before.slots if before else None
    )
    # The plan of yesterday's last slot, as charts show it, with its slots until then.
    last = yesterday.timeline.end - SLOT
    plan_before = plans.read_due(connection, site.name, last + plans.DRIVES_WITHIN, until=last)
    planned_sessions = () if plan is None else list_planned_sessions(site, plan, now)
    sessions = tuple(_describe_session(session, now) for session in planned_sessions)
    uses = () if plan is None else tuple(_find_uses(site, plan, sessions, now))
    soc = read_soc(connection, site, plan, now=now)
    socs = read_battery_socs(connection, site, plan, now=now)
    house = PlannedHouse(
        plan,
        today,
        tomorrow,
        soc=soc,
        battery_socs=socs,
        uses=uses,
        sessions=sessions,
        slots=slots,
        measured_until=_find_measured_end(today) or _find_measured_end(yesterday),
    )
    saved = house.figure_of(save_beside_inverter(site, today, plan), today)
    paid_yesterday: HouseFigure | None = None
    if yesterday.paid_so_far is not None:
        paid_yesterday = HouseFigure(yesterday.paid_so_far, "measured")
    saved_yesterday: HouseFigure | None = None
    window = yesterday.timeline
    if find_controlled(connection, site, first=window.start, end=window.end):
        gain = save_beside_inverter(site, yesterday, plan_before, end_soc=today.start_soc)
        saved_yesterday = house.figure_of(gain, yesterday, priced=False)
    return replace(
        house, paid_yesterday=paid_yesterday, saved_today=saved, saved_yesterday=saved_yesterday
    )


def _find_measured_end(day: Day) -> datetime | None:
    """Return the end of a day's last measured slot, if there is one."""
    if not day.measured.any():
        return None
    last = int(np.flatnonzero(day.measured)[-1])
    return day.timeline.start + (last + 1) * SLOT


def _describe_session(session: SessionAhead, now: datetime) -> PlannedSession:
    # The charge on arrival can only be read after it.
    basis: Basis = "measured" if session.is_read and session.start <= now else "assumed"
    arrival = HouseFigure(session.arrival_soc, basis)
    leaving = HouseFigure(session.leaving_soc, "planned")
    return PlannedSession(session.device, session.start, session.end, arrival, leaving)


def read_soc(
    connection: Connection, site: Site, plan: PlanReply | None, *, now: datetime
) -> HouseFigure | None:
    """Return the mean state of charge of a stored site's batteries, None if it is unknown.

    It is the last measured one, else the planned one.
    """
    measured = read_last_soc(connection, site, now=now)
    if measured is not None:
        return _measured_soc(measured, site.batteries, now)
    planned = _planned_socs(site, plan, now)
    stored_kwh = 0.0
    capacity_kwh = 0.0
    for battery in site.batteries:
        if battery.name in planned:
            stored_kwh += battery.capacity_kwh * planned[battery.name].value
            capacity_kwh += battery.capacity_kwh
    if not capacity_kwh:
        return None
    basis = next(iter(planned.values())).basis
    return HouseFigure(stored_kwh / capacity_kwh, basis)


def _measured_soc(measured: SocReading, batteries: Sequence[Battery], now: datetime) -> HouseFigure:
    """Return a measured state of charge, with its instant once it may have changed since."""
    pace = max(pace_of_batteries(batteries))
    may_have_moved = (now - measured.at) / HOUR * pace > LITTLE_SOC
    return HouseFigure(measured.soc, "measured", measured.at if may_have_moved else None)


def _planned_socs(site: Site, plan: PlanReply | None, now: datetime) -> dict[str, HouseFigure]:
    """Return the batteries' planned states of charge at the end of the running slot, by name."""
    slot = None if plan is None else find_slot(plan, now)
    if plan is None or slot is None:
        return {}
    # Planned from a measured charge, or from an assumed one.
    basis: Basis = "assumed" if begins_assumed(note.code for note in plan.notes) else "planned"
    socs = {}
    for battery in site.batteries:
        if battery.name in slot.batteries:
            socs[battery.name] = HouseFigure(slot.batteries[battery.name].soc_end, basis)
    return socs


def read_battery_socs(
    connection: Connection, site: Site, plan: PlanReply | None, *, now: datetime
) -> dict[str, HouseFigure]:
    """Return the state of charge of each of several batteries, measured or else planned.

    Unknown ones are left out.
    """
    if len(site.batteries) < 2:
        return {}
    key = sites.key_of(connection, site.name)
    reported = battery_levels.read_sensors_each(
        connection, {key: site}, since=floor_to(now, SLOT) - SLOT, until=now
    ).get(key, [])
    has_all = len(reported) == len(site.batteries)
    if not has_all or not all(0.0 <= reading.soc <= 1.0 for reading in reported):
        return _planned_socs(site, plan, now)
    measured = {}
    for battery, reading in zip(site.batteries, reported, strict=True):
        measured[battery.name] = _measured_soc(reading, [battery], now)
    return measured


def read_last_soc(connection: Connection, site: Site, *, now: datetime) -> SocReading | None:
    """Return the last state of charge of a site's batteries and its instant.

    By readings within two quarter-hours, else by the last quarter-hour.

    None where neither is known. A quarter-hour is known once it is over: a battery moves by an
    eighth meanwhile.

    Raises:
        NotFoundError: no such site.
    """
    running = floor_to(now, SLOT)
    key = sites.key_of(connection, site.name)
    recorded = observations.find_socs_each(
        connection, [key], since=running - _JUDGED_SLOTS * SLOT, until=running
    ).get(key, [])
    reported = battery_levels.read_reported_each(
        connection, {key: site}, since=running - SLOT, until=now
    ).get(key)
    last_recorded = recorded[-1] if recorded else None
    if reported is None or (last_recorded is not None and reported.at <= last_recorded.at):
        # The quarter-hour that has just ended is built a moment later: until then the one before
        # counts.
        if last_recorded is not None and last_recorded.at >= running - SLOT:
            return last_recorded
        return None
    judged = judge_levels([*recorded, reported], pace_of_batteries(site.batteries))
    return None if judged is None else SocReading(judged.soc, judged.at)


def begins_assumed(notes: Iterable[str]) -> bool:
    """Return whether a plan with these notes begins with an unmeasured state of charge."""
    return not ASSUMED_CHARGES.isdisjoint(notes)


def _find_uses(
    site: Site, plan: PlanReply, sessions: Sequence[PlannedSession], now: datetime
) -> Iterator[DeviceUse]:
    next_sessions = {session.device: session for session in reversed(sessions)}
    runs: list[tuple[str, DeviceUseKind, PlannedRun | None]] = []
    for name in list_names(site):
        if name in next_sessions:
            session = next_sessions[name]
            run = find_charging_run(plan, name, max(session.start, now), session.end)
            runs.append((name, "car", run))
    runs += list_switched_runs(plan, site, now)
    for name, kind, run in runs:
        if run is None or run.energy_kwh < LITTLE_KWH:
            continue
        if kind == "car" or run.start < now + DAY:
            yield DeviceUse(name, kind, run, basis_until(plan, run.end))
