"""The house now in sentences: what happens and why, what comes next, what days cost and save, when the car leaves; each figure with what it rests on."""

from luna.words.language import Language
from luna.words.phrases import Phrases

HOUSE = Phrases("house")
_BASES = Phrases("house", "basis_")


def say_level_decided(language: Language) -> str:
    """Return why batteries do something else than was planned of the slot that runs."""
    return HOUSE.say("level_decided", language)


def say_basis(basis: str, *, language: Language) -> str:
    """Return what a figure rests on."""
    return _BASES.say(basis, language)
