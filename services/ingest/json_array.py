"""The objects of a JSON array that is larger than memory."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

PIECE_BYTES = 2_000_000
# What is no whole object after so many characters is none.
LONGEST_OBJECT = 1_000_000
BETWEEN = re.compile(r"[\s,]*")
DECODER = json.JSONDecoder()


def read_objects(file: IO[bytes], head: bytes) -> Iterator[list[dict[str, Any]]]:
    """Yield the objects of an array, some at a time.

    Args:
        file: what follows ``head``.
        head: how the array begins, its bracket included.

    Raises:
        ValueError: the text is no such array, or is cut off.
    """
    decode = codecs.getincrementaldecoder("utf-8")().decode
    text = decode(head).lstrip()[1:]
    while True:
        objects, text, closed = _take(text)
        if objects:
            yield objects
        if closed:
            return
        if len(text) > LONGEST_OBJECT:
            raise ValueError(f"what begins with {text[:40]!r} is no object")
        piece = file.read(PIECE_BYTES)
        if not piece:
            raise ValueError("the array is cut off")
        text += decode(piece)


def _take(text: str) -> tuple[list[dict[str, Any]], str, bool]:
    """Return the whole objects at the beginning of ``text``, what is left of it, and whether the array ends there."""
    objects: list[dict[str, Any]] = []
    place = 0
    while (place := _skip(text, place)) < len(text):
        if text[place] == "]":
            return objects, "", True
        if text[place] != "{":
            raise ValueError(f"what begins with {text[place : place + 40]!r} is no object")
        try:
            row, place = DECODER.raw_decode(text, place)
        except json.JSONDecodeError:
            break
        objects.append(row)
    return objects, text[place:], False


def _skip(text: str, place: int) -> int:
    found = BETWEEN.match(text, place)
    return found.end() if found else place
