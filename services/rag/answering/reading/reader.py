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
from services.rag.answering.claims.segments import (
    ClaimSegment,
    has_word,
    read_segment,
    read_segments,
    word_keys,
)
from services.rag.answering.claims.tables import TableRow, list_tables
from services.rag.answering.claims.times import Time
from services.rag.answering.evidence import AnswerEvidence, EvidenceSource
from services.rag.answering.facts import facts_of
from services.rag.answering.matching import content_words
from services.rag.answering.question import has_validity
from services.rag.answering.reading.extremes import find_extreme, read_extreme
from services.rag.answering.reading.query import DocumentQuery, count_parts, read_question
from services.rag.answering.sentences import detect_language, is_row
from services.rag.answering.subjects import may_hold
from services.rag.retrieval.meanings import meanings_of
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
# In another clause of the sentence than the value.
SENTENCE = 0.92
QUANTITY_SHARE = 0.5
# What another word of its topic counts.
RELATED = 0.75
# Of few words, the one that tells most has to be named, or one that tells almost as much.
MOST_NEEDED = 4
ALMOST = 0.88
# A word that no passage names is often how somebody asks, not what about.
UNKNOWN_SHARE = 0.6
# A span that begins in these hours is the night.
NIGHT_HOURS = frozenset({21, 22, 23, 0, 1, 2, 3})
# A shorter stem is no part of a compound.
SHORTEST_PART = 5
# A value of the asked kind needs fewer of the question's words around it than a statement does.
LEAST_OF_VALUE = 0.5
LEAST_OF_STATEMENT = 0.6
LEAST_OF_YES_NO = 0.6
# Of equal places, the one in the passage that was found first; Luna's own guide comes after others.
RANK_SHARE = 0.1
GUIDE = "Luna: "
GUIDE_WORD = "luna"
BEHIND_GUIDE = 0.3
# A question that names a document is about it: fewer words have to be there, and others come after.
NAMED_EASE = 0.1
BEHIND_NAMED = 0.3
# "When" is answered by a date or a clock time rather than by how long something takes.
BEHIND_DATE = 0.2
# "Without a contract" is not answered by what holds with one.
OTHER_POLARITY = 0.2
_REMEDY = re.compile(
    r"\b(?:what to do|remedy|solution|abhilfe|was tun|maßnahme|lösung|wat te doen|oplossing)\b",
    re.IGNORECASE,
)
# A short sentence is nearer to a question than a long one with the same words.
CLOSE_SHARE = 0.1
MOST_CELLS = 3


@dataclass(frozen=True, slots=True)
class WordMatch:
    """A word of a question: what names it, and what that counts.

    Attributes:
        near: its topics, and the words of the passages that it is a part of.
        tells: how much it says of what is asked.
        weight: where it stands itself; ``near_weight``: where one of ``near`` does.
    """

    word: Word
    near: frozenset[str]
    tells: float
    weight: float
    near_weight: float


@dataclass(frozen=True, slots=True)
class PlaceContext:
    """What surrounds the places of a passage.

    Attributes:
        heading: words of its headings.
        document: words of its document's title.
        passage: words of the whole passage.
        rank: its score in the search.
        is_guide: whether it belongs to Luna's own guide.
        title: of its document.
    """

    heading: frozenset[str]
    document: frozenset[str]
    passage: frozenset[str]
    rank: float
    is_guide: bool
    title: str


