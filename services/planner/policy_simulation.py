"""Simulate policies on the expected course and on scenarios: set-points, flows, cost, and missed
limits and demands.

Slot after slot is the reference; on the expected course, guessed states let all slots run side by
side until the guess is a fixed point.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from operator import attrgetter
from typing import TypeVar, cast

import numpy as np

from luna.energy.devices.battery import Battery
from luna.energy.physics.mode import IntArray, Mode, SetPoint
from luna.energy.physics.simulation import Flows, SlotActuals
from luna.energy.policy import PlanPolicy
from luna.energy.simulator import Actuals, Trajectory, simulate
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import (
    Plan,
    count_excess,
    join,
    join_parts,
    split,
    value_flows,
    work_in_groups,
)
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
        setpoints = [
            follower.decide(slot, part)
            for follower, part in zip(self.followers, parts, strict=True)
        ]
        shapes = {
            each.name: parts[0].shape[1:]
            if each.name in ("curtailment", "pv_limit_kw")
            else parts[0].shape
            for each in fields(SetPoint)
        }
        return SetPoint(
            **{
                name: np.concatenate(
                    [np.broadcast_to(getattr(part, name), shape) for part in setpoints], axis=-1
                )
                for name, shape in shapes.items()
            }
        )


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
    """A policy's simulation on the expected course, with the slot as last axis, and its cost on
    each further scenario, ``(courses,)``.
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
    """Simulate policies on the expected course and the scenarios ``errors``, slot by slot, all in
    one batch.

    Raises:
        LateError: the ``deadline`` passed.
    """
    outlook = problem.outlook
    load, pv = (np.atleast_2d(energy) for energy in (outlook.load_kwh, outlook.pv_kwh))
    if errors is not None:
        load = np.vstack([load, errors.load_kwh])
        pv = np.vstack([pv, errors.pv_kwh])
    run = _simulate(problem, policies, load, pv, deadline=deadline)
    count = load.shape[0]
    runs = []
    for first in range(0, len(policies) * count, count):
        flows = _of_site(run.flows, first)
        starts = np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
        runs.append(
            SimulatedPolicy(
                _of_site(run.setpoints, first),
                flows,
                starts,
                _value_columns(problem, run, range(first + 1, first + count)),
            )
        )
    return runs


