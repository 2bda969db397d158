"""Localised faults of a day's data, and names of series."""

from typing import Any

from luna.energy.coded_fault import Figure
from luna.energy.day_fault import DayFault
from luna.energy.series_query import SeriesAnswer
from luna.words.catalogue import ENGLISH
from luna.words.language import Language
from luna.words.numbers import MINUS, mark_decimals
from luna.words.pages import page_words
from luna.words.phrases import Phrases

# Column of the observations → its name for owners.
SERIES = Phrases("quality", "series_", devices="series_")
_PRICES = Phrases("quality", "prices_")
_FAULTS = Phrases("quality", "fault_")
# Energies and hours by name; others are shown in full.
_FORMATS = {
    **dict.fromkeys(("open", "flow", "usual", "missed", "against", "moved"), ".1f"),
    **dict.fromkeys(("told", "metered"), "+.1f"),
    **dict.fromkeys(("before", "after"), ".4g"),
    **dict.fromkeys(("hours", "jump"), ".0f"),
}


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


def say_day_fault(fault: DayFault, language: Language = ENGLISH) -> str:
    """Return a day's fault as a sentence; of an unknown one its code."""
    message = _FAULTS.find(fault.code, language)
    if message is None:
        return fault.code
    return message({name: _say(name, value, language) for name, value in fault.parameters.items()})


def list_unusable(answer: SeriesAnswer) -> list[dict[str, Any]]:
    """Return the answer's unusable spans as rows: span, verdict, reasons."""
    return [
        {
            "from": span.first.isoformat(),
            "to": span.end.isoformat(),
            "verdict": span.verdict,
            "reasons": [say_day_fault(fault) for fault in span.faults],
        }
        for span in answer.unusable
    ]


def _say(name: str, value: Figure, language: Language) -> str:
    if name == "series":
        return say_series(str(value), language=language)
    if name in {"source", "sink"}:
        return say_role(str(value), language)
    # Sensor names and days are not localised: a site's file takes them in this form.
    if name in {"sensor", "since"}:
        return str(value)
    text = format(value, _FORMATS.get(name, ""))
    return mark_decimals(text.replace("-", MINUS), language)
