"""Recommendations as people read them: title, text, what it was computed from, and why it is shown, in English and German."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from luna.energy.errors import InvalidInputError
from luna.words.devices import DEVICE_WORDS, merge
from luna.words.numbers import NBSP, Language, Numbers


class RecommendationWords(NamedTuple):
    """A recommendation in one language."""

    title: str
    text: str
    evidence: tuple[str, ...] = ()


_COUNTED: dict[Language, str] = {
    "en": "Counted from {days} complete days between {first} and {last}; a year of such days.",
    "de": "Gerechnet aus {days} vollständigen Tagen zwischen {first} und {last}; ein Jahr solcher Tage.",
}
_BILL: dict[Language, str] = {
    "en": "In a year of such days {bill} is paid for electricity.",
    "de": "In einem Jahr solcher Tage werden {bill} für Strom gezahlt.",
}
# By code of the item. Figures stand in braces; how each is said, ``_SAID`` knows.
_ITEMS: dict[str, dict[Language, RecommendationWords]] = {
    "shift_load": {
        "en": RecommendationWords(
            "{device}: wait for cheap hours",
            "It draws most of its energy as soon as it can. In the cheapest quarter-hours of the eight hours after that, the same energy costs less.",
            ("{device}: {energy} a day were bought for {price} per kWh on average.", _COUNTED["en"], _BILL["en"]),
        ),
        "de": RecommendationWords(
            "{device}: auf günstige Stunden warten",
            "Das Gerät zieht seine Energie meist, sobald es kann. In den günstigsten Viertelstunden der acht Stunden danach kostet dieselbe Energie weniger.",
            ("{device}: {energy} am Tag wurden für im Mittel {price} je kWh gekauft.", _COUNTED["de"], _BILL["de"]),
        ),
    },
    "standby": {
        "en": RecommendationWords(
            "Look for what runs all night",
            "The house never draws less than about {standby}. Find {less} of it and unplug it.",
            ("Between 1:00 and 5:00 the load is above {standby} in nine of ten quarter-hours.", _COUNTED["en"], _BILL["en"]),
        ),
        "de": RecommendationWords(
            "Suche, was die ganze Nacht läuft",
            "Das Haus braucht nie weniger als etwa {standby}. Finde davon {less} und ziehe den Stecker.",
            ("Zwischen 1 und 5 Uhr liegt die Last in neun von zehn Viertelstunden über {standby}.", _COUNTED["de"], _BILL["de"]),
        ),
    },
    "battery_reserve": {
        "en": RecommendationWords(
            "{device}: a smaller reserve",
            "Its reserve is {reserve} of the charge. Unless it is kept for an outage, 10% are usual; the rest would have replaced bought energy.",
            ("On {days_held} days the battery stood at its reserve while energy was bought.", _COUNTED["en"], _BILL["en"]),
        ),
        "de": RecommendationWords(
            "{device}: eine kleinere Reserve",
            "Die Reserve liegt bei {reserve} der Ladung. Wird sie nicht für einen Stromausfall gebraucht, sind 10 % üblich; der Rest hätte Bezug ersetzt.",
            ("An {days_held} Tagen stand die Batterie auf ihrer Reserve, während Strom gekauft wurde.", _COUNTED["de"], _BILL["de"]),
        ),
    },
    "negative_feed_in": {
        "en": RecommendationWords(
            "Hold back PV at negative prices",
            "Feeding in cost money in some quarter-hours. Let Luna hold the PV back then, or use and store it.",
            ("{energy} were fed in at negative prices.", _COUNTED["en"], _BILL["en"]),
        ),
        "de": RecommendationWords(
            "PV bei negativen Preisen abregeln",
            "In manchen Viertelstunden hat die Einspeisung Geld gekostet. Lass Luna die PV dann abregeln, oder nutze und speichere den Strom.",
            ("{energy} wurden bei negativen Preisen eingespeist.", _COUNTED["de"], _BILL["de"]),
        ),
    },
    "wash_in_sun": {
        "en": RecommendationWords(
            "Wash while the sun shines",
            "Run washing machine and dishwasher in the two sunniest hours instead of the evening.",
            ("Assumed are runs of {run} on {runs_per_week} days a week.", _COUNTED["en"], _BILL["en"]),
        ),
        "de": RecommendationWords(
            "Waschen, wenn die Sonne scheint",
            "Lass Wasch- und Spülmaschine in den zwei sonnigsten Stunden laufen statt am Abend.",
            ("Angenommen sind Läufe von {run} an {runs_per_week} Tagen der Woche.", _COUNTED["de"], _BILL["de"]),
        ),
    },
    "tariff_offer": {
        "en": RecommendationWords(
            "Compare: prices of the exchange ({market})",
            "A tariff that follows the exchange, with grid, taxes and supplier of the order of {markup} per kWh before tax. What it would have cost you is not "
            "known: replay your days under it, as Luna's what-if.",
        ),
        "de": RecommendationWords(
            "Vergleichen: Börsenpreise ({market})",
            "Ein Tarif, der der Börse folgt, mit Netz, Abgaben und Lieferant von etwa {markup} je kWh vor Steuer. Was er gekostet hätte, ist nicht "
            "bekannt: Lass deine Tage darunter wiederholen, als Was-wäre-wenn.",
        ),
    },
    "tariff_replayed": {
        "en": RecommendationWords(
            "Another tariff: {name}",
            "Your days, replayed under this tariff, cost less.",
            ("Replayed: {days} days from {first} to {last}, {paid} as it is, {instead} under {name}.",),
        ),
        "de": RecommendationWords(
            "Ein anderer Tarif: {name}",
            "Deine Tage, unter diesem Tarif wiederholt, kosten weniger.",
            ("Wiederholt: {days} Tage von {first} bis {last}, {paid} wie es ist, {instead} unter {name}.",),
        ),
    },
    "what_if": {
        "en": RecommendationWords(
            "What if: {name}",
            "Your days, replayed with this change, cost less.",
            ("Replayed: {days} days from {first} to {last}, {paid} as it is, {instead} with {name}.",),
        ),
        "de": RecommendationWords(
            "Was wäre wenn: {name}",
            "Deine Tage, mit dieser Änderung wiederholt, kosten weniger.",
            ("Wiederholt: {days} Tage von {first} bis {last}, {paid} wie es ist, {instead} mit {name}.",),
        ),
    },
    "document": {"en": RecommendationWords("{title}", "{opening}"), "de": RecommendationWords("{title}", "{opening}")},
}
REASONS: dict[str, dict[Language, str]] = {
    "named": {"en": "It fits what you are looking for.", "de": "Es passt zu dem, was du suchst."},
    "similar": {"en": "It resembles what you read and asked.", "de": "Es ähnelt dem, was du gelesen und gefragt hast."},
    "saving": {"en": "By your own data it saves {saving} a year.", "de": "Nach deinen eigenen Daten spart es {saving} im Jahr."},
    "offered": {"en": "Nobody has compared it with your tariff yet.", "de": "Noch hat es niemand mit deinem Tarif verglichen."},
    "other": {"en": "You have not looked at it yet.", "de": "Du hast es noch nicht angesehen."},
}
_WAITING = merge(words.waiting for words in DEVICE_WORDS.values())


def say_recommendation(code: str, figures: Mapping[str, Any], numbers: Numbers) -> RecommendationWords:
    """Return title, text and evidence of an item.

    Raises:
        InvalidInputError: an unknown code, or a figure that its words need is missing.
    """
    if code not in _ITEMS:
        raise InvalidInputError("has no words", field="code", value=code, remedy=f"Known are {', '.join(_ITEMS)}.")
    title, text, evidence = _ITEMS[code][numbers.language]
    said = {name: _say(name, value, numbers) for name, value in _named(figures).items()}
    try:
        return RecommendationWords(title.format_map(said), text.format_map(said), tuple(each.format_map(said) for each in evidence))
    except KeyError as exc:
        raise InvalidInputError("the words need a figure", field="figures", value=str(exc.args[0])) from exc


def say_reason(code: str, numbers: Numbers, *, saving: float | None = None) -> str:
    """Return why an item is shown, in a sentence."""
    return REASONS[code][numbers.language].format(saving=numbers.money(saving))


def _named(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures by the names that sentences use: without their units."""
    units = ("_kwh", "_w")
    return {next((name.removesuffix(unit) for unit in units if name.endswith(unit)), name): value for name, value in figures.items()}


