"""Solve the label problem as a mixed-integer model by OR-Tools.

``reference`` runs this as a program: problems come on stdin, labels go to stdout.
"""

import os
import sys
import threading
import time
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from ortools.math_opt.python import mathopt

from luna.energy.errors import MachineError
from services.edge.labels.problem import QUANTA, TIE_WH, LabelProblem, Labels
from services.edge.labels.reference import pack, unpack

# SCIP answers fastest where charging is quick (0.03 s a scenario, HiGHS 0.06), and works on one
# core; CP-SAT takes minutes where charging is slow.
_SOLVER = mathopt.SolverType.GSCIP
_EXACT = mathopt.SolveParameters(relative_gap_tolerance=0, absolute_gap_tolerance=1e-9, threads=1)


def solve_problems(problem: LabelProblem) -> Labels:
    """Return the labels of problems.

    Raises:
        MachineError: the solver gave up on one.
    """
    count = len(problem.stored)
    model = np.empty(count, np.int32)
    charge = np.empty(count, np.bool_)
    benefit_wh = np.empty(count)
    objective_wh = np.empty(count)
    quantum_value_wh = np.empty(count)
    for row in range(count):
        formulation = _Formulation(problem, row)
        most = float(problem.most_charge[row, 0])
        waiting = formulation.solve(0, 0)
        buying = formulation.solve(1, most) if most >= 1 else _INFEASIBLE
        buys = buying.objective_wh < waiting.objective_wh - TIE_WH
        best = buying if buys else waiting
        model[row] = problem.model[row, best.action]
        charge[row] = buys
        if np.isfinite(buying.objective_wh):
            benefit_wh[row] = waiting.objective_wh - buying.objective_wh
        else:
            benefit_wh[row] = 0.0
        objective_wh[row] = min(waiting.objective_wh, buying.objective_wh)
        quantum_value_wh[row] = _wait(problem, row, 0) - _wait(problem, row, 1)
    return Labels(
        model=model,
        charge=charge,
        benefit_wh=benefit_wh,
        objective_wh=objective_wh,
        quantum_value_wh=quantum_value_wh,
    )


@dataclass(frozen=True, slots=True)
class _Solution:
    """The best solution under a condition; its objective is infinite where none exists."""

    objective_wh: float
    action: int


_INFEASIBLE = _Solution(np.inf, 0)


def _wait(problem: LabelProblem, row: int, more: int) -> float:
    """Return the best objective without buying first, with ``more`` extra quanta stored."""
    stored = problem.stored.copy()
    stored[row] = min(stored[row], QUANTA - 1) + more
    return _Formulation(replace(problem, stored=stored), row).solve(0, 0).objective_wh


class _Formulation:
    """The mixed-integer model of one scenario.

    Quanta need no integer variables: with the actions fixed, the rest is a network flow, whose
    optimum is whole.
    """

    def __init__(self, problem: LabelProblem, row: int) -> None:
        self._problem = problem
        self._row = row
        self._model = model = mathopt.Model(name="label")
        self._chosen = [
            [model.add_binary_variable() for _ in problem.model[row]] for _ in problem.used[row]
        ]
        self._bought = [
            model.add_variable(lb=0, ub=float(most)) for most in problem.most_charge[row]
        ]
        begin = model.add_variable(lb=float(problem.stored[row]), ub=float(problem.stored[row]))
        level = [begin, *(model.add_variable(lb=0, ub=QUANTA) for _ in self._bought)]
        for (before, after), chosen, bought, used in zip(
            pairwise(level), self._chosen, self._bought, problem.used[row].tolist(), strict=True
        ):
            model.add_linear_constraint(mathopt.fast_sum(chosen) == 1)
            used_quanta = mathopt.fast_sum(
                quanta * choice for quanta, choice in zip(used, chosen, strict=True)
            )
            model.add_linear_constraint(after == before - used_quanta + bought)
        step_misses = problem.miss_wh[row].tolist()
        miss_terms = []
        for miss_wh, chosen in zip(step_misses, self._chosen, strict=True):
            miss_terms += [wh * choice for wh, choice in zip(miss_wh, chosen, strict=True)]
        missed = mathopt.fast_sum(miss_terms)
        prices = problem.dirty_wh[row].tolist()
        dirty = mathopt.fast_sum(
            wh * bought for wh, bought in zip(prices, self._bought, strict=True)
        )
        model.minimize(missed + dirty - float(problem.end_wh[row]) * level[-1])

    def solve(self, least: float, most: float) -> _Solution:
        """Return the best solution with ``least`` to ``most`` quanta bought in the first step.

        Among equal ones, the one with the earliest first action wins.
        """
        self._bought[0].lower_bound = least
        self._bought[0].upper_bound = most
        best = self._optimise()
        for place, choice in enumerate(self._chosen[0][: best.action]):
            choice.lower_bound = 1
            other = self._optimise()
            choice.lower_bound = 0
            if other.objective_wh <= best.objective_wh + TIE_WH:
                return _Solution(best.objective_wh, place)
        return best

    def _optimise(self) -> _Solution:
        result = mathopt.solve(self._model, _SOLVER, params=_EXACT)
        if result.termination.reason in {
            mathopt.TerminationReason.INFEASIBLE,
            mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED,
        }:
            return _INFEASIBLE
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            raise MachineError(
                "the solver gave up",
                field="optimization.solver",
                value=f"ortools: {result.termination.detail}",
                remedy="Take the dynamic programme: dp.",
            )
        # Rounded to whole choices and quanta: the objective is exact, without solver tolerance.
        choices = np.array([result.variable_values(chosen) for chosen in self._chosen])
        action = choices.argmax(axis=1)
        bought = np.rint(result.variable_values(self._bought))
        problem = self._problem
        row = self._row
        steps = np.arange(len(action))
        end = problem.stored[row] - problem.used[row, steps, action].sum() + bought.sum()
        objective_wh = (
            problem.miss_wh[row, steps, action].sum()
            + problem.dirty_wh[row] @ bought
            - problem.end_wh[row] * end
        )
        return _Solution(float(objective_wh), int(action[0]))


def _end_with_parent() -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.buffer.write(pack(solve_problems(unpack(sys.stdin.buffer.read(), LabelProblem))))
