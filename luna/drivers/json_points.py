"""Read and set points in JSON documents, with their scales and codes."""

import math
from collections.abc import Iterable
from typing import Any

from luna.drivers.json_values import pick_code, pick_valid, place, put_at, read_code
from luna.drivers.profile_points import JsonPoint
from luna.energy.refusals import refuse


def pick_point(document: Any, point: JsonPoint, invalid: Iterable[float]) -> float:
    """Return a point in its unit, NaN where the document has no value or an unknown code."""
    if point.codes:
        return pick_code(document, point.field_, point.codes) * point.scale
    return pick_valid(document, point.field_, invalid) * point.scale


def place_point(document: Any, point: JsonPoint, value: float) -> Any:
    """Return a document with a point's value, as a number or the first code that stands for it.

    Raises:
        UnavailableError: no code stands for the value.
    """
    number = value / point.scale
    if not point.codes:
        return place(document, point.field_, number)
    code = point.code_of(number)
    if code is None:
        raise refuse("device-value-unknown", field="via", value=point.at, point=point.field_)
    return put_at(document, point.field_, read_code(code))


def write_number(point: JsonPoint, value: float) -> str:
    """Return a point's value as the number that its request or message carries."""
    decimals = point.write_decimals
    # Plus nothing: no minus in front of a zero.
    raw = round(value / point.scale, decimals) + 0.0
    return f"{raw:.{decimals}f}"


def write_text(name: str, point: JsonPoint, value: float, device: str) -> str:
    """Return a point's value as its request or message carries it: a code, or a number.

    Raises:
        UnavailableError: no code stands for the value, or it is no number.
    """
    codes = point.written_codes
    if codes:
        for code, number in codes.items():
            if number == value:
                return code
    elif math.isfinite(value):
        return write_number(point, value)
    raise refuse("device-value-unknown", field="via", value=device, point=name)
