"""Find the days, months, quarters and years that a German or English text names.

Pure.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from services.rag.months import ANY_MONTH, MONTHS

_MONTH = rf"(?P<month>{ANY_MONTH})\.?"
_YEAR = r"(?P<year>20\d\d)"
# A number of four digits is no year if it counts something or is part of a name.
_NO_YEAR = (
    r"(?!\w|[-/]\w|[.,:]\d|\s?(?:kwh|kwp|kw|mwh|wh|w|watt|v|volt|€|eur|euro|ct|cent|%|zyklen|"
    r"cycles|stunden|hours|h|uhr|kg|mm|m|stück|pieces)\b|\s?[€%])"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\w-]){_YEAR}-(?P<number>\d\d)-(?P<day>\d\d)(?!\d)",
        rf"(?<![\w.])(?P<day>\d{{1,2}})\.\s?(?P<number>\d{{1,2}})\.\s?{_YEAR}(?!\d)",
        rf"(?<![\w.])(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}(?!\d)",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}(?!\d)",
        rf"\b(?:q(?P<quarter>[1-4])|(?P<ordinal>[1-4])\.\s?quartal)[\s/]*{_YEAR}(?!\d)",
        rf"\b{_MONTH}\s+{_YEAR}(?!\d)",
        rf"(?<![\w./])(?P<number>\d{{1,2}})[./]{_YEAR}(?!\d)",
        # A law or a standard bears the year of its making: "EEG 2023".
        (
            rf"(?<![\w.,/§-])(?<!\b(?-i:[A-Z]{{3}}) )(?<!\b(?-i:[A-Z]{{4}}) "
            rf")(?<!(?-i:EnWG|GEIG) ){_YEAR}{_NO_YEAR}"
        ),
    )
)


@dataclass(frozen=True, slots=True)
class NamedDays:
    """A named span of days, both included, and its place in the text."""

    first: date
    last: date
    begin: int
    end: int


def find_named_days(text: str) -> list[NamedDays]:
    """Return the named days of a text in order, without those that no calendar has."""
    named: list[NamedDays] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            days = _read(match)
            begin, end = match.span()
            overlaps = any(begin < other.end and other.begin < end for other in named)
            if days is not None and not overlaps:
                named.append(NamedDays(*days, begin, end))
    return sorted(named, key=attrgetter("begin"))


def months_of(year: int, month: int, count: int = 1) -> tuple[date, date]:
    """Return the first and the last day of months that follow each other."""
    last_year, months_before = divmod(year * 12 + month - 1 + count - 1, 12)
    last_month = months_before + 1
    last_day = monthrange(last_year, last_month)[1]
    return date(year, month, 1), date(last_year, last_month, last_day)


def _read(match: re.Match[str]) -> tuple[date, date] | None:
    parts = match.groupdict()
    year = int(parts["year"])
    quarter = parts.get("quarter") or parts.get("ordinal")
    if quarter:
        return months_of(year, 3 * int(quarter) - 2, 3)
    month = MONTHS[parts["month"].lower()] if parts.get("month") else int(parts.get("number") or 0)
    try:
        if parts.get("day"):
            day = date(year, month, int(parts["day"]))
            return day, day
        return months_of(year, month) if month else months_of(year, 1, 12)
    except ValueError:
        return None
