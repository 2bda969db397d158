"""E-mail: its headers, its body, its attachments as members."""

import email
import email.policy
import io
from email.message import EmailMessage
from pathlib import PurePosixPath

from services.rag.extraction.detection import is_nested_archive
from services.rag.extraction.formats.html import read_markup
from services.rag.extraction.model import (
    DocumentBlock,
    ExtractionError,
    FileSource,
    FormatReading,
    Member,
    Note,
)
from services.rag.extraction.text import paragraphs

_HEADERS = ("From", "To", "Cc", "Date")


def read(source: FileSource) -> FormatReading:
    """Return a message: its subject as heading, its headers, its text.

    Files attached are written to the source's folder.
    """
    message = email.message_from_bytes(source.path.read_bytes(), policy=email.policy.default)
    subject = _header(message, "Subject")
    headers = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    heading = [DocumentBlock("heading", subject, None, 1)] if subject else []
    body = _body(message)
    files = list(message.iter_attachments()) if message.is_multipart() else []
    members, notes = _members(files, source)
    return FormatReading(
        blocks=[*heading, DocumentBlock("text", "\n".join(headers)), *body],
        title=subject,
        members=members,
        notes=notes,
    )


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _body(message: EmailMessage) -> list[DocumentBlock]:
    part = message.get_body(("plain", "html"))
    if part is None:
        return []
    try:
        text = part.get_content()
    except (LookupError, ValueError):
        # A charset nobody knows.
        content = part.get_payload(decode=True)
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    if part.get_content_type() == "text/html":
        return list(read_markup(text).blocks)
    return paragraphs(text)


def _members(parts: list[EmailMessage], source: FileSource) -> tuple[list[Member], list[Note]]:
    # Each counts, also one that is left out: looking at it takes as long.
    if len(parts) > source.limits.members:
        raise ExtractionError(
            "too_large",
            f"It holds {len(parts):,} files; at most {source.limits.members:,} are read",
        )
    members: list[Member] = []
    notes: set[Note] = set()
    for part in parts:
        content = part.get_payload(decode=True)
        if (
            part.get_content_maintype() in {"message", "multipart"}
            or not isinstance(content, bytes)
            or is_nested_archive(io.BytesIO(content))
        ):
            notes.add("archives_left_out")
        elif source.folder is None:
            notes.add("members_left_out")
        elif content:
            path = source.folder / f"{len(members):04d}"
            path.write_bytes(content)
            # The last part alone: a sender's folders say nothing here, and might lead elsewhere.
            name = PurePosixPath((part.get_filename() or "").replace("\\", "/")).name
            members.append(
                Member(
                    name if name not in {"", ".."} else f"attachment-{path.name}",
                    path,
                    len(content),
                )
            )
    if members:
        notes.add("attachments")
    return members, sorted(notes)
