"""Decides whether devices follow the agent, by plan and by control mode.

A plan must be safe and cheaper, a mode have enough evidence.

A plan is judged by simulating its thresholds on the expected scenario and on scenarios of past
forecast errors; a mode by the cost of whole days. Both only ever restrict the agent: the safety
layer and the owner come first.
Source: docs/decisions/0047.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.agent_control import (
    FOLLOWED,
    GATEKEEPER,
    REPLAY_DAYS,
    SHADOW_DAYS,
    ControlMode,
    GateCode,
    GateEntry,
    GateEvidence,
    GateVerdict,
)
from luna.energy.bootstrap import BLOCK_DAYS, bound_sum
from luna.energy.physics.safety import clamp, find_corrected
from luna.energy.policy import PlanPolicy
from luna.energy.timeline import SLOTS_PER_DAY
from luna.platform.database.agent_gates import EffectiveMode, LastDecisions
from services.planner.dp.plan import balance_residual_kwh, value_flows
from services.planner.following import LEAST_GAIN
from services.planner.policy_simulation import SimulatedPolicy, find_breach, simulate_policies
from services.planner.problem.problem import Problem

_SAME_KWH = 1e-6


# --- of a plan ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanJudgement:
    """A verdict and its figures, by the names of ``antares_plan_history.metrics``."""

    verdict: GateVerdict
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A policy's cost, kWh beyond limits and demands, and corrected slots, as expected."""

    cost: float
    breach_kwh: float
    corrected: int


def judge_plan(
    problem: Problem, planner: PlanPolicy, agent: PlanPolicy, effective: EffectiveMode
) -> PlanJudgement:
    """Return whether devices are to follow the agent's plan, as far as the mode allows.

    Args:
        problem: the problem of both plans, flexible loads included.
        planner: the planner's set-points by state of charge.
        agent: the agent's.
        effective: the agent's effective mode; in shadow its whole plan is judged, and nothing of it
            followed.

    Invariants: a followed plan misses limits and demands by no more kWh than the planner's, is
        corrected in no more slots, and is expected to cost less.
    """
    if effective.mode == "export_only":
        agent = planner.sell_as(agent)
    errors = problem.uncertainty.errors or problem.uncertainty.scenarios
    planner_run, agent_run = simulate_policies(problem, (planner, agent), errors)
    first = _measure_outcome(problem, planner, planner_run)
    second = _measure_outcome(problem, agent, agent_run)
    costs = [first.cost, second.cost]
    scenarios = 1
    if errors is not None:
        # Past errors replace the expected scenario: forecasts are never right, and on that scenario
        # the planner's plan is the best there is.
        total_weight = errors.weight.sum()
        costs = []
        for run in (planner_run, agent_run):
            costs.append(float(run.costs @ errors.weight / total_weight))
        scenarios = errors.weight.size
    planner_cost, agent_cost = costs
    gain = planner_cost - agent_cost
    metrics = {
        "planner_cost": planner_cost,
        "agent_cost": agent_cost,
        "scenarios": float(scenarios),
        "breach_kwh": second.breach_kwh,
        "interventions": float(second.corrected),
        "slots": float(problem.outlook.timeline.count),
    }
    if not all(math.isfinite(value) for value in metrics.values()):
        unsafe = GateVerdict(code="not_safe", follow="nothing", interventions=second.corrected)
        return PlanJudgement(unsafe, {})
    breaches_more = second.breach_kwh > first.breach_kwh + _SAME_KWH
    code: GateCode = "agent_cheaper"
    if breaches_more or second.corrected > first.corrected:
        code = "not_safe"
    elif gain <= LEAST_GAIN:
        code = "not_cheaper"
    elif effective.mode == "shadow":
        code = effective.code or "mode_is_shadow"
    follow = FOLLOWED[effective.mode] if code == "agent_cheaper" else "nothing"
    verdict = GateVerdict(
        code=code, follow=follow, expected_gain=gain, interventions=second.corrected
    )
    return PlanJudgement(verdict, metrics)


def _measure_outcome(problem: Problem, policy: PlanPolicy, run: SimulatedPolicy) -> _Outcome:
    capacity = problem.limits.batteries.capacity_kwh
    outlook = problem.outlook
    modes = np.concatenate([run.setpoints.mode[:, :1], run.setpoints.mode[:, :-1]], axis=1)
    setpoints = policy.read(slice(None), run.start_kwh / capacity, modes)
    safe = clamp(setpoints, run.start_kwh, problem.limits)
    changed = find_corrected(setpoints, safe).any(axis=0)
    beyond = np.atleast_2d(run.flows.excess_kwh > _SAME_KWH).any(axis=0)
    residual_kwh = balance_residual_kwh(run.flows, outlook.load_kwh, outlook.pv_kwh)
    unbalanced = np.abs(residual_kwh) > _SAME_KWH
    slots = changed | beyond | unbalanced
    return _Outcome(
        value_flows(problem, run.flows),
        find_breach(problem, run.flows),
        int(np.count_nonzero(slots)),
    )


