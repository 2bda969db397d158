"""Decide how much of the owner's pins can be met over a long horizon by the relaxed model, because
the search for their binaries takes too long.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from luna.energy.timeline import FloatArray
from services.planner.linear.model import InfeasibleError
from services.planner.milp.directions import FlowDirections, PlannedFlows
from services.planner.milp.formulation import formulate
from services.planner.milp.owner_rows import decide_pins, full_kwh
from services.planner.milp.solver import Solver
from services.planner.problem.owner_constraints import SAME_KWH, Manual
from services.planner.problem.problem import Problem

# Up to so many slots binaries decide when a pin ends.
LONGEST_PIN_SEARCH = 288


def settle_pins(problem: Problem, solver: Solver) -> Problem:
    """Return a problem of a long horizon with pins decided (``guide_pins``).

    A problem of fewer slots, or in which they cannot end so, is returned unchanged, for binaries to
    decide.
    """
    guided = guide_pins(problem, solver)
    return problem if guided is None else guided[0]


def guide_pins(
    problem: Problem, solver: Solver, *, elastic: Sequence[bool] = (False, True)
) -> tuple[Problem, PlannedFlows] | None:
    """Return a problem of a long horizon with pins decided, and the relaxed model's flows: pins end
    where they fill or empty the battery, from the energy at their start in these flows.

    ``elastic`` says in turn whether the relaxed model may break limits at a penalty. None for a
    problem of fewer slots, or in which pins cannot end so.
    """
    if (
        problem.manual is None
        or not problem.manual.pins
        or problem.outlook.timeline.count <= LONGEST_PIN_SEARCH
    ):
        return None
    ways = FlowDirections.of(problem)
    for breaks_limits in elastic:
        built = formulate(problem, ways, elastic=breaks_limits)
        with suppress(InfeasibleError):
            guide = built.flows(
                solver.solve(built.model.relaxed(), time_limit_s=problem.left_s), ways
            )
            ended = built.model.fixed(
                built.pin_ends, _guess_ends(problem, problem.manual, guide)
            ).relaxed()
            # A pinned charge below its battery's least power is raised to it until the battery is
            # full, and dropped beyond.
            flows = built.flows(solver.solve(ended, time_limit_s=problem.left_s), ways)
            batteries = problem.site.batteries
            least_kwh = (
                np.array([[battery.min_charge_kw] for battery in batteries])
                * problem.outlook.timeline.hours
            )
            before = np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
            fills = before < np.array([[full_kwh(battery)] for battery in batteries]) - SAME_KWH
            small = (flows.charge_kwh > SAME_KWH) & (flows.charge_kwh < least_kwh)
            pinned_small = np.isfinite(problem.manual.charge_kwh) & small
            charge_kwh = np.where(pinned_small, np.where(fills, least_kwh, 0.0), flows.charge_kwh)
            settled = decide_pins(problem, replace(flows, charge_kwh=charge_kwh))
            return settled, replace(flows, elastic=breaks_limits)
    return None


def _guess_ends(problem: Problem, manual: Manual, flows: PlannedFlows) -> FloatArray:
    """Return for each pinned slot, in the order of the model's columns, 1 where its battery gets
    full or empty in it, else 0.

    It simulates the pin slot by slot from the energy in ``flows`` at its start.
    """
    ends = []
    for index, battery in enumerate(problem.site.batteries):
        charge_kwh = np.nan_to_num(manual.charge_kwh[index])
        discharge_kwh = np.nan_to_num(manual.discharge_kwh[index])
        pinned = [
            np.isfinite(target_kwh[index])
            for target_kwh in (manual.charge_kwh, manual.discharge_kwh)
        ]
        full = full_kwh(battery)
        empty = battery.min_soc * battery.capacity_kwh
        stored = np.concatenate([problem.stored_kwh[index : index + 1], flows.stored_kwh[index]])
        ended = np.zeros(charge_kwh.size)
        for slot in np.flatnonzero(pinned[0] | pinned[1]):
            target_kwh = (
                stored[slot]
                + charge_kwh[slot] * battery.charge_efficiency
                - discharge_kwh[slot] / battery.discharge_efficiency
            )
            stored[slot + 1] = np.clip(
                target_kwh, min(empty, stored[slot]), max(full, stored[slot])
            )
            ended[slot] = abs(target_kwh - stored[slot + 1]) > SAME_KWH
        ends += [ended[where] for where in pinned]
    return np.concatenate(ends)
