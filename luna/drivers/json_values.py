"""Reads and sets values in JSON documents by dotted paths."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

# Part of a path for a member whose name owners choose themselves.
ANY_MEMBER = "*"
_SOME_MEMBER = "SML"


def parse_document(content: bytes | bytearray) -> Any:
    """Parse the JSON document that a device sent.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return json.loads(content)
    except RecursionError as exc:
        raise ValueError("nested deeper than any device's") from exc


def look_up(document: Any, field: str) -> Any:
    """Return the value at a dotted path, None where there is none.

    A decimal part indexes a list, and an empty path is the document itself. ``ANY_MEMBER`` is the
    first member in which the rest of the path is found.
    """
    names = field.split(".") if field else []
    for depth, name in enumerate(names):
        if name == ANY_MEMBER and isinstance(document, dict):
            rest = ".".join(names[depth + 1 :])
            values = [look_up(member, rest) for member in document.values()]
            return next((value for value in values if value is not None), None)
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def pick(document: Any, field: str) -> float:
    """Return the number at a dotted path, NaN where there is none.

    A boolean is no number.
    """
    value = look_up(document, field)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def pick_valid(document: Any, field: str, invalid: Iterable[float]) -> float:
    """Return the number at a dotted path, NaN where it is missing or means no value."""
    number = pick(document, field)
    for code in invalid:
        if math.isclose(number, code, rel_tol=1e-9):
            return math.nan
    return number


def pick_code(document: Any, field: str, codes: Mapping[str, float]) -> float:
    """Return the number that the value at a dotted path stands for, NaN for an unknown one."""
    value = look_up(document, field)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return codes.get(value if isinstance(value, str) else json.dumps(value), math.nan)


def read_code(code: str) -> Any:
    """Return the value of a document that has a code: a number, a boolean or a text."""
    try:
        return json.loads(code)
    except ValueError:
        return code


def place(document: Any, field: str, value: float | None) -> Any:
    """Return a document with a number at a dotted path.

    A whole number becomes an integer.

    None becomes null.
    """
    if value is not None and value.is_integer():
        return put_at(document, field, int(value))
    return put_at(document, field, value)


def put_at(document: Any, field: str, value: Any) -> Any:
    """Return a copy of a document with a value at a dotted path.

    A decimal part is a place in a list; ``ANY_MEMBER`` becomes one of some name.
    """
    name, _, inner_field = field.partition(".")
    name = _SOME_MEMBER if name == ANY_MEMBER else name
    if not name:
        return value
    if name.isdecimal():
        items = list(document or [])
        items += [None] * (int(name) + 1 - len(items))
        items[int(name)] = put_at(items[int(name)], inner_field, value)
        return items
    members = document or {}
    return {**members, name: put_at(members.get(name), inner_field, value)}
