"""Read texts, numbers and instants that charge points send."""

import math
from datetime import UTC, datetime
from typing import Any


def clean_text(value: Any, longest: int = 60) -> str:
    """Return a text of a charge point that can be stored and shown, empty where it is none."""
    if not isinstance(value, str):
        return ""
    printable = "".join(letter for letter in value if letter.isprintable())
    return printable.encode("utf-8", "ignore").decode()[:longest].strip()


def read_number(value: Any) -> float:
    """Return a number, or one in a text; NaN where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def read_instant(value: Any, now: datetime) -> datetime:
    """Return an instant in UTC, ``now`` where it is none or in the future."""
    try:
        instant = datetime.fromisoformat(str(value))
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return min(aware.astimezone(UTC), now)
    except (ValueError, OverflowError):
        return now


def write_instant(instant: datetime) -> str:
    """Return an instant as OCPP writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{instant.microsecond // 1000:03d}Z"
    )
