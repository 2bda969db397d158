"""Capacity tariffs in the model written for readers."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import Protocol
from zoneinfo import ZoneInfo

import pulp

from luna.energy.economics.charges import Peak
from services.planner.problem.problem import Problem

Quantity = Sequence[pulp.LpVariable]
DAYS = {"all": range(7), "weekday": range(5), "weekend": range(5, 7)}


class Model(Protocol):
    """What the model offers that peaks are added to."""

    problem: pulp.LpProblem
    bought: Quantity


def pay_peak(model: Model, problem: Problem, peak: Peak) -> list[pulp.LpAffineExpression]:
    """Of each month the mean of the highest intervals is paid for, or of the highest days, from
    what it has seen on, and never less than the floor.

    Returns what each month costs.
    """
    price = peak.price
    timeline = problem.outlook.timeline
    costs = []
    first = next(iter(timeline)).astimezone(ZoneInfo(problem.site.timezone))
    for month, units in _months(problem, peak).items():
        seen = peak.history.highest_kw if month == first.month else ()
        levels = [
            model.problem.add_variable(f"{price.name}_{month}_{number}", lowBound=0)
            for number in range(len(units) + len(seen))
        ]
        for level, (unit, intervals) in zip(levels, units.items(), strict=False):
            for slots in intervals.values():
                began = peak.history.interval_kwh if slots[0] == 0 and timeline.first_step else 0.0
                model.problem += (
                    level
                    >= (pulp.lpSum(model.bought[slot] for slot in slots) + began)
                    * 60
                    / price.interval_minutes
                )
            model.problem += level >= (peak.history.today_kw if unit == first.date() else 0.0)
        for level, power in zip(levels[len(units) :], seen, strict=True):
            model.problem += level >= power
        billed = model.problem.add_variable(f"billed_{price.name}_{month}", lowBound=price.least_kw)
        for highest in combinations(levels, min(price.highest, len(levels))):
            model.problem += billed >= pulp.lpSum(highest) / price.highest
        costs.append(price.price_per_kw_month * billed)
    return costs


def _months(problem: Problem, peak: Peak) -> dict[int, dict[object, dict[object, list[int]]]]:
    """Return the slots that count, by month, by what may be among the highest once, and by interval
    of the local clock.
    """
    price = peak.price
    zone = ZoneInfo(problem.site.timezone)
    months: dict[int, dict[object, dict[object, list[int]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for slot, instant in enumerate(problem.outlook.timeline):
        start = instant.astimezone(zone)
        if price.from_ <= f"{start:%H:%M}" < price.to and start.weekday() in DAYS[price.days]:
            interval = (
                start.date(),
                start.hour,
                start.utcoffset(),
                start.minute // price.interval_minutes,
            )
            months[start.month][start.date() if price.one_per_day else interval][interval].append(
                slot
            )
    return months
