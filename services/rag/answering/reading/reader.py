"""Reads the sentence, list item or table cell that answers a question.

A place answers if it has a value of the kind that is asked for, names what is asked about, and no
other row or code than the question does.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import log
from operator import itemgetter

from luna.words import Language
from services.rag.answering.claims.items import ClaimedQuantity, Word
from services.rag.answering.claims.segments import ClaimSegment, has_word, read_segment
from services.rag.answering.claims.tables import TableRow, list_tables
from services.rag.answering.claims.times import Time
from services.rag.answering.evidence import AnswerEvidence, EvidenceSource
from services.rag.answering.facts import facts_of
from services.rag.answering.matching import content_words
from services.rag.answering.question import has_validity
from services.rag.answering.reading.query import DocumentQuery, read_question
from services.rag.answering.sentences import is_row
from services.rag.answering.subjects import may_hold
from services.rag.retrieval.related import related_of

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
# What a word counts that stands in the place itself, in the sentences beside it, in a heading, or
# in the document's title.
OWN = 1.0
BESIDE = 0.7
HEADING = 0.9
TITLE = 0.8
PASSAGE = 0.55
QUANTITY_SHARE = 0.5
RELATED = 0.75
# A value of the asked kind needs fewer of the question's words around it than a statement does.
LEAST_OF_VALUE = 0.5
LEAST_OF_STATEMENT = 0.7
# Of equal places, the one in the passage that was found first; Luna's own guide comes after others.
RANK_SHARE = 0.1
GUIDE = "Luna: "
GUIDE_WORD = "luna"
BEHIND_GUIDE = 0.12
# "Without a contract" is not answered by what holds with one.
OTHER_POLARITY = 0.2
_REMEDY = re.compile(
    r"\b(?:what to do|remedy|solution|abhilfe|was tun|maßnahme|lösung|wat te doen|oplossing)\b",
    re.IGNORECASE,
)
# A short sentence is nearer to a question than a long one with the same words.
CLOSE_SHARE = 0.05
MOST_CELLS = 3


@dataclass(frozen=True, slots=True)
class WordWeight:
    """What a word counts where it stands, and where another word of its topic does."""

    own: float
    related: float


@dataclass(frozen=True)
class AnswerPlace:
    """A sentence, a list item or a cell that may answer.

    Attributes:
        text: how it is said to the owner.
        number: of its source, from 1.
        value: what would answer.
        own: all that it says.
        row: of its table; ``is_label``: it is the row's first cell.
    """

    text: str
    number: int
    value: ClaimSegment
    own: ClaimSegment
    beside: frozenset[str] = frozenset()
    heading: frozenset[str] = frozenset()
    document: frozenset[str] = frozenset()
    passage: frozenset[str] = frozenset()
    rank: float = 0.0
    is_guide: bool = False
    row: TableRow | None = None
    is_label: bool = False
    is_remedy: bool = False

    @property
    def in_remedy_table(self) -> bool:
        """Return whether a column of its table says what to do."""
        cells = self.row.cells if self.row else ()
        return any(_REMEDY.search(cell.title) for cell in cells)

    @cached_property
    def own_keys(self) -> frozenset[str]:
        """Words and topics of its own."""
        return _keys_and_topics(self.own)

    @cached_property
    def levels(self) -> tuple[tuple[frozenset[str], float], ...]:
        """Words by how near they stand."""
        return (
            (self.own_keys, OWN),
            (self.heading, HEADING),
            (self.document, TITLE),
            (self.beside, BESIDE),
            (self.passage, PASSAGE),
        )

    @cached_property
    def keys(self) -> frozenset[str]:
        return self.own_keys | self.beside | self.heading | self.document


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """A text that answers, with the number of its source, from 1, and its score."""

    text: str
    number: int
    score: float


def read_answer(
    question: str, evidence: AnswerEvidence, language: Language, *, timeless: str | None = None
) -> list[ReadAnswer]:
    """Return the best answer to a question; cells of one row together.

    Args:
        question: by itself.
        evidence: the passages that were found for it.
        language: of the question.
        timeless: the question without the time that it names; documents valid at that time need not
            name it themselves.
    """
    by_text: dict[str, list[AnswerPlace]] = {}
    for number, source in enumerate(evidence.sources, start=1):
        text = question
        if timeless is not None and has_validity(source.passage):
            text = timeless
        names = facts_of(text, proper_names=language == "en").names
        if may_hold(text, content_words(text), names, source):
            by_text.setdefault(text, []).extend(_list_places(source, number))
    everywhere = [place for places in by_text.values() for place in places]
    enough: list[tuple[float, AnswerPlace]] = []
    for text, places in by_text.items():
        query = read_question(text)
        enough += _list_answering(query, places, _weigh_words(query, everywhere))
    if not enough:
        return []
    best_score, best = max(enough, key=itemgetter(0))
    chosen = [best]
    if best.row is not None:
        same = [pair for pair in enough if pair[1].row == best.row]
        chosen = [place for score, place in same if score >= best_score - 0.01][:MOST_CELLS]
    return [ReadAnswer(place.text, place.number, best_score) for place in chosen]


def _list_answering(
    query: DocumentQuery, places: Sequence[AnswerPlace], weights: Sequence[WordWeight]
) -> list[tuple[float, AnswerPlace]]:
    """Return the places that answer, with their scores."""
    answering = []
    for place in places:
        if not _may_answer(query, place):
            continue
        score = _score(query, place, weights)
        is_value = not query.kind.is_statement or _has_code(query, place)
        if place.is_guide and GUIDE_WORD not in query.text.lower():
            score -= BEHIND_GUIDE
        if score >= (LEAST_OF_VALUE if is_value else LEAST_OF_STATEMENT):
            answering.append((score + RANK_SHARE * place.rank, place))
    return answering


def _has_code(query: DocumentQuery, place: AnswerPlace) -> bool:
    """Return whether a question names the code of a place's row."""
    if place.row is None or not query.names:
        return False
    label = read_segment(place.row.label).keys
    return any(has_word(label, name) for name in query.names)


