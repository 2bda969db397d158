"""Why rows and readings are in quarantine: they are stored with an English reason; this is what pages say of it in other languages."""

import re

from luna.words.language import Language
from luna.words.numbers import MINUS, mark_decimals
from luna.words.phrases import Phrases
from luna.words.quality import say_series

# How a reason is stored, by its code; groups of the pattern are the figures of its sentence.
FAULTS = {
    "no_rows": re.compile(r"the file has no rows"),
    "no_value": re.compile(r"the row holds no value"),
    "missing": re.compile(r"(?P<series>\S+) is missing"),
    "decimal_comma": re.compile(r"(?P<series>\S+) is no number: decimals follow a point, not a comma"),
    "no_number": re.compile(r"(?P<series>\S+) is no number"),
    "not_finite": re.compile(r"(?P<series>\S+) is not finite"),
    "above_site": re.compile(r"(?P<series>\S+) is above (?P<limit>\S+) kWh in (?P<minutes>\d+) minutes, more than the site can do"),
    "below": re.compile(r"(?P<series>\S+) is below (?P<limit>\S+): (?P<hint>.*)"),
    "above": re.compile(r"(?P<series>\S+) is above (?P<limit>\S+): (?P<hint>.*)"),
    "contradicts_line": re.compile(r"contradicts line (?P<line>\d+), which has the same time"),
    "off_grid": re.compile(r"off the grid of (?P<minutes>\d+)-minute slots"),
    "no_time": re.compile(r"(?:\w+: )?not a time such as .*"),
    "no_offset": re.compile(r"(?:\w+: )?the time has no offset, .*"),
    "skipped": re.compile(r"(?:\w+: )?the clock skips this local time"),
    "estimated": re.compile(r"estimated: filled to a meter's total, no measurement"),
    "below_zero": re.compile(r"sensors with a minus take off more than there is: .*"),
    "stuck": re.compile(r"stands still although .*"),
    "misread": re.compile(r"leaves the counter's level, .*"),
    "no_counter": re.compile(r"rises and falls as no counter does: .*"),
    "no_soc": re.compile(r"no state of charge: .*"),
    "far": re.compile(r"far from the readings beside it"),
    "constant": re.compile(r"does not move for (?P<limit>\S+) hours and more: .*"),
    "above_power": re.compile(r"above (?P<limit>\S+) kW, more than the site can do"),
    "beyond_power": re.compile(r"beyond (?P<limit>\S+) kW in the other direction, .*"),
    "unset": re.compile(r"before the year 2000: .*"),
    "future": re.compile(r"lies in the future: .*"),
    "contradicts": re.compile(r"contradicts another value of the same instant"),
    "no_finite_number": re.compile(r"is no finite number"),
}
# What figures are allowed to be, as it is stored.
_HINTS = {
    "energies are counted in their own direction": "hint_direction",
    "prices are in currency per kWh, not per MWh": "hint_per_kwh",
    "a fraction between 0 and 1, no percentage": "hint_fraction",
}
_WORDS = Phrases("quarantine")


def say_row_fault(reason: str, language: Language) -> str:
    """Return why a row is in quarantine; a reason that has no words stays as it is, in English."""
    for code, pattern in FAULTS.items():
        if (found := pattern.fullmatch(reason)) and (said := _WORDS.find(code, language)):
            return said({name: _say(name, figure, language) for name, figure in found.groupdict().items()})
    return reason


def _say(name: str, figure: str, language: Language) -> str:
    if name == "series":
        return say_series(figure, language=language)
    if name == "hint":
        said = _WORDS.find(_HINTS.get(figure, ""), language)
        return figure if said is None else said({})
    return mark_decimals(figure.replace("-", MINUS), language)
