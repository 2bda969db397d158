"""Why a new plan differs from the one before, in words: which input is other now, and what that changed."""

from typing import NamedTuple

from luna.errors import InvalidInputError
from luna.wording.numbers import Language, Numbers


class Phrases(NamedTuple):
    """A cause in words: its figure is higher than before, lower, or says nothing."""

    higher: str
    lower: str
    neither: str


def _alike(words: str) -> Phrases:
    return Phrases(words, words, words)


CAUSES: dict[str, dict[Language, Phrases]] = {
    "site": {"en": _alike("The description of the site is another."), "de": _alike("Die Beschreibung des Standorts ist eine andere.")},
    "options": {"en": _alike("It was planned with other options."), "de": _alike("Es wurde mit anderen Vorgaben geplant.")},
    "strategy": {
        "en": _alike("Around the site something is other than before: vacation, warnings, reserves."),
        "de": _alike("Um den Standort ist etwas anders als zuvor: Urlaub, Warnungen, Reserven."),
    },
    "prices": {
        "en": Phrases(
            "Buying costs {price} more per kWh on average than was known.",
            "Buying costs {price} less per kWh on average than was known.",
            "Prices are spread over the slots otherwise than was known.",
        ),
        "de": Phrases(
            "Kaufen kostet im Mittel {price} je kWh mehr als bekannt war.",
            "Kaufen kostet im Mittel {price} je kWh weniger als bekannt war.",
            "Die Preise verteilen sich anders als bekannt war.",
        ),
    },
    "load": {
        "en": Phrases(
            "The house is expected to use {kwh} more.", "The house is expected to use {kwh} less.", "The house is expected to use as much, at other times."
        ),
        "de": Phrases(
            "Das Haus wird voraussichtlich {kwh} mehr verbrauchen.",
            "Das Haus wird voraussichtlich {kwh} weniger verbrauchen.",
            "Das Haus wird voraussichtlich gleich viel verbrauchen, nur zu anderen Zeiten.",
        ),
    },
    "pv": {
        "en": Phrases(
            "The sun is expected to bring {kwh} more.", "The sun is expected to bring {kwh} less.", "The sun is expected to bring as much, at other times."
        ),
        "de": Phrases(
            "Die Sonne wird voraussichtlich {kwh} mehr bringen.",
            "Die Sonne wird voraussichtlich {kwh} weniger bringen.",
            "Die Sonne wird voraussichtlich gleich viel bringen, nur zu anderen Zeiten.",
        ),
    },
    "courses": {
        "en": _alike("What load and sun may do beside the expected is seen otherwise."),
        "de": _alike("Was Verbrauch und Sonne neben dem Erwarteten tun könnten, wird anders gesehen."),
    },
    "soc": {
        "en": Phrases(
            "The battery holds {kwh} more than planned.", "The battery holds {kwh} less than planned.", "The batteries hold energy otherwise than planned."
        ),
        "de": Phrases(
            "In der Batterie sind {kwh} mehr als geplant.", "In der Batterie sind {kwh} weniger als geplant.", "Die Batterien sind anders gefüllt als geplant."
        ),
    },
    "vehicles": {
        "en": _alike("A car is otherwise charged, plugged in or wanted than was planned."),
        "de": _alike("Ein Auto ist anders geladen, angesteckt oder gewünscht als geplant."),
    },
    "loads": {"en": _alike("An appliance has run otherwise than planned."), "de": _alike("Ein Gerät ist anders gelaufen als geplant.")},
    "peaks": {"en": _alike("The month's peak so far is another."), "de": _alike("Die bisherige Spitze des Monats ist eine andere.")},
    "manual": {"en": _alike("What you set by hand is another."), "de": _alike("Du hast anderes von Hand vorgegeben.")},
    "horizon": {"en": _alike("Time has passed: the plan looks further ahead."), "de": _alike("Zeit ist vergangen: Der Plan blickt weiter voraus.")},
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
