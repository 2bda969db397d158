"""Sentences about the house now: current action and reason, next actions, cost and savings, the
car's departure, and the basis of each figure.
"""

from luna.words.language import Language
from luna.words.phrases import Phrases

HOUSE = Phrases("house")
_BASES = Phrases("house", "basis_")
_ANSWERS = Phrases("answers")


def say_level_decided(language: Language) -> str:
    """Return why batteries depart from the plan in the current slot: their state of charge
    decided.
    """
    return HOUSE.say("level_decided", language)


def say_basis(basis: str, *, language: Language) -> str:
    """Return the basis of a figure."""
    return _BASES.say(basis, language)


def answer_phrase(code: str, language: Language, /, **figures: str) -> str:
    """Return a sentence or phrase in the answer of a tool over a site's data, with its figures."""
    return (_ANSWERS if code in _ANSWERS else HOUSE).say(code, language, **figures)
