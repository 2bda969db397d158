"""Plain text: paragraphs between empty lines."""

from services.rag.extraction.model import ExtractionError, FileSource, FormatReading
from services.rag.extraction.text import decode, paragraphs


def read(source: FileSource) -> FormatReading:
    """Return the paragraphs of a text."""
    text = decode(source.path.read_bytes())
    if text is None:
        raise ExtractionError("damaged", "The file's characters cannot be told")
    return FormatReading(blocks=paragraphs(text))
