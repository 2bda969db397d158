"""Detect a file's format by its content.

Its name only distinguishes kinds of text, which are all characters.
"""

import re
from itertools import pairwise
from pathlib import PurePosixPath
from typing import IO
from zipfile import BadZipFile, ZipFile

import puremagic

from services.rag.extraction.model import ExtractionError, FileSource
from services.rag.extraction.text import decode

_OFFICE = "application/vnd.openxmlformats-officedocument."
WORD = _OFFICE + "wordprocessingml.document"
SLIDES = _OFFICE + "presentationml.presentation"
SHEETS = _OFFICE + "spreadsheetml.sheet"
PDF = "application/pdf"
ZIP = "application/zip"
MAIL = "message/rfc822"
CSV = "text/csv"
HTML = "text/html"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"

# The formats that fit a file's name. Names of formats that are not read fit none: a readable file
# with such a name is mislabelled.
_NAMED: tuple[tuple[str, frozenset[str]], ...] = (
    (".pdf", frozenset({PDF})),
    (".docx .docm .dotx .dotm", frozenset({WORD})),
    (".pptx .pptm .ppsx .ppsm .potx", frozenset({SLIDES})),
    (".xlsx .xlsm .xlsb .xltx", frozenset({SHEETS})),
    (".zip", frozenset({ZIP})),
    (".eml", frozenset({MAIL})),
    (".csv .tsv", frozenset({CSV, PLAIN})),
    (".html .htm .xhtml", frozenset({HTML})),
    (".md .markdown", frozenset({MARKDOWN, PLAIN})),
    (".txt .text .log", frozenset({CSV, HTML, MARKDOWN, PLAIN, MAIL})),
    (".exe .dll .doc .xls .ppt .jpg .jpeg .png .gif .mp3 .mp4 .rar .7z .gz .tar", frozenset()),
)
_NAMES = {suffix: kinds for suffixes, kinds in _NAMED for suffix in suffixes.split()}
_PARTS = {"word/": WORD, "ppt/": SLIDES, "xl/": SHEETS}
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGES = (BadZipFile, ValueError, NotImplementedError, OverflowError, EOFError)
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EXECUTABLES = (
    b"MZ",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
    b"\x00asm",
)
_ARCHIVES = (
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
    b"MSCF",
)
_HEADER = re.compile(
    r"(From|To|Subject|Date|Received|Message-ID|MIME-Version|Return-Path|Delivered-To|"
    r"Content-Type|Reply-To|DKIM-Signature):\s",
    re.IGNORECASE,
)
_TAGS = re.compile(
    r"<(?:html|head|body|div|p|table|h[1-6]|ul|ol|span|meta|title)\b[^>]*>", re.IGNORECASE
)
_MARKUP = re.compile(r"^(?:#{1,6} \S|[-*] \S|\d+\. \S|```|\|.+\|$|> )", re.MULTILINE)


def detect(source: FileSource) -> str:
    """Return the media type of a file.

    Raises:
        ExtractionError: ``unknown_format``, ``encrypted``, ``damaged`` or ``empty``.
    """
    with source.path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(_ZIPS):
        try:
            with ZipFile(source.path) as container:
                return kind_of_container(container.namelist())
        except _DAMAGES as exc:
            raise ExtractionError(
                "damaged", "The file begins as an Office file or ZIP archive does and is not whole"
            ) from exc
    if b"%PDF-" in head[:1024]:
        return PDF
    if head.startswith(_COMPOUND):
        # Office stores an encrypted file as a stream of this name in the container of its older
        # formats.
        if "EncryptedPackage".encode("utf-16-le") in source.path.read_bytes():
            raise ExtractionError("encrypted", "The file is protected with a password")
        raise ExtractionError(
            "unknown_format",
            "The file is of an older Office format, which is not read",
            "Save it as .docx, .xlsx, .pptx or PDF.",
        )
    text = None if head.startswith(_EXECUTABLES) else decode(source.path.read_bytes())
    if text is None:
        raise ExtractionError(
            "unknown_format", f"The file is {_described(source)}, which is not read"
        )
    if not text.strip("\ufeff \t\r\n\f\x00"):
        raise ExtractionError("empty", "The file holds no text")
    return _text_kind(text, PurePosixPath(source.name.lower()).suffix)


