"""What a policy knows of an item and the reader it may be shown to."""

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
# Beyond these an item is as dear, as old, as often passed over as can be told.
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
    rows = [
        [
            1.0,
            *(float(each.kind == kind) for kind in KINDS),
            near,
            near * named,
            np.log1p(max(each.saving or 0.0, 0.0)) / np.log1p(_MUCH_SAVED),
            np.exp(-max((now - each.created_at).total_seconds(), 0.0) / 86_400 / _FRESH_DAYS),
            np.log1p(habits.passed_over.get(each.item_id, 0)) / np.log1p(_OFTEN),
            (habits.earned.get(each.kind, 0.0) + _USUAL_REWARD)
            / (habits.shown.get(each.kind, 0) + 1.0),
            float(each.language in (None, language)),
        ]
        for each, near in zip(candidates, similarity, strict=True)
    ]
    bounded = np.clip(np.nan_to_num(np.array(rows, dtype=float).reshape(-1, DIMENSIONS)), 0.0, 1.0)
    return np.asarray(bounded / np.sqrt(DIMENSIONS))
