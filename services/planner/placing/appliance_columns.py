"""Everything that uses energy when it suits, in the mixed-integer model: appliances, programmes, and what they were given by a solved one."""

from dataclasses import dataclass

import numpy as np

from luna.timeline import FloatArray
from services.planner.model.slack import dearest_price
from services.planner.model.solver import Block, ModelBuilder, Term
from services.planner.placing.ahead import Ahead
from services.planner.placing.heat_rows import HeatColumns, add_heat_pump
from services.planner.placing.load_rows import LoadColumns, add_load
from services.planner.placing.programme_rows import ProgrammeColumns, add_programme
from services.planner.placing.surplus_rows import Taker, share_surplus
from services.planner.placing.wishes import Wishes
from services.planner.posing.problem import TERMINAL_SHARE, Problem

# What waiting for the whole horizon costs, as a share of the dearest price: of equal slots the earlier is taken, the same ones each time. Less, and
# the solver does not tell them apart.
_WAITING = 1e-4


@dataclass(frozen=True, slots=True)
class PlacedProgrammes:
    """What programmes use, ``(programmes, slots)``, and how far each of their runs is missed."""

    use_kwh: FloatArray
    missed: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True)
class ApplianceColumns:
    """Where appliances stand in a model, in the order of the problem's wishes; ``blocks`` hold each appliance's rows that tie nothing else."""

    loads: tuple[LoadColumns, ...]
    programmes: tuple[ProgrammeColumns, ...]
    heat_pumps: tuple[HeatColumns, ...]
    blocks: tuple[Block, ...]

    def terms(self, problem: Problem) -> list[Term]:
        """Return what they add to the use of each slot, as terms of the balance."""
        hours = problem.outlook.timeline.hours
        running: list[Term] = [(columns.on, -wish.load.power_kw * hours) for columns, wish in zip(self.loads, problem.wishes.loads, strict=True)]
        return [*running, *((columns.use, -1.0) for columns in self.programmes), *((columns.use, -1.0) for columns in self.heat_pumps)]

    def read_programmes(self, column: FloatArray, slots: int) -> PlacedProgrammes:
        """Return what a solved model gives programmes."""
        use = np.array([column[each.use] for each in self.programmes]).reshape(-1, slots)
        return PlacedProgrammes(np.where(use > 1e-6, use, 0.0), tuple(np.round(column[each.missed]) for each in self.programmes))

    def read_heat(self, column: FloatArray, slots: int) -> FloatArray:
        """Return the electricity that a solved model gives heat pumps, without the solver's dust, shape ``(heat pumps, slots)``."""
        use = np.array([column[each.use] for each in self.heat_pumps]).reshape(-1, slots)
        return np.where(use > 1e-6, use, 0.0)


def look_ahead(problem: Problem) -> Ahead:
    """Return what appliances look at."""
    outlook, dearest = problem.outlook, dearest_price(problem)
    surplus, mean = problem.surplus_kwh, float(outlook.import_price.mean())
    tie = _WAITING * dearest * np.arange(outlook.timeline.count) / outlook.timeline.count
    return Ahead(outlook.timeline.hours, surplus, problem.paid.outlook.import_price, tie, dearest, mean, TERMINAL_SHARE * max(mean, 0.0))


def add_appliances(builder: ModelBuilder, problem: Problem, ahead: Ahead) -> ApplianceColumns:
    """Add the columns and rows of every appliance, programme and heat pump."""
    wishes = problem.wishes
    loads, blocks = [], []
    for wish in wishes.loads:
        columns, rows = builder.columns, builder.rows
        loads.append(add_load(builder, wish, ahead))
        blocks.append(Block(slice(columns, builder.columns), slice(rows, builder.rows)))
    heat_pumps = tuple(add_heat_pump(builder, wish, ahead) for wish in wishes.heat_pumps)
    programmes = tuple(add_programme(builder, wish, ahead) for wish in wishes.programmes)
    # What runs on does so without surplus, too, and is none of those that share it.
    takers = [
        Taker(each.on, wish.load.power_kw * ahead.hours, wish.allowed, ahead.bound(wish.load) & (wish.forced_kwh(ahead.hours) == 0))
        for each, wish in zip(loads, wishes.loads, strict=True)
    ]
    takers += [
        Taker(each.use, np.ones(ahead.hours.size), wish.most_kwh, ahead.bound(wish.load) & (wish.running_kwh == 0))
        for each, wish in zip(programmes, wishes.programmes, strict=True)
    ]
    share_surplus(builder, takers, ahead.surplus_kwh)
    return ApplianceColumns(tuple(loads), programmes, heat_pumps, tuple(blocks))


def most_used_kwh(wishes: Wishes, hours: FloatArray) -> FloatArray:
    """Return what all of them draw at most, shape ``(slots,)``."""
    loads = sum(wish.load.power_kw for wish in wishes.loads) * hours
    pumps = sum(wish.pump.power_kw for wish in wishes.heat_pumps) * hours
    return sum((wish.most_kwh for wish in wishes.programmes), loads + pumps)