def _list_places(source: EvidenceSource, number: int) -> Iterator[AnswerPlace]:
    context = _PlaceContext(
        _read_keys(" ".join(source.passage.headings)),
        _read_keys(source.passage.title),
        frozenset().union(*map(_read_keys, source.sentences)),
        source.passage.score,
        source.passage.title.startswith(GUIDE),
    )
    for place, sentence in enumerate(source.sentences):
        if is_row(sentence) or not is_statement(sentence):
            continue
        beside = frozenset[str]()
        for other in (place - 1, place + 1):
            if 0 <= other < len(source.sentences) and not is_row(source.sentences[other]):
                beside |= _read_keys(source.sentences[other])
        own = read_segment(sentence)
        yield AnswerPlace(
            sentence,
            number,
            own,
            own,
            beside,
            context.heading,
            context.document,
            context.passage,
            context.rank,
            context.is_guide,
        )
    for rows in list_tables(source.sentences):
        for row in rows:
            yield from _list_cells(row, number, context)


@dataclass(frozen=True, slots=True)
class _PlaceContext:
    """Words of a place's headings, of its document's title and of its whole passage."""

    heading: frozenset[str]
    document: frozenset[str]
    passage: frozenset[str]
    rank: float
    is_guide: bool


@lru_cache(maxsize=8_000)
def _read_keys(text: str) -> frozenset[str]:
    return _keys_and_topics(read_segment(text))


def _keys_and_topics(segment: ClaimSegment) -> frozenset[str]:
    """Return what the words of a clause are compared by, and their topics."""
    topics = [related_of(word.text) for word in segment.words if not word.is_name]
    return segment.keys.union(*topics)


def is_statement(sentence: str) -> bool:
    """Return whether a sentence may answer: no heading, question or command."""
    if len(sentence.split()) <= 2 or sentence.endswith(("?", ":")) or sentence.isupper():
        return False
    return not _ABOUT_ITSELF.search(sentence) and not _CODE.search(sentence)


def _list_cells(row: TableRow, number: int, context: _PlaceContext) -> Iterator[AnswerPlace]:
    others = _read_keys(" ".join(cell.value for cell in row.cells))
    if row.label_title:
        named = f"{row.label_title} {row.label}"
        label = read_segment(named)
        yield AnswerPlace(
            row.text,
            number,
            label,
            label,
            others,
            context.heading,
            context.document,
            context.passage,
            context.rank,
            context.is_guide,
            row,
            is_label=True,
        )
    for cell in row.cells:
        if not cell.value:
            continue
        is_single = len(row.cells) == 1
        says = f"{row.label}: {cell.value}"
        if not is_single and cell.title:
            says = f"{row.label}, {cell.title}: {cell.value}"
        own = read_segment(f"{row.label_title} {row.label} {cell.title} {cell.value}")
        yield AnswerPlace(
            says,
            number,
            read_segment(cell.value),
            own,
            others,
            context.heading,
            context.document,
            context.passage,
            context.rank,
            context.is_guide,
            row,
            is_remedy=bool(_REMEDY.search(cell.title)),
        )


