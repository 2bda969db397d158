"""Sentences for readings of a device that do not count."""

import math

from luna.words.language import Language
from luna.words.numbers import join_unit, mark_decimals
from luna.words.phrases import Phrases

READINGS = Phrases("device_readings", "reading_")
CAUSES = Phrases("device_readings", "cause_")


def say_implausible(
    reading: str, cause: str, value: float, *, unit: str, language: Language
) -> str:
    """Return which reading is unknown and what is suspected.

    Args:
        reading: its name in a profile.
        cause: why it does not count.
        value: what the device reported; NaN: no number.
        unit: of the value.
        language: of the text.
    """
    reported = (
        "–"
        if math.isnan(value)
        else join_unit(mark_decimals(f"{value:.6g}", language), unit, language)
    )
    return CAUSES.say(cause, language, reading=READINGS.say(reading, language), value=reported)
