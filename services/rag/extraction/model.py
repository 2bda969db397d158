"""The text extracted from a file, the limits of extraction, and its errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from luna.energy.errors import InvalidInputError

BlockKind = Literal["heading", "text", "table", "list"]
FaultCode = Literal[
    "encrypted",
    "damaged",
    "too_large",
    "too_many_pages",
    "took_too_long",
    "too_much_memory",
    "unknown_format",
    "nested_archive",
    "empty",
    "crashed",
]
# mislabelled: the name's format differs from the content's; macros: present, neither read nor run;
# images_without_text: pages of pictures only; ocr: some text was recognised in pictures;
# hidden_sheets: were read as well; attachments: are members; archives_left_out: attachments that
# are archives or messages; members_left_out: no folder was given for them; unreadable_pages: some
# pages are damaged; network_not_refused, files_not_refused: this system cannot confine the process
# from the network, from other files.
Note = Literal[
    "mislabelled",
    "macros",
    "images_without_text",
    "ocr",
    "hidden_sheets",
    "attachments",
    "archives_left_out",
    "members_left_out",
    "unreadable_pages",
    "network_not_refused",
    "files_not_refused",
]

REMEDIES: dict[FaultCode, str] = {
    "encrypted": "Save it without a password and add it again.",
    "damaged": "Open it in the program that made it, save it anew and add that file.",
    "too_large": "Split it into smaller files.",
    "too_many_pages": "Split it and add the parts that matter.",
    "took_too_long": "Save it in a simpler form, such as a PDF printed from it, or split it.",
    "too_much_memory": "Save it in a simpler form, such as a PDF printed from it, or split it.",
    "unknown_format": (
        "Save it as PDF, DOCX, PPTX, XLSX, CSV, HTML, Markdown, text, e-mail (.eml) or ZIP."
    ),
    "nested_archive": "Unpack it and add the files one by one.",
    "empty": "Add a file that holds text.",
    "crashed": "Save it anew or in another format.",
}


class ExtractionError(InvalidInputError):
    """A file cannot be read. ``code`` is the stable reason; the message is a complete sentence."""

    def __init__(self, code: FaultCode, message: str, remedy: str | None = None) -> None:
        super().__init__(message, field="file", remedy=remedy or REMEDIES[code])
        # In the tree a class has one code; here a file's fault is its code.
        self.code = code  # type: ignore[misc]


@dataclass(frozen=True)
class Limits:
    """Limits for reading one file. Beyond them the file is refused, never truncated.

    Args:
        bytes: of the file.
        unpacked_bytes: of all members of an archive, or all parts of an Office file, together.
        members: of an archive or an e-mail.
        text_characters: of all extracted text.
        pages: of a PDF, or slides.
        seconds: of wall-clock time, and of CPU time.
        memory_bytes: address space of the child process.
    """

    bytes: int = 50_000_000
    unpacked_bytes: int = 200_000_000
    members: int = 200
    text_characters: int = 20_000_000
    pages: int = 2_000
    seconds: int = 120
    memory_bytes: int = 1_000_000_000


@dataclass(frozen=True)
class DocumentBlock:
    """A piece of a document in reading order.

    Args:
        text: of a table one line per row, the header first, cells between `` | ``; of a list one
            line per item.
        page: from 1; None where the format has none.
        level: of a heading, from 1.
    """

    kind: BlockKind
    text: str
    page: int | None = None
    level: int | None = None


@dataclass(frozen=True)
class Member:
    """A file inside another one, written to the caller's folder.

    ``name`` is a relative path without ``..``.
    """

    name: str
    path: Path
    size_bytes: int


@dataclass(frozen=True)
class FormatReading:
    """Content of a file as read by the reader of its format."""

    blocks: Sequence[DocumentBlock] = ()
    title: str | None = None
    pages: int | None = None
    notes: Sequence[Note] = ()
    members: Sequence[Member] = ()
    metadata: Sequence[str] = ()


@dataclass(frozen=True)
class Extraction:
    """The content extracted from a file.

    Args:
        media_type: by content, not by name.
        language: of most of its text; None for another one than German or English, or too little
            text.
        metadata: lines about the file that are not part of its text.
    """

    media_type: str
    title: str | None = None
    pages: int | None = None
    language: Literal["en", "de"] | None = None
    notes: list[Note] = field(default_factory=list)
    blocks: list[DocumentBlock] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FileSource:
    """Input of a format's reader.

    Args:
        folder: for members; None: they are left out.
        ocr: whether to recognise text in pictures.
    """

    path: Path
    name: str
    limits: Limits
    folder: Path | None = None
    ocr: bool = False
