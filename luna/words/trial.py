"""Localised outcomes of a battery's control trial."""

import math

from luna.words.language import Language
from luna.words.phrases import Phrases

TRIAL = Phrases("trial", "trial_")


def say_trial(
    mode: str, outcome: str, *, power_w: float, seconds: float, language: Language
) -> str:
    """Return the outcome of a trial of holding, charging or discharging a battery.

    Args:
        mode: the requested mode.
        outcome: of the trial.
        power_w: measured power; NaN is shown as 0.
        seconds: time of observation.
        language: of the text.
    """
    power = "0" if math.isnan(power_w) else f"{abs(power_w):.0f}"
    return TRIAL.say(f"{mode}_{outcome}", language, power=power, seconds=f"{seconds:.0f}")
