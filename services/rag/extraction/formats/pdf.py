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
        """Return a line of which only the text is known, and how many stand above it.

        An empty one is a paragraph's end.
        """
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
            # Columns whose letters PDFium put on one line though they stand at different heights
            # are lines of their own.
            if segments and all(
                abs(one.baseline - segments[0].baseline) < one.size / 2 for one in segments
            ):
                lines.append(PdfLine(segments))
            else:
                lines.extend(PdfLine((segment,)) for segment in segments)
    finally:
        text_page.close()
    return lines


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
            # The size that a font was set in, by how much the page enlarges it.
            has_matrix = pdfium.FPDFText_GetMatrix(self._text_page, first, self._matrix)
            size: float = pdfium.FPDFText_GetFontSize(self._text_page, first) * (
                (hypot(self._matrix.c, self._matrix.d) if has_matrix else 1.0) or 1.0
            )
            self._size = size if 0 < size < 1000 else 10.0
        pdfium.FPDFText_GetCharOrigin(self._text_page, first, *self._origin)
        pdfium.FPDFText_GetCharBox(self._text_page, last, *self._box)
        left, baseline = (value.value for value in self._origin)
        return _Word(text, left, max(self._box[1].value, left), baseline, self._size)


def _segments(words: list[_Word]) -> Iterator[Segment]:
    gathered: list[_Word] = []
    for word in words:
        if gathered and not (
            len(gathered) == 1 and gathered[0] is words[0] and _MARKER.fullmatch(gathered[0].text)
        ):
            size = max(gathered[-1].size, word.size)
            gap = word.left - gathered[-1].right
            if (
                gap > _GAP_IN_SIZES * size
                or gap < -size
                or abs(word.baseline - gathered[-1].baseline) > size
            ):
                yield _segment(gathered)
                gathered = []
        gathered.append(word)
    if gathered:
        yield _segment(gathered)


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
    """Return the table of each line that begins one, and False for its other lines.

    Keys are indices of ``lines``.
    """
    tables: dict[int, Table | bool] = {}
    for rows in _runs(_rows(lines)):
        # The columns' extents: cells that overlap are of one column.
        columns: list[tuple[float, float]] = []
        for left, right in sorted(
            (cell.left, max(cell.right, cell.left)) for row in rows for cell in row.cells
        ):
            if columns and left <= columns[-1][1]:
                columns[-1] = (columns[-1][0], max(columns[-1][1], right))
            else:
                columns.append((left, right))
        if len(columns) < 2 or len(rows) < _LEAST_ROWS:
            continue
        words = [len(cell.text.split()) for row in rows for cell in row.cells]
        # The longest column counts: beside a table's descriptions stand figures.
        shortest = [
            min(len(cell.text.split()) for cell in row.cells) for row in rows if len(row.cells) >= 2
        ]
        if median(words) > _MOST_WORDS_PER_CELL or median(shortest) > _MOST_WORDS_PER_CELL / 2:
            continue
        members = sorted(index for row in rows for index in row.lines)
        tables |= dict.fromkeys(members, False)
        tables[members[0]] = Table("\n".join(" | ".join(cells) for cells in _cells(rows, columns)))
    return tables


def _rows(lines: list[PdfLine]) -> list[_Row]:
    """Return lines by height, from above; those of the same height are one row."""
    rows: list[_Row] = []
    for index, line in sorted(enumerate(lines), key=lambda pair: -pair[1].baseline):
        if rows and abs(rows[-1].baseline - line.baseline) < 0.4 * line.size:
            rows[-1].cells.extend(line.segments)
            rows[-1].lines.append(index)
        else:
            rows.append(_Row(list(line.segments), [index], line.baseline))
    for row in rows:
        row.cells.sort(key=lambda cell: cell.left)
    return rows


def _runs(rows: list[_Row]) -> list[list[_Row]]:
    """Return runs of rows with several cells each, or the rest of a cell above."""
    runs: list[list[_Row]] = [[]]
    for row in rows:
        run = runs[-1]
        near = bool(run) and run[-1].baseline - row.baseline <= _ROW_GAP * max(
            row.size, run[-1].size
        )
        is_rest = False
        if near and len(row.cells) < 2:
            above = run[-1]
            is_below = all(
                any(abs(cell.left - other.left) < row.size for other in above.cells[1:])
                for cell in row.cells
            )
            is_rest = _is_beside(above, row) or (
                above.baseline - row.baseline <= _WRAP_GAP * row.size and is_below
            )
        if is_rest or (len(row.cells) >= 2 and (near or not run)):
            run.append(row)
        else:
            runs.append([row] if len(row.cells) >= 2 else [])
    return runs


