"""Labels by an exact dynamic programme over all levels of stored energy, backwards from the horizon's end."""

import numpy as np

from services.edge.labels.kernels import solve_all
from services.edge.labels.problem import LabelProblem, Labels


def solve_problems(problem: LabelProblem) -> Labels:
    """Return the labels of problems."""
    count = len(problem.stored)
    model, charge = np.empty(count, np.int32), np.empty(count, np.bool_)
    benefit_wh, objective_wh, quantum_value_wh = np.empty(count), np.empty(count), np.empty(count)
    fields = (problem.stored, problem.model, problem.used, problem.miss_wh, problem.most_charge, problem.dirty_wh, problem.end_wh)
    solve_all(fields, model, charge, benefit_wh, objective_wh, quantum_value_wh)
    return Labels(model, charge, benefit_wh, objective_wh, quantum_value_wh)


def load_kernels() -> None:
    """Compile the kernels, or load them from the cache: once, before processes are forked that share them."""
    none = np.empty(0, np.int32)
    energy, rows, steps = np.empty((0, 1)), np.empty((0, 1), np.int32), (0, 1, 1)
    solve_problems(LabelProblem(none, rows, np.empty(steps, np.int32), np.empty(steps), rows, energy, np.empty(0)))
