"""Durations as people write them in every language, with the symbols of the SI: "1 min 30 s"."""

import re
from datetime import timedelta

_SYMBOLS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "min": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
# The names are those in which pydantic states its bounds: "1 minute and 30 seconds".
_UNITS = _SYMBOLS | {
    "day": _SYMBOLS["d"],
    "hour": _SYMBOLS["h"],
    "minute": _SYMBOLS["min"],
    "second": _SYMBOLS["s"],
}
_PART = re.compile(rf"(\d+(?:[.,]\d+)?)\s*({'|'.join(sorted(_UNITS, key=len, reverse=True))})s?\b")
_BETWEEN = re.compile(r"(\s|,|and)*")


def format_duration(duration: timedelta) -> str:
    """Return a duration such as "1 min 30 s", to the microsecond."""
    parts: list[str] = []
    rest = duration
    for symbol, unit in _SYMBOLS.items():
        if symbol == "s":
            seconds = rest / unit
            if seconds or not parts:
                parts.append(f"{seconds:g}\u00a0s")
        elif rest >= unit:
            count, rest = divmod(rest, unit)
            parts.append(f"{count}\u00a0{symbol}")
    return " ".join(parts)


def parse_duration(text: str) -> timedelta | None:
    """Return the duration that a text such as "2 h 30 min" states, None where it states none."""
    duration = timedelta()
    between = _PART.sub("", text)
    parts = _PART.findall(text)
    if not parts or not _BETWEEN.fullmatch(between):
        return None
    for count, unit in parts:
        duration += float(count.replace(",", ".")) * _UNITS[unit]
    return duration
