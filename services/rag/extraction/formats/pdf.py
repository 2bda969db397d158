"""PDF: text in reading order page by page.

Cells where gaps divide lines, tables as rows, headings by the size of their letters.

Text in pictures is read by Tesseract: the extra ``ocr`` and the program ``tesseract`` with its
German and English data. Without them there is none.

PDFium puts the letters in the order of the page's own drawing, which is the reading order with few
exceptions, and ends lines. Positions are asked for first and last letters of words alone: a call
per letter would take most of the time.
"""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot, sqrt
from statistics import median
from time import monotonic
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY, FPDF_GetLastError

from services.rag.extraction.model import (
    DocumentBlock,
    ExtractionError,
    FileSource,
    FormatReading,
    Note,
)

# Between words of one sentence there is a fraction of the letters' size, also in justified text;
# between columns more.
_GAP_IN_SIZES = 0.75
_ENDS = frozenset({10, 13})
_SPACES = frozenset({0, 9, 32, 160})
_MARKER = re.compile(r"[-•▪‣·∙●○–*]|\d{1,2}[.)]|[a-z]\)")  # before an item of a list
_HYPHENS = {0x02: "-", 0xFFFE: "-"}  # how PDFium marks a hyphen at the end of a line


@dataclass(frozen=True)
class Segment:
    """Words of a line without a column's gap between them.

    Lengths in points, from the page's lower left corner.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float


@dataclass(frozen=True)
class PdfLine:
    """A line of a page."""

    segments: tuple[Segment, ...]

    @classmethod
    def plain(cls, text: str, *, row: int) -> "PdfLine":
        """Return a line of known text at a made-up place, ``row`` lines below the first one."""
        return cls((Segment(text, 0.0, 1.0, -14.0 * row, 10.0),))

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def size(self) -> float:
        return max(segment.size for segment in self.segments)

    @property
    def baseline(self) -> float:
        return self.segments[0].baseline


@dataclass(slots=True)
class _Word:
    text: str
    left: float
    right: float
    baseline: float
    size: float


def lines_of(page: Any) -> list[PdfLine]:
    """Return the lines of a page in reading order; none where it has no text.

    Raises:
        pypdfium2.PdfiumError: the page's text cannot be read.
    """
    text_page = page.get_textpage()
    lines: list[PdfLine] = []
    try:
        for words in _worded(text_page.raw):
            segments = tuple(_segments(words))
            if _share_baseline(segments):
                lines.append(PdfLine(segments))
            else:
                # PDFium put columns of different heights on one line.
                lines.extend(PdfLine((segment,)) for segment in segments)
    finally:
        text_page.close()
    return lines


def _share_baseline(segments: Sequence[Segment]) -> bool:
    for segment in segments:
        if abs(segment.baseline - segments[0].baseline) >= segment.size / 2:
            return False
    return bool(segments)


def _worded(text_page: Any) -> Iterator[list[_Word]]:
    count = max(pdfium.FPDFText_CountChars(text_page), 0)
    buffer = (ctypes.c_ushort * (count + 1))()
    # The letters' code points by PDFium's index of them. One call for all leaves out letters that
    # it cannot name, and then the indexes are not its own.
    written = pdfium.FPDFText_GetText(text_page, 0, count, buffer) - 1
    letters: Sequence[int] = buffer[:count]
    if written != count or any(0xD800 <= letter < 0xE000 for letter in letters):
        letters = [pdfium.FPDFText_GetUnicode(text_page, index) for index in range(count)]
    measure = _Measure(text_page)
    line: list[_Word] = []
    start = 0
    for index, letter in enumerate([*letters, 10]):
        is_end = letter in _ENDS
        if not is_end and letter not in _SPACES:
            continue
        if index > start:
            text = "".join(map(chr, letters[start:index])).translate(_HYPHENS)
            line.append(measure.word(text, start, index - 1, is_first=not line))
        start = index + 1
        if is_end and line:
            yield line
            line = []


class _Measure:
    """Asks PDFium where words stand.

    Heights and sizes are asked for at the beginning of lines alone: they rarely change within.
    """

    def __init__(self, text_page: Any) -> None:
        self._text_page = text_page
        self._box = tuple(ctypes.c_double() for _ in range(4))
        self._origin = (ctypes.c_double(), ctypes.c_double())
        self._matrix = pdfium.FS_MATRIX()
        self._size = 10.0

    def word(self, text: str, first: int, last: int, *, is_first: bool) -> _Word:
        if is_first:
            self._size = self._font_size(first)
        pdfium.FPDFText_GetCharOrigin(self._text_page, first, *self._origin)
        pdfium.FPDFText_GetCharBox(self._text_page, last, *self._box)
        left, baseline = (value.value for value in self._origin)
        return _Word(text, left, max(self._box[1].value, left), baseline, self._size)

    def _font_size(self, letter: int) -> float:
        """Return the font's size times the page's enlargement of it, in points."""
        enlargement = 1.0
        if pdfium.FPDFText_GetMatrix(self._text_page, letter, self._matrix):
            enlargement = hypot(self._matrix.c, self._matrix.d) or 1.0
        size: float = pdfium.FPDFText_GetFontSize(self._text_page, letter) * enlargement
        return size if 0 < size < 1000 else 10.0


def _segments(words: list[_Word]) -> Iterator[Segment]:
    gathered: list[_Word] = []
    for word in words:
        # The marker of a list's item belongs to the item, however far apart they are.
        is_first_alone = len(gathered) == 1 and gathered[0] is words[0]
        is_after_marker = is_first_alone and _MARKER.fullmatch(gathered[0].text)
        if gathered and not is_after_marker and _is_gap(gathered[-1], word):
            yield _segment(gathered)
            gathered = []
        gathered.append(word)
    if gathered:
        yield _segment(gathered)


def _is_gap(before: _Word, word: _Word) -> bool:
    """Return whether a column ends between two words of a line."""
    size = max(before.size, word.size)
    gap = word.left - before.right
    if gap > _GAP_IN_SIZES * size or gap < -size:
        return True
    return abs(word.baseline - before.baseline) > size


def _segment(words: list[_Word]) -> Segment:
    return Segment(
        " ".join(word.text for word in words),
        words[0].left,
        words[-1].right,
        words[0].baseline,
        words[0].size,
    )


_LEAST_ROWS = 2
# Cells are short; columns of running text are not.
_MOST_WORDS_PER_CELL = 8
# Rows of one table stand no further apart, in sizes of their letters.
_ROW_GAP = 3.5
_WRAP_GAP = 1.35
_BESIDE_GAP = 0.9


@dataclass(frozen=True)
class Table:
    """A table: one line per row, cells between bars."""

    text: str


@dataclass
class _Row:
    cells: list[Segment]
    lines: list[int]
    baseline: float

    @property
    def size(self) -> float:
        return self.cells[0].size


def tables_of(lines: list[PdfLine]) -> dict[int, Table | bool]:
    """Return the tables by the indexes of their lines.

    The first line of a table has the table, its other lines have False.
    """
    tables: dict[int, Table | bool] = {}
    for rows in _runs(_rows(lines)):
        columns = _columns(rows)
        if len(columns) < 2 or len(rows) < _LEAST_ROWS or _is_running_text(rows):
            continue
        members: list[int] = []
        for row in rows:
            members += row.lines
        members.sort()
        tables |= dict.fromkeys(members, False)
        text_rows = [" | ".join(cells) for cells in _cells(rows, columns)]
        tables[members[0]] = Table("\n".join(text_rows))
    return tables


def _columns(rows: list[_Row]) -> list[tuple[float, float]]:
    """Return the extents of columns; cells that overlap are in one column."""
    extents = []
    for row in rows:
        extents += [(cell.left, max(cell.right, cell.left)) for cell in row.cells]
    columns: list[tuple[float, float]] = []
    for left, right in sorted(extents):
        if columns and left <= columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _is_running_text(rows: list[_Row]) -> bool:
    """Return whether cells are too long for a table.

    Beside a table's descriptions stand figures, so a row's shortest cell has its own limit.
    """
    words = []
    shortest = []
    for row in rows:
        row_words = [len(cell.text.split()) for cell in row.cells]
        words += row_words
        if len(row_words) >= 2:
            shortest.append(min(row_words))
    return median(words) > _MOST_WORDS_PER_CELL or median(shortest) > _MOST_WORDS_PER_CELL / 2


def _rows(lines: list[PdfLine]) -> list[_Row]:
    """Return lines from above; those of the same height are one row."""

    def depth(numbered: tuple[int, PdfLine]) -> float:
        return -numbered[1].baseline

    rows: list[_Row] = []
    for index, line in sorted(enumerate(lines), key=depth):
        if rows and abs(rows[-1].baseline - line.baseline) < 0.4 * line.size:
            rows[-1].cells.extend(line.segments)
            rows[-1].lines.append(index)
        else:
            rows.append(_Row(list(line.segments), [index], line.baseline))
    for row in rows:
        row.cells.sort(key=lambda cell: cell.left)
    return rows


def _runs(rows: list[_Row]) -> list[list[_Row]]:
    """Return runs of near rows that have several cells each, or continue a cell above."""
    runs: list[list[_Row]] = [[]]
    for row in rows:
        run = runs[-1]
        has_cells = len(row.cells) >= 2
        is_near = bool(run) and _is_near(run[-1], row)
        is_rest = is_near and not has_cells and _continues_cell(run[-1], row)
        may_begin = has_cells and not run
        if is_rest or may_begin or (has_cells and is_near):
            run.append(row)
        else:
            runs.append([row] if has_cells else [])
    return runs


def _is_near(above: _Row, row: _Row) -> bool:
    return above.baseline - row.baseline <= _ROW_GAP * max(row.size, above.size)


def _continues_cell(above: _Row, row: _Row) -> bool:
    """Return whether a row of one cell is the rest of a cell in the row above."""
    if _is_beside(above, row):
        return True
    if above.baseline - row.baseline > _WRAP_GAP * row.size:
        return False
    return all(_is_below(cell, above, row.size) for cell in row.cells)


def _is_below(cell: Segment, above: _Row, tolerance: float) -> bool:
    """Return whether a cell begins below a cell of the row above, not the first one."""
    return any(abs(cell.left - other.left) < tolerance for other in above.cells[1:])


def _is_beside(above: _Row, row: _Row) -> bool:
    """Return whether two lines are closer than lines of text can be.

    They are where a cell in the middle of its row stands beside a cell of two lines.
    """
    return above.baseline - row.baseline <= _BESIDE_GAP * row.size


def _cells(rows: list[_Row], columns: list[tuple[float, float]]) -> list[list[str]]:
    table: list[list[str]] = []
    before: _Row | None = None
    for row in rows:
        cells = []
        for left, right in columns:
            texts = [cell.text for cell in row.cells if left <= cell.left <= right]
            cells.append(" ".join(texts))
        if before is not None and _continues_row(before, row, cells):
            pairs = zip(table[-1], cells, strict=True)
            table[-1] = [f"{above} {cell}".strip() for above, cell in pairs]
        else:
            table.append(cells)
        before = row
    return table


def _continues_row(before: _Row, row: _Row, cells: list[str]) -> bool:
    if _is_beside(before, row):
        return True
    return not cells[0] and before.baseline - row.baseline <= _WRAP_GAP * row.size


_HEADING_RATIO = 1.15
_HEADING_WORDS = 20
_MOST_LEVELS = 6
_ITEM = re.compile(r"(?:[-•▪‣·∙●○–*]|\d{1,2}[.)]|[a-z]\))\s+\S|[•▪‣●○]\S")
_BROKEN = re.compile(r"[^\W\d_]-$")


def blocks_of(pages: Sequence[list[PdfLine]]) -> list[DocumentBlock]:
    """Return the blocks of a document's pages.

    Args:
        pages: the lines of each page in reading order.
    """
    letters: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            letters[_rounded(line.size)] += len(line.text)
    # The letters of a heading are clearly larger than those of most text.
    body = letters.most_common(1)[0][0] if letters else 0.0
    larger = sorted((size for size in letters if size >= _HEADING_RATIO * body), reverse=True)
    levels = {size: min(level, _MOST_LEVELS) for level, size in enumerate(larger, 1)}
    blocks: list[DocumentBlock] = []
    for number, lines in enumerate(pages, 1):
        blocks.extend(_blocks_of_page(lines, number, levels))
    return blocks


def _rounded(size: float) -> float:
    return round(2 * size) / 2


def _blocks_of_page(
    lines: list[PdfLine], number: int, levels: dict[float, int]
) -> Iterator[DocumentBlock]:
    tables = tables_of(lines)
    spacing = _line_spacing(lines)
    gathered: list[PdfLine] = []
    for index, line in enumerate(lines):
        table = tables.get(index)
        if gathered and (table is not None or _ends_paragraph(gathered[-1], line, spacing)):
            yield _paragraph(gathered, number, levels)
            gathered = []
        if isinstance(table, Table):
            yield DocumentBlock("table", table.text, number)
        elif table is None:
            gathered.append(line)
    if gathered:
        yield _paragraph(gathered, number, levels)


def _line_spacing(lines: list[PdfLine]) -> float:
    """Return the median distance of lines that follow each other closely; 0 if none do."""
    gaps = []
    for before, after in pairwise(lines):
        gap = before.baseline - after.baseline
        if 0 < gap < 4 * after.size:
            gaps.append(gap)
    return median(gaps) if gaps else 0.0


def _ends_paragraph(before: PdfLine, line: PdfLine, spacing: float) -> bool:
    """Return whether a new paragraph begins with ``line``."""
    gap = before.baseline - line.baseline
    if gap > 1.3 * max(spacing, line.size) or gap < -line.size:
        return True
    if abs(before.size - line.size) > 0.1 * max(before.size, line.size):
        return True
    return _is_list(line) and not _is_list(before)


def _is_list(line: PdfLine) -> bool:
    return bool(_ITEM.match(line.text))


def _paragraph(lines: list[PdfLine], number: int, levels: dict[float, int]) -> DocumentBlock:
    if _is_list(lines[0]):
        items: list[list[PdfLine]] = []
        for line in lines:
            if _is_list(line) or not items:
                items.append([])
            items[-1].append(line)
        return DocumentBlock("list", "\n".join(_flowing(item) for item in items), number)
    text = _flowing(lines)
    level = levels.get(_rounded(lines[0].size))
    if level and len(text.split()) <= _HEADING_WORDS and any(letter.isalpha() for letter in text):
        return DocumentBlock("heading", text, number, level)
    return DocumentBlock("text", text, number)


def _flowing(lines: list[PdfLine]) -> str:
    """Return lines as running text, and join words that were broken at a line's end."""
    texts: list[str] = []
    for line in lines:
        text = line.text
        if texts and _BROKEN.search(texts[-1][-2:]) and text[:1].islower():
            text = texts.pop()[:-1] + text
        texts.append(text)
    return " ".join(texts)


