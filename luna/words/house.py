"""The house now in sentences: what happens and why, what comes next, what days cost and save, when the car leaves; each figure with what it rests on."""

from luna.words.language import Language
from luna.words.phrases import Phrases

HOUSE = Phrases("house")
_BASES = Phrases("house", "basis_")
_ANSWERS = Phrases("answers")


def say_level_decided(language: Language) -> str:
    """Return why batteries do something else than was planned of the slot that runs."""
    return HOUSE.say("level_decided", language)


def say_basis(basis: str, *, language: Language) -> str:
    """Return what a figure rests on."""
    return _BASES.say(basis, language)


def answer_phrase(code: str, language: Language, /, **figures: str) -> str:
    """Return what a tool over a site's data tells, as a sentence or a phrase with its figures."""
    return (_ANSWERS if code in _ANSWERS else HOUSE).say(code, language, **figures)
