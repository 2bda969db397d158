"""Localised texts: every sentence and formatted number that people read.

Services send codes and figures; only this package turns them into text.
"""

from luna.words.language import Language
from luna.words.modes import (
    DEVICE_MODES,
    MODES,
    POLICIES,
    ModeWords,
    mode,
    read_mode,
    read_policy,
    say_mode,
    say_policy,
    split_policies,
)
from luna.words.numbers import Numbers, say_instant
from luna.words.reason_sentences import Sentences, limit, sentence
from luna.words.reason_wordings import FIGURES, LIMITS, SHORT_LENGTH, list_reason_codes

__all__ = [
    "DEVICE_MODES",
    "FIGURES",
    "LIMITS",
    "MODES",
    "POLICIES",
    "SHORT_LENGTH",
    "Language",
    "ModeWords",
    "Numbers",
    "Sentences",
    "limit",
    "list_reason_codes",
    "mode",
    "read_mode",
    "read_policy",
    "say_instant",
    "say_mode",
    "say_policy",
    "sentence",
    "split_policies",
]
