import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rag.extraction.detection import is_mail, is_named_for, separator_of
from services.rag.extraction.text import clean, decode, language_of, paragraphs
from tests.support.suite.tables import each_row

GERMAN = (
    "Größere Anlagen müssen gemeldet werden; für ältere Zähler gilt das übrigens auch. § 14a "
    "EnWG, 5 °C."
)


@each_row(
    "charset",
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp1252",
        "latin-1",
        "iso8859-15",
    ],
)
def test_german_is_read_in_every_charset_that_is_met(charset: str) -> None:
    assert decode(GERMAN.encode(charset)) == GERMAN


@pytest.mark.parametrize("charset", ["cp850", "mac_roman"])
def test_german_of_old_machines_is_read(charset: str) -> None:
    text = GERMAN.replace("§ ", "")
    assert decode(text.encode(charset)) == text


@each_row(
    "content",
    [
        b"\x00\x01\x02\x03" * 50,
        bytes(range(256)),
        b"a\x00b" * 50 + b"\xff\xff",
        b"\xff\xfe\x00\xd8",
    ],
)
def test_bytes_that_are_no_text_are_told(content: bytes) -> None:
    assert decode(content) is None


@given(st.text())
def test_what_is_kept_is_taken_by_databases_and_kept_again(text: str) -> None:
    kept = clean(text)
    assert "\x00" not in kept
    kept.encode()
    assert json.loads(json.dumps(kept)) == kept
    assert clean(kept) == kept


def test_what_is_not_seen_is_left_out() -> None:
    assert (
        clean("Strom\u00adpreis\u200b  \ufb01x\r\n\r\n\r\n\r\n\x00\u202eEnde ")
        == "Strompreis fix\n\nEnde"
    )


@each_row(
    ("text", "language"),
    [
        ("Wie hoch ist der Preis für den Strom aus dem Netz?", "de"),
        ("How high is the price for power from the grid?", "en"),
        ("Quel est le prix de l'électricité du réseau pour les clients ?", None),
        ("Hvad er prisen for strøm fra nettet, og hvordan kan den blive lavere?", None),
        ("12,5 | 13,7 | kWh", None),
        ("", None),
    ],
)
def test_the_language_of_a_text_is_told(text: str, language: str | None) -> None:
    assert language_of([text]) == language


@each_row(
    ("text", "separator"),
    [
        ("a;b\n1,5;2\n", ";"),
        ("a,b,c\n1,2,3\n", ","),
        ("a\tb\n1\t2\n", "\t"),
        ('"x;y";b\n1;2', ";"),
        ("Ein Satz, mehr nicht.\nUnd noch", None),
    ],
)
def test_what_separates_cells_is_told(text: str, separator: str | None) -> None:
    assert separator_of(text) == separator


def test_mail_is_told_by_its_headers() -> None:
    assert is_mail("Received: from a\n by b\nFrom: a@example.org\nSubject: x\n\nText")
    assert not is_mail("From: here to there\nand back again\n\nText")
    assert not is_mail("Subject: Preise\n\nText")


@each_row(
    ("name", "media_type", "fits"),
    [
        ("a.pdf", "application/pdf", True),
        ("A.PDF", "application/pdf", True),
        ("a.pdf", "text/html", False),
        ("a.xls", "text/csv", False),
        ("a.txt", "text/markdown", True),
        ("https://example.org/preise", "text/html", True),
        ("preise.2026", "application/pdf", True),
    ],
)
def test_a_name_fits_what_a_file_is(name: str, media_type: str, fits: bool) -> None:
    assert is_named_for(name, media_type) == fits


def test_a_short_line_with_a_number_or_in_capitals_is_the_heading_of_what_follows() -> None:
    text = "SUPPLY TERMS\n\n2. Term\n\nThe term is two years.\n\n- 3 items\n\n4. END OF IT"
    kinds = [block.kind for block in paragraphs(text)]
    # The last one heads nothing: it is an item.
    assert kinds == ["heading", "heading", "text", "list", "list"]
