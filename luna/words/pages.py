"""Texts of the dashboard's pages.

Each page has a topic of the catalogue; shared phrases are in ``every_page``.
"""

from functools import cache

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE, Catalogue
from luna.words.phrases import DEVICE_TOPICS

# Page → further topics.
_PARTS = {"admin": ("settings",), "knowledge": ("documents",)}


class PageWords:
    """The phrases of one page in one language.

    They are English where the catalogue lacks the language.
    """

    def __init__(self, page: str, language: str, catalogue: Catalogue = CATALOGUE) -> None:
        self._messages = catalogue.messages((page, *_PARTS.get(page, ()), "every_page"), language)
        if page == "setup":
            # The phrases of set-up about a kind of device are in the topic of the kind.
            of_devices = catalogue.messages(DEVICE_TOPICS, language).items()
            phrases = {}
            for name, message in of_devices:
                if name.startswith(("setup_", "role_")):
                    phrases[name.removeprefix("setup_")] = message
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
            raise InvalidInputError(
                "the page has no such phrase",
                field="phrase",
                value=name,
                remedy="Write it down in luna/words/catalogue.",
            )
        return message(figures)


@cache
def page_words(page: str, language: str) -> PageWords:
    """Return the phrases of a page, shared ones included."""
    return PageWords(page, language)


def _identifier(name: str) -> str:
    """Return a name in the catalogue's form: Fluent allows no dots."""
    return name.replace(".", "-")