@dataclass(frozen=True)
class AnswerPlace:
    """A sentence, a list item or a cell that may answer.

    Attributes:
        text: how it is said to the owner.
        number: of its source, from 1.
        value: what would answer.
        own: all that it says.
        beside: words of what stands next to it.
        around: its passage and document.
        denied: words of the sentence before it, where that is negated.
        row: of its table; ``is_label``: it is the row's first cell.
    """

    text: str
    number: int
    value: ClaimSegment
    own: ClaimSegment
    beside: frozenset[str]
    around: PlaceContext
    clauses: tuple[ClaimSegment, ...] = ()
    denied: frozenset[str] = frozenset()
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

    def list_levels(self, query: DocumentQuery) -> list[tuple[frozenset[str], float]]:
        """Return its words and those around it, by how near they stand to what would answer."""
        levels = [
            (self.own_keys, OWN),
            (self.around.heading, HEADING),
            (self.around.document, TITLE),
            (self.beside, BESIDE),
            (self.around.passage, PASSAGE),
        ]
        if self.row is not None or query.kind.is_statement or len(self.clauses) < 2:
            return levels
        valued = [clause for clause in self.clauses if query.kind.holds(clause)]
        near = frozenset[str]().union(*map(_keys_and_topics, valued))
        return [(near, OWN), (self.own_keys, SENTENCE), *levels[1:]]

    @cached_property
    def keys(self) -> frozenset[str]:
        return self.own_keys | self.beside | self.around.heading | self.around.document


ScoredPlace = tuple[float, AnswerPlace]


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
    extreme = find_extreme(question)
    if extreme is not None:
        row = read_extreme(read_question(question), extreme, evidence)
        # One sentence or cell does not tell which of several is the cheapest.
        return [ReadAnswer(row.text, row.number, row.named)] if row else []
    everywhere = [place for places in by_text.values() for place in places]
    answers: list[ReadAnswer] = []
    for part in range(count_parts(question)):
        enough: list[ScoredPlace] = []
        for text, places in by_text.items():
            query = read_question(text, part=part)
            enough += _list_answering(query, places, _match_words(query, everywhere))
        if answers:
            # What else is asked is answered by the same document only.
            titles = {evidence.sources[answer.number - 1].passage.title for answer in answers}
            enough = [pair for pair in enough if pair[1].around.title in titles]
        known = {answer.text for answer in answers}
        answers += [answer for answer in _choose(enough) if answer.text not in known]
    return answers


def _choose(enough: Sequence[ScoredPlace]) -> list[ReadAnswer]:
    """Return the best place: cells of one row together, a statement with what follows it."""
    if not enough:
        return []
    best_score, best = max(enough, key=itemgetter(0))
    chosen = [best]
    if best.row is not None:
        same = [pair for pair in enough if pair[1].row == best.row]
        chosen = [place for score, place in same if score >= best_score - 0.01][:MOST_CELLS]
    return [ReadAnswer(place.text, place.number, best_score) for place in chosen]


def _list_answering(
    query: DocumentQuery, places: Sequence[AnswerPlace], matches: Sequence[WordMatch]
) -> list[ScoredPlace]:
    """Return the places that answer, with their scores."""
    answering = []
    named = _find_named(query, places)
    for place in places:
        if not _may_answer(query, place):
            continue
        is_named = bool(query.times or query.names)
        if not is_named and not _names_rarest(place, matches):
            continue
        score = _score(query, place, matches)
        if place.around.is_guide and GUIDE_WORD not in query.text.lower():
            score -= BEHIND_GUIDE
        if query.kind.name == "date" and not place.value.times:
            score -= BEHIND_DATE
        least = _find_least(query, place)
        if named:
            is_of_named = place.around.title in named
            least -= NAMED_EASE if is_of_named else 0.0
            score -= 0.0 if is_of_named else BEHIND_NAMED
        if score >= least:
            answering.append((score + RANK_SHARE * place.around.rank, place))
    return answering


def _find_named(query: DocumentQuery, places: Sequence[AnswerPlace]) -> frozenset[str]:
    """Return the titles of documents that a question names by a word that no other has."""
    by_title: dict[str, set[str]] = {}
    for place in places:
        keys = by_title.setdefault(place.around.title, set())
        keys |= place.around.document | place.around.passage
    named: set[str] = set()
    for subject in query.words:
        word = subject.word
        if not word.is_capital or _topics_of(word) or meanings_of(word.text):
            continue
        titles = [title for title, keys in by_title.items() if has_word(frozenset(keys), word)]
        if len(titles) == 1:
            named.update(titles)
    return frozenset(named) if len(named) == 1 else frozenset()


