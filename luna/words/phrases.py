"""What the catalogue says under codes."""

from collections.abc import Callable, Collection, Iterator, Mapping

from luna.words.catalogue import CATALOGUE, ENGLISH
from luna.words.language import Language

# What fills in the figures.
Saying = Callable[[Mapping[str, object]], str]


class Phrases(Collection[str]):
    """The codes of a topic that have words, in the order in which English has them, and what they say.

    Args:
        topic: of the catalogue.
        prefix: what the names of its messages begin with; a code is the rest.
        beside: what stands in code with each kind of device, before the topic's own.
    """

    def __init__(self, topic: str, prefix: str = "", *, beside: Mapping[str, dict[Language, str]] | None = None) -> None:
        self._topic = topic
        self._prefix = prefix
        self._beside = beside or {}
        self._read: dict[str, dict[str, Saying]] = {}

    def find(self, code: str, language: Language) -> Saying | None:
        """Return what is said under a code, to be filled with figures; None where it has no words in a language, nor in English."""
        return self._of(language).get(code)

    def say(self, code: str, language: Language, /, **figures: object) -> str:
        """Return what a code says, with its figures.

        Raises:
            KeyError: there are no words for it, or a figure is missing.
        """
        return self.fill(code, language, figures)

    def fill(self, code: str, language: Language, figures: Mapping[str, object]) -> str:
        """Return what a code says, with figures that may be worked out as they are asked for.

        Raises:
            KeyError: there are no words for it, or a figure is missing.
        """
        return self._of(language)[code](figures)

    def __contains__(self, code: object) -> bool:
        return code in self._of(ENGLISH)

    def __iter__(self) -> Iterator[str]:
        return iter(self._of(ENGLISH))

    def __len__(self) -> int:
        return len(self._of(ENGLISH))

    def _of(self, language: str) -> dict[str, Saying]:
        if language not in self._read:
            messages = CATALOGUE.messages((self._topic,), language)
            own: dict[str, Saying] = {name.removeprefix(self._prefix): message for name, message in messages.items() if name.startswith(self._prefix)}
            said: Language = "de" if language == "de" else "en"
            beside: dict[str, Saying] = {code: words[said].format_map for code, words in self._beside.items()}
            self._read[language] = beside | own
        return self._read[language]
