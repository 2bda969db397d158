"""Flow directions of the mixed-integer model, the slots that need binaries, and solved flows."""

from dataclasses import dataclass, replace

import numpy as np

from luna.energy.economics.costs import break_even
from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray
from services.planner.dp.nonconvex import choose_directions
from services.planner.dp.planner import terminal_segments
from services.planner.dp.segments import problem_segments
from services.planner.problem.problem import Problem

_NOTHING = 1e-7


@dataclass(frozen=True, slots=True)
class FlowDirections:
    """Allowed flow directions of each slot.

    Grid arrays ``(slots,)``, battery arrays ``(batteries, slots)``.
    """

    may_import: BoolArray
    may_export: BoolArray
    may_charge: BoolArray
    may_discharge: BoolArray
    must_charge: BoolArray

    @classmethod
    def free(cls, batteries: int, slots: int) -> "FlowDirections":
        """Return directions that forbid nothing."""
        grid = np.ones(slots, dtype=bool)
        battery = np.ones((batteries, slots), dtype=bool)
        return cls(grid, grid, battery, battery, ~battery)

    @classmethod
    def of(cls, problem: Problem) -> "FlowDirections":
        """Return all battery directions that the owner of a problem's site does not forbid.

        The grid's are in its limits.
        """
        free = cls.free(len(problem.site.batteries), problem.outlook.timeline.count)
        manual = problem.manual
        if manual is None:
            return free
        return replace(free, may_charge=manual.may_charge, may_discharge=manual.may_discharge)


@dataclass(frozen=True, slots=True)
class BinarySlots:
    """Slots with binaries, by what these choose.

    ``grid``: import or export; ``battery``: charge or discharge; ``least``: charge at the least
    power or not at all.
    """

    grid: BoolArray
    battery: BoolArray
    least: BoolArray

    def any(self) -> bool:
        """Return whether any slot has a binary."""
        return bool(self.grid.any() or self.battery.any() or self.least.any())

    def joined(self, other: "BinarySlots") -> "BinarySlots":
        """Return the slots of both."""
        return BinarySlots(
            self.grid | other.grid, self.battery | other.battery, self.least | other.least
        )


@dataclass(frozen=True, slots=True)
class PlannedFlows:
    """The flows of a solved model, kWh.

    Grid arrays are ``(slots,)``, battery arrays ``(batteries, slots)``.

    ``direct_kwh`` is what batteries charge from PV behind their inverters, without rows where there
    are none. ``energy_value`` is the dual of the storage rows: the value of one more stored kWh at
    the end of a slot. ``elastic`` says that limits could be broken at a penalty.
    """

    import_kwh: FloatArray
    export_kwh: FloatArray
    curtailed_kwh: FloatArray
    charge_kwh: FloatArray
    discharge_kwh: FloatArray
    stored_kwh: FloatArray
    energy_value: FloatArray
    ways: FlowDirections
    objective: float
    gap: float
    proven: bool
    direct_kwh: FloatArray
    elastic: bool = False


def fix_directions(
    ways: FlowDirections, choices: BinarySlots, chosen: list[BoolArray]
) -> FlowDirections:
    """Return the directions that are left once a value is ``chosen`` for every binary."""
    imports = np.zeros_like(choices.grid)
    charges = np.zeros_like(choices.battery)
    enough = np.zeros_like(choices.least)
    imports[choices.grid], charges[choices.battery], enough[choices.least] = chosen
    return FlowDirections(
        may_import=ways.may_import & (~choices.grid | imports),
        may_export=ways.may_export & (~choices.grid | ~imports),
        may_charge=ways.may_charge & (~choices.battery | charges) & (~choices.least | enough),
        may_discharge=ways.may_discharge & (~choices.battery | ~charges),
        must_charge=ways.must_charge | (choices.least & enough),
    )


