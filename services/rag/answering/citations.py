"""The sentences of an answer: extracts of passages, or a language model's once they are checked.

A model's sentence is sent only if the passages that it cites support it.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from luna.contracts.answers import AnswerSentence, Citation
from services.rag.answering.evidence import AnswerEvidence
from services.rag.answering.plain_text import gives_orders, to_plain_text, urls_of
from services.rag.answering.ports import Listener
from services.rag.answering.prompts import UNANSWERABLE, read_citations
from services.rag.answering.sentences import split_sentences

MOST_SENTENCES = 8
MOST_QUOTE = 600


@dataclass
class AnswerDraft:
    """The supported sentences of an answer so far, sent to the listener as they are added.

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
        return " ".join(sentence.text for sentence in self.sentences)

    def add(
        self,
        text: str,
        *,
        sources: Sequence[int] = (),
        tool_calls: Sequence[int] = (),
    ) -> None:
        """Add a sentence with its sources (by number, from 1) or tool calls, and send it."""
        for number in sources:
            if number not in self._numbers:
                self._cite(text, number)
        marks = [self._numbers[number] for number in sources]
        text_with_marks = text
        if marks:
            text_with_marks = f"{text} {''.join(f'[{mark}]' for mark in marks)}"
        sentence = AnswerSentence(
            text=text_with_marks,
            citations=marks,
            tool_calls=list(tool_calls),
            # Only what its sources say in full is added.
            support=1.0,
        )
        if not self.sentences:
            self.on_first_text()
        self.listener.token(f" {text_with_marks}" if self.sentences else text_with_marks)
        self.sentences.append(sentence)
        self.listener.sentence(sentence)

    def _cite(self, text: str, number: int) -> None:
        """Add a citation; they count from 1 in the order of their first use."""
        self._numbers[number] = len(self._numbers) + 1
        passage = self.evidence.sources[number - 1].passage
        citation = Citation(
            number=self._numbers[number],
            chunk_id=passage.chunk_id,
            document_id=passage.document_id,
            title=passage.title,
            page=passage.page,
            headings=passage.headings,
            quote=self.evidence.quote(text, number)[:MOST_QUOTE],
        )
        self.citations.append(citation)


@dataclass
class CheckedStream:
    """Receives a model's words, and adds each complete sentence that its sources support."""

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
        all_numbers = range(1, len(evidence.sources) + 1)
        numbers = [number for number in cited if number in all_numbers]
        allowed_urls: set[str] = set()
        for number in numbers:
            allowed_urls |= urls_of(evidence.sources[number - 1].text)
        text = to_plain_text(text, allowed_urls=frozenset(allowed_urls))
        text = text.lstrip("-*•– ").replace("\n", " ")
        if not text or len(self.draft.sentences) >= MOST_SENTENCES:
            return
        if not numbers:
            # The model forgot its citation: the first source that makes the claims is cited.
            claiming = (number for number in all_numbers if evidence.is_claimed(text, [number]))
            numbers = list(itertools.islice(claiming, 1))
        if not evidence.is_claimed(text, numbers) or gives_orders(text):
            self.dropped += 1
            return
        self.draft.add(text, sources=numbers)
