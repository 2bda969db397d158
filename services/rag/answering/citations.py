"""The words of an answer: a language model's, each sentence checked against its cited passages
before it is sent, or the passages' own sentences.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from luna.contracts.answers import AnswerSentence, Citation
from services.rag.answering.answerability import MOST_COMPARED
from services.rag.answering.evidence import LEAST_SUPPORT, AnswerEvidence
from services.rag.answering.facts import facts_of
from services.rag.answering.matching import ContentWords, content_words, stems_of
from services.rag.answering.plain_text import gives_orders, to_plain_text
from services.rag.answering.ports import Listener
from services.rag.answering.prompts import UNANSWERABLE, read_citations
from services.rag.answering.sentences import is_row, split_sentences

MOST_EXTRACTS = 2
# Beside the best sentence, others are told that come near it.
NEAR_BEST = 0.8
WORDS_WEIGHT = 0.7
WINDOW_WEIGHT = 0.5
COSINE_WEIGHT = 0.8
HEADING_WEIGHT = 0.2
KIND_WEIGHT = 0.3
ORDER_WEIGHT = 0.2
_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:much|many|long|high|big|large|often|far)|what "
    r"(?:price|rate|percentage|temperature|power|capacity)"
    r"|wie (?:viel\w*|hoch|lange?|gro(?:ß|ss)|oft|weit|teuer)|wieviel\w*|welche[rsnm]? "
    r"(?:preis|satz|temperatur|leistung|kapazität))\b",
    re.IGNORECASE,
)
_ASKS_DATE = re.compile(
    r"\b(?:when|until when|since when|which (?:day|date|year)|"
    r"wann|bis wann|seit wann|ab wann|welche[srnm]? (?:tag|datum|jahr))\b",
    re.IGNORECASE,
)
# What a document says of itself answers nothing, and a command or a setting is no sentence.
_ABOUT_ITSELF = re.compile(
    r"\b(?:beispieldokument|beispielhaushalt\w*|erfunden\w*|example "
    r"(?:document|household)|made up|invented|fictitious|fictional|ersetz\w+ keine "
    r"auskunft)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:^|\s)--[a-z][\w-]+|\\\s*(?:\n|$)|[{}]|^\s*(?:luna|docker|curl|sudo|export|pip|"
    r"make)\s+[\w./-]+"
    r"|^\s*[\w.-]+:\s*(?:[\w.]+:|\[|$)|^\$ "
)
_TIME = re.compile(
    r"\b\d{4}\b|\b\d{1,2}[.:]\d{2}\b|\b(?:days?|weeks?|months?|years?|tag\w*|woche\w*|"
    r"monat\w*|jahr\w*|uhr|o'clock)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Extract:
    """A sentence of a source, and how well it answers."""

    text: str
    number: int
    place: int
    score: float


def extract_answer(
    question: str, evidence: AnswerEvidence, answered_by: tuple[int, ...]
) -> list[Extract]:
    """Return the sentences of the sources ``answered_by`` that answer a question, in the order in
    which they stand there, the best source first.
    """
    own = content_words(question)
    weights = own.rarity_among([source.terms for source in evidence.sources])
    ranked = sorted(
        (
            each
            for rank, number in enumerate(answered_by)
            for each in _score(question, (own, weights), evidence, number, rank=rank)
        ),
        key=lambda each: -each.score,
    )
    if not ranked:
        return []
    enough = ranked[0].score * NEAR_BEST
    distinct: dict[str, Extract] = {}
    for each in ranked:
        if each.score >= enough:
            distinct.setdefault(" ".join(each.text.lower().split()), each)
    selected = list(distinct.values())[:MOST_EXTRACTS]
    order = list(dict.fromkeys(each.number for each in selected))
    return sorted(selected, key=lambda each: (order.index(each.number), each.place))


def _score(
    question: str,
    question_words: tuple[ContentWords, list[float]],
    evidence: AnswerEvidence,
    number: int,
    *,
    rank: int,
) -> list[Extract]:
    own, weights = question_words
    source = evidence.sources[number - 1]
    cosines = (
        evidence.similarities(question, number)
        if rank < MOST_COMPARED
        else np.zeros(len(source.sentences))
    )
    windows = [own.share_in(window, weights) for window in source.windows]
    heads = own.share_in(stems_of(" ".join((source.passage.title, *source.passage.headings))))
    rows = [is_row(sentence) for sentence in source.sentences]
    asks_number = _ASKS_NUMBER.search(question)
    asks_date = _ASKS_DATE.search(question)
    extracts = []
    for place, (text, terms) in enumerate(
        zip(source.sentences, source.sentence_terms, strict=True)
    ):
        score = (
            WORDS_WEIGHT * own.share_in(terms, weights)
            + COSINE_WEIGHT * float(cosines[place])
            + HEADING_WEIGHT * heads
        )
        score += WINDOW_WEIGHT * windows[place]
        # The kind of thing that is asked for: a number, a date.
        if asks_number:
            answers_kind = bool(facts_of(text, proper_names=False).quantities)
        else:
            answers_kind = bool(
                asks_date and (_TIME.search(text) or facts_of(text, proper_names=False).dates)
            )
        score += KIND_WEIGHT * answers_kind - ORDER_WEIGHT * rank
        # A heading or the head of a table, the first of its rows, says nothing by itself, and a
        # question answers none.
        tells = (
            len(text.split()) > 2
            and not text.endswith(("?", ":"))
            and not text.isupper()
            and not set(text) <= set("|-: ")
        )
        is_head = (
            rows[place]
            and not (place and rows[place - 1])
            and rows[place + 1 : place + 2] == [True]
        )
        if (
            score > 0
            and tells
            and not is_head
            and not _ABOUT_ITSELF.search(text)
            and not _CODE.search(text)
        ):
            extracts.append(Extract(text, number, place, score))
    return extracts


MOST_SENTENCES = 8
MOST_QUOTE = 600


@dataclass
class AnswerDraft:
    """The answer as far as it is made: sentences that are carried, with what carries them, sent to
    the listener as they are added.

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

    def add(
        self,
        text: str,
        *,
        sources: Sequence[int] = (),
        tool_calls: Sequence[int] = (),
        support: float,
    ) -> None:
        """Add a sentence that is carried by sources (by number, from 1) or tool calls, and send it
        to the listener.
        """
        # Sources count from 1 in the order of their first use.
        for number in sources:
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
        marks = [self._numbers[number] for number in sources]
        text_with_marks = f"{text} {''.join(f'[{mark}]' for mark in marks)}" if marks else text
        sentence = AnswerSentence(
            text=text_with_marks,
            citations=marks,
            tool_calls=list(tool_calls),
            support=min(1.0, max(0.0, round(support, 3))),
        )
        if not self.sentences:
            self.on_first_text()
        self.listener.token(f" {text_with_marks}" if self.sentences else text_with_marks)
        self.sentences.append(sentence)
        self.listener.sentence(sentence)


@dataclass
class CheckedStream:
    """Takes a model's words as they come, and adds each sentence to the draft once it is whole and
    carried.
    """

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
        allowed_urls = frozenset().union(
            *(
                evidence.sources[number - 1].facts.urls
                for number in cited
                if 1 <= number <= len(evidence.sources)
            )
        )
        text = to_plain_text(text, allowed_urls=allowed_urls).lstrip("-*•– ").replace("\n", " ")
        if not text or len(self.draft.sentences) >= MOST_SENTENCES:
            return
        numbers = [number for number in cited if 1 <= number <= len(evidence.sources)]
        if not numbers and evidence.sources:
            # The citation was forgotten: the source that carries the sentence best stands for it.
            numbers = [
                max(
                    range(1, len(evidence.sources) + 1),
                    key=lambda number: evidence.support(text, [number]),
                )
            ]
        support = evidence.support(text, numbers)
        if support < LEAST_SUPPORT or gives_orders(text):
            self.dropped += 1
            return
        self.draft.add(text, sources=numbers, support=support)