def choose_most(problem: Problem, choices: BinarySlots, flows: PlannedFlows) -> list[BoolArray]:
    """Return a value for every binary by the larger of its two flows.

    They are import, charge, and charge at the least power.
    """
    least = _least_charge_kwh(problem)
    imports = flows.import_kwh >= flows.export_kwh
    charges = flows.charge_kwh >= flows.discharge_kwh
    enough = flows.charge_kwh >= least / 2
    return [imports[choices.grid], charges[choices.battery], (charges & enough)[choices.least]]


def choose_rest(problem: Problem, choices: BinarySlots) -> list[BoolArray]:
    """Return a value for every binary with idle batteries."""
    outlook = problem.outlook
    nothing = np.zeros_like(choices.battery)
    return [
        (outlook.load_kwh >= outlook.pv_kwh)[choices.grid],
        nothing[choices.battery],
        nothing[choices.least],
    ]


def find_complementarity_violations(problem: Problem, flows: PlannedFlows) -> BinarySlots:
    """Return the slots in which flows exclude each other.

    They are import and export, charge and discharge, and a charge below the least power.
    """
    least = _least_charge_kwh(problem)
    return BinarySlots(
        grid=(flows.import_kwh > _NOTHING) & (flows.export_kwh > _NOTHING),
        battery=(flows.charge_kwh > _NOTHING) & (flows.discharge_kwh > _NOTHING),
        least=(flows.charge_kwh > _NOTHING) & (flows.charge_kwh < least - _NOTHING),
    )


def _least_charge_kwh(problem: Problem) -> FloatArray:
    least_kw = np.array([battery.min_charge_kw for battery in problem.site.batteries])
    return least_kw.reshape(-1, 1) * problem.outlook.timeline.hours


def find_nonconvex_slots(problem: Problem) -> BinarySlots:
    """Return the slots where violating complementarity would pay.

    That is at a feed-in above the import price, burning energy at negative prices, small charges.
    """
    outlook = problem.outlook
    batteries = problem.site.batteries
    burns = np.zeros((len(batteries), outlook.timeline.count), dtype=bool)
    for index, battery in enumerate(batteries):
        terms = {
            "charge_efficiency": battery.charge_efficiency,
            "discharge_efficiency": battery.discharge_efficiency,
            "wear_price": battery.wear_price,
        }
        levels = break_even(outlook.import_price, outlook.export_price, **terms)
        burns[index] = levels.serve > levels.buy + 1e-12
    # Too small a charge may move to another slot, or come from discharging at the same time: all
    # slots get both binaries.
    has_least = np.array([battery.min_charge_kw > 0 for battery in batteries], dtype=bool)
    little = has_least.reshape(-1, 1) & np.ones_like(burns)
    sells_dearer = outlook.export_price > outlook.import_price + 1e-12
    return BinarySlots(sells_dearer, burns | little, little)


@dataclass(frozen=True, slots=True)
class SingleDirections:
    """The directions of every slot, and the cost of the best plan with them."""

    ways: FlowDirections
    objective: float


def find_single_directions(problem: Problem) -> SingleDirections | None:
    """Return the directions of an optimal plan of one battery with a least charge.

    None where anything else couples or bounds its slots.
    """
    batteries = problem.site.batteries
    has_coupling = bool(problem.tariff.charges) or problem.conversion is not None
    if len(batteries) != 1 or problem.schedules_loads or has_coupling:
        return None
    if problem.pins or problem.burns_on_an_island or problem.inside is not problem:
        return None
    battery = batteries[0]
    tapers = battery.taper_from_soc < 1 and battery.taper_to_share < 1
    if battery.min_charge_kw <= 0 or tapers or battery.wear_by_depth:
        return None
    segments = problem_segments(problem)
    if not segments.covered.all():
        return None
    chosen = choose_directions(
        problem, segments, terminal_segments(problem), least_charge_kw=battery.min_charge_kw
    )
    if chosen is None:
        return None
    way = chosen.direction
    ways = FlowDirections(
        way.may_import,
        way.may_export,
        way.may_charge[None, :],
        way.may_discharge[None, :],
        chosen.charges[None, :],
    )
    return SingleDirections(ways, chosen.objective)
