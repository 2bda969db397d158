"""Numbers in JSON documents, by names with dots between."""

import math
from typing import Any


def pick(document: Any, field: str) -> float:
    """Return the number at a field, NaN where there is none; a number among the names counts in a list, and no name is the document itself."""
    for name in field.split(".") if field else ():
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return math.nan
    return float(document) if isinstance(document, int | float) and math.isfinite(document) else math.nan


def place(document: Any, field: str, value: float | None) -> Any:
    """Return a document with a number at a field, whole where it is; None: that there is none."""
    name, _, rest = field.partition(".")
    number = int(value) if value is not None and value.is_integer() else value
    return {**(document or {}), name: place((document or {}).get(name), rest, value)} if name else number
