"""Rows of tables in passages: each cell with its row's label and its column's head."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.rag.answering.claims.units import find_unit
from services.rag.answering.sentences import is_row

_UNIT_IN_HEAD = re.compile(r"\s*\(([^()]+)\)\s*$")
_NUMBER_ALONE = re.compile(r"\s*[-+\u2212]?\d[\d.,' ]*\s*$")


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell beside the first of its row.

    Attributes:
        title: its column's head without a unit; empty where there is none.
        value: its text, a bare number with the unit that the head names.
    """

    title: str
    value: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row below the head of a table.

    Attributes:
        place: of its line among the sentences of the passage.
        label_title: head of the first column; empty where there is none.
        label: the first cell.
    """

    place: int
    text: str
    label_title: str
    label: str
    cells: tuple[TableCell, ...]


def list_tables(sentences: Sequence[str]) -> Iterator[tuple[TableRow, ...]]:
    """Yield the rows of each table among the sentences of a passage."""
    place = 0
    while place < len(sentences):
        end = place
        while end < len(sentences) and is_row(sentences[end]):
            end += 1
        if end > place:
            yield tuple(_list_rows(sentences, range(place, end)))
        place = max(end, place + 1)


def _list_rows(sentences: Sequence[str], places: range) -> Iterator[TableRow]:
    split = [(place, _split_row(sentences[place])) for place in places]
    filled = [(place, cells) for place, cells in split if _has_words(cells)]
    has_head = len(filled) > 1 and len(filled[0][1]) > 1
    titles = filled[0][1] if has_head else []
    for place, cells in filled[1:] if has_head else filled:
        row_cells = []
        for column, cell in enumerate(cells[1:], start=1):
            title = titles[column] if column < len(titles) else ""
            row_cells.append(_read_cell(title, cell))
        label_title = titles[0] if titles else ""
        yield TableRow(place, sentences[place], label_title, cells[0], tuple(row_cells))


def _has_words(cells: Sequence[str]) -> bool:
    return any(set(cell) - set("-: ") for cell in cells)


def _split_row(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _read_cell(head: str, cell: str) -> TableCell:
    """Return a cell; the unit of "Price (ct/kWh)" or "ct/kWh gross" goes to a bare number."""
    in_brackets = _UNIT_IN_HEAD.search(head)
    title = _UNIT_IN_HEAD.sub("", head)
    unit = in_brackets[1] if in_brackets else head.partition(" ")[0]
    if not unit or not _NUMBER_ALONE.match(cell):
        return TableCell(title, cell)
    is_unit = find_unit(re.split(r"[/\s]", unit.lower())[0]) is not None
    return TableCell(title, f"{cell} {unit}" if is_unit else cell)
