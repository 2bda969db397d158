"""Passages by their words, in memory: what the index of the service does, exactly and without a server."""

from array import array
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


class WordIndex:
    """Collects weighted terms, then ranks. Twelve bytes per term of a passage while collecting, eight afterwards."""

    def __init__(self) -> None:
        self._terms, self._passages, self._weights = array("I"), array("I"), array("f")
        self._count = 0
        self._postings: dict[int, tuple[int, int]] = {}
        self._by_term: tuple[NDArray[np.uint32], NDArray[np.float32]] | None = None

    def add(self, weights: Mapping[int, float]) -> None:
        """Take in the next passage: term numbers with BM25 weights."""
        self._terms.extend(weights)
        self._passages.extend([self._count] * len(weights))
        self._weights.extend(weights.values())
        self._count += 1

    def rank(self, query: Mapping[int, float], depth: int) -> dict[int, float]:
        """Return the best passages with a term of the query, by their position, with their BM25 scores.

        Source: rarity ln(1 + (N − n + 0.5) / (n + 0.5)), Robertson and Zaragoza 2009, never below zero.
        """
        passages, weights = self._close()
        scores = np.zeros(self._count, dtype=np.float32)
        for term, query_weight in query.items():
            first, end = self._postings.get(term, (0, 0))
            rarity = np.log1p((self._count - (end - first) + 0.5) / (end - first + 0.5))
            scores[passages[first:end]] += query_weight * rarity * weights[first:end]
        return best_of(scores, depth)

    def _close(self) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        if self._by_term is None:
            terms = np.frombuffer(self._terms, dtype=np.uint32)
            order = np.argsort(terms, kind="stable")
            numbers, starts = np.unique(terms[order], return_index=True)
            ends = [*starts[1:].tolist(), len(order)]
            self._postings = dict(zip(numbers.tolist(), zip(starts.tolist(), ends, strict=True), strict=True))
            self._by_term = np.frombuffer(self._passages, dtype=np.uint32)[order], np.frombuffer(self._weights, dtype=np.float32)[order]
            self._terms, self._passages, self._weights = array("I"), array("I"), array("f")
        return self._by_term


def best_of(scores: NDArray[np.float32], depth: int) -> dict[int, float]:
    """Return the positions of the highest scores above zero, the best first; equal ones in their order."""
    some = np.argpartition(-scores, depth)[:depth] if scores.size > depth else np.arange(scores.size)
    ordered = some[np.lexsort((some, -scores[some]))]
    return {int(each): float(scores[each]) for each in ordered if scores[each] > 0}
