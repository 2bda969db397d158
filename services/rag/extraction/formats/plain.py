"""Plain text: paragraphs between empty lines."""

import re

from services.rag.extraction.model import DocumentBlock, ExtractionError, FileSource, FormatReading
from services.rag.extraction.text import decode

_ITEM = re.compile(r"\s*(?:[-*•–]|\d{1,2}[.)])\s+\S")


def read(source: FileSource) -> FormatReading:
    """Return the paragraphs of a text; those of which every line begins as an item does are lists."""
    text = decode(source.path.read_bytes())
    if text is None:
        raise ExtractionError("damaged", "The file's characters cannot be told")
    return FormatReading(blocks=paragraphs(text))


def paragraphs(text: str) -> list[DocumentBlock]:
    """Return the paragraphs of a text."""
    pieces = re.split(r"\n[^\S\n]*\n|\f", text.replace("\r\n", "\n").replace("\r", "\n"))
    return [DocumentBlock("list" if all(map(_ITEM.match, piece.strip().split("\n"))) else "text", piece) for piece in pieces if piece.strip()]
