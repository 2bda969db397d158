"""Reads the row of a table with the highest or lowest value, as "cheapest" and "longest" ask for.

All rows have to have a value of one kind: of rows that cannot be compared none is the highest.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.rag.answering.claims.items import Word
from services.rag.answering.claims.segments import has_word, read_segment
from services.rag.answering.claims.tables import TableCell, TableRow, list_tables
from services.rag.answering.evidence import AnswerEvidence, EvidenceSource
from services.rag.answering.reading.query import DocumentQuery, SubjectWord
from services.rag.retrieval.related import related_of

# Of the weight of a question's words, the share that a table has to name.
LEAST_NAMED = 0.7
_MONEY = frozenset({"eur", "gbp", "chf"})
_SPAN = frozenset({"time", "months", "length"})
_MASS = frozenset({"mass"})
_SOUND = frozenset({"sound"})
Choose = Callable[..., float]


@dataclass(frozen=True, slots=True)
class Extreme:
    """A superlative: its words, the dimensions that it compares, and which value it means."""

    pattern: re.Pattern[str]
    dimensions: frozenset[str]
    choose: Choose


@dataclass(frozen=True, slots=True)
class ExtremeRow:
    """A row's text, the number of its source, and the share named by the question."""

    text: str
    number: int
    named: float


def _extreme(words: str, dimensions: frozenset[str], choose: Choose) -> Extreme:
    return Extreme(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), dimensions, choose)


EXTREMES = (
    _extreme(
        r"cheapest|least expensive|billigste\w*|günstigste\w*|preiswerteste\w*|goedkoopste?|"
        r"voordeligste?",
        _MONEY,
        min,
    ),
    _extreme(r"dearest|most expensive|teuerste\w*|duurste?", _MONEY, max),
    _extreme(r"longest|längste\w*|langste?", _SPAN, max),
    _extreme(r"shortest|kürzeste\w*|kortste?", _SPAN, min),
    _extreme(r"heaviest|schwerste\w*|zwaarste?", _MASS, max),
    _extreme(r"lightest|leichteste\w*|lichtste?", _MASS, min),
    _extreme(r"loudest|lauteste\w*|luidste?", _SOUND, max),
    _extreme(r"quietest|leiseste\w*|stilste?", _SOUND, min),
)


def find_extreme(text: str) -> Extreme | None:
    """Return the superlative of a question; None without one."""
    return next((extreme for extreme in EXTREMES if extreme.pattern.search(text)), None)


def read_extreme(
    query: DocumentQuery, extreme: Extreme, evidence: AnswerEvidence
) -> ExtremeRow | None:
    """Return the row of the table that a question names best; None where no table compares."""
    words = [word for word in query.words if not extreme.pattern.search(word.word.text)]
    best: ExtremeRow | None = None
    for number, source in enumerate(evidence.sources, start=1):
        if _goes_on(source, evidence):
            continue
        for rows in list_tables(source.sentences):
            found = _read_table(words, extreme, rows, (source, number))
            if found is not None and (best is None or found.named > best.named):
                best = found
    return best


def _goes_on(source: EvidenceSource, evidence: AnswerEvidence) -> bool:
    """Return whether another passage under the same headings may hold more rows of a table."""
    passage = source.passage
    for other in evidence.sources:
        is_same = other.passage.document_id == passage.document_id
        if is_same and other.passage.position != passage.position:
            has_rows = any(list_tables(other.sentences))
            if has_rows and other.passage.headings == passage.headings:
                return True
    return False


def _read_table(
    words: Sequence[SubjectWord],
    extreme: Extreme,
    rows: Sequence[TableRow],
    where: tuple[EvidenceSource, int],
) -> ExtremeRow | None:
    source, number = where
    meant = _choose_rows(words, rows)
    if len(meant) < 2:
        return None
    around = f"{source.passage.title} {' '.join(source.passage.headings)} {rows[0].label_title}"
    best: ExtremeRow | None = None
    for column in range(min(len(row.cells) for row in meant)):
        values = [_read_value(row.cells[column], extreme) for row in meant]
        known = [value for value in values if value is not None]
        if len(known) < len(meant) or len(set(known)) == 1:
            continue
        wanted = extreme.choose(known)
        if known.count(wanted) > 1:
            continue
        named = _share_named(words, f"{around} {meant[0].cells[column].title}", meant)
        if named >= LEAST_NAMED and (best is None or named > best.named):
            row = meant[known.index(wanted)]
            best = ExtremeRow(_say_row(row, column, meant), number, named)
    return best


def _choose_rows(words: Sequence[SubjectWord], rows: Sequence[TableRow]) -> list[TableRow]:
    """Return the rows with the words that tell rows apart; all rows if none has them."""
    meant = list(rows)
    for subject in words:
        having = [row for row in meant if _names(read_segment(row.text).keys, subject.word)]
        if len(having) > 1:
            meant = having
    return meant


def _read_value(cell: TableCell, extreme: Extreme) -> float | None:
    """Return a cell's only value of a dimension, and of one unit per what; else None."""
    quantities = [
        quantity
        for quantity in read_segment(f"{cell.title} {cell.value}").quantities
        if quantity.dimension in extreme.dimensions
    ]
    if len(quantities) != 1 or len(quantities[0].readings) != 1:
        return None
    return next(iter(quantities[0].readings))


def _share_named(words: Sequence[SubjectWord], head: str, rows: Sequence[TableRow]) -> float:
    keys = read_segment(head).keys
    topics = frozenset[str]().union(*(related_of(word) for word in head.lower().split()))
    cells = frozenset[str]().union(*(read_segment(row.text).keys for row in rows))
    total = sum(subject.weight for subject in words)
    named = 0.0
    for subject in words:
        if _names(keys | topics, subject.word) or _names(cells, subject.word):
            named += subject.weight
    return named / total if total else 0.0


def _names(keys: frozenset[str], word: Word) -> bool:
    if has_word(keys, word):
        return True
    return not word.is_name and bool(related_of(word.text) & keys)


def _say_row(row: TableRow, column: int, rows: Sequence[TableRow]) -> str:
    """Return a row's label with its value; the whole row where others have the same label."""
    cell = row.cells[column]
    if sum(other.label == row.label for other in rows) > 1:
        return ", ".join([row.label, *(f"{each.title}: {each.value}" for each in row.cells)])
    return f"{row.label}, {cell.title}: {cell.value}"