def is_named_for(name: str, media_type: str) -> bool:
    """Return whether a file's name fits its format; an unknown ending fits all formats."""
    suffix = PurePosixPath(name.lower().replace("\\", "/")).suffix
    return media_type in _NAMES.get(suffix, {media_type})


def is_nested_archive(file: IO[bytes]) -> bool:
    """Return whether a file is an archive, also of a kind that is not read.

    An Office file is none.
    """
    file.seek(0)
    head = file.read(512)
    if not head.startswith(_ZIPS):
        return head.startswith(_ARCHIVES) or head[257:262] == b"ustar"
    try:
        return kind_of_container(ZipFile(file).namelist()) == ZIP
    except (*_DAMAGES, ExtractionError):
        # Damaged, or of a format that is not read: as a document of its own it says so.
        return False


def is_mail(text: str) -> bool:
    """Return whether a text begins with at least two headers of an e-mail."""
    block = re.split(r"\r?\n\r?\n", text[:20_000].lstrip("\ufeff"), maxsplit=1)[0]
    # A line with white space at its start continues the header above.
    lines = [line for line in block.splitlines() if line[:1] not in {" ", "\t"}]
    known_headers = sum(bool(_HEADER.match(line)) for line in lines)
    return known_headers >= 2 and all(re.match(r"[!-9;-~]+:", line) for line in lines)


def kind_of_container(names: list[str]) -> str:
    """Return the media type of a ZIP file by its parts: an Office file, or an archive."""
    if "[Content_Types].xml" in names:
        for start, media_type in _PARTS.items():
            if any(name.startswith(start) for name in names):
                return media_type
    if "mimetype" in names or "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        raise ExtractionError(
            "unknown_format", "The file is a program or a document of a format that is not read"
        )
    return ZIP


def _described(source: FileSource) -> str:
    try:
        matches = puremagic.magic_file(source.path)
    except (ValueError, OSError, puremagic.PureError):
        matches = []
    kind = matches[0].name or matches[0].mime_type if matches else ""
    return f"of the kind “{kind}”" if kind else "of an unknown kind"


def _text_kind(text: str, suffix: str) -> str:
    start = text[:4096].lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html")) or len(_TAGS.findall(text[:4096])) >= 3:
        return HTML
    if is_mail(text):
        return MAIL
    if suffix in {".md", ".markdown"}:
        return MARKDOWN
    if separator_of(text, least_rows=1 if suffix in {".csv", ".tsv"} else 3):
        return CSV
    beginning = text[:20_000]
    has_heading = re.search(r"^#{1,6} \S", beginning, re.MULTILINE)
    if has_heading and len(_MARKUP.findall(beginning)) >= 3:
        return MARKDOWN
    return PLAIN


def separator_of(text: str, *, least_rows: int = 1) -> str | None:
    """Return the separator of a table's cells in text.

    None if no separator occurs equally often in each of the first lines.
    """
    first_lines = text[:50_000].lstrip("\ufeff").splitlines()[:20]
    lines = [re.sub(r'"[^"]*"', "", line) for line in first_lines if line.strip()]
    if len(text) > 50_000 and len(lines) < 20:
        # The last line may have been cut off.
        lines = lines[:-1]
    if len(lines) < least_rows:
        return None
    for separator in "\t;|,":
        counts = [line.count(separator) for line in lines]
        # Prose has commas as well, and now and then as many in each line.
        least = 2 if separator in ",|" and least_rows > 1 else 1
        if counts[0] >= least and all(one == other for one, other in pairwise(counts)):
            return separator
    return None
