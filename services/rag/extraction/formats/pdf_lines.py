"""The lines of a PDF's page, and where gaps divide them into cells.

PDFium puts the letters in the order of the page's own drawing, which is the reading order with few exceptions, and ends lines.
Positions are asked for first and last letters of words alone: a call per letter would take most of the time.
"""

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

import pypdfium2.raw as pdfium

# Between words of one sentence there is a fraction of the letters' size, also in justified text; between columns more.
_GAP_IN_SIZES = 0.75
_ENDS, _SPACES = frozenset({10, 13}), frozenset({0, 9, 32, 160})
_MARKER = re.compile(r"[-•▪‣·∙●○–*]|\d{1,2}[.)]|[a-z]\)")  # before an item of a list
_HYPHENS = {0x02: "-", 0xFFFE: "-"}  # how PDFium marks a hyphen at the end of a line


@dataclass(frozen=True)
class Segment:
    """Words of a line without a column's gap between them. Lengths in points, from the page's lower left corner."""

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
        """Return a line of which only the text is known, and how many stand above it; an empty one is a paragraph's end."""
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
    try:
        return list(_lines(text_page.raw))
    finally:
        text_page.close()


def _lines(text_page: Any) -> Iterator[PdfLine]:
    for words in _worded(text_page):
        segments = tuple(_segments(words))
        # Columns whose letters PDFium put on one line though they stand at different heights are lines of their own.
        if segments and all(abs(one.baseline - segments[0].baseline) < one.size / 2 for one in segments):
            yield PdfLine(segments)
        else:
            yield from (PdfLine((segment,)) for segment in segments)


def _worded(text_page: Any) -> Iterator[list[_Word]]:
    letters = _letters(text_page)
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


def _letters(text_page: Any) -> Sequence[int]:
    """Return the letters' code points by PDFium's index of them."""
    count = max(pdfium.FPDFText_CountChars(text_page), 0)
    buffer = (ctypes.c_ushort * (count + 1))()
    # One call for all; it leaves out letters that it cannot name, and then the indexes are not its own.
    written = pdfium.FPDFText_GetText(text_page, 0, count, buffer) - 1
    letters: Sequence[int] = buffer[:count]
    if written == count and not any(0xD800 <= letter < 0xE000 for letter in letters):
        return letters
    return [pdfium.FPDFText_GetUnicode(text_page, index) for index in range(count)]


class _Measure:
    """Asks PDFium where words stand. Heights and sizes are asked for at the beginning of lines alone: they rarely change within."""

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
            size: float = pdfium.FPDFText_GetFontSize(self._text_page, first) * ((hypot(self._matrix.c, self._matrix.d) if has_matrix else 1.0) or 1.0)
            self._size = size if 0 < size < 1000 else 10.0
        pdfium.FPDFText_GetCharOrigin(self._text_page, first, *self._origin)
        pdfium.FPDFText_GetCharBox(self._text_page, last, *self._box)
        left, baseline = (value.value for value in self._origin)
        return _Word(text, left, max(self._box[1].value, left), baseline, self._size)


def _segments(words: list[_Word]) -> Iterator[Segment]:
    gathered: list[_Word] = []
    for word in words:
        is_after_marker = len(gathered) == 1 and gathered[0] is words[0] and bool(_MARKER.fullmatch(gathered[0].text))
        if gathered and not is_after_marker and _are_apart(gathered[-1], word):
            yield _segment(gathered)
            gathered = []
        gathered.append(word)
    if gathered:
        yield _segment(gathered)


def _are_apart(before: _Word, after: _Word) -> bool:
    size = max(before.size, after.size)
    gap = after.left - before.right
    return gap > _GAP_IN_SIZES * size or gap < -size or abs(after.baseline - before.baseline) > size


def _segment(words: list[_Word]) -> Segment:
    return Segment(" ".join(word.text for word in words), words[0].left, words[-1].right, words[0].baseline, words[0].size)
