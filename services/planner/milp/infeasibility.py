"""Say which rows of a model without a solution contradict each other.

That takes more solves, so it is done where planning has no answer left, for those who mend it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import structlog

from services.planner.linear.model import InfeasibleError, LinearModel, RowBlock
from services.planner.milp.solver import Solver

log = structlog.get_logger("luna.planner")


def find_failing_rows(model: LinearModel) -> tuple[RowBlock, ...]:
    """Return the rows that contradict each other, by the names of their blocks.

    Rows of one block that follow each other are one element. It is empty where the relaxed model
    has a solution, and only whole numbers contradict.
    """
    rows = Solver().find_conflict(model)
    found: list[RowBlock] = []
    for block in model.row_blocks:
        inside = rows[(rows >= block.first) & (rows < block.first + block.count)]
        ends = np.flatnonzero(np.diff(inside) > 1) + 1
        runs = [run for run in np.split(inside, ends) if run.size]
        found += [RowBlock(block.name, int(run[0]), run.size) for run in runs]
    return tuple(found)


@contextmanager
def naming_failing_rows() -> Iterator[None]:
    """Name the failing rows of an infeasible model in its error, and in the log."""
    try:
        yield
    except InfeasibleError as error:
        if error.model is not None:
            error.failing_rows = find_failing_rows(error.model)
            names = list(dict.fromkeys(block.name for block in error.failing_rows))
            error.add_note(f"rows that contradict each other: {', '.join(names) or 'unknown'}")
            log.warning("a model has no solution", rows=names)
        raise
