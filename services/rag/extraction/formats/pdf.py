"""PDF: text in reading order page by page, tables as rows, headings by the size of their letters.

Text in pictures is read by Tesseract: the extra ``ocr`` and the program ``tesseract`` with its German and English data. Without them there is none.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt
from pathlib import Path
from time import monotonic
from typing import Any

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY, FPDF_GetLastError

from services.rag.extraction.formats.pdf_blocks import blocks_of
from services.rag.extraction.formats.pdf_lines import PdfLine, lines_of
from services.rag.extraction.model import ExtractionError, FileSource, FormatReading, Note

_SECONDS_PER_PAGE = 20


def recognise(picture: Any) -> list[str]:
    """Return the lines of text in a picture; none where the program is missing or takes too long.

    Args:
        picture: of PIL.
    """
    import pytesseract

    try:
        text: str = pytesseract.image_to_string(picture, lang="deu+eng", timeout=_SECONDS_PER_PAGE)
    except (pytesseract.TesseractError, pytesseract.TesseractNotFoundError, RuntimeError, OSError):
        # Without German data the program still knows English; pytesseract's time-out is a RuntimeError.
        return []
    return text.split("\n")


# Text that a scanner or a stamp puts on a picture, such as the page's number.
_LEAST_LETTERS = 10
# 200 dots per inch of 72 points, and no more dots than a page of A3 has then.
_DOTS_PER_POINT, _MOST_DOTS = 200 / 72, 8_000_000


def read(source: FileSource) -> FormatReading:
    """Return the pages of a PDF; those that are pictures alone by text recognition where it is installed."""
    document = _opened(source.path)
    pages = len(document)
    if pages > source.limits.pages:
        raise ExtractionError("too_many_pages", f"It has {pages:,} pages; at most {source.limits.pages:,} are read")
    if pages == 0:
        raise ExtractionError("damaged", "The PDF has no pages")
    notes: set[Note] = set()
    # Pages that nobody had time to recognise are named as pictures, rather than none of the document read.
    until = monotonic() + source.limits.seconds / 2
    lines = [_page(document, number, replace(source, ocr=source.ocr and monotonic() < until), notes) for number in range(pages)]
    if not any(lines) and "unreadable_pages" in notes:
        raise ExtractionError("damaged", "None of its pages can be read")
    title: str = document.get_metadata_value("Title").strip()
    # What word processors write where nobody gave one.
    return FormatReading(
        blocks=blocks_of(lines),
        title=None if title.lower().startswith(("microsoft word", "untitled", "(anonymous)")) else title or None,
        pages=pages,
        notes=sorted(notes),
    )


def _opened(path: Path) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as exc:
        if FPDF_GetLastError() in {FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY}:
            raise ExtractionError("encrypted", "The PDF is protected with a password") from exc
        raise ExtractionError("damaged", "The PDF cannot be opened") from exc


def _page(document: pypdfium2.PdfDocument, number: int, source: FileSource, notes: set[Note]) -> list[PdfLine]:
    try:
        page = document[number]
        lines = lines_of(page)
    except pypdfium2.PdfiumError:
        notes.add("unreadable_pages")
        return []
    try:
        # Letters drawn as lines count as a picture.
        if sum(len(line.text) for line in lines) >= _LEAST_LETTERS or next(iter(page.get_objects(max_depth=2)), None) is None:
            return lines
        recognised = list(_recognised(page)) if source.ocr else []
        notes.add("ocr" if recognised else "images_without_text")
        return recognised or lines
    finally:
        page.close()


def _recognised(page: pypdfium2.PdfPage) -> Iterator[PdfLine]:
    width, height = page.get_size()
    scale = min(_DOTS_PER_POINT, sqrt(_MOST_DOTS / max(width * height, 1.0)))
    for row, text in enumerate(recognise(page.render(scale=scale, grayscale=True).to_pil())):
        # What stands between paragraphs are rows as well, without text.
        if text.strip():
            yield PdfLine.plain(text, row=row)
