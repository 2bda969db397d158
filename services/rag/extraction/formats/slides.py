"""PPTX: a page per slide."""

from collections.abc import Iterator
from typing import Any

from pptx import Presentation
from pptx.exc import PackageNotFoundError

from services.rag.extraction.formats.table import row_text
from services.rag.extraction.model import (
    DocumentBlock,
    ExtractionError,
    FileSource,
    FormatReading,
    Note,
)
from services.rag.extraction.zip_containers import check_office

_LEAST_ITEMS = 2


def read(source: FileSource) -> FormatReading:
    """Return the slides: title, text, tables, and the speaker's notes below."""
    names = check_office(source.path, source.limits)
    try:
        slides = list(Presentation(str(source.path)).slides)
    except (PackageNotFoundError, KeyError, ValueError) as exc:
        raise ExtractionError("damaged", "The presentation cannot be opened") from exc
    if len(slides) > source.limits.pages:
        raise ExtractionError(
            "too_many_pages",
            f"It has {len(slides):,} slides; at most {source.limits.pages:,} are read",
        )
    blocks: list[DocumentBlock] = []
    for number, slide in enumerate(slides, 1):
        blocks.extend(_slide(slide, number))
    title = next((block.text for block in blocks if block.kind == "heading"), None)
    has_macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    notes: tuple[Note, ...] = ("macros",) if has_macros else ()
    return FormatReading(blocks=blocks, title=title, pages=len(slides), notes=notes)


def _slide(slide: Any, number: int) -> Iterator[DocumentBlock]:
    title = slide.shapes.title
    if title is not None and title.has_text_frame and title.text_frame.text.strip():
        yield DocumentBlock("heading", " ".join(title.text_frame.text.split()), number, 1)
    waiting = list(slide.shapes)
    while waiting:
        shape = waiting.pop(0)
        if hasattr(shape, "shapes"):
            waiting[:0] = list(shape.shapes)
        elif title is None or shape.shape_id != title.shape_id:
            yield from _shape(shape, number)
    # Access to the notes of a slide without any would make them.
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if notes is not None and notes.text.strip():
        yield DocumentBlock("text", notes.text, number)


def _shape(shape: Any, number: int) -> Iterator[DocumentBlock]:
    if getattr(shape, "has_table", False) and shape.has_table:
        rows = [row_text([cell.text for cell in row.cells]) for row in shape.table.rows]
        yield DocumentBlock("table", "\n".join(filter(None, rows)), number)
    elif shape.has_text_frame:
        texts = [" ".join(paragraph.text.split()) for paragraph in shape.text_frame.paragraphs]
        lines = [text for text in texts if text]
        if len(lines) >= _LEAST_ITEMS:
            yield DocumentBlock("list", "\n".join(f"- {line}" for line in lines), number)
        elif lines:
            yield DocumentBlock("text", lines[0], number)