_SECONDS_PER_PAGE = 20


def recognise(picture: Any) -> list[str]:
    """Return the lines of text in a picture, or none if Tesseract is missing or too slow.

    Args:
        picture: of PIL.
    """
    import pytesseract

    try:
        text: str = pytesseract.image_to_string(picture, lang="deu+eng", timeout=_SECONDS_PER_PAGE)
    except (pytesseract.TesseractError, pytesseract.TesseractNotFoundError, RuntimeError, OSError):
        # Without German data the program still knows English; pytesseract's time-out is a
        # RuntimeError.
        return []
    return text.split("\n")


# Text that a scanner or a stamp puts on a picture, such as the page's number.
_LEAST_LETTERS = 10
# 200 dots per inch of 72 points, and no more dots than a page of A3 has then.
_DOTS_PER_POINT = 200 / 72
_MOST_DOTS = 8_000_000


def read(source: FileSource) -> FormatReading:
    """Return the pages of a PDF.

    Those that are pictures alone by text recognition where it is installed.
    """
    try:
        document = pypdfium2.PdfDocument(source.path)
    except pypdfium2.PdfiumError as exc:
        if FPDF_GetLastError() in {FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY}:
            raise ExtractionError("encrypted", "The PDF is protected with a password") from exc
        raise ExtractionError("damaged", "The PDF cannot be opened") from exc
    pages = len(document)
    if pages > source.limits.pages:
        raise ExtractionError(
            "too_many_pages", f"It has {pages:,} pages; at most {source.limits.pages:,} are read"
        )
    if pages == 0:
        raise ExtractionError("damaged", "The PDF has no pages")
    notes: set[Note] = set()
    # Text recognition may take half of the time; later pages then count as pictures, and the
    # document is read nevertheless.
    until = monotonic() + source.limits.seconds / 2
    lines = []
    for number in range(pages):
        page_source = replace(source, ocr=source.ocr and monotonic() < until)
        lines.append(_page(document, number, page_source, notes))
    if not any(lines) and "unreadable_pages" in notes:
        raise ExtractionError("damaged", "None of its pages can be read")
    title = _title(document)
    return FormatReading(blocks=blocks_of(lines), title=title, pages=pages, notes=sorted(notes))


