"""The kind ``value``, Antares v1: it learns what a stored kWh turns out to be worth, and an
artefact becomes its policy.

What is learned: hindsight's V′ at the states that the policy itself reaches, and whether knowing it
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
from luna.energy.timeline import FloatArray, local_midnight
from services.agent.artefacts import Artefact
from services.agent.declaration import KindDeclaration, Lesson, TrainedParts
from services.agent.history import History
from services.agent.value.correction import (
    FEATURES,
    HOUR_SLOTS,
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

# Of the days that are learned from, the last part says whether the correction pays; the last days
# of a history are held back from all of it.
PROOF_SHARE = 0.3
# With fewer rows to learn from there is nothing to tell from chance: three weeks of hours.
LEAST_ROWS = 500
# A label further off than so many mean prices ahead is a limit's price, or that of a slot that
# happened to bind.
_MOST_LABEL = 1.5
NAME = "antares"


@dataclass(frozen=True, slots=True)
class ValueRows:
    """Features of decisions, ``(rows, features)``, and the error of V′ in hindsight, in mean prices
    ahead, ``(rows,)``.
    """

    features: FloatArray
    label: FloatArray


@dataclass(frozen=True, slots=True)
class HourlyDecision:
    """The record of a plan, of thousands at once: its features, the mean price ahead, and the steps
    of V′ at the end of its first hour.
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
        self.stored_kwh[start] = float(
            problem.stored_kwh[0] - problem.limits.batteries.min_kwh[0, 0]
        )
        if features is not None and plan.value is not None:
            length, value = plan.value.function.after(HOUR_SLOTS - 1)
            self.decisions[start] = HourlyDecision(
                features, price_scale(plan), (length.copy(), value.copy())
            )
        return plan


def collect_rows(
    scenes: Sequence[ReplayData], policy: ValuePolicy, *, progress: Progress
) -> ValueRows:
    """Return a row for each hour whose end is known: replays of the policy beside the optimum in
    hindsight.
    """
    parts = []
    before = 0
    total = sum(scene.timeline.count for scene in scenes)
    for scene in scenes:
        recorder = DecisionRecorder(policy)

        def tell(count: int, _: int, day: str, before: int = before) -> None:
            progress(before + count, total, f"antares: what stored energy was worth, {day}")

        run(scene, ReplaySpec([NAME], HOUR_SLOTS, learned={NAME: recorder.plan}), progress=tell)
        parts.append(_label(scene, recorder))
        before += scene.timeline.count
    return _join(parts)


def _join(parts: Sequence[ValueRows]) -> ValueRows:
    filled = [part for part in parts if part.label.size]
    if not filled:
        return ValueRows(np.empty((0, 0)), np.empty(0))
    return ValueRows(
        np.concatenate([part.features for part in filled]),
        np.concatenate([part.label for part in filled]),
    )


def _label(scene: ReplayData, recorder: DecisionRecorder) -> ValueRows:
    """Return the rows of a scene: V′ of the oracle at the state reached an hour later, less the
    policy's.
    """
    oracle = plan_with_hindsight(scene, Rules.of(scene)).value
    step = scene.timeline.step
    ends = [
        start for start in recorder.decisions if start + HOUR_SLOTS * step in recorder.stored_kwh
    ]
    if oracle is None or not ends:
        return ValueRows(np.empty((0, 0)), np.empty(0))
    stored = np.zeros(scene.timeline.count)
    slots = np.array([scene.timeline.index_of(start) + HOUR_SLOTS - 1 for start in ends])
    stored[slots] = [recorder.stored_kwh[start + HOUR_SLOTS * step] for start in ends]
    hindsight = np.mean([side[slots] for side in oracle.function.marginal(stored)], axis=0)
    decisions = [recorder.decisions[start] for start in ends]
    scale = np.array([decision.scale for decision in decisions])
    expected = [
        read_value(decision.steps, float(stored[slot]))
        for decision, slot in zip(decisions, slots, strict=True)
    ]
    label = (hindsight - np.array(expected)) / scale
    tells = (np.abs(hindsight) < FORBIDDEN_VALUE / 4) & (
        np.abs(np.array(expected)) < FORBIDDEN_VALUE / 4
    )
    return ValueRows(
        np.array([decision.features for decision in decisions])[tells],
        np.clip(label, -_MOST_LABEL, _MOST_LABEL)[tells],
    )


