"""Measures of a ranking against judged passages."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from luna.energy.errors import InvalidInputError

DEPTH = 10
# Relevance by passage, by question.
Judgements = Mapping[str, Mapping[str, int]]
# Passages, the best first, by question.
Run = Mapping[str, Sequence[str]]


def ndcg(ranked: Sequence[str], relevance: Mapping[str, int], *, depth: int = DEPTH) -> float:
    """Return the normalised discounted cumulative gain of a ranking, 0 to 1.

    The gain is linear, as trec_eval, pytrec_eval and BEIR count it: a passage of grade 2 is worth two of grade 1, not three. The ideal ranking holds every
    judged passage, also one that is not in the corpus; grades below zero count as zero.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002; discount log2(rank + 1).
    Invariants: 1 for an ideal ranking, 0 where nothing relevant is among the first ``depth``.
    """
    ideal = _gain(sorted((max(grade, 0) for grade in relevance.values()), reverse=True)[:depth])
    return _gain([max(relevance.get(key, 0), 0) for key in ranked[:depth]]) / ideal if ideal > 0 else 0.0


def recall(ranked: Sequence[str], relevance: Mapping[str, int], *, depth: int = DEPTH) -> float:
    """Return the share of the relevant passages (grade above zero) that are among the first ``depth``."""
    relevant = {key for key, grade in relevance.items() if grade > 0}
    return len(relevant.intersection(ranked[:depth])) / len(relevant) if relevant else 0.0


def mean_measures(run: Run, judged: Judgements, questions: Iterable[str]) -> tuple[float, float]:
    """Return nDCG@10 and recall@10, each the mean over questions.

    Raises:
        InvalidInputError: there is no question to take a mean of.
    """
    keys = list(questions)
    if not keys:
        raise InvalidInputError("no question has a relevant passage", field="qrels", remedy="Judge at least one passage of one question above zero.")
    gains = [ndcg(run[key], judged[key]) for key in keys]
    recalls = [recall(run[key], judged[key]) for key in keys]
    return float(np.mean(gains)), float(np.mean(recalls))


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
