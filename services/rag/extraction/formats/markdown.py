"""Markdown, read as the page that it describes."""

import re

from markdown_it import MarkdownIt

from services.rag.extraction.formats.html import read_markup
from services.rag.extraction.model import ExtractionError, FileSource, FormatReading
from services.rag.extraction.text import decode

MOST_METADATA = 100
_FRONT_MATTER = re.compile(r"\A\ufeff?---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.MULTILINE)


def read(source: FileSource) -> FormatReading:
    """Return the blocks of a Markdown file.

    The title is that of its front matter, or its first heading.
    """
    text = decode(source.path.read_bytes())
    if text is None:
        raise ExtractionError("damaged", "The file's characters cannot be told")
    matter = _FRONT_MATTER.match(text)
    page = read_markup(
        MarkdownIt("commonmark").enable("table").render(text[matter.end() :] if matter else text)
    )
    stated = _TITLE.search(matter.group(1)) if matter else None
    first = next((block.text for block in page.blocks if block.kind == "heading"), None)
    metadata = matter.group(1).splitlines()[:MOST_METADATA] if matter else []
    return FormatReading(
        blocks=page.blocks, title=stated.group(1) if stated else first, metadata=metadata
    )
