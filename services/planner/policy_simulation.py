"""Simulate policies on the expected scenario and on scenarios.

Slot after slot is the reference; on the expected scenario, guessed states let all slots run side by
side until the guess is a fixed point.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from luna.energy.physics.mode import IntArray, Mode, SetPoint
from luna.energy.physics.simulation import Flows, SlotActuals
from luna.energy.policy import PlanPolicy
from luna.energy.simulator import Actuals, Trajectory, simulate
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan, count_excess, value_flows
from services.planner.dp.planner import walk_policy
from services.planner.dp.segments import problem_segments
from services.planner.milp.battery_constraints import missed_kwh
from services.planner.problem.problem import Deadline, Problem
from services.planner.problem.scenarios import ScenarioSet
from services.planner.settlement import settle

Part = TypeVar("Part", Flows, SetPoint)


class LateError(Exception):
    """Policies were not simulated in time: the caller continues without the result."""


@dataclass
class Follower:
    """A plan's policy with the modes in force, for the simulator."""

    policy: PlanPolicy
    capacity_kwh: FloatArray
    modes: IntArray
    deadline: Deadline | None = None

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-point of a slot.

        Raises:
            LateError: the deadline has passed.
        """
        if self.deadline is not None and not self.deadline.left_s:
            raise LateError("what policies come to was not known in time")
        setpoint = self.policy.decide(slot, stored_kwh / self.capacity_kwh, self.modes)
        self.modes = setpoint.mode
        return setpoint


@dataclass(frozen=True, slots=True)
class SplitColumns:
    """Several followers side by side, each of equally many columns."""

    followers: Sequence[Follower]

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points of all columns."""
        parts = np.split(stored_kwh, len(self.followers), axis=1)
        setpoints = []
        for follower, part in zip(self.followers, parts, strict=True):
            setpoints.append(follower.decide(slot, part))
        joined = {}
        for field in fields(SetPoint):
            of_site = field.name in ("curtailment", "pv_limit_kw")
            shape = parts[0].shape[1:] if of_site else parts[0].shape
            columns = [np.broadcast_to(getattr(part, field.name), shape) for part in setpoints]
            joined[field.name] = np.concatenate(columns, axis=-1)
        return SetPoint(**joined)


def first_modes(problem: Problem) -> IntArray:
    """Return the modes in force before the plan, ``(batteries, 1)``.

    The inverter's own mode without a command.
    """
    first = np.full((len(problem.site.batteries), 1), Mode.SELF_CONSUMPTION, dtype=np.int8)
    for index, mode in enumerate(problem.following.modes or ()):
        first[index] = Mode.SELF_CONSUMPTION if mode is None else mode
    return first


@dataclass(frozen=True, slots=True)
class SimulatedPolicy:
    """A policy's simulation on the expected scenario, and its cost on each, ``(scenarios,)``.

    The slot is the last axis.
    """

    setpoints: SetPoint
    flows: Flows
    start_kwh: FloatArray
    costs: FloatArray


def simulate_policies(
    problem: Problem,
    policies: Sequence[PlanPolicy],
    errors: ScenarioSet | None = None,
    *,
    deadline: Deadline | None = None,
) -> list[SimulatedPolicy]:
    """Simulate policies on the expected scenario and the scenarios ``errors``, slot by slot.

    Raises:
        LateError: the ``deadline`` passed.
    """
    outlook = problem.outlook
    load = np.atleast_2d(outlook.load_kwh)
    pv = np.atleast_2d(outlook.pv_kwh)
    if errors is not None:
        load = np.vstack([load, errors.load_kwh])
        pv = np.vstack([pv, errors.pv_kwh])
    run = _simulate(problem, policies, load, pv, deadline=deadline)
    count = load.shape[0]
    runs = []
    for first in range(0, len(policies) * count, count):
        flows = _read_column(run.flows, first)
        costs = _value_columns(problem, run, range(first + 1, first + count))
        setpoints = _read_column(run.setpoints, first)
        runs.append(SimulatedPolicy(setpoints, flows, _read_starts(problem, flows), costs))
    return runs


def simulate_errors(
    problem: Problem, policies: Sequence[PlanPolicy], errors: ScenarioSet
) -> FloatArray:
    """Return the cost of policies on each scenario, ``(policies, scenarios)``."""
    run = _simulate(problem, policies, errors.load_kwh, errors.pv_kwh)
    count = errors.load_kwh.shape[0]
    return _value_columns(problem, run, range(len(policies) * count)).reshape(len(policies), count)


def _simulate(
    problem: Problem,
    policies: Sequence[PlanPolicy],
    load_kwh: FloatArray,
    pv_kwh: FloatArray,
    *,
    deadline: Deadline | None = None,
) -> Trajectory:
    """Return the trajectory with a column per policy and scenario, policies outermost.

    Energies of shape ``(scenarios, slots)``.
    """
    count = load_kwh.shape[0]
    limits = problem.limits
    first = np.repeat(first_modes(problem), count, axis=1)
    followers = SplitColumns(
        [Follower(policy, limits.batteries.capacity_kwh, first, deadline) for policy in policies]
    )
    load = np.tile(load_kwh, (len(policies), 1))
    pv = np.tile(pv_kwh, (len(policies), 1))
    stored = np.repeat(problem.stored_kwh[:, None], count * len(policies), axis=1)
    return simulate(
        followers,
        Actuals(problem.outlook.timeline, load, pv),
        limits=limits.by_slot(),
        stored_kwh=stored,
    )


