"""Localised outcomes of the trial of a charge point or a switched load."""

import math

from luna.words.language import Language
from luna.words.phrases import Phrases

COMMAND_TRIAL = Phrases("command_trial", "commanded_")


def format_command_trial(mode: str, outcome: str, *, power_w: float, language: Language) -> str:
    """Return the outcome of one step.

    Args:
        mode: the requested mode.
        outcome: of the step.
        power_w: measured power; NaN is shown as 0.
        language: of the text.
    """
    power = "0" if math.isnan(power_w) else f"{power_w:.0f}"
    return COMMAND_TRIAL.say(f"{mode}_{outcome}", language, power=power)
