"""Drawings as shapes and figures, without words: a better word in a catalogue changes none."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from tests.support.recordings.comparison import hold

_DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_LETTER = re.compile(r"[^\W\d_]")
_SHAPES = ("rect", "path", "circle")
# Within the data of a path: the height of a point, or where a line upwards or downwards ends.
_HEIGHT = re.compile(r"(?<=V)-?[\d.]+|(?<=[\d.] )-?[\d.]+")


def hold_drawing(name: str, drawing: str) -> None:
    """Compare the shapes of a drawing, or of a page with drawings, with their recording."""
    pictures = [ET.fromstring(found) for found in _DRAWING.findall(drawing)]  # noqa: S314 - our own
    lines = [line for picture in pictures for line in ("svg", *_list_shapes(picture))]
    hold(f"drawings/{name}.txt", "\n".join(lines) + "\n")


def _list_shapes(picture: ET.Element) -> Iterator[str]:
    """Yield a line for each shape and each figure, with heights from the first shape on."""
    elements = list(_without_words(picture))
    heights = [float(element.get("y", 0)) for element in elements if _is_box(element)]
    top = heights[0] if heights else 0.0
    for element in elements:
        yield " ".join(_describe(element, top))


def _without_words(picture: ET.Element) -> Iterator[ET.Element]:
    """Yield groups that are moved, shapes, and texts that are figures.

    Legends are left out: their keys stand where words end, and their rows move what is below.
    """
    waiting: list[ET.Element] = []
    for element in picture.iter():
        if _tag(element) in _SHAPES or element.get("transform"):
            waiting.append(element)
        if _tag(element) == "text":
            if not element.get("class", "").startswith("key"):
                yield from waiting
            waiting = []
            if not _LETTER.search("".join(element.itertext())):
                yield element
    yield from waiting


def _describe(element: ET.Element, top: float) -> Iterator[str]:
    """Yield the tag, the attributes and the figure of an element."""
    yield _tag(element)
    for name, value in element.items():
        yield f"{name}={_raise(name, value, top)}"
    if _tag(element) == "text":
        yield "".join(element.itertext())


def _raise(name: str, value: str, top: float) -> str:
    """Return an attribute's value, heights from ``top`` on."""
    if name in ("y", "cy"):
        return _lessen(value, top)
    if name == "d":
        return _HEIGHT.sub(lambda height: _lessen(height[0], top), value)
    return value


def _lessen(height: str, top: float) -> str:
    return f"{float(height) - top:.1f}".removesuffix(".0")


def _is_box(element: ET.Element) -> bool:
    """Return whether an element is a rectangle, but for the background."""
    return _tag(element) == "rect" and element.get("class") != "surface"


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