def _names_rarest(place: AnswerPlace, matches: Sequence[WordMatch]) -> bool:
    """Return whether a place names the word that tells most, without which it is a guess."""
    if not matches or len(matches) > MOST_NEEDED:
        return True
    most = max(match.tells for match in matches)
    rarest = [match for match in matches if match.tells >= ALMOST * most]
    for match in rarest:
        if has_word(place.keys, match.word) or not match.near.isdisjoint(place.keys):
            return True
    return False


def _find_least(query: DocumentQuery, place: AnswerPlace) -> float:
    """Return the least score with which a place answers."""
    if not query.kind.is_statement or _has_code(query, place):
        return LEAST_OF_VALUE
    return LEAST_OF_YES_NO if query.kind.name == "yes_no" else LEAST_OF_STATEMENT


def _has_code(query: DocumentQuery, place: AnswerPlace) -> bool:
    """Return whether a question names the code of a place's row."""
    if place.row is None or not query.names:
        return False
    label = read_segment(place.row.label).keys
    return any(has_word(label, name) for name in query.names)


def _list_places(source: EvidenceSource, number: int) -> Iterator[AnswerPlace]:
    context = PlaceContext(
        heading=_read_keys(" ".join(source.passage.headings)),
        document=_read_keys(source.passage.title),
        passage=frozenset().union(*map(_read_keys, source.sentences)),
        rank=source.passage.score,
        is_guide=source.passage.title.startswith(GUIDE),
        title=source.passage.title,
    )
    for place, sentence in enumerate(source.sentences):
        if is_row(sentence) or not is_statement(sentence):
            continue
        beside = frozenset[str]()
        denied = frozenset[str]()
        for other in (place - 1, place + 1):
            if 0 <= other < len(source.sentences) and not is_row(source.sentences[other]):
                beside |= _read_keys(source.sentences[other])
                if other < place and read_segment(source.sentences[other]).is_negated:
                    denied = _read_keys(source.sentences[other])
        own = read_segment(sentence)
        yield AnswerPlace(
            sentence,
            number,
            own,
            own,
            beside,
            context,
            clauses=read_segments(sentence),
            denied=denied,
        )
    for rows in list_tables(source.sentences):
        for row in rows:
            yield from _list_cells(row, number, context)


@lru_cache(maxsize=8_000)
def _read_keys(text: str) -> frozenset[str]:
    return _keys_and_topics(read_segment(text))


def _keys_and_topics(segment: ClaimSegment) -> frozenset[str]:
    """Return what the words of a clause are compared by, and their topics."""
    topics = [related_of(word.text) for word in segment.words if not word.is_name]
    clocks = [time.parts[0] for time in segment.times if time.kind == "clock"]
    if clocks and clocks[0] in NIGHT_HOURS:
        topics.append(frozenset({"=night"}))
    return segment.keys.union(*topics)


def is_statement(sentence: str) -> bool:
    """Return whether a sentence may answer: no heading, question or command."""
    if len(sentence.split()) <= 2 or sentence.endswith(("?", ":", ",")) or sentence.isupper():
        return False
    return not _ABOUT_ITSELF.search(sentence) and not _CODE.search(sentence)


def _list_cells(row: TableRow, number: int, context: PlaceContext) -> Iterator[AnswerPlace]:
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
            context,
            row=row,
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
            context,
            row=row,
            is_remedy=bool(_REMEDY.search(cell.title)),
        )


