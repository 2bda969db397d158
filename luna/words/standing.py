"""Sentences about a device's current mode by its last read-back."""

from luna.words.modes import say_mode
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases

STANDING = Phrases("standing")


def say_doing(mode: str | None, power_kw: float | None, numbers: Numbers) -> str:
    """Return a mode with its power: "Charge, 2.0 kW"."""
    if mode is None:
        return STANDING.say("doing_unknown", numbers.language)
    name = say_mode(mode, language=numbers.language)
    return name if power_kw is None else f"{name}, {numbers.power(power_kw)}"
