"""Compose what steering is to do with a unit: the decision in force, and the plan ahead."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean

from sqlalchemy import Connection, Engine

from luna.contracts.control import (
    BatterySetpoint,
    ControlState,
    Decision,
    Setpoint,
    VehicleSetpoint,
)
from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import SlotReply
from luna.contracts.plan.state import VehicleSession
from luna.contracts.steering import DeviceTarget, LimitMessage, SteeredSlot, SteeringTarget
from luna.drivers.control.units.unit import Controllable, InForce
from luna.energy.site import Site
from luna.energy.steering import LITTLE_KWH, ExpectedSlot, price_stored_kwh
from luna.energy.timeline import SLOT
from luna.platform.clock import Clock
from luna.platform.database import charging_sessions, operator_limits, plans, sites
from luna.platform.database.engine import unit_of_work
from services.executor.target import ControlTarget

# How long steering goes on by the plan while the executor is away.
AHEAD = timedelta(hours=6)
# Reasons of decisions that follow a plan.
_PLANNED = frozenset({"planned", "agent_cheaper", "mode_kept", "least_run"})
# Energy that counts as nothing as a share of what a car takes.
_LITTLE_SHARE = 0.1
# Worth of surplus to a car without a target, as the planner has it: share of the import price.
_SURPLUS_SHARE = 0.6

Sessions = Mapping[str, Sequence[VehicleSession]]


class TargetComposer:
    """Composes the targets of steered units; the plan is read once per decision."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._slots: dict[tuple[str, str], tuple[str, list[SteeredSlot]]] = {}

    def compose(
        self,
        target: ControlTarget,
        state: ControlState,
        decision: Decision,
        *,
        stopped_until: datetime | None = None,
    ) -> SteeringTarget | None:
        """Return what steering is to do, None once a unit is handed back.

        A charge is stopped until ``stopped_until``, so that its new start wakes the car.

        Raises:
            UnavailableError: the database is away.
        """
        is_released = decision.source == "released" or decision.gave_up
        if decision.source == "released" and decision.settled:
            # Its owner may command it by hand meanwhile, and is not overruled.
            return None
        now = self._clock.now()
        with unit_of_work(self._engine) as connection:
            limits = operator_limits.list_between(connection, state.site, now, now + AHEAD)
            slots = self._read_slots(connection, target, state, decision)
        site = target.site.model_copy(update={"control": target.control})
        document = json.loads(site.model_dump_json(by_alias=True))
        return SteeringTarget(
            site_id=state.site,
            unit=state.device,
            target_id=_digest(slots, is_released=is_released),
            site=document,
            released=is_released,
            stopped_until=None if is_released else stopped_until,
            slots=slots,
            limits=[LimitMessage.of(limit) for limit in limits],
        )

    def _read_slots(
        self,
        connection: Connection,
        target: ControlTarget,
        state: ControlState,
        decision: Decision,
    ) -> list[SteeredSlot]:
        unit = (state.site, state.device)
        progress = {"tries", "tried_at", "settled", "confirmed_at"}
        identity = decision.model_dump_json(exclude=progress)
        if unit in self._slots and self._slots[unit][0] == identity:
            return self._slots[unit][1]
        slots = _read_slots(connection, target, decision, now=self._clock.now())
        self._slots[unit] = (identity, slots)
        return slots


def _digest(slots: Sequence[SteeredSlot], *, is_released: bool) -> str:
    texts = [slot.model_dump_json() for slot in slots]
    return hashlib.sha256(f"{is_released}{texts}".encode()).hexdigest()[:32]


def _read_slots(
    connection: Connection, target: ControlTarget, decision: Decision, *, now: datetime
) -> list[SteeredSlot]:
    """Return the slot of a decision and, where it follows a plan, those ahead."""
    is_safe_only = decision.source == "released" or decision.gave_up
    setpoints = decision.allowed if is_safe_only else decision.requested
    plan = None
    # An operator's limit hides why the set-points were chosen.
    is_limited = decision.reason == "operator_limit" and decision.decided_by in {"planner", "agent"}
    if (decision.reason in _PLANNED or is_limited) and not is_safe_only:
        plan = plans.read_due(connection, target.site.name, now, until=now + AHEAD)
    if plan is None:
        devices = {name: DeviceTarget(setpoint=setpoint) for name, setpoint in setpoints.items()}
        return [SteeredSlot(start=decision.slot_start, devices=devices)]
    key = sites.key_of(connection, target.site.name)
    sessions = charging_sessions.read_plain_each(
        connection, {key: target.site}, first=now, end=now + AHEAD
    ).get(key, {})
    return lay_out_slots(plan, target.unit, setpoints, target.site, sessions=sessions, now=now)


