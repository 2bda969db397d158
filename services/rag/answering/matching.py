"""Matches the words of two texts: by stems, and across German and English by the glossary."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from services.rag.answering.sentences import STOPWORDS, words_of
from services.rag.retrieval.terms import terms_of, translate

LONGEST_PHRASE = 4
# "Frist" also matches its compound "Kündigungsfrist"; shorter stems occur in too many words.
SHORTEST_PART = 5


@dataclass(frozen=True, slots=True)
class PhrasePattern:
    """A run of words and its translations, each a set of stems that must occur together."""

    first: int
    end: int
    others: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class ContentWords:
    """The content words of a text, each by its possible stems, and its phrases in the glossary."""

    stems: tuple[frozenset[str], ...]
    phrases: tuple[PhrasePattern, ...]

    def share_in(self, terms: frozenset[str], weights: Sequence[float] = ()) -> float:
        """Return the share of the words that are among ``terms``, 0 to 1; without words 0.

        Args:
            weights: of each word; without them all count the same.
        """
        if not self.stems:
            return 0.0
        weighed = weights or [1.0] * len(self.stems)
        matches = self.matches_in(terms)
        matched = [weight for weight, is_in in zip(weighed, matches, strict=True) if is_in]
        return sum(matched) / sum(weighed)

    def matches_in(self, terms: frozenset[str]) -> list[bool]:
        """Return for each word whether it, or a translation of its phrase, is among ``terms``."""
        matches = [_matches_any(stems, terms) for stems in self.stems]
        for phrase in self.phrases:
            if any(other <= terms for other in phrase.others):
                matches[phrase.first : phrase.end] = [True] * (phrase.end - phrase.first)
        return matches

    def rarity_among(self, texts: Sequence[frozenset[str]]) -> list[float]:
        """Return each word's weight: high if few of the texts contain it, low if all do."""
        if not texts:
            return [1.0] * len(self.stems)
        matches = [self.matches_in(text) for text in texts]
        weights = []
        for column in zip(*matches, strict=True):
            odds = (len(texts) + 0.5) / (sum(column) + 0.5)
            weights.append(log(1 + odds))
        return weights


def _matches_any(stems: frozenset[str], terms: frozenset[str]) -> bool:
    if stems & terms:
        return True
    for part in stems:
        if len(part) < SHORTEST_PART:
            continue
        # Equal terms were compared above: a longer one may be a compound of the part.
        if any(part in term and len(term) > len(part) for term in terms):
            return True
    return False


def stems_of(text: str) -> frozenset[str]:
    """Return the stems of a text's words, each as German and as English."""
    return frozenset(terms_of(text, None))


@lru_cache(maxsize=2_000)
def content_words(text: str) -> ContentWords:
    """Return the content words of a text."""
    words = []
    word_stems = []
    for joined in words_of(text):
        # Joined words stand apart in an index.
        for word in joined.replace("'", "-").replace("’", "-").split("-"):
            is_content = word.lower() not in STOPWORDS and (len(word) > 1 or word.isdigit())
            stems = stems_of(word) if is_content else frozenset()
            if stems:
                words.append(word)
                word_stems.append(stems)
    phrases: list[PhrasePattern] = []
    for length in range(1, LONGEST_PHRASE + 1):
        for first in range(len(words) - length + 1):
            run = words[first : first + length]
            # Translations of shorter runs count for those.
            shorter = {*translate(" ".join(run[:-1])), *translate(" ".join(run[1:]))}
            translations = [other for other in translate(" ".join(run)) if other not in shorter]
            if translations:
                stem_sets = filter(None, map(stems_of, translations))
                phrases.append(PhrasePattern(first, first + length, tuple(stem_sets)))
    return ContentWords(tuple(word_stems), tuple(phrases))
