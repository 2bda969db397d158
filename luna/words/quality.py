"""Localised faults of a day's data, and names of series."""

from luna.energy.day_fault import DayFault
from luna.words.language import Language
from luna.words.numbers import MINUS, mark_decimals
from luna.words.pages import page_words
from luna.words.phrases import Phrases

# Column of the observations → its name for owners.
SERIES = Phrases("quality", "series_", devices="series_")
_PRICES = Phrases("quality", "prices_")
_FAULTS = Phrases("quality", "fault_")


def say_series(name: str, *, language: Language) -> str:
    """Return the localised name of a series; an unknown one unchanged."""
    market = name.removeprefix("market_prices:")
    if market != name:
        return _PRICES.say("market", language, market=market)
    return SERIES.say(name, language) if name in SERIES else name


def say_role(role: str, language: Language) -> str:
    """Return the localised name of a sensor's role; an unknown one unchanged."""
    words = page_words("setup", language)
    return words("role_" + role) if words.knows("role_" + role) else role


def say_day_fault(fault: DayFault, language: Language) -> str:
    """Return a day's fault as a sentence.

    An unknown one, such as a newer release's, stays in English.
    """
    message = _FAULTS.find(fault.code, language)
    if message is None:
        return str(fault)
    return message({name: _say(name, value, language) for name, value in fault.figures.items()})


def _say(name: str, value: str, language: Language) -> str:
    if name == "series":
        return say_series(value, language=language)
    if name in {"source", "sink"}:
        return say_role(value, language)
    # Sensor names and days are not localised: a site's file takes them in this form.
    if name in {"sensor", "since"}:
        return value
    return mark_decimals(value.replace("-", MINUS), language)
