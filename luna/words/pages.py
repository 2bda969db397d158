"""What the pages of the dashboard say: a topic of the catalogue for each page, and ``every_page`` for what all of them say."""

from collections.abc import Callable, Mapping
from functools import cache

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE, Catalogue
from luna.words.devices import DEVICE_WORDS
from luna.words.language import Language

# Topics that a page has beside its own.
_PARTS = {"knowledge": ("documents",)}


class PageWords:
    """The words of one page for one reader; a language that is not there is English."""

    def __init__(self, page: str, language: str, catalogue: Catalogue = CATALOGUE) -> None:
        self._said: Mapping[str, Callable[[Mapping[str, object]], str]] = {
            **(_device_phrases("de" if language == "de" else "en") if page == "setup" else {}),
            **catalogue.messages((page, *_PARTS.get(page, ()), "every_page"), language),
        }

    def knows(self, name: str) -> bool:
        """Return whether the page has a phrase of that name."""
        return _identifier(name) in self._said

    def __call__(self, name: str, /, **figures: object) -> str:
        """Return a phrase with its figures.

        Raises:
            InvalidInputError: the page has no phrase of that name.
        """
        said = self._said.get(_identifier(name))
        if said is None:
            raise InvalidInputError("the page has no such phrase", field="phrase", value=name, remedy="Write it down in luna/words/catalogue.")
        return said(figures)


@cache
def page_words(page: str, language: str) -> PageWords:
    """Return what a page, and every page, says."""
    return PageWords(page, language)


def _identifier(name: str) -> str:
    """Return a name as the catalogue has it, whose names hold no points."""
    return name.replace(".", "-")


def _device_phrases(language: Language) -> dict[str, Callable[[Mapping[str, object]], str]]:
    """Return what set-up says of kinds of devices, which stands with each kind."""
    said = {name: words for kind in DEVICE_WORDS.values() for name, words in kind.setup.items()}
    said |= {f"role_{role}": words for kind in DEVICE_WORDS.values() for role, words in kind.roles.items()}
    return {_identifier(name): words[language].format_map for name, words in said.items()}
