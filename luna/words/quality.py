"""What speaks against a day's data: verdicts hold codes with parameters; this is what pages say of them."""

from luna.energy.day_fault import DayFault
from luna.words.language import Language
from luna.words.numbers import MINUS, mark_decimals
from luna.words.phrases import Phrases

# Columns of the quarter-hours, and what a home owner calls them.
SERIES = Phrases("quality", "series_", devices="series_")
_PRICES = Phrases("quality", "prices_")
_FAULTS = Phrases("quality", "fault_")


def say_series(name: str, *, language: Language) -> str:
    """Return what a series is called; a name that has no words stays as it is."""
    market = name.removeprefix("market_prices:")
    if market != name:
        return _PRICES.say("market", language, market=market)
    return SERIES.say(name, language) if name in SERIES else name


def say_day_fault(fault: DayFault, language: Language) -> str:
    """Return what speaks against a day; a fault that has no words, such as one of a newer release, stays in English."""
    message = _FAULTS.find(fault.code, language)
    return str(fault) if message is None else message({name: _say(name, value, language) for name, value in fault.figures.items()})


def _say(name: str, value: str, language: Language) -> str:
    if name == "series":
        return say_series(value, language=language)
    # A name stays as it is, and a day as the site's file takes it.
    return value if name in {"sensor", "source", "sink", "since"} else mark_decimals(value.replace("-", MINUS), language)