def _say(name: str, value: Any, numbers: Numbers) -> str:
    return _SAID[name](value, numbers) if name in _SAID else str(value)


def _say_share(value: float, numbers: Numbers) -> str:
    return f"{numbers.number(value * 100)}{NBSP if numbers.language == 'de' else ''}%"


def _say_day(value: str, numbers: Numbers) -> str:
    day = date.fromisoformat(value)
    return f"{day.day}.{day.month}.{day.year}" if numbers.language == "de" else value


def _say_device(value: str, numbers: Numbers) -> str:
    return _WAITING[value][numbers.language] if value in _WAITING else value


# How a figure is said, by its name.
_SAID: dict[str, Callable[[Any, Numbers], str]] = {
    **dict.fromkeys(("price", "markup"), lambda value, numbers: numbers.price(value, decimals=1)),
    **dict.fromkeys(("bill", "paid", "instead"), lambda value, numbers: numbers.money(value)),
    **dict.fromkeys(("energy", "run"), lambda value, numbers: numbers.energy(value)),
    **dict.fromkeys(("standby", "less"), lambda value, numbers: f"{numbers.number(value)}{NBSP}W"),
    **dict.fromkeys(("days", "days_held", "runs_per_week"), lambda value, numbers: numbers.number(value)),
    **dict.fromkeys(("first", "last"), _say_day),
    "reserve": _say_share,
    "device": _say_device,
}
