"""What a linear model must not believe: that part of an appliance runs on a surplus that is too small for the whole of it."""

from collections.abc import Sequence

import numpy as np

from services.planner.model.solver import Indices, ModelBuilder
from services.planner.placing.wish_columns import WishColumns
from services.planner.posing.problem import Problem


def add_supply_rows(builder: ModelBuilder, problem: Problem, placed: WishColumns, sources: Sequence[Indices]) -> None:
    """Where an appliance takes more than the surplus, the rest comes from ``sources`` in proportion to its being on.

    Every whole answer obeys anyway: it is the convex hull of off and on in a slot. It leaves 0.1 % between linear and whole instead of 0.3 %.
    """
    lacks = problem.outlook.load_kwh - problem.outlook.pv_kwh
    for columns, wish in zip(placed.loads, problem.wishes.loads, strict=True):
        rest = lacks + wish.load.power_kw * problem.outlook.timeline.hours
        slots = np.flatnonzero((lacks < 0) & (rest > 0))
        builder.add_rows(np.zeros(slots.size), np.full(slots.size, np.inf), [(columns.on[slots], -rest[slots]), *((each[slots], 1.0) for each in sources)])
