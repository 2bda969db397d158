"""Complete the state at a plan's start from records and the plan in force.

The state has the batteries' charge and modes, device states, and the month's peaks and energy.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.control import BatterySetpoint, ControlState
from luna.contracts.plan import BatteryState, PeakState, PlanRequest, StateMessage
from luna.energy.devices.battery import Mode
from luna.energy.economics.charges import (
    count_drawn,
    find_charges,
    month_begin,
    period_begin,
    read_history,
)
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_midnight
from luna.house.account import read_device_use
from luna.platform.database import plans, sites
from luna.platform.database.site_facts import DemandFacts, PlanningFacts, read_demands_each
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.expected import expect
from services.planner.service.assumptions import HALF_FULL


def carry_demands(
    site: Site, state: StateMessage, facts: DemandFacts, *, start: datetime
) -> StateMessage:
    """Return the state with device states from the database, sensors and the plan in force.

    States already given take precedence.
    """
    expected = expect(facts.begun, start)
    # Devices that Luna switches have run as planned; of others only stated or measured values are
    # available.
    switched: set[str] = set()
    if site.control:
        switched = {control.load for control in site.control.loads}
    carried: dict[str, Mapping[str, Any]] = {}
    for kind in PLANNED_KINDS:
        stated = getattr(state, kind.section)
        here = {device.name for device in getattr(site, kind.section)}
        if here <= stated.keys():
            continue
        if kind.stored:
            carried[kind.section] = {**kind.stored.find(site, facts, start), **stated}
        elif expected and not stated:
            states = kind.carry(expected, switched)
            carried[kind.section] = {name: states[name] for name in states if name in here}
    return state.model_copy(update=carried) if carried else state


def read_carried(
    connection: Connection, site: Site, start: datetime, *, now: datetime
) -> tuple[StateMessage, DemandFacts]:
    """Return a stored site's device states at a plan's start, and the facts behind them."""
    key = sites.key_of(connection, site.name)
    facts = read_demands_each(connection, {key: site}, start, now=now)[key]
    return carry_demands(site, StateMessage(), facts, start=start), facts


# To look up the plan of the slot that ends at the start.
_MOMENT = timedelta(microseconds=1)


def list_commanded_modes(state: ControlState) -> dict[str, Mode]:
    """Return the last commanded mode of each battery of an armed site.

    Empty for a disarmed site.
    """
    if state.armed_at is None or state.decision is None:
        return {}
    return {
        name: setpoint.mode
        for name, setpoint in state.decision.allowed.items()
        if isinstance(setpoint, BatterySetpoint)
    }


def read_planned_modes(connection: Connection, site_id: str, start: datetime) -> dict[str, Mode]:
    """Return the planned mode of each battery in the slot before ``start``.

    Empty where no plan was in force.
    """
    due = plans.read_due(connection, site_id, start - _MOMENT, until=start)
    if due is None:
        return {}
    place = (start - _MOMENT - due.slots[0].start) // timedelta(minutes=due.slot_minutes)
    return {name: setpoints.mode[place] for name, setpoints in due.setpoints.items()}


def carry_modes(
    batteries: dict[str, BatteryState], modes: dict[str, Mode]
) -> dict[str, BatteryState]:
    """Return the state of batteries with the current modes, where it has none of its own."""
    carried = dict(batteries)
    for name, state in batteries.items():
        if not state.mode:
            carried[name] = state.model_copy(update={"mode": modes.get(name)})
    return carried


def complete_state(
    connection: Connection, facts: PlanningFacts, request: PlanRequest
) -> StateMessage:
    """Return the state at a plan's start from records, commands or plans.

    Values of the request take precedence.

    Args:
        connection: to the database, for data that few sites have.
        facts: of the site at the plan's start.
        request: as received.
    """
    state = request.state
    options = request.options
    site = facts.site
    start = facts.start
    if not state.batteries:
        state = state.model_copy(update={"batteries": tell_soc(facts)})
    state = carry_demands(site, state, facts.demands, start=start)
    state = _complete_month(facts, state)
    if not state.device_use:
        device_use = read_device_use(connection, site, start)
        state = state.model_copy(update={"device_use": device_use})
    modes = list_commanded_modes(facts.control)
    prices = [site.objective.switching_price, options.switching_price]
    if options.objective:
        prices.append(options.objective.switching_price)
    if not modes and any(prices):
        modes = read_planned_modes(connection, site.name, start)
    batteries = carry_modes(_complete_today(facts, state), modes)
    return state.model_copy(update={"batteries": batteries})


def tell_soc(facts: PlanningFacts) -> dict[str, BatteryState]:
    """Return the batteries' last trusted state of charge of the day before the start.

    Without one they are half full.
    """
    known = None if facts.soc is None else facts.soc.soc
    soc = HALF_FULL if known is None else known
    return {battery.name: BatteryState(soc=soc) for battery in facts.site.batteries}


def find_day(site: Site, start: datetime) -> datetime | None:
    """Return the last slot before local midnight, from which discharge today is counted.

    None where no battery limits its cycles per day, or the day has just begun.
    """
    zone = ZoneInfo(site.timezone)
    begin = local_midnight(start.astimezone(zone).date(), zone)
    # States of charge are at the slot's end: the last one of the day before is midnight's.
    limits_cycles = any(battery.max_cycles_per_day is not None for battery in site.batteries)
    return begin - SLOT if limits_cycles and start - begin >= SLOT else None


def _complete_today(facts: PlanningFacts, state: StateMessage) -> dict[str, BatteryState]:
    """Return the batteries with their shares of the recorded discharge since local midnight.

    Those that limit cycles per day get one, where the state lacks it.
    """
    site = facts.site
    recorded = facts.discharged
    incomplete = []
    for battery in site.batteries:
        known = state.batteries.get(battery.name)
        is_limited = battery.max_cycles_per_day is not None
        if is_limited and known is not None and known.discharged_today_kwh is None:
            incomplete.append(battery)
    if not incomplete or recorded is None:
        return state.batteries
    full_kwh = sum(
        battery.capacity_kwh * battery.discharge_efficiency for battery in site.batteries
    )
    discharged_kwh = count_discharged(recorded.discharge_kwh, recorded.soc * full_kwh)
    usable = sum(battery.usable_kwh for battery in site.batteries)
    completed = dict(state.batteries)
    for battery in incomplete:
        share_kwh = discharged_kwh * battery.usable_kwh / usable
        known = state.batteries[battery.name]
        completed[battery.name] = known.model_copy(update={"discharged_today_kwh": share_kwh})
    return completed


def count_discharged(discharge_kwh: FloatArray, holds_kwh: FloatArray) -> float:
    """Return the batteries' discharge after the first slot.

    Where it is not recorded, it is the drop of stored energy since its last measurement.

    Args:
        discharge_kwh: recorded, at the terminals, shape ``(slots,)``; the first slot's does not
            count. NaN: unknown.
        holds_kwh: dischargeable energy at each slot's end, at the terminals, shape ``(slots,)``.
            NaN: unknown.
    """
    recorded = np.cumsum(np.nan_to_num(discharge_kwh[1:]), dtype=np.float64)
    gaps = np.cumsum(np.isnan(discharge_kwh[1:]))
    recorded = np.concatenate([[0.0], recorded])
    gaps = np.concatenate([[0], gaps])
    measured = np.flatnonzero(np.isfinite(holds_kwh))
    # The recorded part of a stretch is already in its drop.
    drops = np.maximum(-np.diff(holds_kwh[measured]), 0.0)
    missing = drops - np.diff(recorded[measured])
    has_gap = np.diff(gaps[measured]) > 0
    return float(recorded[-1] + np.maximum(missing[has_gap], 0.0).sum())


def find_counted(site: Site, start: datetime) -> datetime | None:
    """Return when the periods began whose imports the tariff counts; None if it counts none.

    They are the local month for a capacity tariff or blocks, the running day for an allowance.
    """
    zone = ZoneInfo(site.timezone)
    begin = period_begin(find_charges(site.tariff.import_), start, zone)
    if site.tariff.peaks:
        month = month_begin(start, zone)
        begin = month if begin is None else min(begin, month)
    return begin if begin is not None and start - begin >= SLOT else None


def _complete_month(facts: PlanningFacts, state: StateMessage) -> StateMessage:
    """Return the state with the month's peaks and imports up to the start.

    They are read where the tariff needs them and the request has none.
    """
    site = facts.site
    imported = facts.bought
    stated = (state.peaks, state.month_peaks_kw, state.month_import_kwh, state.drawn_kwh)
    if imported is None or any(stated):
        return state
    zone = ZoneInfo(site.timezone)
    past = Timeline(facts.start - imported.size * SLOT, SLOT, imported.size)
    # An allowance of a day may have begun in the month before.
    first = past.first_from(month_begin(facts.start, zone))
    in_month = imported[first:]
    peaks = {}
    if in_month.size:
        for price in site.tariff.peaks:
            month = past.window(first, in_month.size)
            history = read_history(in_month, month, price, zone=zone)
            peaks[price.name] = PeakState(
                highest_kw=list(history.highest_kw),
                today_kw=history.today_kw,
                interval_kwh=history.interval_kwh,
            )
    counted = {
        "peaks": peaks,
        "month_import_kwh": float(np.nansum(in_month)),
        "drawn_kwh": count_drawn(site.tariff.import_, imported, past, zone=zone),
    }
    return state.model_copy(update=counted)
