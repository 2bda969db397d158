"""CSV: one table, its first row the header."""

import csv
import io

from services.rag.extraction.detection import separator_of
from services.rag.extraction.model import DocumentBlock, ExtractionError, FileSource, FormatReading
from services.rag.extraction.text import decode


def read(source: FileSource) -> FormatReading:
    """Return the rows of a table in text, whatever separates its cells."""
    text = decode(source.path.read_bytes())
    if text is None:
        raise ExtractionError("damaged", "The file's characters cannot be told")
    text = text.lstrip("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text) or ",")
    try:
        rows = [line for cells in reader if (line := row_text(cells))]
    except csv.Error as exc:
        raise ExtractionError(
            "damaged", f"Line {reader.line_num:,} of the table cannot be read"
        ) from exc
    return FormatReading(blocks=[DocumentBlock("table", "\n".join(rows))] if rows else [])


def row_text(cells: list[str]) -> str:
    """Return the line of a row; empty where all its cells are."""
    words = [" ".join(cell.split()) for cell in cells]
    while words and not words[-1]:
        words.pop()
    return " | ".join(words)
