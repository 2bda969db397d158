"""Values in JSON documents, by names with dots between."""

import json
import math
from typing import Any


def parse_document(content: bytes | bytearray) -> Any:
    """Return the JSON document that a device sent.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(content)
    except RecursionError as exc:
        raise ValueError("nested deeper than any device's") from exc


def look_up(document: Any, field: str) -> Any:
    """Return what is at a field, None where nothing is; a number among the names counts in a list, and no name is the document itself."""
    for name in field.split(".") if field else ():
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def pick(document: Any, field: str) -> float:
    """Return the number at a field, NaN where there is none; true and false are none."""
    value = look_up(document, field)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def place(document: Any, field: str, value: float | None) -> Any:
    """Return a document with a number at a field, whole where it is; None: that there is none."""
    return put_at(document, field, int(value) if value is not None and value.is_integer() else value)


def put_at(document: Any, field: str, value: Any) -> Any:
    """Return a document with a value at a field."""
    name, _, rest = field.partition(".")
    return {**(document or {}), name: put_at((document or {}).get(name), rest, value)} if name else value
