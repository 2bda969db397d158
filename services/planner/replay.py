"""Replays recorded days under several policies: same physics, same prices, one initial and one terminal rule for all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.replay import DayCost, PolicyReply, ReplayReply
from luna.economics import site_curtailment
from luna.errors import InvalidInputError
from luna.outlook import Outlook
from luna.physics import IntArray, Mode, SiteLimits
from luna.schedule import Committed, PlainPolicy, Policy, SideBySide
from luna.simulator import Actuals, Trajectory, price, simulate
from luna.site import Site
from luna.timeline import FloatArray, Timeline, local_dates
from services.planner.knowledge import EnergyOutlook, ForecastBook, Foresight, PriceKnowledge, SplitOutlook
from services.planner.past_errors import PastErrors
from services.planner.planning import make_plan
from services.planner.policies import CheapestHours, ModelPredictive
from services.planner.problem import TERMINAL_SHARE, Problem, TerminalRule
from services.planner.solver import Solver

# The share of usable capacity every policy starts with.
INITIAL_SHARE = 0.5
# What the planner knows besides its forecasts, to tell what not knowing the rest costs: policy → what is left unknown.
LOSS_STEPS = {"mpc_perfect": "horizon", "mpc_perfect_pv": "load_forecast", "mpc": "pv_forecast"}
# The planner that weighs how its forecasts may err.
SCENARIOS = "mpc_scenarios"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a replay needs: a site, what happened on ``timeline`` and up to the planner's horizon after it, and what was known when.

    What happened before the window and the forecasts issued then, as far as they are given, tell ``mpc_scenarios`` how forecasts err.
    """

    site: Site
    timeline: Timeline
    foresight: Foresight
    prices: PriceKnowledge
    forecasts: ForecastBook

    @property
    def actuals(self) -> Actuals:
        """What happened in the window itself."""
        load, pv = self.foresight.ahead(self.timeline.start, self.timeline)
        return Actuals(self.timeline, load, pv)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for all policies: limits, prices, how PV is held back, the initial stored energy and its value at the end."""

    limits: SiteLimits
    import_price: FloatArray
    export_price: FloatArray
    curtailment: IntArray
    initial_kwh: FloatArray
    terminal_value: float

    @classmethod
    def of(cls, scene: Scene) -> "Rules":
        """Return the rules of a scene; a stored kWh left at the end is worth 0.6 × the mean import price of the last seven days."""
        limits = SiteLimits.of(scene.site)
        imported, exported = scene.prices.actual(scene.timeline)
        curtailment = site_curtailment(scene.site, imported, exported)
        batteries = limits.batteries
        initial = batteries.min_kwh + INITIAL_SHARE * (batteries.max_kwh - batteries.min_kwh)
        last_week = imported[-7 * 24 * 3600 // int(scene.timeline.step.total_seconds()) :]
        return cls(limits, imported, exported, curtailment, initial, TERMINAL_SHARE * max(float(last_week.mean()), 0.0))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy made of a scene; ``settled_cost`` is its cost less what its batteries gained in stored value."""

    trajectory: Trajectory
    cost: FloatArray
    settled_cost: float


def replay(scene: Scene, policies: Sequence[str], *, every: int, progress: Progress | None = None) -> ReplayReply:
    """Return what each policy costs over the scene, and its share of the oracle's savings over no control.

    Args:
        scene: what happened and what was known.
        policies: names of ``POLICIES``; ``idle`` and ``oracle`` are replayed anyway, because scores are measured against them.
        every: slots between two plans.
        progress: told slots done, slots in all, and which local day it is.

    Raises:
        InvalidInputError: an unknown policy.
    """
    rules = Rules.of(scene)
    builders = _builders(scene, rules, every)
    for name in policies:
        if name not in builders:
            raise InvalidInputError("no such policy", field="policies", value=name, remedy=f"Choose from: {', '.join(builders)}.")
    wanted = list(dict.fromkeys([*policies, "idle", "oracle", *(LOSS_STEPS if "mpc" in policies else ())]))
    outcomes = run_policies(scene, rules, {name: builders[name]() for name in wanted}, progress=progress)
    replies = {name: _reply(scene, outcomes, name, rules) for name in policies}
    return ReplayReply(
        policies=replies,
        slots=scene.timeline.count,
        currency=scene.site.currency,
        initial_soc=_initial_soc(scene.site, rules),
        loss=_losses(outcomes) if "mpc" in policies else {},
    )


def _builders(scene: Scene, rules: Rules, every: int) -> Mapping[str, Callable[[], Policy]]:
    def predictive(energy: EnergyOutlook, errors: PastErrors | None = None) -> Policy:
        return ModelPredictive(scene.site, scene.timeline, energy, scene.prices, every, errors)

    def cheapest() -> Policy:
        return CheapestHours.of(scene.timeline, rules.import_price, zone=ZoneInfo(scene.site.timezone), curtailment=rules.curtailment)

    return {
        "idle": lambda: PlainPolicy(Mode.HOLD, rules.curtailment),
        "self_consumption": lambda: PlainPolicy(Mode.SELF_CONSUMPTION, rules.curtailment),
        "rule": cheapest,
        "mpc": lambda: predictive(scene.forecasts),
        SCENARIOS: lambda: predictive(scene.forecasts, PastErrors(scene.forecasts, scene.foresight)),
        "mpc_perfect": lambda: predictive(scene.foresight),
        "mpc_perfect_pv": lambda: predictive(SplitOutlook(load=scene.forecasts, pv=scene.foresight)),
        "oracle": lambda: hindsight(scene, rules),
    }


