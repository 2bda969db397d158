"""Evidence for an answer: quotable sentences of passages, and their support of other sentences."""

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
_PICTURE = re.compile(r"!\[[^\]]*\]\s*\([^)]*\)")
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
        return "\n".join(self.sentences)

    @cached_property
    def windows(self) -> tuple[frozenset[str], ...]:
        """The stems of each sentence with its neighbours, title and headings.

        Words further apart do not answer together.
        """
        windows = []
        for place in range(len(self.sentence_terms)):
            near = self.sentence_terms[max(0, place - 1) : place + 2]
            windows.append(self.head_terms.union(*near))
        return tuple(windows)

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
    """The passages of one question, the best first, compared with text by words and cosine."""

    sources: tuple[EvidenceSource, ...]
    embedder: Embedder | None = None
    _vectors: dict[tuple[int, str], NDArray[np.float32]] = field(default_factory=dict)

    def support(self, sentence: str, numbers: Sequence[int]) -> float:
        """Return the support of a sentence by the sources of these numbers (from 1), 0 to 1.

        Zero where a number, unit, date, name or address is in none of them, or where the sentence
        negates the quote and does not repeat it word for word.
        """
        all_numbers = range(1, len(self.sources) + 1)
        cited_numbers = [number for number in dict.fromkeys(numbers) if number in all_numbers]
        cited = [self.sources[number - 1] for number in cited_numbers]
        if not cited:
            return 0.0
        language = detect_language(sentence)
        facts = facts_of(sentence, proper_names=language != "de")
        source_text = " ".join(source.lower for source in cited)
        if not facts.carried_by(_merge_facts(cited), source_text):
            return 0.0
        words = content_words(sentence)
        matches = [self._match(sentence, words, source) for source in cited]
        scores = [score for score, _ in matches]
        score, quote = matches[scores.index(max(scores))]
        is_negated = bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(quote))
        return 0.0 if is_negated and score < 1 else score

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
        all_terms = frozenset().union(*source.sentence_terms)
        combined = own.share_in(all_terms) * SPREAD_WEIGHT
        return max(scores[best], combined), source.sentences[best]

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
        sentences = tuple(_list_quotable(passage.text))
        by_sentence = tuple(map(stems_of, sentences))
        heads = stems_of(" ".join((passage.title, *passage.headings)))
        terms = heads.union(*by_sentence)
        sources.append(EvidenceSource(passage, sentences, by_sentence, heads, terms))
    return AnswerEvidence(tuple(sources), embedder)


def _list_quotable(text: str) -> list[str]:
    """Return the plain sentences of a passage that instruct no model."""
    quotable = []
    for paragraph in split_paragraphs(text):
        # Prompt injection: one instruction to a model discards its whole paragraph.
        if any(map(gives_orders, paragraph)):
            continue
        for sentence in paragraph:
            # URLs in a sentence's text are kept, those of pictures are not.
            without_pictures = _PICTURE.sub(" ", sentence)
            plain = to_plain_text(sentence, allowed_urls=urls_of(without_pictures))
            if plain:
                quotable.append(plain)
    return quotable


def _merge_facts(sources: Sequence[EvidenceSource]) -> StatedFacts:
    """Return the facts of sources together; names are looked for in their texts instead."""
    return StatedFacts(
        quantities=frozenset().union(*(source.facts.quantities for source in sources)),
        dates=frozenset().union(*(source.facts.dates for source in sources)),
        names=frozenset(),
        urls=frozenset().union(*(urls_of(source.text) for source in sources)),
    )
