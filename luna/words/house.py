"""Sentences about the house now: actions, reasons, costs, and the basis of each figure."""

from luna.words.language import Language
from luna.words.phrases import Phrases

HOUSE = Phrases("house")
_BASES = Phrases("house", "basis_")
_ANSWERS = Phrases("answers")


def say_level_decided(language: Language) -> str:
    """Return the sentence that a state of charge, not the plan, decided the current slot."""
    return HOUSE.say("level_decided", language)


def say_basis(basis: str, *, language: Language) -> str:
    """Return the basis of a figure."""
    return _BASES.say(basis, language)


def answer_phrase(code: str, language: Language, /, **figures: str) -> str:
    """Return a sentence or phrase of a tool's answer about a site's data."""
    phrases = _ANSWERS if code in _ANSWERS else HOUSE
    return phrases.say(code, language, **figures)
