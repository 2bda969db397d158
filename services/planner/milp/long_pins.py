"""Decide by the relaxed model how far a long horizon can meet the owner's pins.

The search for their binaries would take too long.
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
    """Return a problem of a long horizon with pins decided, and the relaxed model's flows.

    Pins end where they fill or empty the battery, from the energy at their start in these flows.
    ``elastic`` says in turn whether the relaxed model may break limits at a penalty. None for a
    problem of fewer slots, or in which pins cannot end so.
    """
    manual = problem.manual
    if manual is None or not manual.pins:
        return None
    if problem.outlook.timeline.count <= LONGEST_PIN_SEARCH:
        return None
    ways = FlowDirections.of(problem)
    for breaks_limits in elastic:
        built = formulate(problem, ways, elastic=breaks_limits)
        with suppress(InfeasibleError):
            relaxed = solver.solve(built.model.relaxed(), time_limit_s=problem.left_s)
            ends = _guess_ends(problem, manual, built.flows(relaxed, ways))
            ended = built.model.fixed(built.pin_ends, ends).relaxed()
            flows = built.flows(solver.solve(ended, time_limit_s=problem.left_s), ways)
            charge_kwh = _raise_small_charges(problem, manual, flows)
            settled = decide_pins(problem, replace(flows, charge_kwh=charge_kwh))
            return settled, replace(flows, elastic=breaks_limits)
    return None


def _raise_small_charges(problem: Problem, manual: Manual, flows: PlannedFlows) -> FloatArray:
    """Return charges in which pinned ones keep the least power.

    Smaller ones are raised to it until the battery is full, and dropped beyond.
    """
    batteries = problem.site.batteries
    least_kw = np.array([[battery.min_charge_kw] for battery in batteries])
    least_kwh = least_kw * problem.outlook.timeline.hours
    before = np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
    fills = before < np.array([[full_kwh(battery)] for battery in batteries]) - SAME_KWH
    small = (flows.charge_kwh > SAME_KWH) & (flows.charge_kwh < least_kwh)
    pinned_small = np.isfinite(manual.charge_kwh) & small
    raised = np.where(fills, least_kwh, 0.0)
    return np.where(pinned_small, raised, flows.charge_kwh)


def _guess_ends(problem: Problem, manual: Manual, flows: PlannedFlows) -> FloatArray:
    """Return 1 for each pinned slot in which its battery gets full or empty, else 0.

    They are in the order of the model's columns. The pin is simulated slot by slot from the energy
    in ``flows`` at its start.
    """
    ends = []
    for index, battery in enumerate(problem.site.batteries):
        charge_kwh = np.nan_to_num(manual.charge_kwh[index])
        discharge_kwh = np.nan_to_num(manual.discharge_kwh[index])
        charges = np.isfinite(manual.charge_kwh[index])
        discharges = np.isfinite(manual.discharge_kwh[index])
        full = full_kwh(battery)
        empty = battery.min_soc * battery.capacity_kwh
        stored = np.concatenate([problem.stored_kwh[index : index + 1], flows.stored_kwh[index]])
        ended = np.zeros(charge_kwh.size)
        for slot in np.flatnonzero(charges | discharges):
            put_in = charge_kwh[slot] * battery.charge_efficiency
            taken = discharge_kwh[slot] / battery.discharge_efficiency
            target_kwh = stored[slot] + put_in - taken
            lowest = min(empty, stored[slot])
            highest = max(full, stored[slot])
            stored[slot + 1] = np.clip(target_kwh, lowest, highest)
            ended[slot] = abs(target_kwh - stored[slot + 1]) > SAME_KWH
        ends += [ended[charges], ended[discharges]]
    return np.concatenate(ends)
