"""Values in JSON documents, by names with dots between."""

import math
from typing import Any


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
    """Return the number at a field, NaN where there is none."""
    value = look_up(document, field)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan


def place(document: Any, field: str, value: float | None) -> Any:
    """Return a document with a number at a field, whole where it is; None: that there is none."""
    return put_at(document, field, int(value) if value is not None and value.is_integer() else value)


def put_at(document: Any, field: str, value: Any) -> Any:
    """Return a document with a value at a field."""
    name, _, rest = field.partition(".")
    return {**(document or {}), name: put_at((document or {}).get(name), rest, value)} if name else value
