"""Why a forecast differs from the usual, in words: what is expected, what is usual, then the largest reasons with what each adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from luna.energy.devices import DEVICE_KINDS
from luna.energy.errors import InvalidInputError
from luna.words.devices import DEVICE_WORDS
from luna.words.language import Language, language_forms
from luna.words.numbers import Numbers

SeriesName = Literal["load", "pv"]
LEAST_KW = 0.005  # shown as nothing in two decimals
LEAST_FACTS = {"temperature": 0.05, "sky": 1.0}  # °C, W/m²; everything else in kW


@dataclass(frozen=True, slots=True)
class Difference:
    """What one reason adds to the usual.

    Args:
        fact: how far what the reason speaks of lies above the last seven days, in °C for ``temperature``, W/m² for ``sky``, else kW; None where nobody knows.
    """

    code: str
    kw: float
    fact: float | None = None


class _Phrases(NamedTuple):
    """A reason in words: its fact lies above the last seven days, below, or neither."""

    above: str
    below: str
    neither: str


def _alike(words: str) -> _Phrases:
    return _Phrases(words, words, words)


# Reasons whose fact points the way of what they add; where it does not, as a sunny hour behind a roof, naming it would puzzle.
ALIGNED = {("hours", "load"), ("hours", "pv"), ("days", "load"), ("days", "pv"), ("sky", "pv")}

# By reason and language; where load and PV are spoken of differently, by "reason series".
DIFFERENCES: dict[str, dict[Language, _Phrases]] = {
    "calendar": {
        "en": _Phrases("it is a public holiday", "it is {day}", "it is {day}"),
        "de": _Phrases("es ist ein Feiertag", "es ist {day}", "es ist {day}"),
    },
    "vacation": {
        "en": _Phrases("vacation mode is on", "vacation mode is off", "vacation mode"),
        "de": _Phrases("der Urlaubsmodus ist an", "der Urlaubsmodus ist aus", "der Urlaubsmodus"),
    },
    "temperature": {
        "en": _Phrases("{degrees} warmer than in the last seven days", "{degrees} colder than in the last seven days", "the temperature"),
        "de": _Phrases("{degrees} wärmer als in den letzten sieben Tagen", "{degrees} kälter als in den letzten sieben Tagen", "die Temperatur"),
    },
    "wind": {"en": _alike("the wind"), "de": _alike("der Wind")},
    "sky": {
        "en": _Phrases("more sun than in the last seven days", "less sun than in the last seven days", "sun and clouds"),
        "de": _Phrases("mehr Sonne als in den letzten sieben Tagen", "weniger Sonne als in den letzten sieben Tagen", "Sonne und Wolken"),
    },
    "hours load": {
        "en": _Phrases("more used than usual in the last hours", "less used than usual in the last hours", "the last hours"),
        "de": _Phrases("in den letzten Stunden mehr verbraucht als üblich", "in den letzten Stunden weniger verbraucht als üblich", "die letzten Stunden"),
    },
    "hours pv": {
        "en": _Phrases("more solar power than usual in the last hours", "less solar power than usual in the last hours", "the last hours"),
        "de": _Phrases("in den letzten Stunden mehr Solarstrom als üblich", "in den letzten Stunden weniger Solarstrom als üblich", "die letzten Stunden"),
    },
    "days load": {
        "en": _Phrases("more used than usual on the last day", "less used than usual on the last day", "the last days"),
        "de": _Phrases("am letzten Tag mehr verbraucht als üblich", "am letzten Tag weniger verbraucht als üblich", "die letzten Tage"),
    },
    "days pv": {
        "en": _Phrases("more solar power than usual on the last day", "less solar power than usual on the last day", "the last days"),
        "de": _Phrases("am letzten Tag mehr Solarstrom als üblich", "am letzten Tag weniger Solarstrom als üblich", "die letzten Tage"),
    },
    "habit": {"en": _alike("what is typical of the last weeks at this time"), "de": _alike("was in den letzten Wochen um diese Zeit typisch war")},
    "limit load": {"en": _alike("never less than nothing"), "de": _alike("nie weniger als nichts")},
    "limit pv": {
        "en": _alike("never less than nothing, never more than the arrays can yield"),
        "de": _alike("nie weniger als nichts, nie mehr als die Anlage hergibt"),
    },
    "later": {"en": _alike("what was measured or learned only afterwards"), "de": _alike("was erst danach gemessen oder gelernt wurde")},
    "model": {
        "en": _alike("what a model knew that cannot be read any more"),
        "de": _alike("was ein Modell wusste, das nicht mehr lesbar ist"),
    },
    "rest": {"en": _alike("everything else"), "de": _alike("alles andere")},
}

_OUTLINES: dict[Language, tuple[str, str, str]] = {
    "en": (
        "{expected} expected, {difference} more than usual: in the last seven days it was {usual} on average at this time.",
        "{expected} expected, {difference} less than usual: in the last seven days it was {usual} on average at this time.",
        "{expected} expected, as usual at this time in the last seven days.",
    ),
    "de": (
        "{expected} erwartet, {difference} mehr als üblich: In den letzten sieben Tagen waren es um diese Zeit im Mittel {usual}.",
        "{expected} erwartet, {difference} weniger als üblich: In den letzten sieben Tagen waren es um diese Zeit im Mittel {usual}.",
        "{expected} erwartet, wie in den letzten sieben Tagen um diese Zeit üblich.",
    ),
}


def describe_difference(difference: Difference, *, series: SeriesName, start: datetime, numbers: Numbers) -> str:
    """Return one reason with what it adds: "3.2 °C colder than in the last seven days: +0.30 kW".

    Args:
        start: of the slot, for the day of the week.

    Raises:
        InvalidInputError: a reason that has no words.
    """
    spoken = DIFFERENCES.get(difference.code) or DIFFERENCES.get(f"{difference.code} {series}")
    if spoken is None:
        raise InvalidInputError("has no words", field="difference.code", value=difference.code, remedy=f"Known are {', '.join(DIFFERENCES)}.")
    words = _choose(difference, spoken[numbers.language], aligned=(difference.code, series) in ALIGNED)
    day = language_forms(numbers.language).weekdays_in_full[start.astimezone(numbers.zone).weekday()]
    degrees = numbers.temperature(None if difference.fact is None else abs(difference.fact))
    return f"{words.format(day=day, degrees=degrees)}: {numbers.power(difference.kw, decimals=2, signed=True)}"


def describe_slot(expected_kw: float, usual_kw: float, reasons: Sequence[str], *, numbers: Numbers) -> str:
    """Return what is expected of a slot, what would be usual, and the reasons for the difference as ``describe_difference`` words them."""
    gap = round(expected_kw, 2) - round(usual_kw, 2)
    above, below, alike = _OUTLINES[numbers.language]
    outline = above if gap >= LEAST_KW else below if gap <= -LEAST_KW else alike
    figures = {"expected": expected_kw, "usual": usual_kw, "difference": abs(gap)}
    text = outline.format_map({name: numbers.power(value, decimals=2) for name, value in figures.items()})
    listed = "; ".join(reasons)
    return f"{text} {listed[0].upper()}{listed[1:]}." if listed else text


def _choose(difference: Difference, phrases: _Phrases, *, aligned: bool) -> str:
    """Return the words that are true; what would be shown as nothing lies neither above nor below."""
    fact = difference.fact
    if fact is None or abs(fact) < LEAST_FACTS.get(difference.code, LEAST_KW) or (aligned and fact * difference.kw < 0):
        return phrases.neither
    return phrases.above if fact > 0 else phrases.below


class _CausePhrases(NamedTuple):
    """A cause in words: its figure is higher than before, lower, or says nothing."""

    higher: str
    lower: str
    neither: str


def _alike_causes(words: str) -> _CausePhrases:
    return _CausePhrases(words, words, words)


CAUSES: dict[str, dict[Language, _CausePhrases]] = {
    "site": {"en": _alike_causes("The description of the site is another."), "de": _alike_causes("Die Beschreibung des Standorts ist eine andere.")},
    "options": {"en": _alike_causes("It was planned with other options."), "de": _alike_causes("Es wurde mit anderen Vorgaben geplant.")},
    "strategy": {
        "en": _alike_causes("Around the site something is other than before: vacation, warnings, reserves."),
        "de": _alike_causes("Um den Standort ist etwas anders als zuvor: Urlaub, Warnungen, Reserven."),
    },
    "prices": {
        "en": _CausePhrases(
            "Buying costs {price} more per kWh on average than was known.",
            "Buying costs {price} less per kWh on average than was known.",
            "Prices are spread over the slots otherwise than was known.",
        ),
        "de": _CausePhrases(
            "Kaufen kostet im Mittel {price} je kWh mehr als bekannt war.",
            "Kaufen kostet im Mittel {price} je kWh weniger als bekannt war.",
            "Die Preise verteilen sich anders als bekannt war.",
        ),
    },
    "load": {
        "en": _CausePhrases(
            "The house is expected to use {kwh} more.", "The house is expected to use {kwh} less.", "The house is expected to use as much, at other times."
        ),
        "de": _CausePhrases(
            "Das Haus wird voraussichtlich {kwh} mehr verbrauchen.",
            "Das Haus wird voraussichtlich {kwh} weniger verbrauchen.",
            "Das Haus wird voraussichtlich gleich viel verbrauchen, nur zu anderen Zeiten.",
        ),
    },
    "pv": {
        "en": _CausePhrases(
            "The sun is expected to bring {kwh} more.", "The sun is expected to bring {kwh} less.", "The sun is expected to bring as much, at other times."
        ),
        "de": _CausePhrases(
            "Die Sonne wird voraussichtlich {kwh} mehr bringen.",
            "Die Sonne wird voraussichtlich {kwh} weniger bringen.",
            "Die Sonne wird voraussichtlich gleich viel bringen, nur zu anderen Zeiten.",
        ),
    },
    "courses": {
        "en": _alike_causes("What load and sun may do beside the expected is seen otherwise."),
        "de": _alike_causes("Was Verbrauch und Sonne neben dem Erwarteten tun könnten, wird anders gesehen."),
    },
    "soc": {
        "en": _CausePhrases(
            "The battery holds {kwh} more than planned.", "The battery holds {kwh} less than planned.", "The batteries hold energy otherwise than planned."
        ),
        "de": _CausePhrases(
            "In der Batterie sind {kwh} mehr als geplant.", "In der Batterie sind {kwh} weniger als geplant.", "Die Batterien sind anders gefüllt als geplant."
        ),
    },
    **{kind.section: {language: _alike_causes(said) for language, said in cause.items()} for kind in DEVICE_KINDS if (cause := DEVICE_WORDS[kind.name].cause)},
    "peaks": {"en": _alike_causes("The month's peak so far is another."), "de": _alike_causes("Die bisherige Spitze des Monats ist eine andere.")},
    "manual": {"en": _alike_causes("What you set by hand is another."), "de": _alike_causes("Du hast anderes von Hand vorgegeben.")},
    "horizon": {
        "en": _alike_causes("Time has passed: the plan looks further ahead."),
        "de": _alike_causes("Zeit ist vergangen: Der Plan blickt weiter voraus."),
    },
}
_MODES: dict[Language, tuple[str, str, str]] = {
    "en": (" No mode changes", " One mode changes", " {count} modes change"),
    "de": (" Keine Betriebsart ändert sich", " Eine Betriebsart ändert sich", " {count} Betriebsarten ändern sich"),
}
_COST: dict[Language, tuple[str, str, str]] = {
    "en": ("; the plan costs {money} more.", "; the plan costs {money} less.", "."),
    "de": ("; der Plan kostet {money} mehr.", "; der Plan kostet {money} weniger.", "."),
}
# What would be shown as no money.
HALF_CENT = 0.005
# What would be shown as nothing.
_NOTHING = {"prices": 0.0005}
_NOTHING_KWH = 0.05


def say_cause(code: str, figure: float | None, *, modes: int, cost: float, numbers: Numbers) -> str:
    """Return an input that is other now, how many modes that changed, and what the plan costs more because of it.

    Args:
        figure: by how much it is higher, per kWh for ``prices``, kWh for ``load``, ``pv`` and ``soc``; None: nothing says so.

    Raises:
        InvalidInputError: no such cause.
    """
    if code not in CAUSES:
        raise InvalidInputError("has no words", field="causes", value=code, remedy=f"Known are {', '.join(CAUSES)}.")
    language, value = numbers.language, figure or 0.0
    phrases = CAUSES[code][language]
    told = phrases.neither if abs(value) < _NOTHING.get(code, _NOTHING_KWH) else phrases.higher if value > 0 else phrases.lower
    none, one, many = _MODES[language]
    more, less, same = _COST[language]
    changed = (none if modes == 0 else one if modes == 1 else many).format(count=numbers.number(modes))
    money = (same if abs(cost) < HALF_CENT else more if cost > 0 else less).format(money=numbers.money(abs(cost)))
    return told.format(price=numbers.price(abs(value), decimals=1), kwh=numbers.energy(abs(value))) + changed + money
