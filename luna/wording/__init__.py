"""Every sentence and number Luna says to people, in English and German.

A planner sends codes and figures; this is the one place where they become words.
"""

from luna.wording.numbers import Language, Numbers
from luna.wording.sentences import limit, mode, sentence
from luna.wording.templates import FIGURES, LIMITS, MODES, REASONS, ModeWords

__all__ = ["FIGURES", "LIMITS", "MODES", "REASONS", "Language", "ModeWords", "Numbers", "limit", "mode", "sentence"]
