"""Whether words of one text stand in another: by their stems, and across German and English by the
glossary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

from services.rag.answering.sentences import STOPWORDS, words_of
from services.rag.retrieval.terms import terms_of, translate

LONGEST_PHRASE = 4
# A part of a compound is looked for in its whole, as Frist in Kündigungsfrist; shorter stems stand
# in too many words.
SHORTEST_PART = 5


@dataclass(frozen=True, slots=True)
class PhrasePattern:
    """Words in a row, and what the other language says instead: each a set of stems that have to be
    there together.
    """

    first: int
    end: int
    others: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class ContentWords:
    """The content words of a text, each by its possible stems, and the phrases among them that the
    glossary knows.
    """

    stems: tuple[frozenset[str], ...]
    phrases: tuple[PhrasePattern, ...]

    def share_in(self, terms: frozenset[str], weights: Sequence[float] = ()) -> float:
        """Return which share of the words is among ``terms``, 0 to 1; no words are in nothing.

        Args:
            weights: of each word; without them all count the same.
        """
        if not self.stems:
            return 0.0
        weighed = weights or [1.0] * len(self.stems)
        return sum(
            weight for weight, there in zip(weighed, self.matches_in(terms), strict=True) if there
        ) / sum(weighed)

    def matches_in(self, terms: frozenset[str]) -> list[bool]:
        """Return of each word whether it is among ``terms``, by itself or within a phrase that the
        other language says otherwise.
        """
        there = [
            bool(stems & terms)
            or any(
                part in term
                for part in stems
                if len(part) >= SHORTEST_PART
                for term in terms
                if len(term) > len(part)
            )
            for stems in self.stems
        ]
        for phrase in self.phrases:
            if any(other <= terms for other in phrase.others):
                there[phrase.first : phrase.end] = [True] * (phrase.end - phrase.first)
        return there

    def rarity_among(self, texts: Sequence[frozenset[str]]) -> list[float]:
        """Return how well each word discriminates texts: least where all contain it, most where
        none does.
        """
        matches = [self.matches_in(text) for text in texts]
        return (
            [
                log(1 + (len(texts) + 0.5) / (sum(column) + 0.5))
                for column in zip(*matches, strict=True)
            ]
            if matches
            else [1.0] * len(self.stems)
        )


def stems_of(text: str) -> frozenset[str]:
    """Return the stems of a text's words, each as German and as English."""
    return frozenset(terms_of(text, None))


@lru_cache(maxsize=2_000)
def content_words(text: str) -> ContentWords:
    """Return the content words of a text."""
    # Words that are joined stand apart in an index.
    parts = [
        part
        for word in words_of(text)
        for part in word.replace("'", "-").replace("’", "-").split("-")
    ]
    content = [
        part
        for part in parts
        if part.lower() not in STOPWORDS and (len(part) > 1 or part.isdigit())
    ]
    word_stems = [(word, stems) for word in content if (stems := stems_of(word))]
    words = [word for word, _ in word_stems]
    phrases: list[PhrasePattern] = []
    for length in range(1, LONGEST_PHRASE + 1):
        for first in range(len(words) - length + 1):
            # What shorter runs have is theirs.
            inner = {
                other
                for part in (words[first : first + length - 1], words[first + 1 : first + length])
                for other in translate(" ".join(part))
            }
            others = tuple(
                stems_of(other)
                for other in translate(" ".join(words[first : first + length]))
                if other not in inner
            )
            if others:
                phrases.append(
                    PhrasePattern(first, first + length, tuple(other for other in others if other))
                )
    return ContentWords(tuple(stems for _, stems in word_stems), tuple(phrases))
