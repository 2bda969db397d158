"""What the pages of the dashboard say: a topic of the catalogue for each page, and ``every_page`` for what all of them say."""

from functools import cache

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE, Catalogue
from luna.words.phrases import DEVICE_TOPICS

# Topics that a page has beside its own.
_PARTS = {"knowledge": ("documents",)}


class PageWords:
    """The words of one page for one reader; a language that is not there is English."""

    def __init__(self, page: str, language: str, catalogue: Catalogue = CATALOGUE) -> None:
        self._messages = catalogue.messages((page, *_PARTS.get(page, ()), "every_page"), language)
        if page == "setup":
            # What it says of kinds of devices stands with each kind.
            of_devices = catalogue.messages(DEVICE_TOPICS, language).items()
            phrases = {name.removeprefix("setup_"): message for name, message in of_devices if name.startswith(("setup_", "role_"))}
            self._messages = phrases | self._messages

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