def _value_columns(problem: Problem, run: Trajectory, columns: Sequence[int]) -> FloatArray:
    return np.array([value_flows(problem, _read_column(run.flows, column)) for column in columns])


def find_breach(problem: Problem, flows: Flows) -> float:
    """Return the kWh by which flows miss limits, reserves and terminal bounds."""
    least, most = problem.terminal_bounds
    last = flows.stored_kwh[:, -1]
    missed = np.maximum(least - last, 0.0) + np.maximum(last - most, 0.0)
    missing_reserve = 0.0
    if problem.storage.reserve_kwh is not None:
        shortfall = np.maximum(problem.storage.reserve_kwh - flows.stored_kwh, 0.0)
        missing_reserve = float(shortfall.sum())
    beyond = float(flows.excess_kwh.sum() + missed.sum())
    return beyond + missing_reserve + missed_kwh(problem, flows)


def _read_column(part: Part, column: int) -> Part:
    """Return one column's part, with the slot as last axis."""
    arrays = {field.name: getattr(part, field.name)[..., column, :] for field in fields(part)}
    return type(part)(**arrays)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A policy's simulation on the expected scenario.

    ``cost`` is less the terminal value; ``breach_kwh`` of limits and demands are missed.
    """

    policy: PlanPolicy
    setpoints: SetPoint
    flows: Flows
    start_kwh: FloatArray
    cost: float
    breach_kwh: float


_NOTHING_KWH = 1e-9
# Rounds, as a share of the slots, after which guessing is given up: slot after slot is faster then.
_ROUNDS_SHARE = 1 / 8


def simulate_expected(
    plan: Plan, policy: PlanPolicy, *, deadline: Deadline | None = None
) -> Outcome:
    """Simulate a policy on the expected scenario of its plan, from the batteries' initial state.

    Raises:
        LateError: the ``deadline`` passed.
    """
    problem = plan.problem
    limits = plan.limits
    outlook = problem.outlook
    slots = outlook.timeline.count
    actuals = SlotActuals(outlook.load_kwh, outlook.pv_kwh, outlook.timeline.hours)
    first = first_modes(problem)
    start_kwh, modes = _guess_charge(plan, policy, first)
    # Each round makes at least one more slot exact; a right guess makes all.
    for number in range(slots + 1):
        if deadline is not None and not deadline.left_s:
            raise LateError("what policies come to was not known in time")
        if number > _ROUNDS_SHARE * slots:
            limited = replace(problem, limits=limits)
            (run,) = simulate_policies(limited, [policy], deadline=deadline)
            setpoints = run.setpoints
            flows = run.flows
            start_kwh = run.start_kwh
            break
        guessed_kwh = start_kwh
        guessed_modes = modes
        # All slots side by side, each from its own guess.
        modes_before = np.concatenate([first, guessed_modes[:, :-1]], axis=1)
        soc = guessed_kwh / limits.batteries.capacity_kwh
        proposed = policy.read(slice(None), soc, modes_before)
        setpoints, flows = settle(proposed, guessed_kwh, actuals, limits=limits)
        start_kwh = _read_starts(problem, flows)
        modes = setpoints.mode
        apart_kwh = np.abs(start_kwh - guessed_kwh).max(initial=0.0)
        if apart_kwh <= _NOTHING_KWH and np.array_equal(modes, guessed_modes):
            break
    if limits is not problem.limits:
        flows = count_excess(problem, flows)
    return Outcome(
        policy,
        setpoints,
        flows,
        start_kwh,
        value_flows(problem, flows),
        find_breach(problem, flows),
    )


def _guess_charge(plan: Plan, policy: PlanPolicy, first: IntArray) -> tuple[FloatArray, IntArray]:
    """Return a guess of each slot's stored energy at its start, and of its mode.

    Both have shape ``(batteries, slots)``. ``first`` are the modes in force before the plan.
    """
    value = plan.value
    if value is None:
        return plan.start_kwh, plan.setpoints.mode
    segments = value.segments
    if value.direction is not None:
        # Fixed flow directions bind the plan, not the policy.
        segments = value.free or problem_segments(plan.problem)
    start_kwh = float(plan.problem.stored_kwh[0])
    path_kwh, modes = walk_policy(policy.batteries[0], segments, start_kwh, mode=int(first[0, 0]))
    return np.append(start_kwh, path_kwh[:-1])[None, :], modes[None, :]


def _read_starts(problem: Problem, flows: Flows) -> FloatArray:
    """Return the stored energy at the start of each slot, ``(batteries, slots)``."""
    return np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
