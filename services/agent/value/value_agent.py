"""The kind ``value``, Antares v1: learns the value of stored energy, and loads its policy.

It learns hindsight's V′ at the states that the policy itself reaches, and keeps that only if it
pays.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from luna.energy.bootstrap import bound_sum
from luna.energy.site import Site
from luna.energy.timeline import SLOTS_PER_HOUR, FloatArray, local_midnight
from services.agent.artefacts import Artefact
from services.agent.declaration import KindDeclaration, Lesson, TrainedParts
from services.agent.training_history import History
from services.agent.value.correction import (
    FEATURES,
    STRENGTH,
    ValueCorrection,
    describe_plan,
    price_scale,
    read_value,
)
from services.agent.value.policy import ValuePolicy
from services.forecaster.model.aurora import Progress
from services.planner.dp.plan import Plan
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem
from services.planner.replay import ReplayData, ReplaySpec, Rules, run
from services.planner.replay.policy_factory import plan_with_hindsight

# Share of the days, the last ones, on which the correction must prove that it pays.
PROOF_SHARE = 0.3
# Three weeks of hours; fewer rows show nothing but chance.
LEAST_ROWS = 500
# Labels are cut at so many mean prices ahead: larger ones are the prices of binding limits.
_MOST_LABEL = 1.5
NAME = "antares"


@dataclass(frozen=True, slots=True)
class ValueRows:
    """Features of decisions, ``(rows, features)``, and the errors of their V′, ``(rows,)``.

    An error is hindsight's V′ less the policy's, in mean prices ahead.
    """

    features: FloatArray
    label: FloatArray


@dataclass(frozen=True, slots=True)
class HourlyDecision:
    """A plan's features, mean price ahead, and steps of V′ at the end of its first hour.

    It is small, because thousands are kept at once.
    """

    features: FloatArray
    scale: float
    steps: tuple[FloatArray, FloatArray]


@dataclass
class DecisionRecorder:
    """Plans as a policy does, and records each plan's features by its instant."""

    policy: ValuePolicy
    decisions: dict[datetime, HourlyDecision] = field(default_factory=dict)
    stored_kwh: dict[datetime, float] = field(default_factory=dict)

    def plan(self, problem: Problem, prices: SitePrices) -> Plan:
        """Return the policy's plan."""
        plan = self.policy.plan(problem, prices)
        start = problem.outlook.timeline.start
        features = describe_plan(plan, prices)
        lowest_kwh = problem.limits.batteries.min_kwh[0, 0]
        self.stored_kwh[start] = float(problem.stored_kwh[0] - lowest_kwh)
        if features is not None and plan.value is not None:
            length, value = plan.value.function.after(SLOTS_PER_HOUR - 1)
            steps = (length.copy(), value.copy())
            self.decisions[start] = HourlyDecision(features, price_scale(plan), steps)
        return plan


def collect_rows(
    scenes: Sequence[ReplayData], policy: ValuePolicy, *, progress: Progress
) -> ValueRows:
    """Return a row per replayed hour of the policy, labelled by the optimum in hindsight."""
    parts = []
    before = 0
    total = sum(scene.timeline.count for scene in scenes)
    for scene in scenes:
        recorder = DecisionRecorder(policy)

        def tell(count: int, _: int, day: str, before: int = before) -> None:
            progress(before + count, total, f"antares: what stored energy was worth, {day}")

        run(scene, ReplaySpec([NAME], SLOTS_PER_HOUR, agents={NAME: recorder.plan}), progress=tell)
        parts.append(_label(scene, recorder))
        before += scene.timeline.count
    return _join(parts)


def _join(parts: Sequence[ValueRows]) -> ValueRows:
    filled = [part for part in parts if part.label.size]
    if not filled:
        return ValueRows(np.empty((0, 0)), np.empty(0))
    features = np.concatenate([part.features for part in filled])
    label = np.concatenate([part.label for part in filled])
    return ValueRows(features, label)


def _label(scene: ReplayData, recorder: DecisionRecorder) -> ValueRows:
    """Return a scene's rows: the oracle's V′ an hour after each decision, less the policy's."""
    oracle = plan_with_hindsight(scene, Rules.of(scene)).value
    hour = SLOTS_PER_HOUR * scene.timeline.step
    starts = [start for start in recorder.decisions if start + hour in recorder.stored_kwh]
    if oracle is None or not starts:
        return ValueRows(np.empty((0, 0)), np.empty(0))
    slots = np.array([scene.timeline.index_of(start) + SLOTS_PER_HOUR - 1 for start in starts])
    reached = np.array([recorder.stored_kwh[start + hour] for start in starts])
    stored = np.zeros(scene.timeline.count)
    stored[slots] = reached
    hindsight = np.mean([side[slots] for side in oracle.function.marginal(stored)], axis=0)
    decisions = [recorder.decisions[start] for start in starts]
    expected = np.empty(len(decisions))
    for place, decision in enumerate(decisions):
        expected[place] = read_value(decision.steps, float(reached[place]))
    scale = np.array([decision.scale for decision in decisions])
    label = np.clip((hindsight - expected) / scale, -_MOST_LABEL, _MOST_LABEL)
    features = np.array([decision.features for decision in decisions])
    # The value of a forbidden state teaches nothing.
    most_value = FORBIDDEN_VALUE / 4
    allowed = (np.abs(hindsight) < most_value) & (np.abs(expected) < most_value)
    return ValueRows(features[allowed], label[allowed])


