"""Cut blocks into passages to search and quote.

Passages follow headings, and hold complete tables or rows, and complete sentences.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil

from services.rag.extraction.model import DocumentBlock

MOST_WORDS = 220
# Of a passage, that may stand in the next one as well: a sentence of up to 31 words.
_OVERLAP_SHARE = 1 / 7
# A header longer than this share of a passage would crowd out its rows.
_HEADER_SHARE = 0.25
# After a full stop that ends a sentence: not one of an abbreviation, an ordinal, an initial.
_SENTENCE = re.compile(
    r"(?<=[.!?…])(?<!\b[A-Za-zÄÖÜ0-9]\.)(?<!\b\d\d\.)(?<!\b[zZ]\.B\.)(?<!\bNr\.)(?"
    r"<!\bAbs\.)(?<!\bArt\.)(?<!\bbzw\.)(?<!\bca\.)(?<!\bNo\.)\s+(?=\S)"
)


@dataclass(frozen=True)
class ChunkText:
    """A passage.

    Args:
        page: on which it begins, from 1; None where the format has none.
        headings: the path of headings above it, from the document's top.
        repeated_words: how many of its first words stand in the passage before as well: a sentence,
            or a table's header.
    """

    text: str
    page: int | None = None
    page_end: int | None = None
    headings: list[str] = field(default_factory=list)
    repeated_words: int = 0


@dataclass(frozen=True)
class _Unit:
    """An indivisible text: a sentence, an item, a row.

    ``part`` is the number of its block, ``header`` the line above the rows of its table.
    """

    text: str
    words: int
    block: DocumentBlock
    part: int
    header: str | None = None


def cut(blocks: Sequence[DocumentBlock], *, most_words: int = MOST_WORDS) -> list[ChunkText]:
    """Return the passages of a document in order.

    Args:
        most_words: of a passage, without its heading path.

    Invariants: without the repeated words of each passage, all words of all blocks occur once and
        in order, those of headings in ``headings`` or, where nothing stands below them, in
        ``text``; no passage holds text from below two headings, or more than ``most_words`` words.
    """
    chunks: list[ChunkText] = []
    for headings, section in _sections(blocks):
        units: list[_Unit] = []
        for part, block in enumerate(section):
            units.extend(_units(block, part, most_words))
        for gathered in _divide_long_tables(units):
            chunks.extend(_passages(gathered, headings, most_words))
    return chunks


def _divide_long_tables(units: list[_Unit]) -> Iterator[list[_Unit]]:
    """Yield each table too long for one passage by itself, and the runs of units between them."""
    for is_long, run in groupby(units, key=_has_header):
        if is_long:
            for _, rows in groupby(run, key=_part_of):
                yield list(rows)
        else:
            yield list(run)


def _has_header(unit: _Unit) -> bool:
    return unit.header is not None


def _part_of(unit: _Unit) -> int:
    return unit.part


def _sections(blocks: Sequence[DocumentBlock]) -> Iterator[tuple[list[str], list[DocumentBlock]]]:
    """Yield what stands below each heading, with the path to it.

    A heading with nothing below stands for itself.
    """
    path: list[tuple[int, str]] = []
    section: list[DocumentBlock] = []
    lone: DocumentBlock | None = None
    for block in blocks:
        if block.kind != "heading":
            section.append(block)
            lone = None
            continue
        if section:
            yield [text for _, text in path], section
            section = []
        level = block.level or 1
        if lone is not None and (lone.level or 1) >= level:
            yield [text for _, text in path[:-1]], [lone]
        path = [step for step in path if step[0] < level] + [(level, block.text)]
        lone = block
    if section:
        yield [text for _, text in path], section
    elif lone is not None:
        yield [text for _, text in path[:-1]], [lone]


def _units(block: DocumentBlock, part: int, most_words: int) -> Iterator[_Unit]:
    words = len(block.text.split())
    if block.kind == "table" and words <= most_words:
        yield _Unit(block.text, words, block, part)
        return
    header = block.text.split("\n", 1)[0] if block.kind == "table" else None
    if header is not None and len(header.split()) > _HEADER_SHARE * most_words:
        header = ""
    room = most_words - len(header.split() if header else ())
    if block.kind in {"table", "list"}:
        pieces = block.text.split("\n")
    else:
        pieces = _SENTENCE.split(block.text)
    for piece in pieces:
        own = piece.split()
        # A sentence that is too long is divided into equal parts.
        size = ceil(len(own) / ceil(len(own) / room)) if own else 1
        for start in range(0, len(own), size):
            text = piece if size == len(own) else " ".join(own[start : start + size])
            yield _Unit(text, len(own[start : start + size]), block, part, header)


def _passages(units: list[_Unit], headings: list[str], most_words: int) -> Iterator[ChunkText]:
    fair = _fair_words(_words(units), most_words)
    gathered: list[_Unit] = []
    repeated: list[_Unit] = []
    for unit in units:
        header_words = len((unit.header or "").split())
        if gathered and gathered[0].text == unit.header:
            header_words = 0
        words = _words(gathered) + _words(repeated) + header_words
        if gathered and (words + unit.words > most_words or _words(gathered) >= fair):
            yield _chunk(repeated, gathered, headings)
            last = gathered[-1]
            repeated = [last] if _may_repeat(last, unit, most_words) else []
            gathered = []
        gathered.append(unit)
    if gathered:
        yield _chunk(repeated, gathered, headings)


def _fair_words(total: int, most_words: int) -> float:
    """Return the words of each of several passages of like length.

    Full passages would leave a remainder of one sentence.
    """
    if not total:
        return 0
    room = most_words
    if total > most_words:
        room -= int(_OVERLAP_SHARE * most_words)
    return total / ceil(total / room)


def _may_repeat(last: _Unit, following: _Unit, most_words: int) -> bool:
    """Return whether a passage's last sentence may also begin the next passage."""
    if last.block.kind != "text" or following.block.kind != "text":
        return False
    is_short = last.words <= _OVERLAP_SHARE * most_words
    return is_short and last.words + following.words <= most_words


def _words(units: list[_Unit]) -> int:
    return sum(unit.words for unit in units)


def _chunk(repeated: list[_Unit], gathered: list[_Unit], headings: list[str]) -> ChunkText:
    units = [*repeated, *gathered]
    first = units[0]
    header = first.header if first.header and first.text != first.header else None
    parts = []
    for _, run in groupby(units, key=_part_of):
        group = list(run)
        separator = " " if group[0].block.kind == "text" else "\n"
        parts.append(separator.join(unit.text for unit in group))
    pages = [unit.block.page for unit in units if unit.block.page is not None]
    return ChunkText(
        text="\n\n".join(parts) if header is None else "\n".join([header, *parts]),
        page=min(pages, default=None),
        page_end=max(pages, default=None),
        headings=headings,
        repeated_words=_words(repeated) + len((header or "").split()),
    )
