"""Whether a new model takes the place of the one in use: both are judged on days that neither has learned from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from services.forecaster.versions.evaluation import Score

# A week holds every weekday once; of fewer than two days the weather decides.
LONGEST, SHORTEST = timedelta(days=7), timedelta(days=2)
# Two per cent of pinball loss are chance on a week of one household.
TOLERANCE = 1.02
TRIAL_EVERY = timedelta(hours=6)
NEW, IN_USE = "new", "in_use"

Scores = Mapping[str, Mapping[str, Score]]  # by version, then by series


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a new model is used, why, and the figures that say so, by ``trial.<series>.<who>.<what>``."""

    accepted: bool
    reason: str
    metrics: Mapping[str, float] = field(default_factory=dict)


def begin_trial(learned_until: datetime, until: datetime) -> datetime | None:
    """Return the first instant of the days on which both are judged, None where there are too few since the model in use was trained."""
    begin = max(learned_until, until - LONGEST)
    return begin if until - begin >= SHORTEST else None


def judge_trial(scores: Scores) -> Verdict:
    """Return the verdict on the version ``new`` beside ``in_use``: the pinball loss of load and PV together must not be worse; other versions are noted."""
    losses = {version: _sum_pinball(series) for version, series in scores.items()}
    metrics = {
        f"trial.{name.removesuffix('_kwh')}.{version}.{what}": value
        for version, series in scores.items()
        for name, score in series.items()
        for what in ("mae", "pinball", "coverage_80")
        if score.slots and np.isfinite(value := float(getattr(score, what)))
    }
    if losses[IN_USE] == 0:
        return Verdict(losses[NEW] == 0, "the model in use was right in every slot of the trial, or nothing was measured in it", metrics)
    ratio = losses[NEW] / losses[IN_USE]
    said = f"pinball loss in the trial is {ratio:.1%} of that of the model in use"
    return Verdict(ratio <= TOLERANCE, said if ratio <= TOLERANCE else f"{said}: more than {TOLERANCE:.0%}", metrics)


def _sum_pinball(series: Mapping[str, Score]) -> float:
    return float(sum(score.pinball for score in series.values() if score.slots))
