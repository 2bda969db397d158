"""Features of an item and its reader, the inputs of a policy."""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

import numpy as np

from luna.contracts.recommendations import ItemKind
from luna.energy.timeline import FloatArray
from luna.platform.database.recommendation_items import Candidate
from luna.platform.database.recommendations import Habits
from luna.words import Language

KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
NAMES = (
    "constant",
    *KINDS,
    "similarity",
    "named_similarity",
    "saving",
    "freshness",
    "passed_over",
    "kind_reward",
    "own_language",
)
DIMENSIONS = len(NAMES)
# Scales of the features: savings a year, age in days, times passed over.
_MUCH_SAVED = 1_000.0
_FRESH_DAYS = 30.0
_OFTEN = 10.0
# A reader of whom nothing is known finds half of it worth a look: one showing's worth of belief.
_USUAL_REWARD = 0.5


def describe_candidates(
    candidates: Sequence[Candidate],
    similarity: FloatArray,
    habits: Habits,
    *,
    named: bool,
    reader: tuple[Language, datetime],
) -> FloatArray:
    """Return the features of candidates for a reader, shape ``(candidates, DIMENSIONS)``.

    Args:
        candidates: the items.
        similarity: to what the reader is after, 0 to 1, shape ``(candidates,)``.
        habits: what the reader did so far.
        named: the reader named what they are after.
        reader: their language, and now.

    Invariants: every feature is finite, between 0 and 1; each row's length is at most 1.
    """
    language, now = reader
    rows = []
    for candidate, near in zip(candidates, similarity, strict=True):
        saving = max(candidate.saving or 0.0, 0.0)
        age_days = max((now - candidate.created_at).total_seconds(), 0.0) / 86_400
        passed_over = habits.passed_over.get(candidate.item_id, 0)
        earned = habits.earned.get(candidate.kind, 0.0)
        shown = habits.shown.get(candidate.kind, 0)
        # In the order of ``NAMES``.
        row = [
            1.0,
            *(float(candidate.kind == kind) for kind in KINDS),
            near,
            near * named,
            np.log1p(saving) / np.log1p(_MUCH_SAVED),
            np.exp(-age_days / _FRESH_DAYS),
            np.log1p(passed_over) / np.log1p(_OFTEN),
            (earned + _USUAL_REWARD) / (shown + 1.0),
            float(candidate.language in (None, language)),
        ]
        rows.append(row)
    features = np.nan_to_num(np.array(rows, dtype=float).reshape(-1, DIMENSIONS))
    return np.asarray(np.clip(features, 0.0, 1.0) / np.sqrt(DIMENSIONS))
