"""HTML: headings, paragraphs, lists and tables in their order.

Nothing is run, loaded or followed, and what a reader would not see is left out.
"""

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from services.rag.extraction.model import (
    BlockKind,
    DocumentBlock,
    ExtractionError,
    FileSource,
    FormatReading,
)
from services.rag.extraction.text import decode

_IGNORED = {
    "script",
    "style",
    "template",
    "noscript",
    "iframe",
    "object",
    "embed",
    "svg",
    "canvas",
    "head",
    "select",
    "button",
    "audio",
    "video",
    "math",
}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DIVIDING = """
    p div section article header footer main aside nav ul ol dl dt dd li blockquote pre form figure
    figcaption address hr table tr td th caption body html fieldset details summary
"""
_PIECES = {*_DIVIDING.split(), *_HEADINGS}
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|"
    r"opacity\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_BULLET = "- "


def read(source: FileSource) -> FormatReading:
    """Return what a reader of the page would see."""
    text = decode(source.path.read_bytes())
    if text is None:
        raise ExtractionError("damaged", "The page's characters cannot be told")
    return read_markup(text)


def read_markup(markup: str) -> FormatReading:
    """Return the blocks of a page, and its title."""
    parser = lxml_html.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = lxml_html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as exc:
        raise ExtractionError("empty", "The page holds no text") from exc
    # Deeper elements are not in the tree: the page is refused rather than read without a part.
    if any("depth" in entry.message for entry in parser.error_log):
        raise ExtractionError("damaged", "The page's elements stand too deep in each other")
    # The items of one list are one block.
    joined: list[DocumentBlock] = []
    for block in _Page(root).blocks():
        if block.kind == "list" and joined and joined[-1].kind == "list":
            joined[-1] = DocumentBlock("list", f"{joined[-1].text}\n{block.text}")
        else:
            joined.append(block)
    return FormatReading(blocks=joined, title=root.findtext(".//title"))


class _Page:
    """A walk over a page's elements; ``_kind`` is what the text being gathered will be."""

    def __init__(self, root: lxml_html.HtmlElement) -> None:
        self._root = root
        self._gathered: list[str] = []
        self._kind: tuple[BlockKind, int | None] = ("text", None)

    def blocks(self) -> Iterator[DocumentBlock]:
        walk = etree.iterwalk(self._root, events=("start", "end"))
        for event, element in walk:
            if event == "start" and (
                element.tag in _IGNORED
                or "hidden" in element.attrib
                or _HIDDEN.search(element.get("style", ""))
            ):
                walk.skip_subtree()
            elif event == "start" and element.tag == "table" and (rows := _rows(element)):
                yield from self._flush()
                caption = element.find("caption")
                if caption is not None and (text := _cell(caption)):
                    yield DocumentBlock("text", text)
                yield DocumentBlock("table", "\n".join(rows))
                walk.skip_subtree()
            elif event == "start":
                if element.tag in _PIECES:
                    yield from self._flush()
                    parent = element.getparent()
                    level = _HEADINGS.get(element.tag)
                    # A paragraph inside an item is the item's.
                    is_item = element.tag == "li" or (
                        element.tag == "p" and parent is not None and parent.tag == "li"
                    )
                    self._kind = (
                        ("heading", level) if level else ("list" if is_item else "text", None)
                    )
                elif element.tag == "br":
                    self._gathered.append("\n")
                self._gathered.append(_plain(element.text, element))
            else:
                if element.tag in _PIECES:
                    yield from self._flush()
                    self._kind = ("text", None)
                self._gathered.append(_plain(element.tail, element.getparent()))
        yield from self._flush()

    def _flush(self) -> Iterator[DocumentBlock]:
        text = "".join(self._gathered).strip()
        self._gathered.clear()
        if text:
            kind, level = self._kind
            line = text.replace("\n", " ")
            yield DocumentBlock(
                kind, {"list": _BULLET + line, "heading": line}.get(kind, text), None, level
            )


def _plain(text: str | None, parent: lxml_html.HtmlElement | None) -> str:
    is_preformatted = parent is not None and parent.tag == "pre"
    return (text or "") if is_preformatted else re.sub(r"\s+", " ", text or "")


def _rows(table: lxml_html.HtmlElement) -> list[str]:
    """Return a table's rows; none where it only places what it holds on the page."""
    if table.find(".//table") is not None:
        return []
    cells = [[_cell(cell) for cell in row.iterchildren("td", "th")] for row in table.iter("tr")]
    if max((len(row) for row in cells), default=0) < 2:
        return []
    return [" | ".join(row) for row in cells if any(row)]


def _cell(cell: lxml_html.HtmlElement) -> str:
    return " ".join(cell.text_content().split())
