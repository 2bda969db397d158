"""Units, periods and their equivalents: 14 days are two weeks, 12 months are a year."""

from dataclasses import dataclass
from functools import lru_cache

_DAY_MINUTES = 1440.0
# Dimension, factor and words of each unit. Months and days are never converted to each other.
_ROWS = (
    ("time", 1 / 60, "second seconds sekunde sekunden seconde seconden s"),
    ("time", 1, "minute minutes minuten minuut min"),
    ("time", 15, "viertelstunde kwartier quarter-hour"),
    ("time", 60, "hour hours stunde stunden uur uren h"),
    (
        "time",
        _DAY_MINUTES,
        "day days tag tage tagen dag dagen etmaal werktag werktage werktagen werkdag werkdagen",
    ),
    ("time", 7 * _DAY_MINUTES, "week weeks woche wochen weken"),
    ("time", 14 * _DAY_MINUTES, "fortnight"),
    ("months", 1, "month months monat monate monaten monats maand maanden"),
    ("months", 3, "quartal quartale quartalen kwartaal kwartalen quarter quarters vierteljahr"),
    ("months", 6, "halbjahr halbjahre halbjahren halfjaar half-year"),
    ("months", 12, "year years jahr jahre jahren jahres jaar jaren"),
    ("months", 120, "decade decades jahrzehnt jahrzehnte decennium decennia"),
    ("eur", 1, "€ eur euro euros"),
    ("eur", 0.01, "ct cent cents"),
    ("gbp", 1, "£ gbp pound pounds pfund"),
    ("gbp", 0.01, "p pence"),
    ("chf", 1, "chf franken"),
    ("energy", 1, "kwh kilowattstunde kilowattstunden kilowatt-hour kilowatt-hours kilowattuur"),
    ("energy", 1000, "mwh megawattstunde megawattstunden"),
    ("energy", 0.001, "wh wattstunden"),
    ("power", 1, "kw kilowatt kilowatts"),
    ("power", 1000, "mw megawatt"),
    ("power", 0.001, "w watt watts"),
    ("peak", 1, "kwp"),
    ("voltage", 1, "v volt volts"),
    ("current", 1, "ampere amperes amp amps ampère"),
    ("frequency", 1, "hz hertz"),
    ("ratio", 0.01, "% percent prozent per-cent procent"),
    ("temperature", 1, "°c ° celsius grad degree degrees graden"),
    ("length", 1000, "km kilometer kilometre kilometres kilometers"),
    ("length", 1, "m meter metre metres meters metern"),
    ("length", 0.01, "cm zentimeter centimeter centimetre centimetres"),
    ("length", 0.001, "mm millimeter millimetre millimetres"),
    ("area", 1, "m² m2 quadratmeter"),
    ("volume", 1, "liter litre litres liters l"),
    ("sound", 1, "db decibel dezibel"),
    ("mass", 1, "kg kilogramm kilogram kilograms kilo"),
    ("mass", 0.001, "g gramm gram grams"),
    ("cycles", 1, "cycles zyklen cycle zyklus vollzyklen ladezyklen cycli"),
    ("times", 1, "mal times keer maal"),
)
_ADJECTIVES = {
    "tägig": "tag",
    "wöchig": "woche",
    "monatig": "monat",
    "jährig": "jahr",
    "stündig": "stunde",
    "minütig": "minute",
    "daags": "dag",
    "weeks": "week",
    "maands": "maand",
    "jarig": "jaar",
}
# Adverbs that name how often, by the unit and the number of units.
_OFTEN = {
    "hourly stündlich": ("time", 60),
    "daily täglich dagelijks": ("time", _DAY_MINUTES),
    "weekly wöchentlich wekelijks": ("time", 7 * _DAY_MINUTES),
    "monthly monatlich maandelijks": ("months", 1),
    "quarterly vierteljährlich quartalsweise driemaandelijks": ("months", 3),
    "half-yearly halbjährlich halfjaarlijks": ("months", 6),
    "yearly annual annually jährlich jaarlijks": ("months", 12),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A dimension, and how many of its base unit one of this unit is."""

    dimension: str
    factor: float


def _list_units() -> dict[str, Unit]:
    units = {}
    for dimension, factor, words in _ROWS:
        for word in words.split():
            units[word] = Unit(dimension, factor)
    return units


UNITS = _list_units()


@lru_cache(maxsize=20_000)
def find_unit(word: str) -> Unit | None:
    """Return the unit that a word in lower case names."""
    unit = UNITS.get(word)
    if unit is not None:
        return unit
    for ending, noun in _ADJECTIVES.items():
        if ending in word and word.lstrip("-").startswith(ending):
            return UNITS[noun]
    return None


@lru_cache(maxsize=20_000)
def find_interval(word: str) -> Unit | None:
    """Return the interval of an adverb or adjective, such as "monthly" or "jährliche"."""
    for words, (dimension, factor) in _OFTEN.items():
        for adverb in words.split():
            if word == adverb or (word.startswith(adverb) and len(word) <= len(adverb) + 2):
                return Unit(dimension, factor)
    return None
