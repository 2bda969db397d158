"""The state in which a plan begins: what is expected of devices and modes, carried from the plan in force."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.control import BatterySetpoint, ControlState
from luna.contracts.plan import BatteryState, PeakState, PlanRequest, StateMessage
from luna.energy.devices import Mode
from luna.energy.economics import find_charge, read_history
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_midnight
from luna.platform.database import plans
from luna.platform.database.site_facts import DemandFacts, PlanningFacts
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.expected import expect
from services.planner.service.assumptions import HALF_FULL


def carry_demands(site: Site, state: StateMessage, known: DemandFacts, *, start: datetime) -> StateMessage:
    """Return the state with what is stored of devices, and what sensors and the plan in force knew of everything that it places by its start.

    What the state says itself stands.
    """
    expected = expect(known.begun, start)
    # What Luna switches has run as planned; of anything else only what somebody said is known.
    switched = {each.load for each in site.control.loads} if site.control else set()
    found: dict[str, Mapping[str, Any]] = {}
    for kind in PLANNED_KINDS:
        said, here = getattr(state, kind.section), {device.name for device in kind.of(site)}
        if here <= said.keys():
            continue
        if kind.stored:
            found[kind.section] = {**kind.stored.find(site, known, start), **said}
        elif expected and not said:
            found[kind.section] = {name: each for name, each in kind.carry(expected, switched).items() if name in here}
    return state.model_copy(update=found) if found else state


# Just before the start: what drives the slot that ends there.
_MOMENT = timedelta(microseconds=1)


def list_told_modes(state: ControlState) -> dict[str, Mode]:
    """Return the mode that each battery of an armed site was told last; nothing for one that follows nobody."""
    if state.armed_at is None or state.decision is None:
        return {}
    return {name: told.mode for name, told in state.decision.allowed.items() if isinstance(told, BatterySetpoint)}


def read_planned_modes(connection: Connection, site_id: str, start: datetime) -> dict[str, Mode]:
    """Return the mode of each battery in the slot before ``start``; nothing where no plan drove it."""
    due = plans.read_due(connection, site_id, start - _MOMENT, until=start)
    if due is None:
        return {}
    place = (start - _MOMENT - due.slots[0].start) // timedelta(minutes=due.slot_minutes)
    return {name: told.mode[place] for name, told in due.setpoints.items()}


def carry_modes(batteries: dict[str, BatteryState], modes: dict[str, Mode]) -> dict[str, BatteryState]:
    """Return the state of batteries with the modes in progress, where it names none of its own."""
    return {name: state if state.mode else state.model_copy(update={"mode": modes.get(name)}) for name, state in batteries.items()}


def complete_state(connection: Connection, facts: PlanningFacts, request: PlanRequest) -> StateMessage:
    """Return the state at the start of a plan as it was recorded, told or planned; what the request says itself stands.

    Args:
        connection: to the database, for what few sites have.
        facts: what is known of the site then.
        request: as it came.
    """
    state, options, site, start = request.state, request.options, facts.site, facts.start
    if not state.batteries:
        state = state.model_copy(update={"batteries": tell_soc(facts)})
    state = carry_demands(site, state, facts.demands, start=start)
    state = _complete_month(facts, state)
    modes = list_told_modes(facts.control)
    if not modes and (site.objective.switching_price or options.switching_price or (options.objective and options.objective.switching_price)):
        modes = read_planned_modes(connection, site.name, start)
    return state.model_copy(update={"batteries": carry_modes(_complete_today(facts, state), modes)})


def tell_soc(facts: PlanningFacts) -> dict[str, BatteryState]:
    """Return how full the batteries were when that was last recorded on the day before the start, and believed; half full where nothing was recorded."""
    soc = HALF_FULL if facts.soc is None else facts.soc.soc
    return {battery.name: BatteryState(soc=soc) for battery in facts.site.batteries}


def find_day(site: Site, start: datetime) -> datetime | None:
    """Return since when what batteries give counts at ``start``: the last slot before local midnight; None where none limits its cycles of a day."""
    zone = ZoneInfo(site.timezone)
    begin = local_midnight(start.astimezone(zone).date(), zone)
    # A state of charge is that at its slot's end: the last one of the day before is midnight's.
    return begin - SLOT if any(battery.max_cycles_per_day is not None for battery in site.batteries) and start - begin >= SLOT else None


def _complete_today(facts: PlanningFacts, state: StateMessage) -> dict[str, BatteryState]:
    """Return the batteries with what they gave since local midnight, as it was recorded or sensed for all of them, where one limits its cycles."""
    site, seen = facts.site, facts.given
    limited = [battery for battery in site.batteries if battery.max_cycles_per_day is not None and battery.name in state.batteries]
    untold = [battery for battery in limited if state.batteries[battery.name].discharged_today_kwh is None]
    if not untold or seen is None:
        return state.batteries
    full_kwh = sum(battery.capacity_kwh * battery.discharge_efficiency for battery in site.batteries)
    given, usable = count_discharged(seen.discharge_kwh, seen.soc * full_kwh), sum(battery.usable_kwh for battery in site.batteries)
    shares = {battery.name: given * battery.usable_kwh / usable for battery in untold}
    return state.batteries | {name: state.batteries[name].model_copy(update={"discharged_today_kwh": share}) for name, share in shares.items()}


def count_discharged(discharge_kwh: FloatArray, holds_kwh: FloatArray) -> float:
    """Return what batteries gave after the first slot; where that is not recorded, what they hold less at the end of a slot than when it was last known.

    Args:
        discharge_kwh: recorded, at the terminals, shape ``(slots,)``; the first slot's does not count. NaN: unknown.
        holds_kwh: what could be given at each slot's end, at the terminals, shape ``(slots,)``. NaN: unknown.
    """
    told = np.cumsum(np.nan_to_num(discharge_kwh[1:]), dtype=np.float64)
    untold = np.cumsum(np.isnan(discharge_kwh[1:]))
    told, untold = np.concatenate([[0.0], told]), np.concatenate([[0], untold])
    known = np.flatnonzero(np.isfinite(holds_kwh))
    # What is recorded of a stretch is part of what it holds less.
    missing = np.maximum(-np.diff(holds_kwh[known]), 0.0) - np.diff(told[known])
    return float(told[-1] + np.maximum(missing[np.diff(untold[known]) > 0], 0.0).sum())


def find_month(site: Site, start: datetime) -> datetime | None:
    """Return since when what a site buys counts for what its tariff takes at ``start``: the beginning of a local month; None where it does not count."""
    zone = ZoneInfo(site.timezone)
    begin = local_midnight(start.astimezone(zone).date().replace(day=1), zone)
    return begin if (site.tariff.peaks or find_charge(site.tariff.import_)) and start - begin >= SLOT else None


def _complete_month(facts: PlanningFacts, state: StateMessage) -> StateMessage:
    """Return the state with what the month has come to up to the start, where the tariff asks for it and the request says nothing of it."""
    site, imported = facts.site, facts.bought
    if state.peaks or state.month_peaks_kw or state.month_import_kwh or state.drawn_kwh or imported is None:
        return state
    zone, charge = ZoneInfo(site.timezone), find_charge(site.tariff.import_)
    past = Timeline(facts.start - imported.size * SLOT, SLOT, imported.size)
    found = {price.name: read_history(imported, past, price, zone=zone) for price in site.tariff.peaks}
    peaks = {name: PeakState(highest_kw=list(each.highest_kw), today_kw=each.today_kw, interval_kwh=each.interval_kwh) for name, each in found.items()}
    drawn = {site.tariff.import_.kind: charge.count_drawn(imported, past, zone=zone)} if charge else {}
    return state.model_copy(update={"peaks": peaks, "month_import_kwh": float(np.nansum(imported)), "drawn_kwh": drawn})
