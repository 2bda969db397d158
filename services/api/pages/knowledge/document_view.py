"""Documents as their pages show them: how far each is, why one failed, its text with the passage that was cited."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from luna.contracts.documents import Chunk, Document, DocumentState
from luna.words import Numbers
from luna.words.answering import say_validity
from luna.words.numbers import say_day
from luna.words.pages import PageWords
from services.api.pages.admin.pages import say_bytes

STATES = tuple(state for state in get_args(DocumentState) if state != "failed")
SETTLED = ("searchable", "failed")


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One document of the list."""

    document: Document
    numbers: Numbers
    words: PageWords

    @property
    def settled(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.document.state in SETTLED

    @property
    def step(self) -> tuple[int, int]:
        """How many steps are done, of how many."""
        number = STATES.index(self.document.state) + 1 if self.document.state in STATES else 0
        return number, len(STATES)

    @property
    def state(self) -> str:
        """How it is, in words."""
        if self.document.state == "searchable" and not self.document.current:
            return self.words("state_older")
        return self.words("state_" + self.document.state)

    @property
    def fault(self) -> tuple[str, str, str] | None:
        """Why it failed: what, what to do, and the error itself where no sentence is known for it."""
        fault = self.document.fault
        if fault is None:
            return None
        has_words = self.words.knows("fault_" + fault.code + "_remedy")
        if not has_words:
            return self.words("fault_other"), "", " ".join(part for part in (fault.message, fault.remedy) if part)
        return self.words("fault_" + fault.code), self.words("fault_" + fault.code + "_remedy"), ""

    @property
    def notes(self) -> list[str]:
        """What was left out."""
        return [self.words("left_out_" + code) for code in self.document.notes if self.words.knows("left_out_" + code)]

    @property
    def validity(self) -> str:
        """From when until when it holds; nothing where nobody says."""
        return say_validity(self.document.valid_from, self.document.valid_until, self.numbers.language)

    @property
    def facts(self) -> list[str]:
        """What is known of it: kind, language, date, validity, version, size, pages, passages."""
        document = self.document
        return [
            self.words("kind_" + document.kind),
            *([self.words("language_" + document.language)] if document.language else []),
            *([self.words("dated", day=say_day(document.dated, self.numbers.language))] if document.dated else []),
            *([self.validity] if self.validity else []),
            self.words("version", version=document.version),
            say_bytes(document.size_bytes, numbers=self.numbers),
            *self._count(document.pages, "pages"),
            *self._count(document.chunks, "passages"),
            self.words("added", day=self.numbers.day_with_year(document.stored_at)),
        ]

    def _count(self, count: int | None, name: str) -> list[str]:
        return [self.words(name, count=count, number=self.numbers.number(count))] if count else []


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage as it stands in its document: headings that are new with it, its text in marked and unmarked parts."""

    chunk: Chunk
    headings: tuple[tuple[int, str], ...]
    new_page: int | None
    cited: bool
    parts: tuple[tuple[str, bool], ...]


def view_passages(chunks: Sequence[Chunk], *, cited: int | None = None, words: Sequence[str] = ()) -> list[PassageView]:
    """Return passages in their order; in ``cited`` the first of ``words`` that stands there is marked."""
    views, before, page = [], Chunk(chunk_id=0, position=0, text=""), None
    for chunk in chunks:
        new_page = chunk.page if chunk.page is not None and chunk.page != page else None
        here = chunk.chunk_id == cited
        views.append(PassageView(chunk, _new_headings(before.headings, chunk.headings), new_page, here, _mark(chunk.text, words if here else ())))
        before, page = chunk, chunk.page if chunk.page is not None else page
    return views


def _new_headings(before: Sequence[str], now: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Return the headings that a passage begins with, each with its depth from 1."""
    same = next((place for place, (old, new) in enumerate(zip(before, now, strict=False)) if old != new), min(len(before), len(now)))
    return tuple((place + 1, heading) for place, heading in enumerate(now) if place >= same)


def _mark(text: str, words: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Return the text in parts, each with whether it is marked; words are found however the lines are broken."""
    plain = _Positions(text)
    span = next((place for each in words if each.split() and (place := plain.find(" ".join(each.split()))) is not None), None)
    if span is None:
        return ((text, False),)
    first, end = span
    parts = ((text[:first], False), (text[first:end], True), (text[end:], False))
    return tuple(part for part in parts if part[0])


class _Positions:
    """A text with every run of white space as one blank, which knows where in the text its letters stand."""

    def __init__(self, text: str) -> None:
        places = [place for place, letter in enumerate(text) if not letter.isspace() or (place and not text[place - 1].isspace())]
        self._places = [*places, len(text)]
        self._plain = "".join(" " if text[place].isspace() else text[place] for place in places)

    def find(self, words: str) -> tuple[int, int] | None:
        """Return where words begin and end in the text, None where they do not stand there."""
        first = self._plain.find(words)
        return None if first < 0 else (self._places[first], self._places[first + len(words) - 1] + 1)
