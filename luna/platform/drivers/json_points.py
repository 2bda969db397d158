"""Read and set points in JSON documents, with their scales and codes."""

from collections.abc import Iterable
from typing import Any

from luna.energy.refusals import refuse
from luna.platform.drivers.json_values import pick_code, pick_valid, place, put_at, read_code
from luna.platform.drivers.profile import JsonPoint


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
