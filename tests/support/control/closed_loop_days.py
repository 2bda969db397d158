"""Days of the scenarios of the closed-loop bench."""

from dataclasses import replace

from bench.closed_loop.grid import Case, build_case, list_grid
from bench.closed_loop.loop import LoopResults
from luna.energy.timeline import SLOT
from services.planner.problem.knowledge import DAY

QUARTERS = DAY // SLOT


def one_day(name: str, *, week: str = "spring", first: int = 0) -> Case:
    """One day of a scenario, ``first`` days into its week."""
    (scenario,) = list_grid(name, week=week)
    case = build_case(scenario)
    return replace(case, timeline=case.timeline.window(first * QUARTERS, QUARTERS))


def column(results: LoopResults, name: str) -> float:
    return float(results.costs[0, results.names.index(name)])
