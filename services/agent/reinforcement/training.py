"""Reinforcement learning of a site: on many homes that its history could have been of first, then on the site itself, judged on days held back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from luna.errors import InvalidInputError, MachineError
from luna.timeline import IndexArray
from services.agent.environment.actions import Action
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import V1_1, StateArray, StateLayout
from services.agent.environment.transition import EnvRule
from services.agent.environment.vector_env import VectorEnv
from services.agent.network import Float32Array, Network
from services.agent.reinforcement.randomisation import HomeDraw, draw_homes
from services.planner.replay.data import ReplayData

# Told steps done, steps in all, and what is being done.
Progress = Callable[[int, int, str], None]
Trained = tuple[dict[str, Float32Array], dict[str, Any], dict[str, Any]]
KIND = "rl"


@dataclass(frozen=True, slots=True)
class TrainingRule:
    """How a site's policy is trained.

    ``episode_days``: what a day leaves in the battery is worth what the next one makes of it, so an episode lasts several. ``own_share`` of all steps are the
    site's own. ``held_back`` of the days, the latest ones, judge and are not learned from.
    """

    layout: StateLayout = V1_1
    count: int = 128
    episode_days: int = 3
    own_share: float = 0.4
    held_back: float = 0.15
    homes: HomeDraw = HomeDraw()
    learning_rate: float = 1e-3
    own_learning_rate: float = 3e-4


@dataclass(frozen=True, slots=True)
class Course:
    """Of a training: how many steps, by which seed, from which network it begins, and where it keeps what it needs to go on."""

    steps: int = 2_000_000
    seed: int = 0
    start: Network | None = None
    folder: Path | None = None


def train_policy(scene: ReplayData, course: Course, *, until: datetime, rule: TrainingRule = TrainingRule(), progress: Progress | None = None) -> Trained:  # noqa: B008 - it is frozen
    """Return tensors, header and metrics of a policy that was learned from a scene.

    Args:
        scene: what happened, and what was known when.
        course: how long, and from where.
        until: nothing that happened from then on is learned from.
        rule: how.
        progress: told how far it is.

    Raises:
        InvalidInputError: too few days can be learned from.
        MachineError: PyTorch is not installed.
    """
    learned, judged = split_days(scene, until, rule)
    homes = draw_homes(learned, rule.homes, rng=np.random.default_rng([course.seed, 1]), days=rule.episode_days)
    own_steps = int(course.steps * rule.own_share)
    stages = [Stage("homes", homes, course.steps - own_steps, rule.learning_rate), Stage("own", _episodes(learned, rule), own_steps, rule.own_learning_rate)]
    network, found, done = course.start, [], 0
    for stage in stages:
        network = learn_stage(stage, replace(course, start=network), rule, progress=_count_from(progress, done, course.steps, stage.name))
        done += stage.steps
        found.append((network, judge(network, judged, rule)))
    best, verdict = min(found, key=lambda each: each[1]["cost_per_day"])
    header = {"kind": KIND, "state_version": rule.layout.version, "site": scene.site.name, **best.header}
    metrics = {"steps": course.steps, "stages": {stage.name: told for stage, (_, told) in zip(stages, found, strict=True)}, **verdict}
    return best.tensors, header, metrics
