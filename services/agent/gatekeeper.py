"""What decides whether devices follow the agent: of each plan whether it is safe and cheaper, of each mode of control whether the evidence is there.

A plan is judged by the thresholds that devices would follow, simulated on the courses that past errors of forecasts make of the expected one. A
mode is judged by what whole days would have cost. Both only ever take from the agent: the safety layer and the owner stand above.
Source: docs/decisions/0047.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

import numpy as np

from luna.contracts.agent_control import FOLLOWED, GATEKEEPER, REPLAY_DAYS, SHADOW_DAYS, ControlMode, GateCode, GateEntry, GateEvidence, GateVerdict
from luna.energy.bootstrap import BLOCK_DAYS, bound_sum
from luna.energy.physics.safety import clamp, find_corrected
from luna.energy.policy import PlanPolicy
from luna.energy.timeline import FloatArray
from luna.platform.database.agent_gates import EffectiveMode, LastDecisions
from services.planner.dp.plan import balance_residual_kwh, value_flows
from services.planner.following import LEAST_GAIN
from services.planner.policy_simulation import SimulatedPolicy, find_breach, simulate_policies
from services.planner.problem.problem import Problem
from services.planner.problem.scenarios import ScenarioSet

_SAME_KWH = 1e-6


# --- of a plan ------------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanJudgement:
    """A verdict, and the figures that it rests on, by the names of ``antares_plan_history.metrics``."""

    verdict: GateVerdict
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The outcome of a policy on the expected course: money, kWh beyond limits and demands, and corrected slots."""

    cost: float
    breach_kwh: float
    corrected: int


def judge_plan(problem: Problem, planner: PlanPolicy, agent: PlanPolicy, effective: EffectiveMode) -> PlanJudgement:
    """Return whether devices are to follow the agent's plan, or the part of it that the mode allows.

    Args:
        problem: what both plans were made from, with all that is placed.
        planner: what the planner's plan makes of any state of charge.
        agent: the same of the agent's plan.
        effective: the agent's effective mode; in shadow its whole plan is judged, and nothing of it followed.

    Invariants: nothing is followed that misses a limit or a wish by more than the planner's plan, that asks for what a device cannot do in more slots than
    it, or that is expected to cost no less.
    """
    if effective.mode == "export_only":
        agent = planner.sell_as(agent)
    errors = problem.uncertainty.errors or problem.uncertainty.courses
    runs = simulate_policies(problem, (planner, agent), errors)
    first, second = (_inspect(problem, policy, run) for policy, run in zip((planner, agent), runs, strict=True))
    costs, courses = _expect(runs, errors, (first.cost, second.cost))
    gain = float(costs[0] - costs[1])
    metrics = {"planner_cost": float(costs[0]), "agent_cost": float(costs[1]), "courses": float(courses)}
    metrics |= {"breach_kwh": second.breach_kwh, "interventions": float(second.corrected), "slots": float(problem.outlook.timeline.count)}
    if not all(math.isfinite(value) for value in metrics.values()):
        return PlanJudgement(GateVerdict(code="not_safe", follow="nothing", interventions=second.corrected), {})
    safe = second.breach_kwh <= first.breach_kwh + _SAME_KWH and second.corrected <= first.corrected
    code: GateCode = "agent_cheaper"
    if not safe:
        code = "not_safe"
    elif gain <= LEAST_GAIN:
        code = "not_cheaper"
    elif effective.mode == "shadow":
        code = effective.code or "mode_is_shadow"
    follow = FOLLOWED[effective.mode] if code == "agent_cheaper" else "nothing"
    return PlanJudgement(GateVerdict(code=code, follow=follow, expected_gain=gain, interventions=second.corrected), metrics)


def _inspect(problem: Problem, policy: PlanPolicy, run: SimulatedPolicy) -> _Outcome:
    capacity, outlook = problem.limits.batteries.capacity_kwh, problem.outlook
    modes = np.concatenate([run.setpoints.mode[:, :1], run.setpoints.mode[:, :-1]], axis=1)
    setpoints = policy.read(slice(None), run.start_kwh / capacity, modes)
    safe = clamp(setpoints, run.start_kwh, problem.limits)
    beyond = run.flows.excess_kwh > _SAME_KWH
    unbalanced = np.abs(balance_residual_kwh(run.flows, outlook.load_kwh, outlook.pv_kwh)) > _SAME_KWH
    slots = find_corrected(setpoints, safe).any(axis=0) | np.atleast_2d(beyond).any(axis=0) | unbalanced
    return _Outcome(value_flows(problem, run.flows), find_breach(problem, run.flows), int(np.count_nonzero(slots)))


