"""Make the policies of a replay by name, anew each day from the state at midnight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from luna.energy.economics.charges import begin_charges
from luna.energy.outlook import Outlook
from luna.energy.physics.mode import SetPoint
from luna.energy.refusals import refuse
from luna.energy.schedule import Policy
from luna.energy.timeline import FloatArray
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import make_plan
from services.planner.problem.problem import Problem, SearchLimits, TariffState, TerminalRule
from services.planner.replay.data import ReplayData, Rules
from services.planner.replay.faults import FaultEffects, FaultyPolicy
from services.planner.replay.import_meter import ImportMeter
from services.planner.replay.policies import (
    CarryOver,
    MakePlan,
    ModelPredictive,
    PlanOrigin,
    PolicyInputs,
    find_policies,
)


@dataclass(frozen=True, slots=True)
class PolicyRun:
    """One column of a replay: a policy, and the effects of its faults."""

    label: str
    policy: str
    fault_effects: FaultEffects | None = None


@dataclass(frozen=True, slots=True)
class OffsetPolicy:
    """A policy made for the whole window, evaluated slot by slot from ``first`` on."""

    policy: Policy
    first: int

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the policy's set-point of slot ``first + slot``."""
        return self.policy.decide(self.first + slot, stored_kwh)


@dataclass(frozen=True, slots=True)
class PolicyFactory:
    """Makes every policy of a replay; ``every`` counts slots between two plans.

    ``agents`` are trained policies without a declaration: their planning functions by name.

    Invariants: a policy depends on the scene, its faults and its state at midnight alone, so days
    give the same results in one run or one by one.
    """

    scene: ReplayData
    rules: Rules
    every: int
    oracle: Plan
    agents: Mapping[str, MakePlan] = field(default_factory=dict)

    def make(self, policy_run: PolicyRun, standing: CarryOver, meter: ImportMeter) -> Policy:
        """Return a run's policy for a day that begins with ``standing``.

        ``meter`` counts what the run buys from then on.
        """
        fault_effects = policy_run.fault_effects
        scene = self.scene if fault_effects is None else fault_effects.scene
        inputs = PolicyInputs(scene, self.rules, self.every, self.oracle, standing, meter)
        name = policy_run.policy
        policy: Policy
        if name in self.agents:
            policy = inputs.plan_ahead(scene.forecasts, inputs.errors, make=self.agents[name])
        else:
            policy = find_policies()[name].make(inputs)
        if fault_effects is None:
            return policy
        sensor_kwh = np.array(standing.seen_kwh).reshape(-1, 1)
        return FaultyPolicy(policy, fault_effects, sensor_kwh)


def origin_of(policy: Policy) -> PlanOrigin | None:
    """Return the origin of the plan that a policy follows; None for a policy without plans."""
    inner = policy.policy if isinstance(policy, FaultyPolicy) else policy
    return inner.origin if isinstance(inner, ModelPredictive) else None


def require_policies(policies: Sequence[str], agents: Mapping[str, MakePlan]) -> None:
    """Refuse names of policies that are neither declared nor of the agent.

    Raises:
        InvalidInputError: for the first such name.
    """
    for name in policies:
        if name not in find_policies() and name not in agents:
            raise refuse(
                "unknown-name",
                field="policies",
                value=name,
                names=(*find_policies(), *agents),
                thing="policy",
            )


def plan_with_hindsight(scene: ReplayData, rules: Rules) -> Plan:
    """Return the oracle's plan: the optimum with actual energies and prices."""
    actuals = scene.actuals
    batteries = rules.limits.batteries
    outlook = Outlook(
        scene.timeline, actuals.load_kwh, actuals.pv_kwh, rules.import_price, rules.export_price
    )
    worth = np.full(len(scene.site.batteries), rules.terminal_value)
    problem = Problem(
        scene.site,
        outlook,
        rules.initial_kwh[:, 0],
        TerminalRule(batteries.min_kwh[:, 0], batteries.max_kwh[:, 0], worth),
        rules.limits,
        SearchLimits(time_limit_s=300.0),
        tariff=TariffState(charges=begin_charges(scene.site.tariff.import_, scene.begin_drawn_kwh)),
    )
    return make_plan(problem, Solver())
