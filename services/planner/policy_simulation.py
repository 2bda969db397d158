"""What a policy makes of courses that load and sun may take, simulated slot by slot: what it costs, and which limits and wishes it misses."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from luna.physics import Flows, IntArray, Mode, SetPoint
from luna.policy import PlanPolicy
from luna.simulator import Actuals, simulate
from luna.timeline import FloatArray
from services.planner.dp.plan import value_flows
from services.planner.milp.battery_constraints import missed_kwh
from services.planner.problem.problem import Problem
from services.planner.problem.scenarios import ScenarioSet

Part = TypeVar("Part", Flows, SetPoint)


@dataclass
class Follower:
    """A plan's policy as the simulator asks it: it remembers the modes in force."""

    policy: PlanPolicy
    capacity_kwh: FloatArray
    modes: IntArray

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-point of a slot."""
        setpoint = self.policy.decide(slot, stored_kwh / self.capacity_kwh, self.modes)
        self.modes = setpoint.mode
        return setpoint


@dataclass(frozen=True, slots=True)
class SplitColumns:
    """Several followers, each of as many sites beside each other."""

    followers: Sequence[Follower]

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points of all sites."""
        parts = np.split(stored_kwh, len(self.followers), axis=1)
        told = [follower.decide(slot, part) for follower, part in zip(self.followers, parts, strict=True)]
        shapes = {each.name: parts[0].shape[1:] if each.name in ("curtailment", "pv_limit_kw") else parts[0].shape for each in fields(SetPoint)}
        return SetPoint(**{name: np.concatenate([np.broadcast_to(getattr(part, name), shape) for part in told], axis=-1) for name, shape in shapes.items()})


def first_modes(problem: Problem) -> IntArray:
    """Return the modes in force before the plan, ``(batteries, 1)``: where nobody told anything, the inverter is alone."""
    told = problem.following.modes or (None,) * len(problem.site.batteries)
    return np.array([[Mode.SELF_CONSUMPTION if mode is None else mode] for mode in told], dtype=np.int8)


def simulate_policy(problem: Problem, policy: PlanPolicy) -> tuple[SetPoint, Flows, FloatArray]:
    """Return the set-points, flows and stored energy at the start of each slot that a policy comes to on the expected course, slot by slot."""
    outlook, follower = problem.outlook, Follower(policy, problem.limits.batteries.capacity_kwh, first_modes(problem))
    actuals = Actuals(outlook.timeline, outlook.load_kwh, outlook.pv_kwh)
    run = simulate(follower, actuals, limits=problem.limits.by_slot(), stored_kwh=problem.stored_kwh[:, None])
    setpoints, flows = _of_site(run.setpoints), _of_site(run.flows)
    return setpoints, flows, np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)


def simulate_errors(problem: Problem, policies: Sequence[PlanPolicy], errors: ScenarioSet) -> FloatArray:
    """Return what policies cost on each of the courses, ``(policies, courses)``, slot by slot, all of them at once."""
    count, limits = errors.load_kwh.shape[0], problem.limits
    first = np.repeat(first_modes(problem), count, axis=1)
    followers = SplitColumns([Follower(policy, limits.batteries.capacity_kwh, first) for policy in policies])
    load, pv = (np.tile(energy, (len(policies), 1)) for energy in (errors.load_kwh, errors.pv_kwh))
    stored = np.repeat(problem.stored_kwh[:, None], count * len(policies), axis=1)
    run = simulate(followers, Actuals(problem.outlook.timeline, load, pv), limits=limits.by_slot(), stored_kwh=stored)
    costs = [value_flows(problem, _of_site(run.flows, column)) for column in range(load.shape[0])]
    return np.array(costs).reshape(len(policies), count)


def find_breach(problem: Problem, flows: Flows) -> float:
    """Return by how many kWh flows miss limits of connection and batteries, reserves, and what is wanted at the horizon beyond a battery's own limits."""
    (least, most), last = problem.wanted_at_end, flows.stored_kwh[:, -1]
    missed = np.maximum(least - last, 0.0) + np.maximum(last - most, 0.0)
    lacking = 0.0 if problem.storage.reserve_kwh is None else float(np.maximum(problem.storage.reserve_kwh - flows.stored_kwh, 0.0).sum())
    return float(flows.excess_kwh.sum() + missed.sum()) + lacking + missed_kwh(problem, flows)


def _of_site(part: Part, site: int = 0) -> Part:
    """Return what happened to one of the sites, the slot as last axis."""
    return type(part)(**{each.name: getattr(part, each.name)[..., site, :] for each in fields(part)})
