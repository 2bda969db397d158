"""What speaks against a day's data in words: verdicts hold a code, a colon and figures; this is what they say to people."""

import re

from luna.words.language import Language
from luna.words.numbers import MINUS, mark_decimals
from luna.words.phrases import Phrases

# Columns of the quarter-hours, and what a home owner calls them.
SERIES = Phrases("quality", "series_", devices="series_")
_PRICES = Phrases("quality", "prices_")
_FAULTS = Phrases("quality", "fault_")
# How a fault is written in a verdict, by its code; groups of the pattern are the figures of its sentence.
FAULTS = {
    "coverage": r"(?P<series>\w+) is known in (?P<known>\d+) of (?P<slots>\d+) slots",
    "silent": r"(?P<series>\w+) lacks (?P<sensor>.+), silent since (?P<since>\S+)",
    "unheard": r"(?P<series>\w+) lacks (?P<sensor>.+), which never said anything",
    "estimated": r"(?P<series>\w+) is filled to the meter's total in (?P<known>\d+) of (?P<slots>\d+) slots",
    "repaired": r"(?P<series>\w+) was repaired in (?P<known>\d+) of (?P<slots>\d+) slots",
    "balance": r"the meters leave (?P<open>\S+) kWh unexplained of (?P<flow>\S+) kWh that flowed",
    "balance_unusual": r"the meters leave (?P<open>\S+) kWh unexplained of (?P<flow>\S+) kWh that flowed, usually (?P<usual>\S+) kWh",
    "frozen": r"(?P<sensor>\w+) stands still for (?P<hours>\S+) h in which the other meters say (?P<missed>\S+) kWh",
    "clock_late": r"(?P<sensor>\w+) looks (?P<hours>\S+) h late",
    "clock_early": r"(?P<sensor>\w+) looks (?P<hours>\S+) h early",
    "turned": r"(?P<source>\w+) and (?P<sink>\w+) look exchanged.*",
    "devices_beyond_house": r"(?P<series>\w+) is (?P<open>\S+) kWh more than .* in (?P<known>\d+) of (?P<slots>\d+) slots",
    "devices_beyond_grid": r"(?P<series>\w+) is (?P<open>\S+) kWh more than .* in (?P<known>\d+) of (?P<slots>\d+) slots",
    "rebuild": r"(?P<series>\w+) is (?P<before>\S+) kWh, and (?P<after>\S+) kWh where it is built again",
    "price_gap": r"(?P<series>\w+) is unknown in (?P<known>\d+) of (?P<slots>\d+) slots",
    "price_zero": r"(?P<series>\w+) is zero in (?P<known>\d+) of (?P<slots>\d+) slots.*",
    "soc_jump": r".* in (?P<known>\d+) slots, by (?P<jump>\S+?)%? at most",
    "soc_excursion": r".* by (?P<jump>\S+?)%? in (?P<known>\d+) slots, and comes back",
    "soc_stuck": r".* while (?P<flow>\S+) kWh went in or out",
    "soc_reversed": r".* moves by (?P<against>\S+) kWh against the (?P<moved>\S+) kWh .*",
    "soc_drift": r".* moved by (?P<told>\S+) kWh, the energy says (?P<metered>\S+) kWh",
    "open": r"the day has not ended",
}


def say_series(name: str, *, language: Language) -> str:
    """Return what a series is called; a name that has no words stays as it is."""
    market = name.removeprefix("market_prices:")
    if market != name:
        return _PRICES.say("market", language, market=market)
    return SERIES.say(name, language) if name in SERIES else name


def say_fault(text: str, *, language: Language) -> str:
    """Return a fault of a verdict as a sentence; one that is not known stays as it is."""
    code, _, said = text.partition(": ")
    found = re.fullmatch(FAULTS[code], said) if code in FAULTS else None
    if found is None:
        return text
    return _FAULTS.say(code, language, **{name: _say(name, value, language) for name, value in found.groupdict().items()})


def _say(name: str, value: str, language: Language) -> str:
    if name == "series":
        return say_series(value, language=language)
    # A name stays as it is, and a day as the site's file takes it.
    return value if name in {"sensor", "since"} else mark_decimals(value.replace("-", MINUS), language)
