"""What an answer says of itself: that the documents do not hold it, what it recommends instead."""

from collections.abc import Sequence

from luna.wording.numbers import Language

ANSWERING: dict[str, dict[Language, str]] = {
    "not_in_documents": {
        "en": "Your documents do not say that.",
        "de": "Das steht nicht in den Unterlagen.",
    },
    "nearest": {
        "en": "The passages that come closest stand below.",
        "de": "Die Stellen, die am nächsten kommen, stehen darunter.",
    },
    "no_documents": {
        "en": "There are no documents that could say it.",
        "de": "Es gibt keine Unterlagen, in denen es stehen könnte.",
    },
    "recommended": {
        "en": "Documents on this: {titles}.",
        "de": "Unterlagen dazu: {titles}.",
    },
    "nothing_to_recommend": {
        "en": "There is no document on this.",
        "de": "Dazu gibt es keine Unterlagen.",
    },
}
_QUOTES: dict[Language, str] = {"en": "“{}”", "de": "„{}“"}


def say_answering(code: str, language: Language) -> str:
    """Return a sentence that needs no figures."""
    return ANSWERING[code][language]


def say_recommended(titles: Sequence[str], language: Language) -> str:
    """Return the sentence that names documents."""
    return ANSWERING["recommended"][language].format(titles=", ".join(_QUOTES[language].format(title) for title in titles))