def _expect(runs: Sequence[SimulatedPolicy], errors: ScenarioSet | None, expected: tuple[float, float]) -> tuple[FloatArray, int]:
    """Return what policies are expected to cost, ``(policies,)``, and over how many courses: the expected one alone where none is known of past errors.

    Where they are, it does not count beside them: forecasts are never right, and on that course the planner's plan is the best there is.
    """
    if errors is None:
        return np.array(expected), 1
    return np.array([run.costs @ errors.weight / errors.weight.sum() for run in runs]), errors.weight.size


# --- of a mode ------------------------------------------------------------------------------------------------------------------------------------

# Points of the oracle's savings by which the agent may seem dearer, at the lower end of the interval, and a mode still be offered.
MARGIN_POINTS = -1.0
# A week's loss beyond so many standard deviations of weeks' sums is no chance; nor are three weeks lost in a row by so many of theirs together. On series
# with heavy tails an agent that is ahead by a tenth of a day's deviation is withdrawn in about one year of six, one that loses seven tenths within weeks.
WEEK_DEVIATIONS, THREE_WEEKS_DEVIATIONS, STREAK_WEEKS = 4.5, 3.0, 3
# The share of slots in which the safety layer may have to correct the agent: of those planned in the last week, and of those of all days of evidence.
MOST_CORRECTED = 0.02
_SLOTS_PER_DAY = 96
# Less is rounding.
_LITTLE_MONEY = 1e-6


@dataclass(frozen=True, slots=True)
class DailyGain:
    """A day that both lived: what the agent saved beside the planner, and the oracle beside no control, stored energy counted in.

    ``corrected`` are the slots in which the safety layer changed the agent's set-point.
    """

    day: date
    gain: float
    possible: float
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class DaysOfEvidence:
    """Recorded days that were replayed, days in shadow, and the agent's corrected slots of late; each list in order of days.

    ``slots`` were planned in the last week, ``corrected`` of them by the safety layer or a limit.
    """

    replay: Sequence[DailyGain]
    shadow: Sequence[DailyGain]
    slots: int = 0
    corrected: int = 0

    @property
    def both(self) -> list[DailyGain]:
        """All days, one that is both as it was in shadow."""
        days = {each.day: each for each in (*self.replay, *self.shadow)}
        return [days[day] for day in sorted(days)]

    def after(self, day: date) -> "DaysOfEvidence":
        """Return the evidence with the days in shadow after ``day`` alone."""
        return replace(self, shadow=[each for each in self.shadow if each.day > day])


def weigh_days(kind: Literal["replay", "shadow", "both"], days: Sequence[DailyGain], *, rng: np.random.Generator) -> GateEvidence:
    """Return the evidence of days: the gain in points of the oracle's savings, and its 95 % interval by a block bootstrap; neither without possible savings."""
    needed = {"replay": REPLAY_DAYS, "shadow": SHADOW_DAYS, "both": REPLAY_DAYS + SHADOW_DAYS}[kind]
    gains, possible = np.array([each.gain for each in days]), sum(each.possible for each in days)
    evidence = GateEvidence(kind=kind, days=len(days), needed=needed, gain=float(gains.sum()), violations=sum(each.corrected for each in days))
    if possible <= _LITTLE_MONEY:
        return evidence
    low, high = bound_sum(gains, rng=rng)
    points, low, high = (100.0 * amount / possible for amount in (float(gains.sum()), low, high))
    return evidence.model_copy(update={"points": points, "low": low, "high": high})


def loses(shadow: Sequence[float], usual: Sequence[float]) -> bool:
    """Return whether the agent has lately lost more against the planner than chance explains.

    Args:
        shadow: what it saved on each day in shadow, in order.
        usual: the same of the days that it was trusted for: how far a week's sum usually is from the mean.

    Source: docs/decisions/0047; rates of false alarm are those of ``tests/unit/agent/test_losing_streak.py``.
    """
    if len(usual) < BLOCK_DAYS or len(shadow) < BLOCK_DAYS:
        return False
    deviation = float(np.convolve(usual, np.ones(BLOCK_DAYS), mode="valid").std())
    if sum(shadow[-BLOCK_DAYS:]) < -WEEK_DEVIATIONS * deviation - _LITTLE_MONEY:
        return True
    if len(shadow) < STREAK_WEEKS * BLOCK_DAYS:
        return False
    weeks = np.array(shadow[-STREAK_WEEKS * BLOCK_DAYS :]).reshape(STREAK_WEEKS, BLOCK_DAYS).sum(axis=1)
    limit = -THREE_WEEKS_DEVIATIONS * deviation * math.sqrt(STREAK_WEEKS) - _LITTLE_MONEY
    return bool((weeks < 0).all() and weeks.sum() < limit)


