"""What tools over a site's data tell: sentences and phrases with their figures."""

from luna.words.house import HOUSE
from luna.words.language import Language
from luna.words.phrases import Phrases

_ANSWERS = Phrases("answers")


def answer_phrase(code: str, language: Language, /, **figures: str) -> str:
    """Return a phrase in a language, with its figures."""
    return (_ANSWERS if code in _ANSWERS else HOUSE).say(code, language, **figures)