def lay_out_slots(
    plan: PlanReply,
    unit: Controllable,
    setpoints: Mapping[str, Setpoint],
    site: Site,
    *,
    sessions: Sessions,
    now: datetime,
) -> list[SteeredSlot]:
    """Return a unit's targets slot by slot, the present one with the decided set-points."""
    first = max((now - plan.slots[0].start) // timedelta(minutes=plan.slot_minutes), 0)
    laid_out = []
    current = dict(setpoints)
    for place in range(first, len(plan.slots)):
        slot = plan.slots[place]
        if place > first:
            before = plan.slots[place - 1].batteries
            soc = {name: flow.soc_end for name, flow in before.items()}
            modes = {name: str(setpoint.mode) for name, setpoint in current.items()}
            planned = unit.read_plan(plan, place, InForce(soc, modes))
            if planned is None:
                break
            current = dict(planned)
        devices = {}
        for name, setpoint in current.items():
            session = find_session(sessions.get(name, ()), slot.start)
            devices[name] = choose_target(name, setpoint, plan.slots[place:], site, session=session)
        laid_out.append(SteeredSlot(start=slot.start, devices=devices))
    return laid_out


def find_session(sessions: Sequence[VehicleSession], at: datetime) -> VehicleSession | None:
    """Return the session of a vehicle at an instant, None where there is none."""
    for session in sessions:
        if session.from_ < at + SLOT and at < session.to:
            return session
    return None


def choose_target(
    name: str,
    setpoint: Setpoint,
    slots: Sequence[SlotReply],
    site: Site,
    *,
    session: VehicleSession | None,
) -> DeviceTarget:
    """Return what the plan means by a device's set-point in the first of ``slots``.

    A car follows the surplus where the plan buys nothing for it, or where its owner wants nothing
    but PV in it.
    """
    prices = [slot.import_price for slot in slots]
    if isinstance(setpoint, BatterySetpoint):
        return DeviceTarget(setpoint=setpoint, worth_price=_price_stored(name, slots, site))
    if not isinstance(setpoint, VehicleSetpoint) or setpoint.mode in {"own", "give"}:
        return DeviceTarget(setpoint=setpoint)
    vehicle = next((vehicle for vehicle in site.vehicles if vehicle.name == name), None)
    may_be_given = vehicle is not None and vehicle.from_battery != "never"
    dip_price = prices[0] if may_be_given else None
    if session is not None and session.target_soc is None and session.limit_soc is None:
        floor_kw = session.min_power_kw or 0.0
        return DeviceTarget(
            setpoint=setpoint,
            follow="surplus_floor" if floor_kw else "surplus",
            floor_kw=floor_kw,
            worth_price=_SURPLUS_SHARE * fmean(prices),
            dip_price=dip_price,
        )
    slot = slots[0]
    charged_kwh = slot.vehicles[name].charge_kwh if name in slot.vehicles else 0.0
    little_kwh = max(LITTLE_KWH, _LITTLE_SHARE * charged_kwh)
    discharged_kwh = sum(flow.discharge_kwh for flow in slot.batteries.values())
    is_given = discharged_kwh > little_kwh
    is_bought = slot.import_kwh > little_kwh
    runs = setpoint.mode == "charge" and charged_kwh > 0
    return DeviceTarget(
        setpoint=setpoint,
        follow="surplus" if runs and not is_given and not is_bought else "setpoint",
        worth_price=min(prices),
        battery_support=runs and is_given and may_be_given,
        dip_price=dip_price,
    )


def _price_stored(name: str, slots: Sequence[SlotReply], site: Site) -> float:
    """Return what a kWh that a battery stores in the first slot is worth by the plan."""
    battery = next((battery for battery in site.batteries if battery.name == name), None)
    if battery is None or name not in slots[0].batteries:
        # The plan is older than the battery.
        return 0.0
    expected = []
    for slot in slots:
        flow = slot.batteries[name]
        expected.append(
            ExpectedSlot(
                import_price=slot.import_price,
                export_price=slot.export_price,
                import_kwh=slot.import_kwh,
                export_kwh=slot.export_kwh,
                charge_kwh=flow.charge_kwh,
                soc=flow.soc_end,
            )
        )
    return price_stored_kwh(expected, round_trip=battery.round_trip)
