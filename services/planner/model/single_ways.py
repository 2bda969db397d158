"""Ways of the slots of a single battery with a least charging power: the dynamic programme finds them in milliseconds, where a search takes a second."""

from dataclasses import dataclass

from services.planner.model.ways import Ways
from services.planner.posing.problem import Problem
from services.planner.value.nonconvex import choose_ways
from services.planner.value.offers import problem_segments
from services.planner.value_plan import terminal_segments


@dataclass(frozen=True, slots=True)
class SingleWays:
    """The way of every slot, and what the best plan costs that goes so."""

    ways: Ways
    objective: float


def find_single_ways(problem: Problem) -> SingleWays | None:
    """Return the ways of an optimal plan; None where more than a single battery's slots and least power are at stake."""
    if not _suits(problem):
        return None
    segments = problem_segments(problem)
    if not segments.covered.all():
        return None
    chosen = choose_ways(problem, segments, terminal_segments(problem), least_charge_kw=problem.site.batteries[0].min_charge_kw)
    if chosen is None:
        return None
    way = chosen.direction
    ways = Ways(way.may_import, way.may_export, way.may_charge[None, :], way.may_discharge[None, :], chosen.charges[None, :])
    return SingleWays(ways, chosen.objective)


def _suits(problem: Problem) -> bool:
    batteries = problem.site.batteries
    if len(batteries) != 1 or problem.places or problem.blocks is not None or problem.conversion is not None:
        return False
    battery, tapers = batteries[0], batteries[0].taper_from_soc < 1 and batteries[0].taper_to_share < 1
    bound = problem.pins or problem.burns_on_an_island or problem.inside is not problem
    return battery.min_charge_kw > 0 and not (tapers or battery.wear_by_depth or bound)