def _weigh_words(query: DocumentQuery, places: Sequence[AnswerPlace]) -> list[WordWeight]:
    """Return the weight of each word: a word of few places tells more than one of many."""
    weights = []
    for word in query.words:
        topics = _topics_of(word.word)
        own = sum(has_word(place.keys, word.word) for place in places)
        near = sum(bool(topics & place.keys) for place in places)
        rarity = _rarity(own, len(places))
        related = min(rarity, RELATED * _rarity(max(own, near), len(places)))
        if not own and near:
            # Nothing says this word: what says it in other words weighs for it.
            rarity = related / RELATED
        weights.append(WordWeight(word.weight * rarity, word.weight * related))
    return weights


def _rarity(count: int, total: int) -> float:
    return log(1 + (total + 0.5) / (max(count, 1) + 0.5))


def _topics_of(word: Word) -> frozenset[str]:
    return frozenset() if word.is_name else related_of(word.text)


def _may_answer(query: DocumentQuery, place: AnswerPlace) -> bool:
    """Return whether a place has the value, codes and row of a question."""
    if not query.kind.holds(place.value):
        return False
    if place.is_label and (query.kind.is_statement or set(query.times) & set(place.own.times)):
        return False
    if place.in_remedy_table and place.is_remedy != (query.kind.name == "remedy"):
        return False
    if not all(has_word(place.keys, name) for name in query.names):
        return False
    if query.dimension is not None and not _has_unit(query.dimension, place.value):
        return False
    return _is_about(query, place)


def _is_about(query: DocumentQuery, place: AnswerPlace) -> bool:
    """Return whether a row, or a sentence itself, speaks of the subject."""
    if place.row is not None:
        return _names_row(query, place.row, place)
    # Its heading counts as the sentence; its neighbours only add to it.
    near = place.own_keys | place.heading
    is_subject = any(_is_near(word.word, near) for word in query.words)
    return is_subject or bool(near & query.kind.implied)


def _is_near(word: Word, keys: frozenset[str]) -> bool:
    return has_word(keys, word) or bool(_topics_of(word) & keys)


def _has_unit(dimension: str, value: ClaimSegment) -> bool:
    for item in value.quantities:
        if item.dimension == dimension or (item.per and item.per.dimension == dimension):
            return True
    return False


def _names_row(query: DocumentQuery, row: TableRow, place: AnswerPlace) -> bool:
    label = read_segment(row.label)
    keys = _read_keys(row.label) | place.beside
    is_named = any(_is_near(word.word, keys) for word in query.words)
    if is_named or keys & query.kind.implied:
        return True
    if any(_has_quantity(quantity, label) for quantity in query.quantities):
        return True
    return any(_is_named_time(time, label) for time in query.times)


def _is_named_time(time: Time, segment: ClaimSegment) -> bool:
    return any(time.is_within(other) for other in segment.times)


def _score(query: DocumentQuery, place: AnswerPlace, weights: Sequence[WordWeight]) -> float:
    """Return the weighted share of a question's words, figures and times that a place names."""
    total = sum(weight.own for weight in weights)
    named = 0.0
    for word, weight in zip(query.words, weights, strict=True):
        named += _name_word(word.word, weight, place)
    most = max((weight.own for weight in weights), default=1.0)
    for time in query.times:
        total += most
        if _is_named_time(time, place.own):
            named += most
    for quantity in query.quantities:
        total += QUANTITY_SHARE * most
        if _has_quantity(quantity, place.own):
            named += QUANTITY_SHARE * most
    if not total:
        return 0.0
    is_other = not query.kind.is_statement and query.is_negated != place.own.is_negated
    named -= OTHER_POLARITY * total if is_other else 0.0
    return named / total + CLOSE_SHARE * len(query.words) / max(place.own.size, len(query.words), 1)


def _name_word(word: Word, weight: WordWeight, place: AnswerPlace) -> float:
    """Return what a place gets for a word: in itself, beside it, in its heading or passage."""
    topics = _topics_of(word)
    best = 0.0
    for keys, level in place.levels:
        if level * weight.own > best and has_word(keys, word):
            best = level * weight.own
        elif level * weight.related > best and topics & keys:
            best = level * weight.related
    return best


def _has_quantity(quantity: ClaimedQuantity, segment: ClaimSegment) -> bool:
    for other in segment.quantities:
        is_same_unit = None in (quantity.dimension, other.dimension) or (
            quantity.dimension == other.dimension
        )
        if is_same_unit and quantity.readings & other.readings:
            return True
    return False