# --- of a mode ------------------------------------------------------------------------------------

# A mode is offered while the lower end of the gain's interval lies above this, in points of the
# oracle's savings.
MARGIN_POINTS = -1.0
# Losses in standard deviations: of one week's sum, and of the sum of three lost weeks in a row. On
# heavy-tailed series an agent ahead by a tenth of a day's deviation is withdrawn in about one year
# of six, one that loses seven tenths within weeks.
WEEK_DEVIATIONS = 4.5
THREE_WEEKS_DEVIATIONS = 3.0
STREAK_WEEKS = 3
# Largest share of slots corrected by the safety layer: of those planned in the last week, and of
# those of all days of evidence.
MOST_CORRECTED = 0.02
_LITTLE_MONEY = 1e-6  # less is rounding


@dataclass(frozen=True, slots=True)
class DailyGain:
    """A day's gain of the agent over the planner, with the change in stored energy.

    ``possible`` is the oracle's gain over no control, ``corrected`` the number of slots in which
    the safety layer changed the agent's set-point.
    """

    day: date
    gain: float
    possible: float
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class DaysOfEvidence:
    """Replayed days and days in shadow, each in order.

    Of the ``slots`` planned in the last week ``corrected`` were changed by the safety layer or a
    limit.
    """

    replay: Sequence[DailyGain]
    shadow: Sequence[DailyGain]
    slots: int = 0
    corrected: int = 0

    @property
    def both(self) -> list[DailyGain]:
        """All days in order; a day in shadow replaces its replay."""
        days = {gain.day: gain for gain in (*self.replay, *self.shadow)}
        return [days[day] for day in sorted(days)]

    def after(self, day: date) -> "DaysOfEvidence":
        """Return the evidence with the days in shadow after ``day`` alone."""
        return replace(self, shadow=[gain for gain in self.shadow if gain.day > day])


def weigh_days(
    kind: Literal["replay", "shadow", "both"],
    days: Sequence[DailyGain],
    *,
    rng: np.random.Generator,
) -> GateEvidence:
    """Return the gain of days, with its 95 % interval by a block bootstrap.

    It is also in percent of the oracle's gain if that is positive.
    """
    needed = {"replay": REPLAY_DAYS, "shadow": SHADOW_DAYS, "both": REPLAY_DAYS + SHADOW_DAYS}[kind]
    gains = np.array([day.gain for day in days])
    possible = sum(day.possible for day in days)
    evidence = GateEvidence(
        kind=kind,
        days=len(days),
        needed=needed,
        gain=float(gains.sum()),
        violations=sum(day.corrected for day in days),
    )
    if possible <= _LITTLE_MONEY:
        return evidence
    low, high = bound_sum(gains, rng=rng)
    percent = {
        "points": 100.0 * float(gains.sum()) / possible,
        "low": 100.0 * low / possible,
        "high": 100.0 * high / possible,
    }
    return evidence.model_copy(update=percent)


def has_losing_streak(shadow: Sequence[float], reference: Sequence[float]) -> bool:
    """Return whether the agent has lately lost more against the planner than chance explains.

    Args:
        shadow: gain on each day in shadow, in order.
        reference: gain on each day that the mode was offered for; the standard deviation of its
            weekly sums is the unit of loss.

    Source: docs/decisions/0047; rates of false alarm are those of
        ``tests/unit/agent/test_losing_streak.py``.
    """
    if len(reference) < BLOCK_DAYS or len(shadow) < BLOCK_DAYS:
        return False
    deviation = float(np.convolve(reference, np.ones(BLOCK_DAYS), mode="valid").std())
    if sum(shadow[-BLOCK_DAYS:]) < -WEEK_DEVIATIONS * deviation - _LITTLE_MONEY:
        return True
    if len(shadow) < STREAK_WEEKS * BLOCK_DAYS:
        return False
    last_days = np.array(shadow[-STREAK_WEEKS * BLOCK_DAYS :])
    weeks = last_days.reshape(STREAK_WEEKS, BLOCK_DAYS).sum(axis=1)
    limit = -THREE_WEEKS_DEVIATIONS * deviation * math.sqrt(STREAK_WEEKS) - _LITTLE_MONEY
    return bool((weeks < 0).all() and weeks.sum() < limit)


