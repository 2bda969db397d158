"""Evidence for an answer: quotable sentences of passages, and the claims that they make."""

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
from services.rag.answering.claims.check import is_claimed
from services.rag.answering.claims.statements import Statement, list_statements
from services.rag.answering.matching import content_words, stems_of
from services.rag.answering.plain_text import gives_orders, to_plain_text, urls_of
from services.rag.answering.sentences import detect_language, split_paragraphs
from services.rag.embedding import Embedder
from services.rag.retrieval.english import text_to_embed

_PICTURE = re.compile(r"!\[[^\]]*\]\s*\([^)]*\)")


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
    def statements(self) -> tuple[Statement, ...]:
        """Statements of its sentences and table rows."""
        heads = " ".join((self.passage.title, *self.passage.headings))
        return list_statements(self.sentences, heads)

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

    def is_claimed(self, sentence: str, numbers: Sequence[int]) -> bool:
        """Return whether the sources of these numbers (from 1) make each claim of a sentence.

        An address in it has to be theirs as well.
        """
        all_numbers = range(1, len(self.sources) + 1)
        cited = [self.sources[number - 1] for number in numbers if number in all_numbers]
        known_urls: frozenset[str] = frozenset().union(*(urls_of(source.text) for source in cited))
        if not urls_of(sentence) <= known_urls:
            return False
        statements = [statement for source in cited for statement in source.statements]
        return is_claimed(sentence, statements)

    def quote(self, sentence: str, number: int) -> str:
        """Return the sentence of a source that has most words of a sentence."""
        source = self.sources[number - 1]
        if not source.sentences:
            return ""
        words = content_words(sentence)
        shares = [words.share_in(terms) for terms in source.sentence_terms]
        return source.sentences[int(np.argmax(shares))]

    def similarities(self, text: str, number: int) -> FloatArray:
        """Return the cosine of a question and each sentence of a source.

        Zero without an embedding model.
        """
        return self._cosines(text, self.sources[number - 1], role="query")

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
