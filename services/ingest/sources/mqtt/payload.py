"""Reading of message payloads: JSON, and the numbers that words stand for."""

import json
import math
from typing import Any

from luna.energy.errors import InvalidInputError

# Payloads of Home Assistant and devices for an unknown value.
UNKNOWN = frozenset({"unknown", "unavailable", "none", "null", "nan"})
TRUE = frozenset({"on", "true"})
FALSE = frozenset({"off", "false"})
MISSING = object()


def read_number(value: object, on: str | None, off: str | None) -> float:
    """Return the number of a value: 1 for on, 0 for off, NaN for unknown.

    Raises:
        InvalidInputError: it stands for no number.
    """
    if isinstance(value, bool):
        return float(value)
    text = str(value).strip()
    if on is not None and text in {on, off}:
        return float(text == on)
    word = text.lower()
    if word in UNKNOWN:
        return math.nan
    if word in TRUE | FALSE:
        return float(word in TRUE)
    try:
        number = float(text)
    except ValueError as exc:
        raise InvalidInputError("is no number", value=text[:80]) from exc
    return number if math.isfinite(number) else math.nan


def descend(value: Any, step: str | int) -> Any:
    """Return the item of an object or a list at a key or an index, or ``MISSING``."""
    if isinstance(value, dict):
        return value.get(str(step), MISSING)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return MISSING


def decode_json(payload: str) -> Any:
    """Decode a message's JSON.

    Raises:
        InvalidInputError: it is not JSON.
    """
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as exc:
        raise InvalidInputError("is no JSON", value=payload[:80]) from exc
