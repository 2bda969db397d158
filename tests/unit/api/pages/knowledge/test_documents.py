"""Documents as they are shown: their way, why one failed, and the marked words of a passage."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from luna.contracts.documents import Chunk, Document
from luna.words import Language, Numbers
from luna.words.pages import page_words
from services.api.pages.knowledge.documents import DocumentView, view_passages
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording

AT = datetime(2026, 10, 24, 16, 5, tzinfo=UTC)


def describe(language: Language = "de", **parts: Any) -> DocumentView:
    usual = {
        "document_id": "paper",
        "name": "vertrag.pdf",
        "version": 2,
        "current": True,
        "title": "Vertrag",
        "kind": "contract",
        "source": "upload",
        "media_type": "application/pdf",
        "sha256": "0" * 64,
        "size_bytes": 1_234_567,
        "state": "searchable",
        "added_by": "anna",
        "stored_at": AT,
        "changed_at": AT,
    }
    numbers = Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")
    return DocumentView(
        Document.model_validate(usual | parts), numbers, page_words("knowledge", language)
    )


def chunk(position: int, text: str = "Text", page: int | None = None, *headings: str) -> Chunk:
    return Chunk(
        chunk_id=position + 100, position=position, text=text, page=page, headings=list(headings)
    )


def parts(text: str, words: str) -> list[tuple[str, bool]]:
    return list(view_passages([chunk(0, text)], cited=100, words=["", "not there", words])[0].parts)


def test_what_is_known_of_a_document_is_told_in_the_reader_s_language() -> None:
    facts = describe(language="de", pages=12, chunks=1, dated="2026-01-31").facts
    assert [fact.replace("\u00a0", " ") for fact in facts] == [
        "Vertrag",
        "vom 31. Jan. 2026",
        "Version 2",
        "1,2 MB",
        "12 Seiten",
        "1 Abschnitt",
        "hinzugefügt 24. Okt. 2026",
    ]


@each_row(
    ("state", "done"),
    [("stored", 1), ("extracted", 2), ("chunked", 3), ("embedded", 4), ("searchable", 5)],
)
def test_a_document_tells_how_many_of_five_steps_are_done(state: str, done: int) -> None:
    assert describe(state=state).step == (done, 5)


def test_a_known_fault_is_told_with_its_remedy_in_the_reader_s_language() -> None:
    fault = {
        "code": "encrypted",
        "message": "the file is encrypted",
        "remedy": "Save it without a password.",
    }
    shown = describe("de", state="failed", fault=fault)
    said, remedy = (
        wording("documents", code, "de") for code in ("fault_encrypted", "fault_encrypted_remedy")
    )
    assert shown.fault == (said, remedy)


def test_a_fault_without_a_sentence_of_its_own_has_a_general_one() -> None:
    shown = describe(
        "de",
        state="failed",
        fault={"code": "haunted", "message": "there are ghosts in it", "remedy": "Call somebody."},
    )
    assert shown.fault == (wording("documents", "fault_other", "de"), "")


def test_a_searchable_document_that_a_newer_one_replaced_is_an_older_version() -> None:
    assert describe("en", current=False).state == "Older version"


def test_headings_and_pages_are_told_where_they_begin() -> None:
    chunks = [
        chunk(0, "a", 1, "One"),
        chunk(1, "b", 1, "One", "Deep"),
        chunk(2, "c", 2, "One", "Deep"),
        chunk(3, "d", None, "Two", "Deep"),
    ]
    shown = view_passages(chunks)
    assert [each.headings for each in shown] == [
        ((1, "One"),),
        ((2, "Deep"),),
        (),
        ((1, "Two"), (2, "Deep")),
    ]
    assert [each.new_page for each in shown] == [1, None, 2, None]


def test_the_cited_words_are_marked_however_the_lines_are_broken() -> None:
    assert parts("Die Frist\nbeträgt  sechs Wochen. Ende.", "Frist beträgt sechs Wochen.") == [
        ("Die ", False),
        ("Frist\nbeträgt  sechs Wochen.", True),
        (" Ende.", False),
    ]


def test_words_that_are_not_there_mark_nothing() -> None:
    assert parts("Die Frist.", "sechs") == [("Die Frist.", False)]


@given(st.text(max_size=60), st.text(max_size=12), st.text(max_size=60))
def test_marking_loses_no_letter(before: str, words: str, after: str) -> None:
    text = before + words + after
    assert "".join(part for part, _ in parts(text, words)) == text
