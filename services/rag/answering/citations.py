"""The sentences of an answer: extracts of passages, or a language model's once they are checked.

A model's sentence is sent only if the passages that it cites support it.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from luna.contracts.answers import AnswerSentence, Citation
from services.rag.answering.answerability import MOST_COMPARED
from services.rag.answering.evidence import AnswerEvidence
from services.rag.answering.facts import facts_of
from services.rag.answering.matching import ContentWords, content_words, stems_of
from services.rag.answering.plain_text import gives_orders, to_plain_text, urls_of
from services.rag.answering.ports import Listener
from services.rag.answering.prompts import UNANSWERABLE, read_citations
from services.rag.answering.sentences import is_row, split_sentences

MOST_EXTRACTS = 2
# A second extract is given if its score comes this near to the best one's.
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
# A sentence about the document itself answers nothing, and a command or a setting is no sentence.
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
    """A sentence of a source with its score as an answer."""

    text: str
    number: int
    place: int
    score: float


def extract_answer(
    question: str, evidence: AnswerEvidence, answered_by: tuple[int, ...]
) -> list[Extract]:
    """Return the best sentences of the sources ``answered_by``, in their order in each source."""
    words = content_words(question)
    weights = words.rarity_among([source.terms for source in evidence.sources])
    ranked: list[Extract] = []
    for rank, number in enumerate(answered_by):
        ranked += _score(question, (words, weights), evidence, number, rank=rank)
    ranked.sort(key=lambda extract: extract.score, reverse=True)
    if not ranked:
        return []
    enough = ranked[0].score * NEAR_BEST
    distinct: dict[str, Extract] = {}
    for extract in ranked:
        if extract.score >= enough:
            distinct.setdefault(" ".join(extract.text.lower().split()), extract)
    selected = list(distinct.values())[:MOST_EXTRACTS]
    in_order: list[Extract] = []
    for number in dict.fromkeys(extract.number for extract in selected):
        own = [extract for extract in selected if extract.number == number]
        in_order += sorted(own, key=lambda extract: extract.place)
    return in_order


def _score(
    question: str,
    question_words: tuple[ContentWords, list[float]],
    evidence: AnswerEvidence,
    number: int,
    *,
    rank: int,
) -> list[Extract]:
    words, weights = question_words
    source = evidence.sources[number - 1]
    cosines = np.zeros(len(source.sentences))
    if rank < MOST_COMPARED:
        cosines = evidence.similarities(question, number)
    windows = [words.share_in(window, weights) for window in source.windows]
    heads = words.share_in(stems_of(" ".join((source.passage.title, *source.passage.headings))))
    extracts = []
    for place, text in enumerate(source.sentences):
        if not _is_statement(source.sentences, place):
            continue
        score = (
            WORDS_WEIGHT * words.share_in(source.sentence_terms[place], weights)
            + COSINE_WEIGHT * float(cosines[place])
            + HEADING_WEIGHT * heads
        )
        score += WINDOW_WEIGHT * windows[place]
        score += KIND_WEIGHT * _answers_kind(question, text) - ORDER_WEIGHT * rank
        if score > 0:
            extracts.append(Extract(text, number, place, score))
    return extracts


def _answers_kind(question: str, text: str) -> bool:
    """Return whether a sentence has the kind of thing that is asked for: a number, a time."""
    if _ASKS_NUMBER.search(question):
        return bool(facts_of(text, proper_names=False).quantities)
    if _ASKS_DATE.search(question):
        return bool(_TIME.search(text) or facts_of(text, proper_names=False).dates)
    return False


def _is_statement(sentences: Sequence[str], place: int) -> bool:
    """Return whether a sentence may answer: no heading, head of a table, question or command."""
    text = sentences[place]
    if len(text.split()) <= 2 or text.endswith(("?", ":")) or text.isupper():
        return False
    if set(text) <= set("|-: ") or _ABOUT_ITSELF.search(text) or _CODE.search(text):
        return False
    # The head of a table is a row without one before it and with one after it.
    follows_row = place > 0 and is_row(sentences[place - 1])
    precedes_row = place + 1 < len(sentences) and is_row(sentences[place + 1])
    return follows_row or not (is_row(text) and precedes_row)


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