@dataclass(frozen=True, slots=True)
class Proof:
    """The gain of a correction on unseen days, in points of the oracle's savings.

    ``low`` and ``high`` are its 95 % interval.
    """

    days: int
    points: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        return self.low > 0


def prove(
    scenes: Sequence[ReplayData],
    policy: ValuePolicy,
    corrected: ValuePolicy,
    *,
    seed: int,
    progress: Progress,
) -> tuple[Proof, ValueRows]:
    """Return the gain of the corrected policy over the other, and the rows of its days."""
    gains = []
    possible = 0.0
    parts = []
    for place, scene in enumerate(scenes):
        recorder = DecisionRecorder(policy)
        agents = {"plain": recorder.plan, "corrected": corrected.plan}

        def tell(count: int, of: int, day: str, place: int = place) -> None:
            progress(
                place * of + count, len(scenes) * of, f"antares: whether its correction pays, {day}"
            )

        spec = ReplaySpec([*agents, "idle", "oracle"], SLOTS_PER_HOUR, agents=agents)
        reply = run(scene, spec, progress=tell).reply
        parts.append(_label(scene, recorder))
        costs = {}
        for name, replayed in reply.policies.items():
            costs[name] = np.array([day.cost - day.stored_gain for day in replayed.days])
        gains.append(costs["plain"] - costs["corrected"])
        possible += float((costs["idle"] - costs["oracle"]).sum())
    daily = np.concatenate(gains)
    points = daily * 100.0 / possible if possible > 0 else np.zeros_like(daily)
    low, high = bound_sum(points, rng=np.random.default_rng(seed))
    return Proof(daily.size, float(points.sum()), low, high), _join(parts)


def learn_correction(
    history: History, policy: ValuePolicy, *, seed: int, progress: Progress
) -> tuple[ValueCorrection | None, dict[str, float]]:
    """Return the correction if it passes its proof, else None; and the figures of the training."""
    days = history.days
    window = history.scene.timeline
    begin = local_midnight(days[int(len(days) * (1.0 - PROOF_SHARE))], history.scene.zone)
    early = history.within(window.start, begin)
    late = history.within(begin, window.end)

    # Each late day is replayed twice, so both halves take about as long.
    def tell_first_half(count: int, of: int, label: str) -> None:
        progress(count, 2 * of, label)

    def tell_second_half(count: int, of: int, label: str) -> None:
        progress(of + count, 2 * of, label)

    rows = collect_rows(list(early.runs()), policy, progress=tell_first_half)
    metrics = {"rows": float(rows.label.size)}
    if rows.label.size < LEAST_ROWS:
        return None, metrics | {"correction": 0.0}
    first_correction = ValueCorrection.fit(rows.features, rows.label, seed=seed)
    corrected = ValuePolicy(policy.foresees_prices, first_correction)
    proof, more = prove(list(late.runs()), policy, corrected, seed=seed, progress=tell_second_half)
    metrics |= {
        "proof.days": float(proof.days),
        "proof.points": proof.points,
        "proof.low": proof.low,
        "proof.high": proof.high,
    }
    if not proof.holds:
        return None, metrics | {"correction": 0.0}
    all_rows = _join([rows, more])
    correction = ValueCorrection.fit(all_rows.features, all_rows.label, seed=seed)
    return correction, metrics | {"correction": 1.0}


# Raised whenever what a correction reads changes.
STATE_VERSION = "value_v1"
SETTINGS = "settings.json"
CORRECTION = "correction.txt"


def load_value(artefact: Artefact, site: Site) -> ValuePolicy:
    """Return the policy of an artefact."""
    del site
    settings: dict[str, Any] = json.loads(artefact.text(SETTINGS))
    correction = None
    if CORRECTION in artefact.parts:
        correction = ValueCorrection(artefact.text(CORRECTION), float(settings["strength"]))
    return ValuePolicy(bool(settings["foresees_prices"]), correction)


def train_value(lesson: Lesson) -> TrainedParts:
    """Learn the correction of the mean over scenarios; scenarios and prices need no training."""
    policy = ValuePolicy()
    correction, metrics = learn_correction(
        lesson.history, policy, seed=lesson.seed, progress=lesson.progress
    )
    settings = {
        "foresees_prices": policy.foresees_prices,
        "strength": STRENGTH,
        "features": list(FEATURES),
    }
    parts = {SETTINGS: json.dumps(settings).encode()}
    if correction is not None:
        parts[CORRECTION] = correction.text.encode()
    return TrainedParts(parts, settings, metrics)


VALUE = KindDeclaration("value", STATE_VERSION, train_value, load_value)
