"""Times that a text names: dates, months, weekdays, seasons, clock times, today and tomorrow."""

import re
from dataclasses import dataclass
from typing import Literal

from services.rag.answering.claims.number_words import read_number_word
from services.rag.months import ANY_MONTH, MONTHS

Kind = Literal["date", "clock", "weekday", "season", "relative"]
Role = Literal["", "from", "to", "before", "after"]

_WEEKDAYS = (
    "monday montag maandag",
    "tuesday dienstag dinsdag",
    "wednesday mittwoch woensdag",
    "thursday donnerstag donderdag",
    "friday freitag vrijdag",
    "saturday samstag sonnabend zaterdag",
    "sunday sonntag zondag",
)
_SEASONS = (
    "spring frühling frühjahr voorjaar lente",
    "summer sommer zomer",
    "autumn herbst herfst",
    "winter",
)
_RELATIVE = (
    "last-night",
    "yesterday gestern gisteren",
    "today heute vandaag",
    "tomorrow morgen",
)
_NUMBERED: dict[str, tuple[Kind, int]] = {}
for _kind, _rows in (("weekday", _WEEKDAYS), ("season", _SEASONS), ("relative", _RELATIVE)):
    for _number, _words in enumerate(_rows):
        for _word in _words.split():
            _NUMBERED[_word] = (_kind, _number)  # type: ignore[assignment]
_NAMED = re.compile(
    r"\b(?:last night|(" + "|".join(sorted(_NUMBERED, key=len, reverse=True)) + r"))s?\b",
    re.IGNORECASE,
)
_DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"),
    re.compile(r"\b(?P<day>\d{1,2})[./-]\s?(?P<month>\d{1,2})[./-]\s?(?P<year>\d{4})\b"),
    re.compile(r"\b(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.(?!\d)(?P<year>)"),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{ANY_MONTH})\b\.?,?"
        rf"(?:\s+(?P<year>\d{{4}}))?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<month>{ANY_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*[:.]\d)"
        rf"(?:,?\s+(?P<year>\d{{4}}))?",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<month>{ANY_MONTH})\b(?:\s+(?P<year>\d{{4}})\b)?", re.IGNORECASE),
)
_CLOCK = re.compile(
    r"\b(?P<hour>\d{1,2}|[^\W\d_]{3,9})(?:[:.](?P<minute>\d{2}))?\s?"
    r"(?P<unit>uhr|uur|o'clock|am|pm|a\.m\.|p\.m\.)(?![\w])"
    r"|\b(?P<hour2>\d{1,2}):(?P<minute2>\d{2})\b",
    re.IGNORECASE,
)
# The first of two times has the unit of the second: "between 8 and 12 Uhr", "from 9 to 11 am".
_CLOCK_PAIR = re.compile(
    r"\b(?P<first>\d{1,2})(?=\s+(?:und|and|en|bis|to|tot)\s+\d{1,2}\s?"
    r"(?P<unit>uhr|uur|am|pm)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Time:
    """A time; of a date, parts that are not named are None."""

    kind: Kind
    parts: tuple[int | None, ...]
    role: Role = ""

    def is_within(self, other: "Time") -> bool:
        """Return whether the other names all that this one does, and nothing else."""
        if self.kind != other.kind:
            return False
        pairs = zip(self.parts, other.parts, strict=True)
        return all(own is None or own == part for own, part in pairs)


def find_times(text: str) -> tuple[str, list[Time]]:
    """Return a text with a mark in place of each time, and the times."""
    times: list[Time] = []

    def mark(time: Time) -> str:
        times.append(time)
        return f" \x00{len(times) - 1}\x00 "

    def take_date(match: re.Match[str]) -> str:
        time = _read_date(match)
        return match.group() if time is None else mark(time)

    def take_clock(match: re.Match[str]) -> str:
        time = _read_clock(match)
        return match.group() if time is None else mark(time)

    def take_named(match: re.Match[str]) -> str:
        word = match.group(1)
        is_adverb = word is not None and word.lower() == "morgen" and word[0] == "M"
        if is_adverb and match.start() > 0:
            return match.group()
        kind, number = _NUMBERED[word.lower() if word else "last-night"]
        return mark(Time(kind, (number,)))

    text = text.replace("\x00", " ")
    text = _CLOCK_PAIR.sub(r"\1 \g<unit>", text)
    for pattern in _DATES[:3]:
        text = pattern.sub(take_date, text)
    text = _CLOCK.sub(take_clock, text)
    for pattern in _DATES[3:]:
        text = pattern.sub(take_date, text)
    return _NAMED.sub(take_named, text), times


def _read_date(match: re.Match[str]) -> Time | None:
    parts = match.groupdict()
    word = parts["month"]
    # The English "may" is no month, but "May" is.
    if word == "may":
        return None
    month = MONTHS.get(word.lower()) or (int(word) if word.isdigit() else 0)
    day = parts.get("day")
    year = parts.get("year")
    if not 1 <= month <= 12 or (day is not None and not 1 <= int(day) <= 31):
        return None
    return Time("date", (int(year) if year else None, month, int(day) if day else None))


def _read_clock(match: re.Match[str]) -> Time | None:
    word = match["hour"] or match["hour2"]
    value = float(word) if word.isdigit() else read_number_word(word.lower())
    if value is None or value % 1 or not 0 <= value <= 24:
        return None
    hour = int(value)
    unit = (match["unit"] or "").lower()[:1]
    is_afternoon = unit == "p"
    if is_afternoon and hour < 12:
        hour += 12
    if unit == "a" and hour == 12:
        hour = 0
    minute = int(match["minute"] or match["minute2"] or 0)
    return Time("clock", (hour * 60 + minute,))
