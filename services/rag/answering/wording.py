"""A language model's words as checked sentences: each is checked against its cited passages before it is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from luna.contracts.answers import AnswerSentence, Citation
from services.rag.answering.evidence import LEAST_SUPPORT, AnswerEvidence
from services.rag.answering.plain_text import gives_orders, to_plain_text
from services.rag.answering.ports import Listener
from services.rag.answering.prompts import UNANSWERABLE, read_citations
from services.rag.answering.sentences import split_sentences

MOST_SENTENCES = 8
MOST_QUOTE = 600


@dataclass
class AnswerDraft:
    """The answer as far as it is made: sentences that are carried, with what carries them, sent to the listener as they are added.

    Args:
        on_first_text: called before the first word of the answer is sent.
    """

    evidence: AnswerEvidence
    listener: Listener
    on_first_text: Callable[[], None] = lambda: None
    sentences: list[AnswerSentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer in one piece."""
        return " ".join(sentence.text for sentence in self.sentences)

    def add(self, text: str, *, sources: Sequence[int] = (), tool_calls: Sequence[int] = (), support: float) -> None:
        """Add a sentence that is carried by sources (by number, from 1) or tool calls, and send it to the listener."""
        marks = [self._cite(number, text) for number in sources]
        text_with_marks = f"{text} {''.join(f'[{mark}]' for mark in marks)}" if marks else text
        sentence = AnswerSentence(text=text_with_marks, citations=marks, tool_calls=list(tool_calls), support=min(1.0, max(0.0, round(support, 3))))
        if not self.sentences:
            self.on_first_text()
        self.listener.token(f" {text_with_marks}" if self.sentences else text_with_marks)
        self.sentences.append(sentence)
        self.listener.sentence(sentence)

    def _cite(self, number: int, text: str) -> int:
        """Return the number under which a source is cited in this answer: those that are count from 1 in the order of their first use."""
        if number not in self._numbers:
            self._numbers[number] = len(self._numbers) + 1
            passage = self.evidence.sources[number - 1].passage
            self.citations.append(
                Citation(
                    number=self._numbers[number],
                    chunk_id=passage.chunk_id,
                    document_id=passage.document_id,
                    title=passage.title,
                    page=passage.page,
                    headings=passage.headings,
                    quote=self.evidence.quote(text, number)[:MOST_QUOTE],
                )
            )
        return self._numbers[number]


@dataclass
class CheckedStream:
    """Takes a model's words as they come, and adds each sentence to the draft once it is whole and carried."""

    draft: AnswerDraft
    dropped: int = 0
    is_unanswerable: bool = False
    _rest: str = ""

    def hear(self, piece: str) -> None:
        """Take the next words."""
        self._rest += piece
        whole = split_sentences(self._rest)
        if len(whole) > 1:
            for sentence in whole[:-1]:
                self._check(sentence)
            self._rest = self._rest[self._rest.rindex(whole[-1]) :]

    def end(self) -> None:
        """Take the remaining text as the last sentence."""
        for sentence in split_sentences(self._rest):
            self._check(sentence)
        self._rest = ""

    def _check(self, sentence: str) -> None:
        if UNANSWERABLE in sentence:
            self.is_unanswerable = True
            return
        text, cited = read_citations(sentence)
        evidence = self.draft.evidence
        allowed_urls = frozenset().union(*(evidence.sources[number - 1].facts.urls for number in cited if 1 <= number <= len(evidence.sources)))
        text = to_plain_text(text, allowed_urls=allowed_urls).lstrip("-*•– ").replace("\n", " ")
        if not text or len(self.draft.sentences) >= MOST_SENTENCES:
            return
        numbers = [number for number in cited if 1 <= number <= len(evidence.sources)] or self._find_carrier(text)
        support = evidence.support(text, numbers)
        if support < LEAST_SUPPORT or gives_orders(text):
            self.dropped += 1
            return
        self.draft.add(text, sources=numbers, support=support)

    def _find_carrier(self, text: str) -> list[int]:
        """Return the one source that carries a sentence whose citation was forgotten."""
        scores = {number: self.draft.evidence.support(text, [number]) for number in range(1, len(self.draft.evidence.sources) + 1)}
        best = max(scores, key=lambda number: scores[number], default=None)
        return [] if best is None or scores[best] < LEAST_SUPPORT else [best]
