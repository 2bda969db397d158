"""What an earlier plan knew and expected, carried to the window of a later one: input by input, as the later plan would have had it."""

from dataclasses import dataclass

from luna.contracts.plan import BatteryState
from luna.errors import InvalidInputError
from services.planner.stored.expected_state import Expected, Issued

_SAME_SOC = 1e-6
PRICES = ("import_price", "export_price", "carbon_g_per_kwh")
LOAD = ("load_kwh", "load_p10_kwh", "load_p90_kwh", "outdoor_temperature_c")
PV = ("pv_kwh", "pv_p10_kwh", "pv_p90_kwh")


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
        expected, will = self.expected.soc(), self.later.request.state.batteries
        return {
            name: each.model_copy(update={"soc": expected[name]}) if abs(expected.get(name, each.soc) - each.soc) > _SAME_SOC else each
            for name, each in will.items()
        }

    @property
    def expected(self) -> Expected:
        """What the earlier plan expects by the later one's start."""
        return Expected(self.earlier, self.passed, self.later.start)


def carry(earlier: Issued, later: Issued) -> Carried:
    """Return an earlier plan as seen from a later one.

    Raises:
        InvalidInputError: both have no slot in common, or slots of different lengths.
    """
    step = earlier.request.step
    passed, rest = divmod(later.start - earlier.start, step)
    shared = min(len(earlier.outlook.load_kwh) - passed, len(later.outlook.load_kwh))
    if step != later.request.step or rest or passed < 0 or shared < 1:
        remedy = "Name a plan before it that covers some of the same slots."
        raise InvalidInputError("both plans have no slots in common", field="before_id", value=earlier.reply.plan_id, remedy=remedy)
    return Carried(earlier, later, passed, shared)
