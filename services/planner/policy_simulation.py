"""What a policy makes of courses that load and sun may take, simulated slot by slot: what it costs, and which limits and wishes it misses."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np

from luna.physics import Flows, IntArray, Mode, SetPoint
from luna.policy import PlanPolicy
from luna.simulator import Actuals, Trajectory, simulate
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


@dataclass(frozen=True, slots=True)
class SimulatedPolicy:
    """What a policy comes to on the expected course, the slot as last axis, and what it costs on each of further ones, ``(courses,)``."""

    setpoints: SetPoint
    flows: Flows
    start_kwh: FloatArray
    costs: FloatArray


def simulate_policies(problem: Problem, policies: Sequence[PlanPolicy], errors: ScenarioSet | None = None) -> list[SimulatedPolicy]:
    """Return what policies make of the expected course and of those of ``errors``, slot by slot, all of them at once."""
    outlook = problem.outlook
    load, pv = (np.atleast_2d(energy) for energy in (outlook.load_kwh, outlook.pv_kwh))
    if errors is not None:
        load, pv = np.vstack([load, errors.load_kwh]), np.vstack([pv, errors.pv_kwh])
    run, count, runs = _simulate(problem, policies, load, pv), load.shape[0], []
    for first in range(0, len(policies) * count, count):
        flows = _of_site(run.flows, first)
        starts = np.concatenate([problem.stored_kwh[:, None], flows.stored_kwh[:, :-1]], axis=1)
        runs.append(SimulatedPolicy(_of_site(run.setpoints, first), flows, starts, _value_columns(problem, run, range(first + 1, first + count))))
    return runs


def simulate_errors(problem: Problem, policies: Sequence[PlanPolicy], errors: ScenarioSet) -> FloatArray:
    """Return what policies cost on each of the courses, ``(policies, courses)``, slot by slot, all of them at once."""
    run, count = _simulate(problem, policies, errors.load_kwh, errors.pv_kwh), errors.load_kwh.shape[0]
    return _value_columns(problem, run, range(len(policies) * count)).reshape(len(policies), count)


def _simulate(problem: Problem, policies: Sequence[PlanPolicy], load_kwh: FloatArray, pv_kwh: FloatArray) -> Trajectory:
    """Return what happens under the policies, one after the other, on each of the courses; energies of shape ``(courses, slots)``."""
    count, limits = load_kwh.shape[0], problem.limits
    first = np.repeat(first_modes(problem), count, axis=1)
    followers = SplitColumns([Follower(policy, limits.batteries.capacity_kwh, first) for policy in policies])
    load, pv = (np.tile(energy, (len(policies), 1)) for energy in (load_kwh, pv_kwh))
    stored = np.repeat(problem.stored_kwh[:, None], count * len(policies), axis=1)
    return simulate(followers, Actuals(problem.outlook.timeline, load, pv), limits=limits.by_slot(), stored_kwh=stored)


def _value_columns(problem: Problem, run: Trajectory, columns: Sequence[int]) -> FloatArray:
    return np.array([value_flows(problem, _of_site(run.flows, column)) for column in columns])


def find_breach(problem: Problem, flows: Flows) -> float:
    """Return by how many kWh flows miss limits of connection and batteries, reserves, and what is wanted at the horizon beyond a battery's own limits."""
    (least, most), last = problem.wanted_at_end, flows.stored_kwh[:, -1]
    missed = np.maximum(least - last, 0.0) + np.maximum(last - most, 0.0)
    lacking = 0.0 if problem.storage.reserve_kwh is None else float(np.maximum(problem.storage.reserve_kwh - flows.stored_kwh, 0.0).sum())
    return float(flows.excess_kwh.sum() + missed.sum()) + lacking + missed_kwh(problem, flows)


def _of_site(part: Part, site: int = 0) -> Part:
    """Return what happened to one of the sites, the slot as last axis."""
    return type(part)(**{each.name: getattr(part, each.name)[..., site, :] for each in fields(part)})
