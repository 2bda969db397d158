"""What a plan expects of batteries, vehicles, appliances and stores of heat once some of its slots are over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from luna.contracts.plan import HeatPumpState, LoadRun, LoadState, OutlookMessage, PlanReply, PlanRequest, SlotReply, VehicleState
from luna.energy.devices import ElectricVehicle
from luna.energy.refusals import refuse
from luna.energy.timeline import local_midnight

DAY = timedelta(days=1)
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


@dataclass(frozen=True, slots=True)
class IssuedPlan:
    """A plan with the complete request it was made from."""

    request: PlanRequest
    reply: PlanReply

    @property
    def start(self) -> datetime:
        if self.request.start is None:
            raise refuse("request-without-start", field="plan_id", value=self.reply.plan_id)
        return self.request.start

    @property
    def outlook(self) -> OutlookMessage:
        if self.request.outlook is None:
            raise refuse("request-without-outlook", field="plan_id", value=self.reply.plan_id)
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

    def charged_since(self, vehicle: ElectricVehicle, since: datetime) -> float:
        """Return by how much of its capacity a vehicle has been charged in the slots that begin at an instant or later."""
        flows = [slot.vehicles[vehicle.name] for slot in self._over if slot.start >= since and vehicle.name in slot.vehicles]
        stored_kwh = sum(flow.charge_kwh * vehicle.charge_efficiency - flow.discharge_kwh / vehicle.discharge_efficiency for flow in flows)
        return float(stored_kwh / vehicle.capacity_kwh)

    def running_socs(self, name: str) -> tuple[float, float] | None:
        """Return how full a vehicle is at the start of the slot that runs and at its end; None of a vehicle that the plan does not know."""
        if name not in self.plan.request.state.vehicles:
            return None
        begins = self.vehicles()[name].soc
        ends = [slot.vehicles[name].soc_end for slot in self.plan.reply.slots[self.passed : self.passed + 1] if name in slot.vehicles]
        return begins, ends[0] if ends else begins

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


def expect(begun: tuple[PlanReply, PlanRequest] | None, at: datetime) -> Expected | None:
    """Return what the plan in force expects by an instant, None where there is none."""
    if begun is None:
        return None
    reply, request = begun
    plan = IssuedPlan(request, reply)
    return Expected(plan, max((at - plan.start) // request.step, 0), at)
