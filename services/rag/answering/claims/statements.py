"""Statements of a passage: sentences by clauses, and table rows cell by cell with their heads."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.rag.answering.claims.segments import ClaimSegment, read_segment, read_segments
from services.rag.answering.claims.units import find_unit
from services.rag.answering.sentences import is_row

_UNIT_IN_HEAD = re.compile(r"\(([^()]+)\)\s*$")
_NUMBER_ALONE = re.compile(r"\s*[-+\u2212]?\d[\d.,' ]*\s*$")


@dataclass(frozen=True)
class Statement:
    """Statement of a passage in one place.

    Attributes:
        segments: its clauses.
        head: the titles that it stands under.
        before: of the sentence before it, if it refers back to that.
        label: of its row in a table; a claim from it has to name the row.
        text: as the passage has it.
    """

    segments: tuple[ClaimSegment, ...]
    head: ClaimSegment
    before: ClaimSegment | None = None
    label: ClaimSegment | None = None
    text: str = ""


def list_statements(sentences: Sequence[str], heads: str) -> tuple[Statement, ...]:
    """Return the statements of a passage's sentences and rows, under their titles."""
    head = read_segment(heads)
    statements: list[Statement] = []
    place = 0
    while place < len(sentences):
        end = place
        while end < len(sentences) and is_row(sentences[end]):
            end += 1
        if end > place:
            statements += _list_cells(sentences[place:end], head)
            place = end
            continue
        before = sentences[place - 1] if place and not is_row(sentences[place - 1]) else None
        statements.append(_make_statement(sentences[place], head, before))
        place += 1
    return tuple(statements)


def _make_statement(sentence: str, head: ClaimSegment, before: str | None) -> Statement:
    segments = read_segments(sentence)
    refers_back = any(segment.refers_back for segment in segments)
    context = read_segment(before) if before and refers_back else None
    return Statement(segments, head, context, None, sentence)


def _list_cells(rows: Sequence[str], head: ClaimSegment) -> Iterator[Statement]:
    """Yield each cell of a table with its row's label and its column's head, and whole rows."""
    cells = [_split_row(row) for row in rows]
    filled = [row for row in cells if any(set(cell) - set("-: ") for cell in row)]
    has_head = len(filled) > 1 and len(filled[0]) > 1
    titles = filled[0] if has_head else []
    texts = [row for row, parts in zip(rows, cells, strict=True) if parts in filled]
    for row, text in zip(filled, texts, strict=True):
        if row is titles or not row:
            continue
        label = read_segment(row[0])
        dimensions: list[str | None] = []
        named = f"{titles[0]} {row[0]}" if titles else row[0]
        whole = [named]
        for column, cell in enumerate(row[1:], start=1):
            full_title = titles[column] if column < len(titles) else ""
            value = _with_unit(full_title, cell)
            title = _UNIT_IN_HEAD.sub("", full_title)
            statement = read_segment(f"{named} {title} {value}")
            dimensions += [quantity.dimension for quantity in read_segment(value).quantities]
            whole.append(f"{title} {value}")
            yield Statement((statement,), head, None, label, text)
        if len(dimensions) == len(set(dimensions)):
            yield Statement((read_segment(" ".join(whole)),), head, None, label, text)


def _split_row(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _with_unit(title: str, cell: str) -> str:
    """Return a bare number with the unit that its column's head names."""
    unit = _UNIT_IN_HEAD.search(title)
    if unit is None or not _NUMBER_ALONE.match(cell):
        return cell
    is_unit = find_unit(re.split(r"[/\s]", unit[1].lower())[0]) is not None
    return f"{cell} {unit[1]}" if is_unit else cell
