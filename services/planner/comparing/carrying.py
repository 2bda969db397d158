"""What an earlier plan knew and expected, carried to the window of a later one: input by input, as the later plan would have had it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from luna.contracts.plan import BatteryState, LoadState, OutlookMessage, PlanReply, PlanRequest, VehicleState
from luna.errors import InvalidInputError
from luna.timeline import local_midnight

T = TypeVar("T")
_SAME_SOC = 1e-6
PRICES = ("import_price", "export_price", "carbon_g_per_kwh")
LOAD = ("load_kwh", "load_p10_kwh", "load_p90_kwh")
PV = ("pv_kwh", "pv_p10_kwh", "pv_p90_kwh")


@dataclass(frozen=True, slots=True)
class Issued:
    """A plan with the complete request it was made from."""

    request: PlanRequest
    reply: PlanReply

    @property
    def outlook(self) -> OutlookMessage:
        return _require(self.request.outlook)


@dataclass(frozen=True, slots=True)
class Carried:
    """An earlier plan as seen from a later one: ``passed`` of its slots are over, ``shared`` are in both."""

    earlier: Issued
    later: Issued
    passed: int
    shared: int

    def series(self, names: tuple[str, ...]) -> dict[str, list[float]]:
        """Return the earlier plan's series in the slots that both cover, the later one's beyond; those that only one of them has stay as they are."""
        was, will = self.earlier.outlook, self.later.outlook
        known = {name: (getattr(was, name), getattr(will, name)) for name in names}
        return {name: before[self.passed :][: self.shared] + after[self.shared :] for name, (before, after) in known.items() if before and after}

    def batteries(self) -> dict[str, BatteryState]:
        """Return how full the batteries were expected to be; the later plan's where that is the same."""
        was, will = self.earlier.request.state.batteries, self.later.request.state.batteries
        last = self.earlier.reply.slots[self.passed - 1].batteries if self.passed else {}
        expected = {name: each.soc for name, each in was.items()} | {name: flow.soc_end for name, flow in last.items()}
        return {name: BatteryState(soc=expected[name]) if abs(expected.get(name, each.soc) - each.soc) > _SAME_SOC else each for name, each in will.items()}

    def vehicles(self) -> dict[str, VehicleState]:
        """Return the vehicles with their stays as they were known, as full as they were expected to be."""
        states = dict(self.earlier.request.state.vehicles)
        last = self.earlier.reply.slots[self.passed - 1].vehicles if self.passed else {}
        for name, flow in last.items():
            states[name] = states[name].model_copy(update={"soc": flow.soc_end, "charging": flow.charge_kwh > 0})
        return states

    def loads(self) -> dict[str, LoadState]:
        """Return what appliances were expected to have used since midnight, and for how long to have been off."""
        return {name: self._load(name, state) for name, state in self.earlier.request.state.loads.items()}

    def _load(self, name: str, state: LoadState) -> LoadState:
        slots = [slot for slot in self.earlier.reply.slots[: self.passed] if name in slot.loads]
        zone, start = ZoneInfo(self.earlier.reply.timezone), _require(self.later.request.start)
        midnight = local_midnight(start.astimezone(zone).date(), zone)
        today = sum(slot.loads[name].energy_kwh for slot in slots if slot.start >= midnight)
        before = state.energy_today_kwh if _require(self.earlier.request.start) >= midnight else 0.0
        ran = [slot.start for slot in slots if slot.loads[name].on]
        hours = timedelta(hours=1)
        off = (start - ran[-1]) / hours - self.earlier.reply.slot_minutes / 60 if ran else state.off_hours + len(slots) * self.earlier.reply.slot_minutes / 60
        used = None if before is None or state.energy_today_kwh is None else before + today
        return LoadState(energy_today_kwh=used, off_hours=min(off, 168.0))


def carry(earlier: Issued, later: Issued) -> Carried:
    """Return an earlier plan as seen from a later one.

    Raises:
        InvalidInputError: both have no slot in common, or slots of different lengths.
    """
    was, will = _require(earlier.request.start), _require(later.request.start)
    step = earlier.request.step
    passed, rest = divmod(will - was, step)
    shared = min(len(earlier.outlook.load_kwh) - passed, len(later.outlook.load_kwh))
    if step != later.request.step or rest or passed < 0 or shared < 1:
        remedy = "Name a plan before it that covers some of the same slots."
        raise InvalidInputError("both plans have no slots in common", field="before_id", value=earlier.reply.plan_id, remedy=remedy)
    return Carried(earlier, later, passed, shared)


def _require(value: T | None) -> T:
    if value is None:
        raise InvalidInputError("the stored request is not complete", field="plan_id", remedy="Plan anew.")
    return value
