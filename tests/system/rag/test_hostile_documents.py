"""Whatever a file does to the process that reads it, the caller gets a reason and lives on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.rag.extraction.extract import extract
from services.rag.extraction.model import Extraction, ExtractionError, Limits
from tests.support.documents import hostile_files, sample_files
from tests.support.suite.depth import LONG

MEGABYTE = 1_000_000
SMALL = Limits(unpacked_bytes=20 * MEGABYTE, memory_bytes=300 * MEGABYTE)


def read(
    folder: Path, content: bytes, name: str = "datei", limits: Limits | None = None
) -> Extraction:
    path = folder / "upload"
    path.write_bytes(content)
    return extract(path, name=name, limits=limits, folder=folder)


def fault(folder: Path, content: bytes, name: str = "datei", limits: Limits | None = None) -> str:
    with pytest.raises(ExtractionError) as caught:
        read(folder, content, name, limits)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value.code


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "spaces alone": (lambda: b" \n\t ", "empty"),
    "bytes of no kind": (lambda: bytes(range(256)) * 10, "unknown_format"),
    "executable of Linux": (lambda: b"\x7fELF" + bytes(200), "unknown_format"),
    "executable of Windows": (lambda: b"MZ" + b"text " * 100, "unknown_format"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "unknown_format"),
    "older Office": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "unknown_format"),
    "program in an archive": (
        lambda: sample_files.archive(("META-INF/MANIFEST.MF", b"x"), ("A.class", b"x")),
        "unknown_format",
    ),
    "encrypted PDF": (lambda: sample_files.pdf(encrypt="geheim"), "encrypted"),
    "encrypted Office": (hostile_files.encrypted_office, "encrypted"),
    "encrypted archive": (hostile_files.encrypted_archive, "encrypted"),
    "10,000 pages": (lambda: hostile_files.many_pages(10_000), "too_many_pages"),
    "pages that hold themselves": (hostile_files.endless_pages, "damaged"),
    "archive bomb": (lambda: hostile_files.zip_bomb(50 * MEGABYTE), "too_large"),
    "archive bomb that says ten bytes": (
        lambda: hostile_files.lying_zip_bomb(50 * MEGABYTE),
        "damaged",
    ),
    "archive in an archive": (
        lambda: sample_files.archive(
            ("a.txt", b"a"), ("b.zip", sample_files.archive(("c.txt", b"c")))
        ),
        "nested_archive",
    ),
    "tar in an archive": (
        lambda: sample_files.archive(("b.txt", bytes(257) + b"ustar" + bytes(300))),
        "nested_archive",
    ),
    "name that leads out": (lambda: sample_files.archive(("../../etc/cron.d/a", b"a")), "damaged"),
    "name from the root": (lambda: sample_files.archive(("/etc/a", b"a")), "damaged"),
    "name of Windows that leads out": (
        lambda: sample_files.archive(("..\\..\\a", b"a")),
        "damaged",
    ),
    "name with a drive": (lambda: sample_files.archive(("C:/a", b"a")), "damaged"),
    "link": (hostile_files.link_archive, "damaged"),
    "201 members": (
        lambda: sample_files.archive(*((f"{number}.txt", b"a") for number in range(201))),
        "too_large",
    ),
    "empty archive": (sample_files.archive, "empty"),
    "entities in DOCX": (
        lambda: hostile_files.laughing(sample_files.docx(), "word/document.xml"),
        "damaged",
    ),
    "entities in PPTX": (
        lambda: hostile_files.laughing(sample_files.pptx(), "ppt/slides/slide1.xml"),
        "damaged",
    ),
    "entities in XLSX": (
        lambda: hostile_files.laughing(sample_files.xlsx(), "xl/worksheets/sheet1.xml"),
        "damaged",
    ),
    "entities in UTF-16": (
        lambda: hostile_files.laughing(sample_files.docx(), "word/styles.xml", "utf-16"),
        "damaged",
    ),
    "201 attachments": (lambda: hostile_files.attached(201, b"text"), "too_large"),
    "201 attachments that are archives": (
        lambda: hostile_files.attached(201, b"\x1f\x8b" + bytes(20)),
        "too_large",
    ),
    "201 attachments without content": (lambda: hostile_files.attached(201, b""), "too_large"),
    "e-mail in e-mails": (lambda: hostile_files.messages_in_messages(5_000), "damaged"),
    "parts in parts of an e-mail": (lambda: hostile_files.parts_in_parts(5_000), "damaged"),
    "header of open brackets": (
        lambda: hostile_files.mail(b"\nhallo", b"Cc: " + b"(" * 20_000),
        "damaged",
    ),
    "100,000 receivers": (
        lambda: hostile_files.mail(b"\nhallo", b"Cc: " + b", ".join([b"x@y.z"] * 100_000)),
        "too_much_memory",
    ),
    "tables in tables of a DOCX": (lambda: hostile_files.tables_in_tables(5_000), "damaged"),
    "DOCX that is no XML": (
        lambda: sample_files.with_part(sample_files.docx(), "word/document.xml", b"kein XML"),
        "damaged",
    ),
    "workbook that ends in a cell": (
        lambda: hostile_files.with_sheet('<row r="1"><c r="A1"><v>1'),
        "damaged",
    ),
    "shared text that is not there": (
        lambda: hostile_files.with_sheet(
            '<row r="1"><c r="A1" t="s"><v>99999999999</v></c></row></sheetData></worksheet>'
        ),
        "damaged",
    ),
    "form of a PDF in itself": (hostile_files.form_in_itself, "too_much_memory"),
    "one content of a PDF over and over": (
        lambda: hostile_files.one_content_often(100_000),
        "too_much_memory",
    ),
    "DOCX bomb": (
        lambda: sample_files.with_part(
            sample_files.docx(), "word/media/a.bin", bytes(50 * MEGABYTE)
        ),
        "too_large",
    ),
}


@pytest.mark.parametrize(("content", "code"), CASES.values(), ids=CASES.keys())
def test_says_why_a_file_is_not_read(
    tmp_path: Path, content: Callable[[], bytes], code: str
) -> None:
    assert fault(tmp_path, content(), limits=SMALL) == code


def test_a_cell_beyond_every_workbook_ends_within_its_time(tmp_path: Path) -> None:
    content = hostile_files.with_sheet(
        '<row r="1"><c r="ZZZZZZZZ99999999999"><v>1</v></c></row></sheetData></worksheet>'
    )
    assert fault(tmp_path, content, limits=Limits(seconds=2, memory_bytes=300 * MEGABYTE)) in {
        "took_too_long",
        "too_much_memory",
        "damaged",
        "too_large",
    }


def test_attachments_leave_their_senders_folders_behind(tmp_path: Path) -> None:
    content = hostile_files.attached(1, b"text").replace(
        b"filename=a.bin", b'filename="../../../etc/cron.d/job"'
    )
    (member,) = read(tmp_path, content).members
    assert (member.name, member.path) == ("job", tmp_path / "0000")


def test_the_next_file_is_read_as_if_nothing_had_been(tmp_path: Path) -> None:
    for content in (
        hostile_files.form_in_itself(),
        hostile_files.tables_in_tables(5_000),
        hostile_files.attached(201, b"text"),
    ):
        fault(tmp_path, content, limits=SMALL)
        assert [
            block.text for block in read(tmp_path, b"Der Tarif gilt ab Mai.", limits=SMALL).blocks
        ] == ["Der Tarif gilt ab Mai."]


@pytest.mark.parametrize("layers", [1, 2, 3] if LONG else [3])
def test_a_page_packed_over_and_over_ends_within_bounds(tmp_path: Path, layers: int) -> None:
    # Twice the memory in spaces; at each further layer the packed form shrinks again.
    content = hostile_files.flate_bomb(600 * MEGABYTE, layers=layers)
    assert fault(tmp_path, content, limits=SMALL) == "too_much_memory"


def test_a_workbook_with_a_far_cell_ends_within_bounds(tmp_path: Path) -> None:
    assert fault(tmp_path, hostile_files.far_cell(), limits=SMALL) in {
        "too_much_memory",
        "too_large",
    }


def test_a_file_beyond_the_limit_is_not_opened(tmp_path: Path) -> None:
    assert fault(tmp_path, b"text", limits=Limits(bytes=3)) == "too_large"


def test_text_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path, b"text", limits=Limits(text_characters=3)) == "too_large"


def test_elements_within_elements_are_read_to_any_sensible_depth(tmp_path: Path) -> None:
    assert [block.text for block in read(tmp_path, nested(1_000)).blocks] == ["tief"]
    assert fault(tmp_path, nested(100_000)) == "damaged"


def nested(depth: int) -> bytes:
    return b"<html>" + b"<div>" * depth + b"tief" + b"</div>" * depth