@dataclass(frozen=True, slots=True)
class ModeHistory:
    """The decisions about the modes of a policy: the last decision of each, and the last time that each was withdrawn or given back."""

    policy: str
    standing: LastDecisions
    turns: LastDecisions


def judge_modes(evidence: Mapping[ControlMode, DaysOfEvidence], history: ModeHistory, *, now: datetime, rng: np.random.Generator) -> list[GateEntry]:
    """Return a decision for each mode that ``evidence`` holds the days of, except what a person withdrew: that only a person gives back.

    Args:
        evidence: by mode, days with as much of the agent's plan as it allows.
        history: what holds.
        now: when it is judged.
        rng: draws blocks of days.

    Invariants: without enough days of both kinds nothing is offered; what was withdrawn comes back by days after that alone.
    """
    withdrawn = {mode for mode, last in history.standing.items() if last.state == "withdrawn" and last.decided_by != GATEKEEPER}
    return [_judge(mode, days, history, now=now, rng=rng) for mode, days in evidence.items() if mode not in withdrawn]


def _judge(mode: ControlMode, days: DaysOfEvidence, history: ModeHistory, *, now: datetime, rng: np.random.Generator) -> GateEntry:
    last, turn = history.standing.get(mode), history.turns.get(mode)
    state = last.state if last is not None else "not_ready"
    recent = days if turn is None else days.after(turn.at.date())
    entry = GateEntry(at=now, kind="judged", policy=history.policy, mode=mode, state=state, reason="", decided_by=GATEKEEPER)
    if state == "withdrawn":
        # Days in shadow since it was withdrawn can give a mode back.
        shadow = weigh_days("shadow", recent.shadow, rng=rng)
        proven = shadow.days >= shadow.needed and shadow.low is not None and shadow.low > MARGIN_POINTS
        if proven and not _exceeds_corrections(recent, recent.shadow):
            return entry.model_copy(update={"kind": "restored", "state": "offered", "reason": "new_evidence", "evidence": [shadow]})
        return entry.model_copy(update={"reason": last.reason if last else "not_judged", "evidence": [shadow]})
    evidence = [weigh_days("replay", days.replay, rng=rng), weigh_days("shadow", days.shadow, rng=rng), weigh_days("both", days.both, rng=rng)]
    streak = loses([each.gain for each in recent.shadow], [each.gain for each in days.replay])
    # What was given back once was given back by days in shadow since.
    corrected = _exceeds_corrections(days, days.both if turn is None else recent.shadow)
    fault = "losing_streak" if streak else "interventions" if corrected else None
    if fault is not None:
        lost = {"state": "withdrawn", "kind": "withdrawn"} if state == "offered" else {"state": "not_ready"}
        return entry.model_copy(update=lost | {"reason": fault, "evidence": evidence})
    reason, better = _weigh(evidence)
    offered = "offered" if reason in ("no_dearer", "cheaper") else "not_ready"
    return entry.model_copy(update={"state": offered, "reason": reason, "better": better, "evidence": evidence})


def _exceeds_corrections(evidence: DaysOfEvidence, days: Sequence[DailyGain]) -> bool:
    """Return whether the safety layer corrects the agent beyond the limit: in what was planned in the last week, or on these days."""
    on_days = sum(each.corrected for each in days)
    return evidence.corrected > MOST_CORRECTED * evidence.slots or on_days > MOST_CORRECTED * _SLOTS_PER_DAY * len(days)


def _weigh(evidence: Sequence[GateEvidence]) -> tuple[str, bool]:
    """Return the code of the evidence, and whether the agent is surely cheaper."""
    replay, shadow, both = evidence
    if replay.days < replay.needed:
        return "replay_days", False
    if shadow.days < shadow.needed:
        return "shadow_days", False
    if both.low is None or both.low <= MARGIN_POINTS:
        return "behind", False
    return ("cheaper", True) if both.low > 0 else ("no_dearer", False)
