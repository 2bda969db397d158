"""An answer without a language model: the sentences of the passages that answer the question, as they stand there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.rag.answering.answerability import MOST_COMPARED
from services.rag.answering.evidence import AnswerEvidence
from services.rag.answering.facts import facts_of
from services.rag.answering.matching import ContentWords, content_words, stems_of
from services.rag.answering.sentences import is_row

MOST_SENTENCES = 2
# Beside the best sentence, others are told that come near it.
NEAR_BEST = 0.8
WORDS_WEIGHT, WINDOW_WEIGHT, COSINE_WEIGHT, HEADING_WEIGHT, KIND_WEIGHT, ORDER_WEIGHT = 0.7, 0.5, 0.8, 0.2, 0.3, 0.2
_ASKS_NUMBER = re.compile(
    r"\b(?:how (?:much|many|long|high|big|large|often|far)|what (?:price|rate|percentage|temperature|power|capacity)"
    r"|wie (?:viel\w*|hoch|lange?|gro(?:ß|ss)|oft|weit|teuer)|wieviel\w*|welche[rsnm]? (?:preis|satz|temperatur|leistung|kapazität))\b",
    re.IGNORECASE,
)
_ASKS_DATE = re.compile(
    r"\b(?:when|until when|since when|which (?:day|date|year)|"
    r"wann|bis wann|seit wann|ab wann|welche[srnm]? (?:tag|datum|jahr))\b",
    re.IGNORECASE,
)
# What a document says of itself answers nothing, and a command or a setting is no sentence.
_ABOUT_ITSELF = re.compile(
    r"\b(?:beispieldokument|beispielhaushalt\w*|erfunden\w*|example (?:document|household)|made up|invented|fictitious|fictional|ersetz\w+ keine auskunft)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:^|\s)--[a-z][\w-]+|\\\s*(?:\n|$)|[{}]|^\s*(?:luna|docker|curl|sudo|export|pip|make)\s+[\w./-]+"
    r"|^\s*[\w.-]+:\s*(?:[\w.]+:|\[|$)|^\$ "
)
_TIME = re.compile(r"\b\d{4}\b|\b\d{1,2}[.:]\d{2}\b|\b(?:days?|weeks?|months?|years?|tag\w*|woche\w*|monat\w*|jahr\w*|uhr|o'clock)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extract:
    """A sentence of a source, and how well it answers."""

    text: str
    number: int
    place: int
    score: float


def extract_answer(question: str, evidence: AnswerEvidence, answered_by: tuple[int, ...]) -> list[Extract]:
    """Return the sentences of the sources ``answered_by`` that answer a question, in the order in which they stand there, the best source first."""
    own = content_words(question)
    weights = own.rarity_among([source.terms for source in evidence.sources])
    ranked = sorted(
        (each for rank, number in enumerate(answered_by) for each in _score(question, (own, weights), evidence, number, rank=rank)),
        key=lambda each: -each.score,
    )
    if not ranked:
        return []
    enough = ranked[0].score * NEAR_BEST
    selected = _distinct([each for each in ranked if each.score >= enough])[:MOST_SENTENCES]
    order = list(dict.fromkeys(each.number for each in selected))
    return sorted(selected, key=lambda each: (order.index(each.number), each.place))


def _score(question: str, question_words: tuple[ContentWords, list[float]], evidence: AnswerEvidence, number: int, *, rank: int) -> list[Extract]:
    own, weights = question_words
    source = evidence.sources[number - 1]
    cosines = evidence.similarities(question, number) if rank < MOST_COMPARED else np.zeros(len(source.sentences))
    windows = [own.share_in(window, weights) for window in source.windows]
    heads = own.share_in(stems_of(" ".join((source.passage.title, *source.passage.headings))))
    extracts = []
    for place, (text, terms) in enumerate(zip(source.sentences, source.sentence_terms, strict=True)):
        score = WORDS_WEIGHT * own.share_in(terms, weights) + COSINE_WEIGHT * float(cosines[place]) + HEADING_WEIGHT * heads
        score += WINDOW_WEIGHT * windows[place]
        score += KIND_WEIGHT * _answers_kind(question, text) - ORDER_WEIGHT * rank
        extracts.append(Extract(text, number, place, score if _says_something(text) and not _is_head(source.sentences, place) else -1.0))
    return [each for each in extracts if each.score > 0]


def _answers_kind(question: str, text: str) -> bool:
    """Return whether a sentence holds the kind of thing that is asked for: a number, a date."""
    if _ASKS_NUMBER.search(question):
        return bool(facts_of(text, proper_names=False).quantities)
    return bool(_ASKS_DATE.search(question) and (_TIME.search(text) or facts_of(text, proper_names=False).dates))


def _says_something(text: str) -> bool:
    # A heading or the head of a table says nothing by itself, and a question answers none.
    tells = len(text.split()) > 2 and not text.endswith(("?", ":")) and not text.isupper() and not set(text) <= set("|-: ")
    return tells and not _ABOUT_ITSELF.search(text) and not _CODE.search(text)


def _is_head(sentences: Sequence[str], place: int) -> bool:
    """Return whether a sentence is the first of a table's rows: it names the columns."""
    after = sentences[place + 1 : place + 2]
    return is_row(sentences[place]) and not (place and is_row(sentences[place - 1])) and bool(after) and is_row(after[0])


def _distinct(extracts: list[Extract]) -> list[Extract]:
    distinct: dict[str, Extract] = {}
    for each in extracts:
        distinct.setdefault(" ".join(each.text.lower().split()), each)
    return list(distinct.values())
