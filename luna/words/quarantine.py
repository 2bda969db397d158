"""Localised reasons of quarantined rows and readings."""

from luna.energy.row_fault import RowFault, write_kwh
from luna.words.language import Language
from luna.words.numbers import MINUS, mark_decimals
from luna.words.phrases import Phrases
from luna.words.quality import say_series

_WORDS = Phrases("quarantine")


def say_row_fault(fault: RowFault, language: Language) -> str:
    """Return why a row is in quarantine.

    An unknown fault, such as a newer release's, stays in English.
    """
    message = _WORDS.find(fault.code, language)
    if message is None:
        return str(fault)
    return message({name: _say(name, value, language) for name, value in fault.parameters.items()})


def _say(name: str, value: str | float, language: Language) -> str:
    if name == "series":
        return say_series(str(value), language=language)
    if name == "hint":
        message = _WORDS.find(f"hint_{value}", language)
        return str(value) if message is None else message({})
    if isinstance(value, str):
        return value
    if name.endswith("_kwh"):
        figure = write_kwh(value)
    elif isinstance(value, float):
        figure = f"{value:g}"
    else:
        figure = str(value)
    return mark_decimals(figure, language).replace("-", MINUS)
