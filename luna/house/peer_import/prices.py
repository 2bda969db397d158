"""Prices of other energy managers as rules of Luna's tariff."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

# Days as evcc and Predbat write them; of a range both ends count.
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES = {
    "mo": 0,
    "di": 1,
    "tu": 1,
    "mi": 2,
    "we": 2,
    "do": 3,
    "th": 3,
    "fr": 4,
    "sa": 5,
    "so": 6,
    "su": 6,
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::\d{2})?")


class PricedTimes(NamedTuple):
    """A price between two clock times on some days of some months, currency/kWh."""

    start: str
    end: str
    days: tuple[str, ...]
    months: tuple[int, ...]
    price: float


def parse_clock(text: str, *, end: bool = False) -> str | None:
    """Return a clock time as ``HH:MM``, an end of 0 or 24 as ``24:00``; None for anything else."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour = int(match[1])
    minute = int(match[2] or 0)
    if end and (hour, minute) in ((24, 0), (0, 0)):
        return "24:00"
    if hour > 23 or minute > 59:
        return None
    return f"{hour:02d}:{minute:02d}"


def parse_hours(text: str) -> list[tuple[str, str]] | None:
    """Return the windows of hours such as ``2-5,17:30-21``; None where one is none."""
    windows = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = parse_clock(first)
        end = parse_clock(last, end=True)
        if not dash or start is None or end is None:
            return None
        windows.append((start, end))
    return windows


def parse_days(text: str) -> tuple[str, ...] | None:
    """Return the weekdays of days such as ``Mo-Fr`` or ``Sa,So``; None where one is none."""
    return _parse_names(text, _find_day, _WEEKDAYS)


def parse_months(text: str) -> tuple[int, ...] | None:
    """Return the months of months such as ``Nov-Mar``; None where one is none."""
    names = _parse_names(text, _find_month, _MONTHS)
    return None if names is None else tuple(sorted(_MONTHS.index(name) + 1 for name in names))


def _find_day(name: str) -> int | None:
    return _DAY_NAMES.get(name.strip().casefold()[:2])


def _find_month(name: str) -> int | None:
    short = name.strip().casefold()[:3]
    return _MONTHS.index(short) if short in _MONTHS else None


def _parse_names(text: str, find: Any, names: Sequence[str]) -> tuple[str, ...] | None:
    places: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = find(first)
        end = find(last) if dash else start
        if start is None or end is None:
            return None
        count = (end - start) % len(names) + 1
        places += [(start + step) % len(names) for step in range(count)]
    return tuple(names[place] for place in sorted(set(places)))


def make_clock_price(default: float, times: Sequence[PricedTimes]) -> dict[str, Any]:
    """Return the rule of a price by the clock, the first times that fit decide.

    It is a ``time_of_use`` where that can say it, which set-up shows field by field.
    """
    if not times:
        return {"kind": "fixed", "price": default}
    if all(_says_days(one.days) is not None and not one.months for one in times):
        bands = []
        for one in times:
            band = {"from": one.start, "to": one.end, "price": one.price}
            days = _says_days(one.days)
            if days != "all":
                band["days"] = days
            bands.append(band)
        return {"kind": "time_of_use", "default": default, "bands": bands}
    component = make_calendar("energy", default, times, vat=0.0)
    return {"kind": "components", "components": [component]}


def make_calendar(
    name: str, default: float, times: Sequence[PricedTimes], *, vat: float
) -> dict[str, Any]:
    """Return a component of a price by the clock."""
    windows = []
    for one in times:
        window: dict[str, Any] = {"from": one.start, "to": one.end, "price": one.price}
        if len(one.days) < len(_WEEKDAYS):
            window["days"] = list(one.days)
        if one.months:
            window["months"] = list(one.months)
        windows.append(window)
    component: dict[str, Any] = {
        "kind": "calendar",
        "name": name,
        "price": default,
        "windows": windows,
    }
    return component | ({"vat": vat} if vat else {})


def _says_days(days: tuple[str, ...]) -> str | None:
    names = {_WEEKDAYS: "all", _WEEKDAYS[:5]: "weekday", _WEEKDAYS[5:]: "weekend"}
    return names.get(days)


ALL_DAYS = _WEEKDAYS
