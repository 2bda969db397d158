"""Conversion of Home Assistant's states and history into numbers and instants; pure.

Values that hold for long are repeated at each quarter-hour.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from luna.energy.timeline import FloatArray, InstantArray, to_instant
from services.ingest.sources.source import SourceError

SWITCHED = {"on": 1.0, "off": 0.0}


def parse_state(text: object) -> float:
    """Return a state as a number: on and off are 1 and 0.

    Anything that is no finite number, such as "unknown", is NaN.
    """
    if not isinstance(text, str):
        return math.nan
    if text in SWITCHED:
        return SWITCHED[text]
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def parse_history(
    document: object, sensor: str
) -> tuple[InstantArray, FloatArray, list[str | None]]:
    """Return instants, values and units of one sensor in order of time.

    Args:
        document: answer of ``/api/history/period``; a unit that it does not state is None.
        sensor: names the field of the error.

    Raises:
        SourceError: the answer is malformed.
    """
    try:
        states: list[Mapping[str, Any]] = next(iter(document), [])  # type: ignore[call-overload]
        changed = [to_instant(datetime.fromisoformat(state["last_changed"])) for state in states]
        instants = np.array(changed, dtype="datetime64[us]")
        values = np.array([parse_state(state["state"]) for state in states], dtype=np.float64)
        units = [state.get("attributes", {}).get("unit_of_measurement") for state in states]
    except (TypeError, KeyError, ValueError, AttributeError) as exc:
        raise SourceError(
            "its history has a form that nobody here reads",
            field=sensor,
            remedy="Look at Home Assistant's log.",
        ) from exc
    order = np.argsort(instants, kind="stable")
    return instants[order], values[order], [units[place] for place in order.tolist()]


def from_seconds(seconds: float) -> datetime:
    """Return the instant of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def as_instant(instant: np.datetime64) -> datetime:
    """Return the instant of a ``datetime64`` in UTC."""
    return datetime.fromisoformat(str(instant.astype("datetime64[us]"))).replace(tzinfo=UTC)


STEP = np.timedelta64(15, "m")
# A meter with a resolution of tenths of a kilowatt-hour rises evenly between two values so close,
# not at the last moment.
LONGEST_RISE = np.timedelta64(60, "m")
Duration = np.timedelta64


def longest_rise(unit: str | None) -> Duration:
    """Return the longest distance of two values that needs no repetition in between.

    An hour for a counter, else a quarter-hour.
    """
    is_counter = unit is not None and unit.casefold().endswith("wh")
    return LONGEST_RISE if is_counter else STEP


def hold_values(
    instants: InstantArray, values: FloatArray, end: np.datetime64, *, longest: Duration
) -> tuple[InstantArray, FloatArray]:
    """Return the values with repetitions at each quarter-hour of those that hold for long.

    A value that holds for more than ``longest`` is repeated until the next value or ``end``.

    Args:
        instants: ascending, ``datetime64[us]``, UTC.
        values: one per instant; NaN is not repeated.
        end: until when the last value holds.

    Invariants: the result contains every input value; a repeated value equals the one before it.
    """
    until = np.append(instants[1:], end)
    holds_long = np.flatnonzero((until - instants > longest) & ~np.isnan(values))
    days = instants[holds_long].astype("datetime64[D]")
    next_quarters = days + ((instants[holds_long] - days) // STEP + 1) * STEP
    repetitions = []
    for first, before in zip(next_quarters, until[holds_long], strict=True):
        repetitions.append(np.arange(first, before, STEP).astype("datetime64[us]"))
    counts = [quarters.size for quarters in repetitions]
    all_instants = np.concatenate([instants, *repetitions])
    all_values = np.concatenate([values, np.repeat(values[holds_long], counts)])
    order = np.argsort(all_instants, kind="stable")
    return all_instants[order], all_values[order]
