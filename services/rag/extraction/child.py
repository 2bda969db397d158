"""Read one file in a process of its own.

``python -m services.rag.extraction.child FOLDER`` reads ``request.json`` in the folder and writes
``reply.json`` there.

It gives up network, other files, memory and time before it opens the file. What it leaves is data
alone: text, notes, or a fault.
"""

import json
import shutil
import sys
from dataclasses import replace
from importlib import import_module, util
from pathlib import Path
from typing import Any

from luna.energy.errors import FULL_DISK
from services.rag.extraction.confinement import (
    NETWORK_CAN_BE_REFUSED,
    FileAccess,
    confine,
    landlock_version,
    restrict_files,
)
from services.rag.extraction.detection import detect, is_named_for
from services.rag.extraction.model import (
    DocumentBlock,
    Extraction,
    ExtractionError,
    FileSource,
    FormatReading,
    Limits,
    Member,
    Note,
)
from services.rag.extraction.text import clean, language_of

READERS = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "word",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "slides",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "sheets",
    "application/zip": "archive",
    "message/rfc822": "mail",
    "text/csv": "table",
    "text/html": "html",
    "text/markdown": "markdown",
    "text/plain": "plain",
}

_LONGEST_NAME = 200


def main(work: Path) -> None:
    """Read what the request names, or say why not."""
    request = json.loads((work / "request.json").read_bytes())
    limits = Limits(**request["limits"])
    # Only where text can be recognised may programs be started: for that one.
    tesseract = shutil.which("tesseract") if util.find_spec("pytesseract") is not None else None
    folder = Path(request["folder"]) if request["folder"] else None
    programs = (Path(tesseract).resolve(), Path(tesseract)) if tesseract else ()
    own = FileAccess(
        read=(Path(request["path"]),), change=(work, folder) if folder else (work,), run=programs
    )
    restricted = restrict_files(own)
    if not restricted and landlock_version():
        raise RuntimeError("other files cannot be refused, though this kernel can")
    refused = confine(limits, may_start_programs=bool(programs))
    source = FileSource(Path(request["path"]), request["name"], limits, folder, bool(programs))
    reply = answer(source)
    if "blocks" in reply and not (refused and NETWORK_CAN_BE_REFUSED):
        reply["notes"].append("network_not_refused")
    if "blocks" in reply and not restricted:
        reply["notes"].append("files_not_refused")
    (work / "reply.json").write_text(json.dumps(reply))


def answer(source: FileSource) -> dict[str, Any]:
    """Return a file's content, or its fault, as JSON. Never raises over a file."""
    try:
        extraction = read(source)
    except ExtractionError as exc:
        return _fault(exc)
    except MemoryError:
        return _fault(
            ExtractionError(
                "too_much_memory",
                f"Reading it took more than {source.limits.memory_bytes:,} bytes of memory",
            )
        )
    except OSError as exc:
        if exc.errno in FULL_DISK:
            return _fault(
                ExtractionError(
                    "crashed",
                    "This machine has no space left to unpack it",
                    "Free space on the disk, and add the file again.",
                )
            )
        return _fault(ExtractionError("damaged", f"The file is damaged: {type(exc).__name__}"))
    except Exception as exc:  # noqa: BLE001
        # The edge of a process: parsers raise anything over a damaged file.
        return _fault(ExtractionError("damaged", f"The file is damaged: {type(exc).__name__}"))
    blocks = [(block.kind, block.text, block.page, block.level) for block in extraction.blocks]
    members = [(member.name, str(member.path), member.size_bytes) for member in extraction.members]
    return {
        "media_type": extraction.media_type,
        "title": extraction.title,
        "pages": extraction.pages,
        "language": extraction.language,
        "notes": extraction.notes,
        "metadata": extraction.metadata,
        "blocks": blocks,
        "members": members,
    }


def read(source: FileSource) -> Extraction:
    """Return a file's content, read by the format that the content has."""
    media_type = detect(source)
    reader = import_module(f"services.rag.extraction.formats.{READERS[media_type]}")
    reading: FormatReading = reader.read(source)
    blocks = []
    for block in reading.blocks:
        text = clean(block.text)
        if text:
            blocks.append(DocumentBlock(block.kind, text, block.page, block.level))
    has_unread_content = not {"images_without_text", "members_left_out"}.isdisjoint(reading.notes)
    if not blocks and not reading.members and not has_unread_content:
        raise ExtractionError("empty", "The file holds no text")
    if sum(len(block.text) for block in blocks) > source.limits.text_characters:
        raise ExtractionError(
            "too_large", f"It holds more than {source.limits.text_characters:,} characters of text"
        )
    mislabelled: list[Note] = [] if is_named_for(source.name, media_type) else ["mislabelled"]
    return Extraction(
        media_type=media_type,
        title=clean(reading.title or "")[:300] or None,
        pages=reading.pages,
        metadata=[clean(line) for line in reading.metadata],
        language=language_of(block.text for block in blocks),
        notes=[*mislabelled, *reading.notes],
        blocks=blocks,
        members=[replace(member, name=_line_of_name(member)) for member in reading.members],
    )


def _line_of_name(member: Member) -> str:
    """Return a member's name as one line that databases take."""
    name = " ".join(clean(member.name).split())
    return name[-_LONGEST_NAME:] or member.path.name


def _fault(error: ExtractionError) -> dict[str, Any]:
    return {"fault": {"code": error.code, "message": error.message, "remedy": error.remedy}}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
