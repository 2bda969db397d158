"""The state in which a plan begins: what is expected of vehicles, appliances and modes, carried from the plan in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.control import BatterySetpoint, ControlState
from luna.contracts.plan import (
    BatteryState,
    HeatPumpState,
    LoadRun,
    LoadState,
    OutlookMessage,
    PeakState,
    PlanReply,
    PlanRequest,
    SlotReply,
    StateMessage,
    VehicleSession,
    VehicleState,
)
from luna.database import plans
from luna.database.site_facts import DemandFacts, PlanningFacts
from luna.device_config import Mode
from luna.economics import find_charge, read_history
from luna.errors import InvalidInputError
from luna.site import Site
from luna.timeline import SLOT, FloatArray, Timeline, local_midnight
from luna.vehicle_sessions import fit_session, meet
from services.planner.service.assumptions import HALF_FULL

LONGEST_HOURS = 168.0
Switched = dict[str, float]


def carry_runs(state: LoadState | HeatPumpState, on: Sequence[bool], slot_hours: float) -> Switched:
    """Return ``on_hours`` and ``off_hours`` after slots in which it was ``on``, or off; of nothing known before, what the slots say."""
    if not on:
        return {"on_hours": state.on_hours, "off_hours": state.off_hours}
    steady = next((count for count, each in enumerate(reversed(on)) if each != on[-1]), len(on))
    before = (state.on_hours if on[-1] else state.off_hours) if steady == len(on) else 0.0
    hours = min(before + steady * slot_hours, LONGEST_HOURS)
    return {"on_hours": hours if on[-1] else 0.0, "off_hours": 0.0 if on[-1] else hours}


def carry_asked(state: LoadState, on: Sequence[bool]) -> list[LoadRun]:
    """Return the runs of a programme that are still asked for: those that have begun were the first to be over."""
    begun = sum(now and not before for before, now in zip([state.on_hours > 0, *on], on, strict=False))
    return sorted(state.runs, key=lambda run: run.by)[begun:]


DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class IssuedPlan:
    """A plan with the complete request it was made from."""

    request: PlanRequest
    reply: PlanReply

    @property
    def start(self) -> datetime:
        if self.request.start is None:
            raise InvalidInputError("the stored request has no start", field="plan_id", value=self.reply.plan_id, remedy="Plan anew.")
        return self.request.start

    @property
    def outlook(self) -> OutlookMessage:
        if self.request.outlook is None:
            raise InvalidInputError("the stored request has no outlook", field="plan_id", value=self.reply.plan_id, remedy="Plan anew.")
        return self.request.outlook


@dataclass(frozen=True, slots=True)
class Expected:
    """What a plan expects by ``at``, when ``passed`` of its slots are over."""

    plan: IssuedPlan
    passed: int
    at: datetime

    @property
    def _over(self) -> list[SlotReply]:
        return self.plan.reply.slots[: self.passed]

    def soc(self) -> dict[str, float]:
        """Return how full each battery is."""
        before = {name: state.soc for name, state in self.plan.request.state.batteries.items()}
        return before | {name: flow.soc_end for slot in self._over[-1:] for name, flow in slot.batteries.items()}

    def vehicles(self) -> dict[str, VehicleState]:
        """Return the vehicles with their stays as they were known."""
        states = dict(self.plan.request.state.vehicles)
        for slot in self._over[-1:]:
            for name, flow in slot.vehicles.items():
                states[name] = states[name].model_copy(update={"soc": flow.soc_end, "charging": flow.charge_kwh > 0})
        return states

    def loads(self) -> dict[str, LoadState]:
        """Return the appliances of which the plan was told something."""
        return {name: self._load(name, state) for name, state in self.plan.request.state.loads.items()}

    def loads_told(self, names: Iterable[str]) -> dict[str, LoadState]:
        """Return appliances that do what the plan says; one of which it knew nothing is taken to have run evenly until it began."""
        zone = ZoneInfo(self.plan.reply.timezone)
        today = self.plan.start - local_midnight(self.plan.start.astimezone(zone).date(), zone)
        found = {}
        for load in self.plan.request.site.loads if self.plan.request.site else ():
            if load.name in names and load.name in self.plan.reply.slots[0].loads:
                state = self.plan.request.state.loads.get(load.name, LoadState())
                used = load.energy_kwh_per_day * (today / DAY) if state.energy_today_kwh is None else state.energy_today_kwh
                found[load.name] = self._load(load.name, state.model_copy(update={"energy_today_kwh": used}))
        return found

    def _load(self, name: str, state: LoadState) -> LoadState:
        zone, slot_hours = ZoneInfo(self.plan.reply.timezone), self.plan.reply.slot_minutes / 60
        slots = [slot for slot in self._over if name in slot.loads]
        midnight = local_midnight(self.at.astimezone(zone).date(), zone)
        today = sum(slot.loads[name].energy_kwh for slot in slots if slot.start >= midnight)
        before = state.energy_today_kwh if self.plan.start >= midnight else 0.0
        used = None if before is None or state.energy_today_kwh is None else before + today
        on = [slot.loads[name].on for slot in slots]
        return state.model_copy(update={"energy_today_kwh": used, "runs": carry_asked(state, on), **carry_runs(state, on, slot_hours)})

    def heat_pumps(self) -> dict[str, HeatPumpState]:
        """Return the heat pumps of which the plan was told how warm their store is."""
        known = {name: state for name, state in self.plan.request.state.heat_pumps.items() if state.temperature_c is not None}
        return {name: self._heat_pump(name, state) for name, state in known.items()}

    def _heat_pump(self, name: str, state: HeatPumpState) -> HeatPumpState:
        flows = [slot.heat_pumps[name] for slot in self._over if name in slot.heat_pumps]
        if not flows:
            return state
        runs = carry_runs(state, [flow.on for flow in flows], self.plan.reply.slot_minutes / 60)
        return state.model_copy(update={"temperature_c": flows[-1].temperature_c, **runs})


def carry_demands(site: Site, state: StateMessage, known: DemandFacts, *, start: datetime) -> StateMessage:
    """Return the state with the stays that are stored, and what the plan in force knew of cars, appliances and stores of heat, as it expects them.

    What the state says itself stands.
    """
    all_vehicles = {vehicle.name for vehicle in site.vehicles} <= state.vehicles.keys()
    if all_vehicles and all(told or not there for told, there in ((state.loads, site.loads), (state.heat_pumps, site.heat_pumps))):
        return state
    if known.begun is None:
        return state.model_copy(update={"vehicles": _join_sessions(site, {}, known.stays, start=start) | state.vehicles})
    reply, request = known.begun
    plan = IssuedPlan(request, reply)
    expected = Expected(plan, max((start - plan.start) // request.step, 0), start)
    vehicles = {name: _ahead(each, start) for name, each in expected.vehicles().items()}
    # What Luna switches has run as planned; of anything else only what somebody said is known.
    told = expected.loads_told({each.load for each in site.control.loads} if site.control else ())
    loads = {name: each for name, each in (expected.loads() | told).items() if name in {load.name for load in site.loads}}
    pumps = {name: each for name, each in expected.heat_pumps().items() if name in {pump.name for pump in site.heat_pumps}}
    update = {
        "vehicles": _join_sessions(site, vehicles, known.stays, start=start) | state.vehicles,
        "loads": state.loads or loads,
        "heat_pumps": state.heat_pumps or pumps,
    }
    return state.model_copy(update=update)


Stays = Mapping[str, Sequence[VehicleSession]]


def _join_sessions(site: Site, known: Mapping[str, VehicleState], stored: Stays, *, start: datetime) -> dict[str, VehicleState]:
    """Return the site's vehicles with the stays that are stored, and beside them those that a request named before.

    Args:
        site: whose vehicles they are.
        known: as the plan in force expects them.
        stored: stays by vehicle, in order.
        start: of the plan.
    """
    joined = {}
    for vehicle in site.vehicles:
        own, before = [fit_session(each, vehicle) for each in stored.get(vehicle.name, ())], known.get(vehicle.name)
        # Of what was stored only what is stored now holds, and it goes before what was said once.
        told = [each for each in before.sessions if each.session_id is None and not any(meet(each, other) for other in own)] if before else []
        if before is not None or own:
            state = before or VehicleState(soc=_soc_on_arrival(own, vehicle.min_soc))
            soc = _soc_on_arrival(own, state.soc) if _is_news(own, state, start) else state.soc
            joined[vehicle.name] = state.model_copy(update={"soc": soc, "sessions": sorted([*told, *own], key=lambda each: each.from_)})
    return joined


def _is_news(own: Sequence[VehicleSession], state: VehicleState, start: datetime) -> bool:
    """Return whether the stay that goes on was stored since the plan was made that expects this state of the vehicle."""
    return bool(own) and own[0].from_ <= start and own[0].session_id not in {each.session_id for each in state.sessions}


def _soc_on_arrival(own: Sequence[VehicleSession], otherwise: float) -> float:
    """Return how full a vehicle comes to the first of its stays; a stay before it that said so may have been taken back."""
    return next((each.arrival_soc for each in own[:1] if each.arrival_soc is not None), otherwise)


def _ahead(state: VehicleState, start: datetime) -> VehicleState:
    return state.model_copy(update={"sessions": [session for session in state.sessions if session.to > start]})


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
    """Return how full the batteries were when last observed on the day before the start; half full where nothing was recorded."""
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
