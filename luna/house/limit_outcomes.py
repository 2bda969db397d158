"""Sum up what became of the limits of a site's operator.

What was planned before a limit is compared with what devices were allowed while it held. Plans are
deleted before limits are, so what came of one that is over is stored.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf, nan
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.contracts.operator_limits import StoredLimit
from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import SlotReply
from luna.energy.limit_outcome import DevicePower, LimitOutcome, summarize_limit
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from luna.platform.database import control, observations, operator_limits, plan_slots, plans, sites

# A quarter-hour is measured some minutes after its end, and later where a meter was away.
SETTLED_AFTER = timedelta(hours=1)
# Modes in which a device draws from the grid; in the others it draws nothing, or surplus alone.
_DRAWING = frozenset({"charge", "on"})
# The fields of set-points that bound what a device draws.
_POWERS = ("charge_kw", "power_kw")
# Of a limit of weeks the last entries count.
_MOST_ENTRIES = 20_000


def read_outcome(
    connection: Connection, site: Site, stored: StoredLimit, *, now: datetime
) -> LimitOutcome | None:
    """Return what became of a limit until ``now``, or until its end.

    None where it has never held.
    """
    end = now if stored.end is None else min(stored.end, now)
    if end <= stored.start:
        return None
    if stored.summary is not None:
        return stored.summary
    timeline = _cover(stored.start, end)
    measured = observations.read_measured(
        connection, site.name, timeline, ("import_kwh", "export_kwh")
    )
    return summarize_limit(
        timeline,
        (stored.start, end),
        import_kwh=measured["import_kwh"],
        export_kwh=measured["export_kwh"],
        devices=_read_devices(connection, site, stored, timeline),
    )


def add_outcomes(
    connection: Connection, site_id: str, limits: Sequence[StoredLimit], *, now: datetime
) -> list[StoredLimit]:
    """Return limits with what became of each until ``now``."""
    if all(stored.summary is not None for stored in limits):
        return list(limits)
    site = sites.load(connection, site_id)
    return [
        stored.model_copy(update={"summary": read_outcome(connection, site, stored, now=now)})
        for stored in limits
    ]


def settle_outcomes(connection: Connection, site: Site, *, now: datetime) -> int:
    """Store what became of limits that are over, and return how many there were.

    Invariants: a second call changes nothing.
    """
    settled = 0
    for stored in operator_limits.list_unsettled(connection, site.name, now - SETTLED_AFTER):
        outcome = read_outcome(connection, site, stored, now=now)
        if outcome is not None:
            operator_limits.summarise(connection, site.name, stored.limit_id, outcome)
            settled += 1
    return settled


def _cover(start: datetime, end: datetime) -> Timeline:
    """Return the quarter-hours that cover a span."""
    first = floor_to(start, SLOT)
    return Timeline(first, SLOT, -((first - end) // SLOT))


def _read_devices(
    connection: Connection, site: Site, stored: StoredLimit, timeline: Timeline
) -> dict[str, DevicePower]:
    """Return the power of each device that was planned, or commanded, in a limit's span."""
    planned = _read_planned(connection, site, stored, timeline)
    allowed = _read_allowed(connection, site, timeline)
    return {
        name: DevicePower(planned_kw, allowed[name])
        for name, planned_kw in planned.items()
        if name in allowed
    }


def _read_planned(
    connection: Connection, site: Site, stored: StoredLimit, timeline: Timeline
) -> dict[str, FloatArray]:
    """Return what each device was to draw by the last plan that did not know the limit."""
    unaware_until = min(stored.created_at, stored.start)
    spans = plan_slots.list_followed(
        connection, site.name, timeline.start, timeline.end, issued_by=unaware_until
    )
    if not spans:
        return {}
    plan = plans.load(connection, spans[-1].plan_id)
    hours = plan.slot_minutes / 60
    planned: dict[str, FloatArray] = {}
    for place, slot in enumerate(plan.slots):
        end = slot.start + timedelta(minutes=plan.slot_minutes)
        covered = timeline.overlap_hours(slot.start, end) > 0
        for name, energy_kwh in _list_drawn(plan, slot, place).items():
            power_kw = planned.setdefault(name, np.full(timeline.count, nan))
            power_kw[covered] = energy_kwh / hours
    return planned


def _list_drawn(plan: PlanReply, slot: SlotReply, place: int) -> dict[str, float]:
    """Return the energy that each device draws in a slot, kWh; a battery storing surplus none."""
    drawn = {name: max(flow.used_kwh, 0.0) for name, flow in slot.scheduled}
    for name, flow in slot.batteries.items():
        setpoints = plan.setpoints.get(name)
        mode = slot.mode if setpoints is None else setpoints.mode[place]
        drawn[name] = flow.charge_kwh if mode == "charge" else 0.0
    return drawn


def _read_allowed(connection: Connection, site: Site, timeline: Timeline) -> dict[str, FloatArray]:
    """Return what each device might draw by its last command in each quarter-hour."""
    entries = control.read_log_page(
        connection, site.name, limit=_MOST_ENTRIES, slots=(timeline.start, timeline.end)
    )
    allowed: dict[str, FloatArray] = {}
    # The latest entry comes first, and the last of a quarter-hour counts.
    for _, entry in reversed(entries):
        place = (entry.slot_start - timeline.start) // SLOT
        for name, setpoint in entry.allowed.items():
            power_kw = allowed.setdefault(name, np.full(timeline.count, nan))
            # What its owner asked for is not the limit's doing.
            is_owners = entry.decided_by == "owner" and entry.requested.get(name) == setpoint
            power_kw[place] = nan if is_owners else _read_most_kw(setpoint)
    return allowed


def _read_most_kw(setpoint: Mapping[str, Any]) -> float:
    """Return the most that a set-point lets a device draw; NaN where it decides by itself."""
    mode = setpoint["mode"]
    if mode == "own":
        return nan
    if mode not in _DRAWING:
        return 0.0
    powers = [setpoint[name] for name in _POWERS if setpoint.get(name) is not None]
    return min(powers, default=inf)
