"""What batteries should hold at the end of slots, in the mixed-integer model: as much as can be had, dearer than any trade."""

import numpy as np

from luna.timeline import FloatArray
from services.planner.model.slack import dearest_price
from services.planner.model.solver import Indices, ModelBuilder
from services.planner.posing.problem import Problem

# What a kWh costs that a reserve lacks at the end of a slot, as a multiple of the dearest price: before every wish, after the owner's own blocks.
RESERVE_SLACK = 200.0


def add_reserves(builder: ModelBuilder, problem: Problem, batteries: Indices) -> None:
    """Add the rows of what should be stored."""
    if problem.reserve_kwh is None:
        return
    for (_, _, stored), wanted in zip(batteries, problem.reserve_kwh, strict=True):
        where = np.flatnonzero(wanted > 0)
        missing = builder.add_columns(where.size, cost=RESERVE_SLACK * dearest_price(problem), upper=wanted[where])
        if where.size:
            builder.add_rows(wanted[where], np.full(where.size, np.inf), [(stored[where], 1.0), (missing, 1.0)])


def price_missing(problem: Problem, stored_kwh: FloatArray) -> float:
    """Return what the model counts for what reserves lack."""
    if problem.reserve_kwh is None:
        return 0.0
    return RESERVE_SLACK * dearest_price(problem) * float(np.maximum(problem.reserve_kwh - stored_kwh, 0.0).sum())
