"""Two rankings become one: each counts by how clearly its best ones stand out.

Equal parts hurt where one side is weak. Which one that is differs from question to question: a question whose words are nowhere in the passages has a flat
list by words, one about things that the embedding never learnt has a flat list by vectors.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# How much vectors count beside words where both lists are equally clear. On Luna's own set 0.6 gains 0.004 of nDCG@10 and loses 0.04 of recall.
DENSE_SHARE = 0.5
# How many of a list say what its rest looks like.
DEPTH = 50
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage in the fused order: its score, 0 to 1, and what each side gave it, None where it was not among its nearest."""

    key: int
    score: float
    dense: float | None
    sparse: float | None


def fuse(dense: Mapping[int, float], sparse: Mapping[int, float]) -> list[Ranked]:
    """Return what either side found, the best first.

    Args:
        dense: cosine by passage, of the nearest ones.
        sparse: BM25 by passage, of the best ones.
    """
    share = weigh_dense(np.array(list(dense.values())), np.array(list(sparse.values())))
    scaled = (_scale(dense), _scale(sparse))
    scores = {key: share * scaled[0].get(key, 0.0) + (1 - share) * scaled[1].get(key, 0.0) for key in {**dense, **sparse}}
    ranked = [Ranked(key, score, dense.get(key), sparse.get(key)) for key, score in scores.items()]
    return sorted(ranked, key=lambda each: (-each.score, each.key))


def weigh_dense(dense: NDArray[np.float64], sparse: NDArray[np.float64]) -> float:
    """Return the share of the vectors, 0 to 1, from how clear both lists are."""
    own, other = DENSE_SHARE * _clarity(dense), (1 - DENSE_SHARE) * _clarity(sparse)
    return own / (own + other) if own + other > 0 else DENSE_SHARE


def _clarity(scores: NDArray[np.float64]) -> float:
    """Return how far the best stands above the rest, in spreads of the rest; 0 for a list that is empty."""
    if scores.size == 0:
        return 0.0
    ordered = np.sort(scores)[::-1][:DEPTH]
    rest = ordered[min(10, ordered.size - 1) :]
    return float((ordered[0] - rest.mean()) / max(float(ordered.std()), _LEAST_SPREAD))


def _scale(scores: Mapping[int, float]) -> dict[int, float]:
    """Return scores between 0, the last of a list, and 1, its best."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {key: (score - low) / (high - low) if high > low else 1.0 for key, score in scores.items()}
