"""Sentences about a car that does not draw what its charger is commanded."""

from luna.energy.car_draw import CarDraw
from luna.words.devices import say_device
from luna.words.numbers import Numbers
from luna.words.phrases import Phrases

DRAWS = Phrases((), devices="draw_")


def format_draw(name: str, draw: CarDraw, numbers: Numbers) -> str:
    """Return what a car draws instead, and what comes of it."""
    code: str = draw.verdict
    figures = {
        "car": say_device(name, language=numbers.language),
        "commanded": numbers.power(draw.missed_kw),
        "most": numbers.power(draw.highest_kw),
    }
    if draw.verdict == "full" and draw.soc is not None:
        code = "full_at"
        figures["soc"] = numbers.share(draw.soc)
    return DRAWS.say(code, numbers.language, **figures)
