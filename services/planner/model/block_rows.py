"""Tariffs in blocks in the mixed-integer model: what a month draws beyond a block's begin costs more."""

from zoneinfo import ZoneInfo

import numpy as np

from luna.economics import list_months
from services.planner.model.solver import Indices, ModelBuilder
from services.planner.posing.problem import Problem


def add_price_blocks(builder: ModelBuilder, problem: Problem, bought: Indices) -> None:
    """Price what each month draws beyond the begin of every later block; nothing without blocks."""
    if problem.blocks is None:
        return
    for number, slots in enumerate(list_months(problem.outlook.timeline, ZoneInfo(problem.site.timezone))):
        left = problem.blocks.left_kwh(first=number == 0)
        beyond = builder.add_columns(left.size, cost=problem.blocks.rise, upper=np.inf)
        for place, energy in enumerate(left.tolist()):
            builder.add_sum(-np.inf, energy, [(bought[slots], 1.0), (beyond[place : place + 1], -1.0)])
