"""DOCX: read as the page that it describes."""

import mammoth

from services.rag.extraction.formats.html import read_markup
from services.rag.extraction.model import FileSource, FormatReading
from services.rag.extraction.zip_containers import check_office

# Beside what mammoth knows: a document's title is its first heading.
_STYLES = "p[style-name='Title'] => h1:fresh\np[style-name='Subtitle'] => p:fresh"


def read(source: FileSource) -> FormatReading:
    """Return the blocks of a document: headings, paragraphs, lists, tables, foot notes.

    Macros are not looked into.
    """
    names = check_office(source.path, source.limits)
    with source.path.open("rb") as file:
        page = read_markup(
            mammoth.convert_to_html(file, style_map=_STYLES, convert_image=lambda _: []).value
            or "<p></p>"
        )
    title = next((block.text for block in page.blocks if block.kind == "heading"), None)
    macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    return FormatReading(blocks=page.blocks, title=title, notes=("macros",) if macros else ())
