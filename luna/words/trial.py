"""What came of moving a battery by a little, in words."""

import math

from luna.words.language import Language
from luna.words.phrases import Phrases

TRIAL = Phrases("trial", "trial_")


def say_trial(mode: str, outcome: str, *, power_w: float, seconds: float, language: Language) -> str:
    """Return what a battery did that was to stand still, charge or give: the power that flowed, W, and for how long it was looked at."""
    power = "0" if math.isnan(power_w) else f"{abs(power_w):.0f}"
    return TRIAL.say(f"{mode}_{outcome}", language, power=power, seconds=f"{seconds:.0f}")