def _match_words(query: DocumentQuery, places: Sequence[AnswerPlace]) -> list[WordMatch]:
    """Return the words of a question weighted: one of few places tells more than one of many."""
    vocabulary = frozenset[str]()
    if detect_language(query.text) != "en":
        vocabulary = vocabulary.union(*(place.keys for place in places))
    matches = []
    for subject in query.words:
        near = _topics_of(subject.word) | _compounds_of(subject.word, vocabulary)
        own_count = sum(has_word(place.keys, subject.word) for place in places)
        near_count = sum(not near.isdisjoint(place.keys) for place in places)
        rarity = _rarity(own_count, len(places))
        near_rarity = min(rarity, RELATED * _rarity(max(own_count, near_count), len(places)))
        if not own_count and near_count:
            # Nothing says this word: what says it in other words weighs for it.
            rarity = near_rarity / RELATED
        tells = subject.weight * rarity
        is_known = own_count or near_count
        weight = tells if is_known else UNKNOWN_SHARE * tells
        near_weight = subject.weight * near_rarity
        matches.append(WordMatch(subject.word, near, tells, weight, near_weight))
    return matches


def _rarity(count: int, total: int) -> float:
    return log(1 + (total + 0.5) / (max(count, 1) + 0.5))


def _topics_of(word: Word) -> frozenset[str]:
    return frozenset() if word.is_name else related_of(word.text)


def _compounds_of(word: Word, vocabulary: frozenset[str]) -> frozenset[str]:
    """Return the words of a vocabulary that a word is a part of, as "Frist" of "Antragsfrist"."""
    if word.is_name or meanings_of(word.text):
        return frozenset()
    stems = [key for key in word_keys(word) if len(key) >= SHORTEST_PART and key[0].isalpha()]
    compounds = set()
    for key in vocabulary:
        is_longer = any(key.startswith(stem) or key.endswith(stem) for stem in stems)
        if is_longer and key not in stems:
            compounds.add(key)
    return frozenset(compounds)


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
    near = place.own_keys | place.around.heading
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


def _score(query: DocumentQuery, place: AnswerPlace, matches: Sequence[WordMatch]) -> float:
    """Return the weighted share of a question's words, figures and times that a place names."""
    total = sum(match.weight for match in matches)
    levels = place.list_levels(query)
    named = sum(_name_word(match, levels) for match in matches)
    most = max((match.weight for match in matches), default=1.0)
    for time in query.times:
        total += most
        if _is_named_time(time, place.own):
            named += most
    for quantity in query.quantities:
        if _has_quantity(quantity, place.own):
            named += QUANTITY_SHARE * most
    if not total:
        return 0.0
    if _is_other_polarity(query, place):
        named -= OTHER_POLARITY * total
    return named / total + CLOSE_SHARE * len(query.words) / max(place.own.size, len(query.words), 1)


def _is_other_polarity(query: DocumentQuery, place: AnswerPlace) -> bool:
    """Return whether a value holds where a question's condition does not, or the reverse."""
    if query.kind.is_statement:
        return False
    if query.is_negated:
        is_denied = any(_is_near(word.word, place.denied) for word in query.words)
        return not place.own.is_negated and not is_denied and place.row is None
    for clause in place.clauses:
        # What follows the value does not deny it.
        if clause.is_negated or query.kind.holds(clause):
            return clause.is_negated
    return place.own.is_negated


def _name_word(match: WordMatch, levels: Sequence[tuple[frozenset[str], float]]) -> float:
    """Return what a place gets for a word: in itself, beside it, in its heading or passage."""
    best = 0.0
    for keys, level in levels:
        if level * match.weight > best and has_word(keys, match.word):
            best = level * match.weight
        elif level * match.near_weight > best and not match.near.isdisjoint(keys):
            best = level * match.near_weight
    return best


def _has_quantity(quantity: ClaimedQuantity, segment: ClaimSegment) -> bool:
    for other in segment.quantities:
        is_same_unit = None in (quantity.dimension, other.dimension) or (
            quantity.dimension == other.dimension
        )
        if is_same_unit and quantity.readings & other.readings:
            return True
    return False