def _is_beside(above: _Row, row: _Row) -> bool:
    """Whether two rows are closer than lines of text can be.

    One is then a cell in the middle of its row, beside one of two lines.
    """
    return above.baseline - row.baseline <= _BESIDE_GAP * row.size


def _cells(rows: list[_Row], columns: list[tuple[float, float]]) -> list[list[str]]:
    table: list[list[str]] = []
    for before, row in zip([None, *rows], rows, strict=False):
        cells = [
            " ".join(cell.text for cell in row.cells if left <= cell.left <= right)
            for left, right in columns
        ]
        if before is not None and (
            _is_beside(before, row)
            or (not cells[0] and before.baseline - row.baseline <= _WRAP_GAP * row.size)
        ):
            table[-1] = [
                f"{above} {cell}".strip() for above, cell in zip(table[-1], cells, strict=True)
            ]
        else:
            table.append(cells)
    return table


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
    for line in (line for page in pages for line in page):
        letters[_rounded(line.size)] += len(line.text)
    # The letters of a heading are clearly larger than those of most text.
    body = letters.most_common(1)[0][0] if letters else 0.0
    larger = sorted((size for size in letters if size >= _HEADING_RATIO * body), reverse=True)
    levels = {size: min(level, _MOST_LEVELS) for level, size in enumerate(larger, 1)}
    return [
        block
        for number, lines in enumerate(pages, 1)
        for block in _blocks_of_page(lines, number, levels)
    ]


def _rounded(size: float) -> float:
    return round(2 * size) / 2


def _blocks_of_page(
    lines: list[PdfLine], number: int, levels: dict[float, int]
) -> Iterator[DocumentBlock]:
    tables = tables_of(lines)
    gaps = [
        before.baseline - after.baseline
        for before, after in pairwise(lines)
        if 0 < before.baseline - after.baseline < 4 * after.size
    ]
    spacing = median(gaps) if gaps else 0.0
    gathered: list[PdfLine] = []
    for index, line in enumerate(lines):
        table = tables.get(index)
        if gathered:
            before = gathered[-1]
            gap = gathered[-1].baseline - line.baseline
            is_apart = gap > 1.3 * max(spacing, line.size) or gap < -line.size
            changes_size = abs(before.size - line.size) > 0.1 * max(before.size, line.size)
            if (
                table is not None
                or is_apart
                or changes_size
                or (_is_list(line) and not _is_list(before))
            ):
                yield _paragraph(gathered, number, levels)
                gathered = []
        if isinstance(table, Table):
            yield DocumentBlock("table", table.text, number)
        elif table is None:
            gathered.append(line)
    if gathered:
        yield _paragraph(gathered, number, levels)


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
    """Return lines as running text; a word that is broken at a line's end is one word again."""
    words: list[str] = []
    for text in (line.text for line in lines):
        if words and _BROKEN.search(words[-1][-2:]) and text[:1].islower():
            text = words.pop()[:-1] + text  # noqa: PLW2901 - a line goes on in the next one
        words.append(text)
    return " ".join(words)


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
    # Pages that nobody had time to recognise are named as pictures, rather than none of the
    # document read.
    until = monotonic() + source.limits.seconds / 2
    lines = [
        _page(document, number, replace(source, ocr=source.ocr and monotonic() < until), notes)
        for number in range(pages)
    ]
    if not any(lines) and "unreadable_pages" in notes:
        raise ExtractionError("damaged", "None of its pages can be read")
    title: str = document.get_metadata_value("Title").strip()
    # Default titles of word processors.
    return FormatReading(
        blocks=blocks_of(lines),
        title=None
        if title.lower().startswith(("microsoft word", "untitled", "(anonymous)"))
        else title or None,
        pages=pages,
        notes=sorted(notes),
    )


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
        # Letters drawn as lines count as a picture.
        if (
            sum(len(line.text) for line in lines) >= _LEAST_LETTERS
            or next(iter(page.get_objects(max_depth=2)), None) is None
        ):
            return lines
        recognised: list[PdfLine] = []
        if source.ocr:
            width, height = page.get_size()
            scale = min(_DOTS_PER_POINT, sqrt(_MOST_DOTS / max(width * height, 1.0)))
            texts = recognise(page.render(scale=scale, grayscale=True).to_pil())
            # Gaps between paragraphs are rows as well, without text.
            recognised = [
                PdfLine.plain(text, row=row) for row, text in enumerate(texts) if text.strip()
            ]
        notes.add("ocr" if recognised else "images_without_text")
        return recognised or lines
    finally:
        page.close()
