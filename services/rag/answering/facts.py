"""Facts of a sentence that can be checked word by word: quantities, dates, names."""

import re
from dataclasses import dataclass
from datetime import date

from services.rag.answering.plain_text import URL
from services.rag.months import ANY_MONTH, MONTHS

_DATES = (
    re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b"),
    re.compile(r"\b(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})\b"),
    re.compile(
        (
            rf"\b(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{ANY_MONTH})\.?,?"
            rf"\s+(?P<year>\d{{4}})\b"
        ),
        re.IGNORECASE,
    ),
    re.compile(
        (
            rf"\b(?P<month>{ANY_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?"
            rf"P<year>\d{{4}})\b"
        ),
        re.IGNORECASE,
    ),
)
_NUMBER = re.compile(
    r"(?<![\w.,])[-+\u2212]?(?:\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?!\d)|\d+)(?:[.,]\d+)?"
)
_WORDS_OF_UNITS = {
    "ct/kwh": "ct/kwh cent/kwh cents/kwh",
    "eur/kwh": "€/kwh eur/kwh euro/kwh",
    "ct": "ct cent cents",
    "eur": "€ eur euro euros",
    "kwh": "kwh kilowattstunden kilowattstunde kilowatt-hours",
    "kwp": "kwp",
    "kw": "kw kilowatt kilowatts",
    "mwh": "mwh",
    "mw": "mw",
    "wh": "wh",
    "w": "w watt watts",
    "v": "v volt volts",
    "a": "a ampere amperes amp amps",
    "hz": "hz hertz",
    "%": "% percent prozent per-cent",
    "year": "year years jahr jahre jahren",
    "month": "month months monat monate monaten",
    "week": "week weeks woche wochen",
    "day": "day days tag tage tagen",
    "hour": "hour hours stunde stunden h",
    "minute": "minute minutes minuten min",
    "second": "second seconds sekunde sekunden s",
    "°c": "°c celsius grad",
    "m": "m meter metre metres meters",
    "cm": "cm zentimeter",
    "mm": "mm millimeter millimetre",
    "m²": "m² m2 quadratmeter",
    "kg": "kg kilogramm kilogram kilograms",
    "cycle": "cycles zyklen cycle zyklus vollzyklen ladezyklen",
}
_UNITS = {word: unit for unit, words in _WORDS_OF_UNITS.items() for word in words.split()}
_UNIT = re.compile(
    r"[\s\u00a0\u202f-]*(?P<unit>°\s?C|[€%]|m²|(?:ct|cents?|€|eur|euro)\s?(?:/|pro|per|"
    r"je)\s?kwh|[A-Za-zÄÖÜäöü]+(?:/kwh)?)",
    re.IGNORECASE,
)
_CURRENCY_BEFORE = re.compile(r"(€|EUR)\s?\Z", re.IGNORECASE)
# Two capitals, or capitals and digits mixed: a name in any language.
_NAME = re.compile(
    r"\b(?=[\w-]*[A-Z])(?:[A-Z][A-Z0-9-]+|[A-Za-z]*\d[\w-]*[A-Za-z][\w-]*|[A-Za-z]+-?"
    r"\d+[\w-]*|[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*)\b"
)
_PROPER = re.compile(r"(?<![.!?:\n\"„“(\[]\s)(?<!\A)(?<=\s)([A-Z][a-z]{2,})\b")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in all its readings, and its unit if one follows.

    "1.500" is one number in German and another in English.
    """

    readings: frozenset[float]
    unit: str | None


@dataclass(frozen=True, slots=True)
class StatedFacts:
    """The facts of a text that can be right or wrong by a character."""

    quantities: frozenset[Quantity]
    dates: frozenset[date]
    names: frozenset[str]


def facts_of(text: str, *, proper_names: bool) -> StatedFacts:
    """Return the facts of a text.

    Args:
        proper_names: capitalised words within a sentence are names, as in English; in German every
            noun is.
    """
    rest = URL.sub(" ", text)
    dates, rest = _take_dates(rest)
    names = {match.group().lower() for match in _NAME.finditer(rest)}
    names.difference_update(_UNITS)
    if proper_names:
        names |= {match.group(1).lower() for match in _PROPER.finditer(rest)}
    names.difference_update(MONTHS)
    return StatedFacts(_quantities(rest), dates, frozenset(names))


def numbers_of(text: str) -> frozenset[frozenset[float]]:
    """Return the numbers of a text, each as its readings."""
    return frozenset(quantity.readings for quantity in _quantities(text))


def _take_dates(text: str) -> tuple[frozenset[date], str]:
    dates: set[date] = set()

    def take(match: re.Match[str]) -> str:
        month_word = match["month"].lower()
        try:
            month = MONTHS.get(month_word) or int(month_word)
            dates.add(date(int(match["year"]), month, int(match["day"])))
        except ValueError:
            return match.group()
        return " "

    for pattern in _DATES:
        text = pattern.sub(take, text)
    return frozenset(dates), text


def _quantities(text: str) -> frozenset[Quantity]:
    quantities = set()
    for match in _NUMBER.finditer(text):
        unit: str | None
        if _CURRENCY_BEFORE.search(text[max(0, match.start() - 4) : match.start()]):
            unit = "eur"
        else:
            unit = _find_unit(text, match.end())
        quantities.add(Quantity(read_number(match.group()), unit))
    return frozenset(quantities)


def _find_unit(text: str, begin: int) -> str | None:
    """Return the unit that begins there, after a number."""
    after = _UNIT.match(text, begin)
    # The "a" of "§ 14a" is no ampere.
    if after is None or after["unit"] == "a":
        return None
    word = re.sub(r"\s?(?:/|pro|per|je)\s?(?=kwh)", "/", after["unit"].lower())
    return _UNITS.get(word.replace(" ", ""))


def read_number(number: str) -> frozenset[float]:
    """Return the possible values of a number, German or English.

    With both marks the last is the decimal one; one mark before three digits may be either.
    """
    plain = re.sub(r"['’\u00a0\u202f ]", "", number.replace("\u2212", "-")).lstrip("+")
    marks = [mark for mark in plain if mark in ".,"]
    if not marks:
        return frozenset({float(plain)})
    if len(set(marks)) == 2:
        decimal = marks[-1]
        thousands = "," if decimal == "." else "."
        if plain.count(decimal) != 1:
            return frozenset()
        return frozenset({float(plain.replace(thousands, "").replace(decimal, "."))})
    whole = float(plain.replace(marks[0], ""))
    if len(marks) > 1:
        return frozenset({whole})
    decimal_reading = float(plain.replace(",", "."))
    if re.search(r"[.,]\d{3}\Z", plain):
        return frozenset({whole, decimal_reading})
    return frozenset({decimal_reading})
