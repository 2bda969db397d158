"""Localised reasons of quarantined rows and readings."""

from luna.energy.row_fault import RowFault
from luna.words.catalogue import ENGLISH
from luna.words.language import Language
from luna.words.numbers import MINUS, mark_decimals
from luna.words.phrases import Phrases
from luna.words.quality import say_series

_WORDS = Phrases("quarantine")


def say_row_fault(fault: RowFault, language: Language = ENGLISH) -> str:
    """Return why a row is in quarantine, after the column of a time that is not its own.

    Of an unknown fault, such as a newer release's, the code.
    """
    message = _WORDS.find(fault.code, language)
    if message is None:
        return fault.code
    figures = {name: _say(name, value, language) for name, value in fault.parameters.items()}
    column = fault.parameters.get("column")
    return f"{column}: {message(figures)}" if column else message(figures)


def _say(name: str, value: str | float, language: Language) -> str:
    if name == "series":
        return say_series(str(value), language=language)
    if name == "hint":
        message = _WORDS.find(f"hint_{value}", language)
        return str(value) if message is None else message({})
    if isinstance(value, str):
        return value
    if name.endswith("_kwh"):
        figure = f"{value:.2f}" if value >= 1 else f"{value:.4g}"
    elif isinstance(value, float):
        figure = f"{value:g}"
    else:
        figure = str(value)
    return mark_decimals(figure, language).replace("-", MINUS)