@dataclass(frozen=True, slots=True)
class ModeHistory:
    """The last decision about each mode of a policy, and the last that withdrew or restored it.

    ``zone`` is the site's: evidence counts its local days.
    """

    policy: str
    last_decisions: LastDecisions
    last_changes: LastDecisions
    zone: ZoneInfo


def judge_modes(
    evidence: Mapping[ControlMode, DaysOfEvidence],
    history: ModeHistory,
    *,
    now: datetime,
    rng: np.random.Generator,
) -> list[GateEntry]:
    """Return a decision for each mode in ``evidence`` that no person withdrew.

    Only a person restores a mode that a person withdrew.

    Args:
        evidence: by mode, days on which the agent's plan was followed as far as the mode allows.
        history: the decisions so far.
        now: instant of the decisions.
        rng: draws the bootstrap's blocks of days.

    Invariants: without enough days of both kinds no mode is offered; a withdrawn mode is restored
        by days after its withdrawal alone.
    """
    entries = []
    for mode, days in evidence.items():
        last = history.last_decisions.get(mode)
        is_withdrawn = last is not None and last.state == "withdrawn"
        if last is not None and is_withdrawn and last.decided_by != GATEKEEPER:
            continue
        entries.append(_judge(mode, days, history, now=now, rng=rng))
    return entries


def _judge(
    mode: ControlMode,
    days: DaysOfEvidence,
    history: ModeHistory,
    *,
    now: datetime,
    rng: np.random.Generator,
) -> GateEntry:
    last = history.last_decisions.get(mode)
    change = history.last_changes.get(mode)
    state = last.state if last is not None else "not_ready"
    recent = days
    if change is not None:
        recent = days.after(change.at.astimezone(history.zone).date())
    entry = GateEntry(
        at=now,
        kind="judged",
        policy=history.policy,
        mode=mode,
        state=state,
        reason="",
        decided_by=GATEKEEPER,
    )
    changes: dict[str, Any]
    if state == "withdrawn":
        shadow = weigh_days("shadow", recent.shadow, rng=rng)
        is_enough = shadow.days >= shadow.needed
        is_near = shadow.low is not None and shadow.low > MARGIN_POINTS
        if is_enough and is_near and not _exceeds_corrections(recent, recent.shadow):
            changes = {"kind": "restored", "state": "offered", "reason": "new_evidence"}
        else:
            changes = {"reason": last.reason if last else "not_judged"}
        return entry.model_copy(update=changes | {"evidence": [shadow]})
    evidence = [
        weigh_days("replay", days.replay, rng=rng),
        weigh_days("shadow", days.shadow, rng=rng),
        weigh_days("both", days.both, rng=rng),
    ]
    streak = has_losing_streak(
        [day.gain for day in recent.shadow], [day.gain for day in days.replay]
    )
    # After a restoration only the days in shadow since count: corrections from before caused the
    # withdrawal.
    corrected = _exceeds_corrections(days, days.both if change is None else recent.shadow)
    if streak or corrected:
        changes = {"reason": "losing_streak" if streak else "interventions"}
        if state == "offered":
            changes |= {"state": "withdrawn", "kind": "withdrawn"}
        else:
            changes |= {"state": "not_ready"}
    else:
        reason, better = _compare_costs(evidence)
        is_offered = reason in ("no_dearer", "cheaper")
        changes = {"reason": reason, "better": better}
        changes |= {"state": "offered" if is_offered else "not_ready"}
    return entry.model_copy(update=changes | {"evidence": evidence})


def _exceeds_corrections(evidence: DaysOfEvidence, days: Sequence[DailyGain]) -> bool:
    """Return whether too many slots were corrected: of the last week's plans, or on ``days``."""
    on_days = sum(day.corrected for day in days)
    if evidence.corrected > MOST_CORRECTED * evidence.slots:
        return True
    return on_days > MOST_CORRECTED * SLOTS_PER_DAY * len(days)


def _compare_costs(evidence: Sequence[GateEvidence]) -> tuple[str, bool]:
    """Return the evidence's reason code, and whether the agent is significantly cheaper."""
    replay, shadow, both = evidence
    if replay.days < replay.needed:
        return "replay_days", False
    if shadow.days < shadow.needed:
        return "shadow_days", False
    if both.low is None or both.low <= MARGIN_POINTS:
        return "behind", False
    return ("cheaper", True) if both.low > 0 else ("no_dearer", False)
