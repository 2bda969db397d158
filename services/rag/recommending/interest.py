"""How near items are to what a reader is after: by vectors where there is an embedding model, by their words always."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from luna.energy.timeline import FloatArray
from luna.platform.database.recommendation_items import Candidate

# Two items are the same for a reader from here on: cosine of their vectors, or share of words that they have in common.
SAME_VECTOR, SAME_WORDS = 0.95, 0.8
# What was read consists of many words; the ones that most of it shares say what it is about.
_MOST_TERMS = 60


@dataclass(frozen=True, slots=True)
class Interest:
    """A reader's interest: stems of words, and a vector of unit length where there is a model. ``named``: stated by the reader in this request."""

    terms: frozenset[str] = frozenset()
    vector: FloatArray | None = None
    named: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the interest is known."""
        return bool(self.terms) or self.vector is not None


def learn_interest(read_terms: Iterable[frozenset[str]], vectors: Sequence[FloatArray], question_stems: Iterable[str]) -> Interest:
    """Return a reader's interest, from the items that they read and the stems of their questions."""
    counts = Counter(term for terms in read_terms for term in terms)
    counts.update(dict.fromkeys(question_stems, len(counts)))
    terms = frozenset(term for term, _ in counts.most_common(_MOST_TERMS))
    return Interest(terms, _mean_direction(vectors))


def rate_similarity(candidates: Sequence[Candidate], interest: Interest) -> FloatArray:
    """Return how near each candidate is to an interest, 0 to 1, shape ``(candidates,)``: the mean of words and vectors, words alone where a vector is missing.

    Words count by how rare they are among the candidates; of the rarer words of the shorter side, the share that the longer one has.
    """
    counts = Counter(term for each in candidates for term in each.terms)
    rarity = {term: math.log1p(len(candidates) / count) for term, count in counts.items()}
    own = sum(rarity.get(term, 0.0) for term in interest.terms)
    words = np.array([_overlap(each.terms, interest.terms, rarity=rarity, own=own) for each in candidates], dtype=float)
    if interest.vector is None:
        return words
    rows = [(place, each.vector) for place, each in enumerate(candidates) if each.vector is not None and each.vector.size == interest.vector.size]
    if rows:
        places = [place for place, _ in rows]
        words[places] = (words[places] + np.clip(np.array([vector for _, vector in rows]) @ interest.vector, 0.0, 1.0)) / 2
    return words


def find_same(candidates: Sequence[Candidate], chosen: int) -> list[int]:
    """Return the places of the candidates that a reader would take for the chosen one, itself among them."""
    return [place for place, each in enumerate(candidates) if place == chosen or _same(each, candidates[chosen])]


def _same(one: Candidate, other: Candidate) -> bool:
    if one.vector is not None and other.vector is not None and one.vector.size == other.vector.size and float(one.vector @ other.vector) > SAME_VECTOR:
        return True
    together = len(one.terms | other.terms)
    return together > 0 and len(one.terms & other.terms) / together > SAME_WORDS


def _overlap(terms: frozenset[str], interest: frozenset[str], *, rarity: dict[str, float], own: float) -> float:
    shared = terms & interest
    if not shared:
        return 0.0
    both = sum(rarity[term] for term in shared)
    return both / min(own, sum(rarity[term] for term in terms))


def _mean_direction(vectors: Sequence[FloatArray]) -> FloatArray | None:
    sizes = Counter(vector.size for vector in vectors)
    if not sizes:
        return None
    size = sizes.most_common(1)[0][0]
    mean = np.mean([vector for vector in vectors if vector.size == size], axis=0)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length) if length > 0 else None
