"""Statements of a passage: sentences by clauses, and table rows cell by cell with their heads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.rag.answering.claims.segments import ClaimSegment, read_segment, read_segments
from services.rag.answering.claims.tables import TableRow, list_tables
from services.rag.answering.sentences import is_row


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
    for place, sentence in enumerate(sentences):
        if not is_row(sentence):
            before = sentences[place - 1] if place and not is_row(sentences[place - 1]) else None
            statements.append(_make_statement(sentence, head, before))
    for rows in list_tables(sentences):
        for row in rows:
            statements += _list_cells(row, head)
    return tuple(statements)


def _make_statement(sentence: str, head: ClaimSegment, before: str | None) -> Statement:
    segments = read_segments(sentence)
    refers_back = any(segment.refers_back for segment in segments)
    context = read_segment(before) if before and refers_back else None
    return Statement(segments, head, context, None, sentence)


def _list_cells(row: TableRow, head: ClaimSegment) -> Iterator[Statement]:
    """Yield each cell of a row with its label and its column's head, and the whole row."""
    label = read_segment(row.label)
    named = f"{row.label_title} {row.label}".strip()
    yield Statement((read_segment(named),), head, None, label, row.text)
    dimensions: list[str | None] = []
    whole = [named]
    for cell in row.cells:
        statement = read_segment(f"{named} {cell.title} {cell.value}")
        dimensions += [quantity.dimension for quantity in read_segment(cell.value).quantities]
        whole.append(f"{cell.title} {cell.value}")
        yield Statement((statement,), head, None, label, row.text)
    if len(dimensions) == len(set(dimensions)):
        yield Statement((read_segment(" ".join(whole)),), head, None, label, row.text)