def _title(document: pypdfium2.PdfDocument) -> str | None:
    """Return the document's title, unless it is missing or a word processor's default."""
    title: str = document.get_metadata_value("Title").strip()
    if not title or title.lower().startswith(("microsoft word", "untitled", "(anonymous)")):
        return None
    return title


def _page(
    document: pypdfium2.PdfDocument, number: int, source: FileSource, notes: set[Note]
) -> list[PdfLine]:
    try:
        page = document[number]
        lines = lines_of(page)
    except pypdfium2.PdfiumError:
        notes.add("unreadable_pages")
        return []
    try:
        if sum(len(line.text) for line in lines) >= _LEAST_LETTERS:
            return lines
        # Any object counts as a picture: letters can be drawn as lines.
        is_empty = next(iter(page.get_objects(max_depth=2)), None) is None
        if is_empty:
            return lines
        recognised = _recognise_page(page) if source.ocr else []
        notes.add("ocr" if recognised else "images_without_text")
        return recognised or lines
    finally:
        page.close()


def _recognise_page(page: Any) -> list[PdfLine]:
    width, height = page.get_size()
    scale = min(_DOTS_PER_POINT, sqrt(_MOST_DOTS / max(width * height, 1.0)))
    texts = recognise(page.render(scale=scale, grayscale=True).to_pil())
    # Empty rows stand between paragraphs, and count for the place of those below.
    return [PdfLine.plain(text, row=row) for row, text in enumerate(texts) if text.strip()]
