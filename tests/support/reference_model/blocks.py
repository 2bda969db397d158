"""Tariffs in blocks in the model written for readers."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

import pulp

from luna.energy.economics.charges import Blocks
from luna.energy.site import BlockPrice
from services.planner.problem.problem import Problem

Quantity = Sequence[pulp.LpVariable]


class Model(Protocol):
    """What the model offers that blocks are added to."""

    problem: pulp.LpProblem
    bought: Quantity


def pay_blocks(model: Model, problem: Problem) -> list[pulp.LpAffineExpression]:
    """What each month draws lies in blocks, the first of which are taken by what it has drawn
    before.

    Returns what the blocks cost beside the first one's price.
    """
    rule = problem.site.tariff.import_
    costs = []
    if not problem.tariff.charges or not isinstance(rule, BlockPrice):
        return []
    months: dict[tuple[int, int], list[int]] = defaultdict(list)
    for slot, start in enumerate(problem.outlook.timeline):
        local = start.astimezone(ZoneInfo(problem.site.timezone))
        months[local.year, local.month].append(slot)
    (blocks,) = problem.tariff.charges
    assert isinstance(blocks, Blocks)
    drawn = blocks.drawn_kwh
    for month, slots in months.items():
        begin = 0.0
        parts = []
        for number, block in enumerate(rule.blocks):
            end = float("inf") if block.up_to_kwh is None else block.up_to_kwh
            room = max(end - max(begin, drawn), 0.0)
            parts.append(
                model.problem.add_variable(
                    f"block_{month[0]}_{month[1]}_{number}",
                    lowBound=0,
                    upBound=None if room == float("inf") else room,
                )
            )
            costs.append((block.price - rule.blocks[0].price) * parts[-1])
            begin = end
        model.problem += pulp.lpSum(parts) == pulp.lpSum(model.bought[slot] for slot in slots)
        drawn = 0.0
    return costs
