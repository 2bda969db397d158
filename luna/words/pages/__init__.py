"""What the pages of the dashboard say, in English and German: a module for each page, and ``every_page`` for what all of them say."""

from importlib import import_module
from typing import NamedTuple

from luna.energy.errors import InvalidInputError
from luna.words.numbers import Language


class Phrase(NamedTuple):
    """One thing a page says; figures stand in braces."""

    en: str
    de: str


class PageWords:
    """The words of one page for one reader."""

    def __init__(self, phrases: dict[str, Phrase], language: Language) -> None:
        self._phrases = phrases
        self._language = language

    def knows(self, name: str) -> bool:
        """Return whether the page has a phrase of that name."""
        return name in self._phrases

    def __call__(self, name: str, /, **figures: object) -> str:
        """Return a phrase with its figures.

        Raises:
            InvalidInputError: the page has no phrase of that name.
        """
        if name not in self._phrases:
            raise InvalidInputError("the page has no such phrase", field="phrase", value=name, remedy="Write it down in luna/words/pages.")
        phrase = self._phrases[name]
        return (phrase.de if self._language == "de" else phrase.en).format(**figures)


def page_words(page: str, language: Language) -> PageWords:
    """Return what ``page``, a module of this package, and every page say."""
    own, shared = (import_module(f"luna.words.pages.{name}").PHRASES for name in (page, "every_page"))
    return PageWords(shared | own, language)
