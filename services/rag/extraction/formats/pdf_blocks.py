"""Lines of pages become paragraphs, headings, lists and tables."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from services.rag.extraction.formats.pdf_lines import PdfLine
from services.rag.extraction.formats.pdf_tables import Table, tables_of
from services.rag.extraction.model import DocumentBlock

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
    levels = _levels(pages)
    return [block for number, lines in enumerate(pages, 1) for block in _page(lines, number, levels)]


def _levels(pages: Sequence[list[PdfLine]]) -> dict[float, int]:
    """Return the level of each size of letters that is a heading's: clearly larger than most text is."""
    letters: Counter[float] = Counter()
    for line in (line for page in pages for line in page):
        letters[_rounded(line.size)] += len(line.text)
    if not letters:
        return {}
    body = letters.most_common(1)[0][0]
    larger = sorted((size for size in letters if size >= _HEADING_RATIO * body), reverse=True)
    return {size: min(level, _MOST_LEVELS) for level, size in enumerate(larger, 1)}


def _rounded(size: float) -> float:
    return round(2 * size) / 2


def _page(lines: list[PdfLine], number: int, levels: dict[float, int]) -> Iterator[DocumentBlock]:
    tables = tables_of(lines)
    gaps = [before.baseline - after.baseline for before, after in pairwise(lines) if 0 < before.baseline - after.baseline < 4 * after.size]
    spacing = median(gaps) if gaps else 0.0
    gathered: list[PdfLine] = []
    for index, line in enumerate(lines):
        table = tables.get(index)
        if gathered and (table is not None or _is_break(gathered[-1], line, spacing)):
            yield _paragraph(gathered, number, levels)
            gathered = []
        if isinstance(table, Table):
            yield DocumentBlock("table", table.text, number)
        elif table is None:
            gathered.append(line)
    if gathered:
        yield _paragraph(gathered, number, levels)


def _is_break(before: PdfLine, after: PdfLine, spacing: float) -> bool:
    gap = before.baseline - after.baseline
    changes_size = abs(before.size - after.size) > 0.1 * max(before.size, after.size)
    return changes_size or gap > 1.3 * max(spacing, after.size) or gap < -after.size or (_is_list(before) != _is_list(after) and _is_list(after))


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
