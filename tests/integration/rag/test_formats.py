"""What is read of each format. One is read as in production, by a process of its own."""

from pathlib import Path

import pytest

from services.rag.extraction.extract import extract
from services.rag.extraction.model import DocumentBlock, Extraction, Limits
from tests.support.documents import sample_files
from tests.support.documents.library import read_here


def read(folder: Path, content: bytes, name: str) -> Extraction:
    path = folder / "upload"
    path.write_bytes(content)
    members = folder / "members"
    members.mkdir(exist_ok=True)
    return read_here(path, name=name, limits=Limits(), folder=members)


def shape(extraction: Extraction) -> list[tuple[str, str, int | None]]:
    return [(block.kind, block.text, block.level) for block in extraction.blocks]


PROSE = sample_files.PROSE.strip()


def test_reads_pdf_with_headings_tables_lists_and_pages(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(sample_files.pdf())
    found = extract(path, name="preise.pdf", folder=tmp_path / "members")
    assert (found.media_type, found.title, found.pages, found.language, found.notes) == (
        "application/pdf",
        "Preisblatt 2026",
        2,
        "de",
        [],
    )
    assert found.blocks == [
        DocumentBlock("heading", "Preisblatt", 1, 1),
        DocumentBlock("heading", "Arbeitspreise", 1, 2),
        DocumentBlock("text", " ".join([PROSE] * 3), 1),
        DocumentBlock("table", sample_files.TABLE, 1),
        DocumentBlock("text", "Nach der Tabelle.", 1),
        DocumentBlock("list", "• Erster Punkt\n• Zweiter Punkt", 1),
        DocumentBlock("heading", "Seite 2", 2, 2),
        DocumentBlock("text", " ".join([PROSE] * 20), 2),
    ]


@pytest.mark.parametrize("name", ["preise.docx", "preise.html", "preise.md"])
def test_reads_marked_up_documents_alike(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, sample_files.SAMPLES["file" + Path(name).suffix](), name)
    blocks = sorted(shape(found))
    assert ("heading", "Preisblatt", 1) in blocks
    assert [block[1] for block in blocks if block[0] == "list"] == [
        "- Erster Punkt\n- Zweiter Punkt"
    ]
    assert [block[1] for block in blocks if block[0] == "table"] == [sample_files.TABLE]
    assert {block[0] for block in blocks} == {"heading", "text", "list", "table"}
    assert found.language == "de"
    assert found.notes == []


def test_a_page_is_read_as_a_reader_sees_it(tmp_path: Path) -> None:
    found = read(tmp_path, sample_files.html(), "seite.html")
    assert found.title == "Preisblatt 2026"
    assert shape(found)[1] == ("heading", "Arbeitspreise", 2)
    assert not any(
        word in block.text
        for block in found.blocks
        for word in ("böse", "unsichtbar", "color", "example.org")
    )


def test_reads_presentations_with_a_page_per_slide(tmp_path: Path) -> None:
    found = read(tmp_path, sample_files.pptx(), "preise.pptx")
    assert (found.pages, found.title) == (2, "Arbeitspreise")
    assert found.blocks == [
        DocumentBlock("heading", "Arbeitspreise", 1, 1),
        DocumentBlock("list", f"- Erster Punkt\n- {PROSE}", 1),
        DocumentBlock("heading", "Tabelle", 2, 1),
        DocumentBlock("table", sample_files.TABLE, 2),
        DocumentBlock("text", "Notiz dazu", 2),
    ]


def test_reads_workbooks_with_hidden_sheets(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        sample_files.xlsx([["Tag", "kWh"], ["Montag", 0.1 + 0.2], ["Dienstag", 3]]),
        "preise.xlsx",
    )
    assert found.notes == ["hidden_sheets"]
    assert found.blocks == [
        DocumentBlock("heading", "Preise", 1, 1),
        DocumentBlock("table", "Tag | kWh\nMontag | 0.3\nDienstag | 3", 1),
        DocumentBlock("heading", "Verborgen", 2, 1),
        DocumentBlock("table", "geheim | 1.25", 2),
    ]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_reads_csv_in_any_charset(tmp_path: Path, charset: str) -> None:
    content = sample_files.csv().decode("cp1252").encode(charset)
    assert read(tmp_path, content, "preise.csv").blocks == [
        DocumentBlock("table", sample_files.TABLE)
    ]


@pytest.mark.parametrize("charset", ["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-32", "cp850"])
def test_reads_text_in_any_charset(tmp_path: Path, charset: str) -> None:
    text = (
        "Die Förderung für Wärmepumpen wächst, größere Anlagen müssen übrigens gemeldet werden. "
        * 3
    )
    assert read(tmp_path, text.encode(charset), "text.txt").blocks == [
        DocumentBlock("text", text.strip())
    ]


def test_reads_mail_and_hands_on_what_is_attached(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        sample_files.mail(
            ("../../preise.pdf", b"%PDF-"), ("alles.zip", sample_files.archive(("a.txt", b"a")))
        ),
        "brief.eml",
    )
    assert (found.media_type, found.title) == ("message/rfc822", "Ihre Preisänderung für 2026")
    assert found.notes == ["archives_left_out", "attachments"]
    assert [
        (member.name, member.path.read_bytes(), member.size_bytes) for member in found.members
    ] == [("preise.pdf", b"%PDF-", 5)]
    assert [block.text for block in found.blocks][2:] == ["Guten Tag,", PROSE]


def test_hands_on_the_members_of_an_archive(tmp_path: Path) -> None:
    content = sample_files.archive(
        ("ordner/eins.txt", b"eins"), ("__MACOSX/x", b"x"), ("bericht.docx", sample_files.docx())
    )
    found = read(tmp_path, content, "alles.zip")
    assert [(member.name, member.path.name) for member in found.members] == [
        ("ordner/eins.txt", "0000"),
        ("bericht.docx", "0001"),
    ]
    assert found.members[0].path.read_bytes() == b"eins"
    assert found.blocks == []


def test_a_member_has_a_name_on_one_line(tmp_path: Path) -> None:
    found = read(
        tmp_path, sample_files.archive(("a\u202e\n\x01b.txt", b"a"), ("\u200b", b"b")), "alles.zip"
    )
    assert [member.name for member in found.members] == ["a b.txt", "0001"]


def test_a_scanned_page_is_said_to_hold_no_text(tmp_path: Path) -> None:
    assert read(tmp_path, sample_files.scanned_pdf(), "scan.pdf").notes == ["images_without_text"]


def test_a_file_under_a_wrong_name_is_read_as_what_it_is(tmp_path: Path) -> None:
    found = read(tmp_path, sample_files.docx(), "preise.pdf")
    assert "wordprocessingml" in found.media_type
    assert found.notes == ["mislabelled"]
    assert read(tmp_path, sample_files.html(), "preise.exe").notes == ["mislabelled"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("x.docm", "word/vbaProject.bin"),
        ("x.xlsm", "xl/vbaProject.bin"),
        ("x.pptm", "ppt/vbaProject.bin"),
    ],
)
def test_a_file_with_macros_is_read_without_them(tmp_path: Path, name: str, part: str) -> None:
    package = sample_files.SAMPLES["file" + Path(name).suffix[:-1] + "x"]()
    found = read(tmp_path, sample_files.with_part(package, part, b"\x00macro"), name)
    assert "macros" in found.notes
    assert "mislabelled" not in found.notes
    assert any("Basis" in block.text for block in found.blocks)


def test_english_is_told_from_german(tmp_path: Path) -> None:
    text = b"The battery is charged from the panels and not from the grid when the price is high."
    assert read(tmp_path, text, "a.txt").language == "en"
    assert (
        read(
            tmp_path,
            b"De accu wordt geladen uit de zonnepanelen, niet van het net als de prijs hoog wordt.",
            "a.txt",
        ).language
        is None
    )