@dataclass(frozen=True, slots=True)
class Proof:
    """The gain of a correction on unseen days, in points of the oracle's savings, with the 95 %
    interval.
    """

    days: int
    points: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether it surely gained."""
        return self.low > 0


def prove(
    scenes: Sequence[ReplayData],
    policy: ValuePolicy,
    corrected: ValuePolicy,
    *,
    seed: int,
    progress: Progress,
) -> tuple[Proof, ValueRows]:
    """Return what the corrected policy gains over the other, and the rows of the days on which that
    was seen.
    """
    gains = []
    possible = 0.0
    parts = []
    for place, scene in enumerate(scenes):
        recorder = DecisionRecorder(policy)
        learned = {"plain": recorder.plan, "corrected": corrected.plan}

        def tell(count: int, of: int, day: str, place: int = place) -> None:
            progress(
                place * of + count, len(scenes) * of, f"antares: whether its correction pays, {day}"
            )

        reply = run(
            scene,
            ReplaySpec([*learned, "idle", "oracle"], HOUR_SLOTS, learned=learned),
            progress=tell,
        ).reply
        parts.append(_label(scene, recorder))
        costs = {
            name: np.array([day.cost - day.stored_gain for day in each.days])
            for name, each in reply.policies.items()
        }
        gains.append(costs["plain"] - costs["corrected"])
        possible += float((costs["idle"] - costs["oracle"]).sum())
    daily = np.concatenate(gains)
    points = daily * 100.0 / possible if possible > 0 else np.zeros_like(daily)
    low, high = bound_sum(points, rng=np.random.default_rng(seed))
    return Proof(daily.size, float(points.sum()), low, high), _join(parts)


def learn_correction(
    history: History, policy: ValuePolicy, *, seed: int, progress: Progress
) -> tuple[ValueCorrection | None, dict[str, float]]:
    """Return the correction if it surely gained on the last part of the days, learned from all of
    them; else None. And figures of either.
    """
    days = history.days
    window = history.scene.timeline
    begin = local_midnight(days[int(len(days) * (1.0 - PROOF_SHARE))], history.scene.zone)
    early = history.within(window.start, begin)
    late = history.within(begin, window.end)
    # Each late day is lived twice, so both halves take about as long.
    rows = collect_rows(
        list(early.runs()), policy, progress=lambda count, of, label: progress(count, 2 * of, label)
    )
    metrics = {"rows": float(rows.label.size)}
    if rows.label.size < LEAST_ROWS:
        return None, metrics | {"correction": 0.0}
    corrected = ValuePolicy(
        policy.foresees_prices, ValueCorrection.fit(rows.features, rows.label, seed=seed)
    )
    proof, more = prove(
        list(late.runs()),
        policy,
        corrected,
        seed=seed,
        progress=lambda count, of, label: progress(of + count, 2 * of, label),
    )
    metrics |= {
        "proof.days": float(proof.days),
        "proof.points": proof.points,
        "proof.low": proof.low,
        "proof.high": proof.high,
    }
    if not proof.holds:
        return None, metrics | {"correction": 0.0}
    all_rows = _join([rows, more])
    return ValueCorrection.fit(all_rows.features, all_rows.label, seed=seed), metrics | {
        "correction": 1.0
    }


# Raised whenever what a correction reads changes.
STATE_VERSION = "value_v1"
SETTINGS = "settings.json"
CORRECTION = "correction.txt"


def load_value(artefact: Artefact, site: Site) -> ValuePolicy:
    """Return the policy of an artefact."""
    del site
    settings: dict[str, Any] = json.loads(artefact.text(SETTINGS))
    correction = (
        ValueCorrection(artefact.text(CORRECTION), float(settings["strength"]))
        if CORRECTION in artefact.parts
        else None
    )
    return ValuePolicy(bool(settings["foresees_prices"]), correction)


def train_value(lesson: Lesson) -> TrainedParts:
    """Learn how far the mean over courses is off, and keep that only where it surely pays.

    Courses and prices need no training.
    """
    policy = ValuePolicy()
    correction, metrics = learn_correction(
        lesson.history, policy, seed=lesson.seed, progress=lesson.progress
    )
    settings = {
        "foresees_prices": policy.foresees_prices,
        "strength": STRENGTH,
        "features": list(FEATURES),
    }
    parts = {SETTINGS: json.dumps(settings).encode()} | (
        {} if correction is None else {CORRECTION: correction.text.encode()}
    )
    return TrainedParts(parts, settings, metrics)


VALUE = KindDeclaration("value", STATE_VERSION, train_value, load_value)
