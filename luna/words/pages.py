"""What the pages of the dashboard say: a topic of the catalogue for each page, and ``every_page`` for what all of them say."""

from functools import cache

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE, Catalogue, CatalogueMessage
from luna.words.phrases import DEVICE_TOPICS

# Topics that a page has beside its own.
_PARTS = {"knowledge": ("documents",)}


class PageWords:
    """The words of one page for one reader; a language that is not there is English."""

    def __init__(self, page: str, language: str, catalogue: Catalogue = CATALOGUE) -> None:
        self._messages = {
            **(_device_phrases(catalogue, language) if page == "setup" else {}),
            **catalogue.messages((page, *_PARTS.get(page, ()), "every_page"), language),
        }

    def knows(self, name: str) -> bool:
        """Return whether the page has a phrase of that name."""
        return _identifier(name) in self._messages

    def __call__(self, name: str, /, **figures: object) -> str:
        """Return a phrase with its figures.

        Raises:
            InvalidInputError: the page has no phrase of that name.
        """
        message = self._messages.get(_identifier(name))
        if message is None:
            raise InvalidInputError("the page has no such phrase", field="phrase", value=name, remedy="Write it down in luna/words/catalogue.")
        return message(figures)


@cache
def page_words(page: str, language: str) -> PageWords:
    """Return what a page, and every page, says."""
    return PageWords(page, language)


def _identifier(name: str) -> str:
    """Return a name as the catalogue has it, whose names hold no points."""
    return name.replace(".", "-")


def _device_phrases(catalogue: Catalogue, language: str) -> dict[str, CatalogueMessage]:
    """Return what set-up says of kinds of devices, which stands with each kind."""
    messages = catalogue.messages(DEVICE_TOPICS, language)
    return {name.removeprefix("setup_"): message for name, message in messages.items() if name.startswith(("setup_", "role_"))}