def simulate_errors(
    problem: Problem, policies: Sequence[PlanPolicy], errors: ScenarioSet
) -> FloatArray:
    """Return the cost of policies on each scenario, ``(policies, courses)``, simulated slot by slot
    in one batch.
    """
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

    Energies of shape ``(courses, slots)``.
    """
    count = load_kwh.shape[0]
    limits = problem.limits
    first = np.repeat(first_modes(problem), count, axis=1)
    followers = SplitColumns(
        [Follower(policy, limits.batteries.capacity_kwh, first, deadline) for policy in policies]
    )
    load, pv = (np.tile(energy, (len(policies), 1)) for energy in (load_kwh, pv_kwh))
    stored = np.repeat(problem.stored_kwh[:, None], count * len(policies), axis=1)
    return simulate(
        followers,
        Actuals(problem.outlook.timeline, load, pv),
        limits=limits.by_slot(),
        stored_kwh=stored,
    )


def _value_columns(problem: Problem, run: Trajectory, columns: Sequence[int]) -> FloatArray:
    return np.array([value_flows(problem, _of_site(run.flows, column)) for column in columns])


def find_breach(problem: Problem, flows: Flows) -> float:
    """Return the kWh by which flows miss the limits of connection and batteries, reserves and
    terminal bounds.
    """
    least, most = problem.terminal_bounds
    last = flows.stored_kwh[:, -1]
    missed = np.maximum(least - last, 0.0) + np.maximum(last - most, 0.0)
    missing_reserve = (
        0.0
        if problem.storage.reserve_kwh is None
        else float(np.maximum(problem.storage.reserve_kwh - flows.stored_kwh, 0.0).sum())
    )
    return (
        float(flows.excess_kwh.sum() + missed.sum()) + missing_reserve + missed_kwh(problem, flows)
    )


def _of_site(part: Part, site: int = 0) -> Part:
    """Return one column's part, with the slot as last axis."""
    return type(part)(
        **{each.name: getattr(part, each.name)[..., site, :] for each in fields(part)}
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A policy's simulation on the expected course: ``cost`` less the terminal value, and
    ``breach_kwh`` of limits and demands.
    """

    policy: PlanPolicy
    setpoints: SetPoint
    flows: Flows
    start_kwh: FloatArray
    cost: float
    breach_kwh: float


_NOTHING_KWH = 1e-9
FollowedPlan = tuple[Plan, PlanPolicy]


# Rounds, as a share of the slots, after which guessing is given up: slot after slot is faster then.
_ROUNDS_SHARE = 1 / 8


def meet_courses(
    followed: Sequence[FollowedPlan], *, deadline: Deadline | None = None
) -> list[Outcome]:
    """Simulate each policy on the expected course of its plan, from the batteries' initial state.

    Raises:
        LateError: the ``deadline`` passed.
    """
    return work_in_groups(
        followed, (plan.problem for plan, _ in followed), partial(_meet_group, deadline=deadline)
    )


def _meet_group(followed: Sequence[FollowedPlan], deadline: Deadline | None) -> Iterator[Outcome]:
    slots = followed[0][0].problem.outlook.timeline.count
    guesses = list[tuple[FloatArray, IntArray]]()
    met = dict[int, _Round]()
    # A guess is each slot's stored energy at its start, and its mode.
    for plan, policy in followed:
        value = plan.value
        guess = (plan.start_kwh, plan.setpoints.mode)
        if value is not None:
            # Fixed flow directions bind the plan, not the policy.
            segments = (
                value.segments
                if value.direction is None
                else value.free or problem_segments(plan.problem)
            )
            start = float(plan.problem.stored_kwh[0])
            path, modes = walk_policy(
                policy.batteries[0], segments, start, mode=int(first_modes(plan.problem)[0, 0])
            )
            guess = np.append(start, path[:-1])[None, :], modes[None, :]
        guesses.append(guess)
    unsettled: Sequence[int] = range(len(followed))
    # Each round makes at least one more slot exact; a right guess makes all.
    for number in range(slots + 1):
        if deadline is not None and not deadline.left_s:
            raise LateError("what policies come to was not known in time")
        if number > _ROUNDS_SHARE * slots:
            # Slot after slot, without a guess.
            for place in unsettled:
                plan, policy = followed[place]
                (run,) = simulate_policies(
                    replace(plan.problem, limits=plan.limits), [policy], deadline=deadline
                )
                met[place] = _Round(run.setpoints, run.flows, run.start_kwh, settled=True)
            break
        again = _meet(
            list(map(followed.__getitem__, unsettled)),
            list(map(guesses.__getitem__, unsettled)),
            slots,
        )
        still_unsettled = []
        for place, outcome in zip(unsettled, again, strict=True):
            met[place] = outcome
            guesses[place] = (outcome.start_kwh, outcome.setpoints.mode)
            still_unsettled += [] if outcome.settled else [place]
        unsettled = still_unsettled
        if not unsettled:
            break
    for place, (plan, policy) in enumerate(followed):
        problem = plan.problem
        flows = met[place].flows
        flows = flows if plan.limits is problem.limits else count_excess(problem, flows)
        yield Outcome(
            policy,
            met[place].setpoints,
            flows,
            met[place].start_kwh,
            value_flows(problem, flows),
            find_breach(problem, flows),
        )


@dataclass(frozen=True, slots=True)
class _Round:
    """A policy's simulation from guessed stored energy and modes, and whether it reproduces the
    guess.
    """

    setpoints: SetPoint
    flows: Flows
    start_kwh: FloatArray
    settled: bool


def _meet(
    followed: Sequence[FollowedPlan], guesses: Sequence[tuple[FloatArray, IntArray]], slots: int
) -> Iterator[_Round]:
    """Yield the simulation from each guess, all slots of all plans side by side."""
    plans, policies = zip(*followed, strict=True)
    load = []
    pv = []
    hours = []
    limits = []
    starts = []
    before = []
    for plan, (start, modes) in zip(plans, guesses, strict=True):
        ahead = plan.problem.outlook
        load.append(ahead.load_kwh)
        pv.append(ahead.pv_kwh)
        hours.append(ahead.timeline.hours)
        limits.append(plan.limits)
        starts.append(start)
        before.append(np.concatenate([first_modes(plan.problem), modes[:, :-1]], axis=1))
    actuals = SlotActuals(join(load, slots), join(pv, slots), join(hours, slots))
    joined = join_parts(limits, slots)
    stored = join(starts, slots)
    policy = policies[0]
    if len(policies) > 1:
        # One policy over all plans' slots end to end, with the only battery limits that it reads.
        batteries, curtailment, pv_limit_kw = zip(
            *map(attrgetter("batteries", "curtailment", "pv_limit_kw"), policies), strict=True
        )
        together = []
        for same_place in zip(*batteries, strict=True):
            parts = []
            for part in same_place:
                bounds = _SocBounds(
                    np.array([part.battery.min_soc]), np.array([part.battery.max_soc])
                )
                parts.append(replace(part, battery=cast("Battery", bounds)))
            together.append(join_parts(parts, slots))
        policy = PlanPolicy(together, join(curtailment, slots), join(pv_limit_kw, slots))
    proposed = policy.read(slice(None), stored / joined.batteries.capacity_kwh, join(before, slots))
    setpoints, flows = settle(proposed, stored, actuals, limits=joined)
    for number, (start, modes) in enumerate(guesses):
        own = split(flows, number, slots)
        own_setpoints = split(setpoints, number, slots)
        again = np.concatenate(
            [plans[number].problem.stored_kwh[:, None], own.stored_kwh[:, :-1]], axis=1
        )
        agree = np.abs(again - start).max(initial=0.0) <= _NOTHING_KWH and np.array_equal(
            own_setpoints.mode, modes
        )
        yield _Round(own_setpoints, own, again, bool(agree))


@dataclass(frozen=True, slots=True)
class _SocBounds:
    """A battery's limits of state of charge, ``(1,)``, or ``(slots,)`` for batteries end to end."""

    min_soc: FloatArray
    max_soc: FloatArray
