"""Every sentence and number Luna says to people, in English and German.

A planner sends codes and figures; this is the one place where they become words.
"""

from luna.words.battery_reasons import LIMITS
from luna.words.language import Language
from luna.words.modes import DEVICE_MODES, MODES, POLICIES, ModeWords, mode, read_mode, read_policy, say_mode, say_policy, split_policies
from luna.words.numbers import Numbers, say_instant
from luna.words.sentences import FIGURES, REASONS, WORDS, Sentences, limit, sentence
from luna.words.words import SHORT_LENGTH, Words

__all__ = [
    "DEVICE_MODES",
    "FIGURES",
    "LIMITS",
    "MODES",
    "POLICIES",
    "REASONS",
    "SHORT_LENGTH",
    "WORDS",
    "Language",
    "ModeWords",
    "Numbers",
    "Sentences",
    "Words",
    "limit",
    "mode",
    "read_mode",
    "read_policy",
    "say_instant",
    "say_mode",
    "say_policy",
    "sentence",
    "split_policies",
]
