"""Evidence for an answer: the retrieved passages as quotable sentences, and the support of a
generated sentence by them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from luna.contracts.search import Passage
from luna.energy.errors import UnavailableError
from luna.energy.timeline import FloatArray
from services.rag.answering.facts import StatedFacts, facts_of
from services.rag.answering.matching import ContentWords, content_words, stems_of
from services.rag.answering.plain_text import gives_orders, to_plain_text, urls_of
from services.rag.answering.sentences import detect_language, split_paragraphs
from services.rag.embedding import Embedder
from services.rag.retrieval.english import text_to_embed

# Least support: share of a sentence's words in its sources, or weighted cosine to a source's
# sentence. On pairs of sentences true paraphrases reach 0.55 and more, unrelated sentences at most
# 0.4.
LEAST_SUPPORT = 0.5
# Words from several sentences of a source, and a cosine, are weaker evidence than words of one
# sentence.
SPREAD_WEIGHT = 0.9
COSINE_WEIGHT = 0.8
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without|n't|nicht|kein\w*|nie|niemals|"
    r"weder|ohne)\b|n't\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class EvidenceSource:
    """A passage with its quotable sentences: without markup, without instructions to a model.

    Attributes:
        terms: stemmed words of title, headings and text.
    """

    passage: Passage
    sentences: tuple[str, ...]
    sentence_terms: tuple[frozenset[str], ...]
    head_terms: frozenset[str]
    terms: frozenset[str]

    @cached_property
    def text(self) -> str:
        """All quotable text."""
        return "\n".join(self.sentences)

    @cached_property
    def windows(self) -> tuple[frozenset[str], ...]:
        """The stems of each sentence with those of its neighbours, title and headings: words
        further apart do not answer together.
        """
        terms = self.sentence_terms
        return tuple(
            self.head_terms.union(*terms[max(0, place - 1) : place + 2])
            for place in range(len(terms))
        )

    @cached_property
    def facts(self) -> StatedFacts:
        """Quantities, dates, names and addresses of its text."""
        heads = " ".join((self.passage.title, *self.passage.headings))
        return facts_of(f"{heads}\n{self.text}", proper_names=False)

    @cached_property
    def lower(self) -> str:
        """Title, headings and text in lower case."""
        return " ".join((self.passage.title, *self.passage.headings, self.text)).lower()


@dataclass
class AnswerEvidence:
    """The passages of one question, the best first, compared with text by words and, with an
    embedding model, by cosine.
    """

    sources: tuple[EvidenceSource, ...]
    embedder: Embedder | None = None
    _vectors: dict[tuple[int, str], NDArray[np.float32]] = field(default_factory=dict)

    def support(self, sentence: str, numbers: Sequence[int]) -> float:
        """Return the support of a sentence by the sources of these numbers (from 1): 0 to 1.

        Zero where a number, unit, date, name or address is in none of them, or where the sentence
        negates the quote and does not repeat it word for word.
        """
        cited = [
            self.sources[number - 1]
            for number in dict.fromkeys(numbers)
            if 1 <= number <= len(self.sources)
        ]
        if not cited:
            return 0.0
        language = detect_language(sentence)
        facts = facts_of(sentence, proper_names=language == "en")
        together = StatedFacts(
            frozenset().union(*(source.facts.quantities for source in cited)),
            frozenset().union(*(source.facts.dates for source in cited)),
            frozenset(),
            frozenset().union(*(urls_of(source.text) for source in cited)),
        )
        if not facts.carried_by(together, " ".join(source.lower for source in cited)):
            return 0.0
        score, quote = max(
            (self._match(sentence, content_words(sentence), source) for source in cited),
            key=lambda match: match[0],
        )
        return (
            0.0
            if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(quote)) and score < 1
            else score
        )

    def quote(self, sentence: str, number: int) -> str:
        """Return the sentence of a source that supports a sentence best."""
        return self._match(sentence, content_words(sentence), self.sources[number - 1])[1]

    def similarities(self, text: str, number: int) -> FloatArray:
        """Return the cosine of a question and each sentence of a source.

        Zero without an embedding model.
        """
        return self._cosines(text, self.sources[number - 1], role="query")

    def _match(self, sentence: str, own: ContentWords, source: EvidenceSource) -> tuple[float, str]:
        """Return the support of a sentence by a source, and the source's best sentence."""
        if not source.sentences:
            return 0.0, ""
        shares = [own.share_in(terms) for terms in source.sentence_terms]
        cosines = self._cosines(sentence, source, role="passage") * COSINE_WEIGHT
        scores = [max(share, float(cosine)) for share, cosine in zip(shares, cosines, strict=True)]
        best = int(np.argmax(scores))
        # A sentence may combine two of the source.
        return max(
            scores[best], own.share_in(frozenset().union(*source.sentence_terms)) * SPREAD_WEIGHT
        ), source.sentences[best]

    def _cosines(
        self, text: str, source: EvidenceSource, *, role: Literal["query", "passage"]
    ) -> FloatArray:
        """Return the cosine of a text and each sentence of a source.

        Zero without an embedding model, or once it is away.
        """
        if self.embedder is None or not source.sentences:
            return np.zeros(len(source.sentences))
        key = (source.passage.chunk_id, role)
        # A question is compared across languages, a statement in its own.
        english = role == "query" and self.embedder.speaks_one_language
        try:
            if key not in self._vectors:
                texts = [
                    text_to_embed(sentence, source.passage.language, speaks_english_alone=english)
                    for sentence in source.sentences
                ]
                self._vectors[key] = self.embedder.embed(texts, role="passage")
            query_text = text_to_embed(text, detect_language(text), speaks_english_alone=english)
            cosines = self._vectors[key] @ self.embedder.embed([query_text], role=role)[0]
            return np.asarray(np.maximum(0.0, cosines), dtype=float)
        except UnavailableError:
            self.embedder = None
            return np.zeros(len(source.sentences))


def gather_evidence(passages: Sequence[Passage], embedder: Embedder | None) -> AnswerEvidence:
    """Return the evidence of passages, in their order."""
    sources = []
    for passage in passages:
        # Prompt injection: one instruction to a model discards its whole paragraph.
        sentences = [
            sentence
            for paragraph in split_paragraphs(passage.text)
            if not any(map(gives_orders, paragraph))
            for sentence in paragraph
        ]
        # URLs in a sentence's text are kept, those of pictures are not.
        addresses = [
            urls_of(re.sub(r"!\[[^\]]*\]\s*\([^)]*\)", " ", sentence)) for sentence in sentences
        ]
        plain = tuple(
            text
            for text in (
                to_plain_text(sentence, allowed_urls=urls)
                for sentence, urls in zip(sentences, addresses, strict=True)
            )
            if text
        )
        by_sentence = tuple(map(stems_of, plain))
        heads = stems_of(" ".join((passage.title, *passage.headings)))
        sources.append(
            EvidenceSource(passage, plain, by_sentence, heads, heads.union(*by_sentence))
        )
    return AnswerEvidence(tuple(sources), embedder)