def hindsight(scene: Scene, rules: Rules) -> Policy:
    """Return the policy that is optimal over the whole window, everything known: the oracle."""
    actuals, batteries = scene.actuals, rules.limits.batteries
    outlook = Outlook(scene.timeline, actuals.load_kwh, actuals.pv_kwh, rules.import_price, rules.export_price)
    worth = np.full(len(scene.site.batteries), rules.terminal_value)
    terminal = TerminalRule(batteries.min_kwh[:, 0], batteries.max_kwh[:, 0], worth)
    problem = Problem(scene.site, outlook, rules.initial_kwh[:, 0], terminal, rules.limits, time_limit_s=300.0)
    return Committed(make_plan(problem, Solver()).setpoints)


def run_policies(scene: Scene, rules: Rules, policies: Mapping[str, Policy], *, progress: Progress | None = None) -> dict[str, Outcome]:
    """Return what each policy makes of the scene; all run side by side, each in its own column."""
    count, actuals = len(policies), scene.actuals
    load, pv = (np.broadcast_to(series, (count, series.size)) for series in (actuals.load_kwh, actuals.pv_kwh))
    trajectory = simulate(
        SideBySide(list(policies.values())),
        Actuals(scene.timeline, load, pv),
        limits=rules.limits,
        stored_kwh=np.repeat(rules.initial_kwh, count, axis=1),
        progress=_by_day(scene, progress) if progress else None,
    )
    wear = np.array([battery.wear_price for battery in scene.site.batteries]).reshape(-1, 1, 1)
    cost = price(trajectory, import_price=rules.import_price, export_price=rules.export_price, wear_price=wear).total
    gained = (trajectory.flows.stored_kwh[..., -1] - rules.initial_kwh).sum(axis=0)
    settled = cost.sum(axis=-1) - rules.terminal_value * gained
    return {name: Outcome(trajectory.column(column), cost[column], float(settled[column])) for column, name in enumerate(policies)}


def _by_day(scene: Scene, progress: Progress) -> Callable[[int, int], None]:
    days = local_dates(scene.timeline, ZoneInfo(scene.site.timezone))

    def report(done: int, total: int) -> None:
        if done == total or days[done] != days[done - 1]:
            progress(done, total, days[done - 1].isoformat())

    return report


def _reply(scene: Scene, outcomes: Mapping[str, Outcome], name: str, rules: Rules) -> PolicyReply:
    outcome, flows = outcomes[name], outcomes[name].trajectory.flows
    usable = sum((battery.max_soc - battery.min_soc) * battery.capacity_kwh for battery in scene.site.batteries)
    days = len(set(local_dates(scene.timeline, ZoneInfo(scene.site.timezone))))
    modes = outcome.trajectory.mode
    return PolicyReply(
        cost=float(outcome.settled_cost),
        import_kwh=float(flows.import_kwh.sum()),
        export_kwh=float(flows.export_kwh.sum()),
        cycles=float(flows.discharge_kwh.sum()) / usable if usable else 0.0,
        score=score(outcomes, name),
        violations=int((flows.excess_kwh > 0).sum()) + _soc_breaches(rules.limits, flows.stored_kwh),
        mode_changes_per_day=float((np.diff(modes, axis=-1) != 0).sum()) / days,
        terminal_value=rules.terminal_value,
        stored_gain=float(outcome.cost.sum()) - outcome.settled_cost,
        days=_day_costs(scene, outcome, rules),
    )


def score(outcomes: Mapping[str, Outcome], name: str) -> float | None:
    """Return the share of the oracle's savings over idle; None where there is nothing to save."""
    possible = outcomes["idle"].settled_cost - outcomes["oracle"].settled_cost
    return (outcomes["idle"].settled_cost - outcomes[name].settled_cost) / possible if possible > 1e-6 else None


def _losses(outcomes: Mapping[str, Outcome]) -> dict[str, float]:
    """Return, in points of score, what each thing the planner does not know costs it."""
    losses, before = {}, 1.0
    for name, unknown in LOSS_STEPS.items():
        reached = score(outcomes, name)
        if reached is None:
            return {}
        losses[unknown], before = 100 * (before - reached), reached
    return losses


def _soc_breaches(limits: SiteLimits, stored_kwh: FloatArray) -> int:
    batteries = limits.batteries
    return int(((stored_kwh < batteries.min_kwh[..., None] - 1e-6) | (stored_kwh > batteries.max_kwh[..., None] + 1e-6)).sum())


def _day_costs(scene: Scene, outcome: Outcome, rules: Rules) -> list[DayCost]:
    days = np.array([day.toordinal() for day in local_dates(scene.timeline, ZoneInfo(scene.site.timezone))])
    ends = np.append(np.flatnonzero(np.diff(days)), days.size - 1)
    stored = np.append(rules.initial_kwh.sum(), outcome.trajectory.flows.stored_kwh.sum(axis=(0, 1))[ends])
    costs = np.add.reduceat(outcome.cost, np.append(0, ends[:-1] + 1))
    gains = rules.terminal_value * np.diff(stored)
    return [
        DayCost(day=date.fromordinal(day), cost=cost, stored_gain=gain)
        for day, cost, gain in zip(days[ends].tolist(), costs.tolist(), gains.tolist(), strict=True)
    ]


def _initial_soc(site: Site, rules: Rules) -> dict[str, float]:
    return {battery.name: float(rules.initial_kwh[index, 0]) / battery.capacity_kwh for index, battery in enumerate(site.batteries)}
