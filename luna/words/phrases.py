"""What the catalogue says under codes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

from luna.energy.devices import DEVICE_KINDS
from luna.words.catalogue import CATALOGUE, ENGLISH, CatalogueMessage
from luna.words.language import Language

# What is said of each kind of device.
DEVICE_TOPICS = tuple(f"device_{kind.name}" for kind in DEVICE_KINDS)


class Phrases(Collection[str]):
    """The codes of topics that have words, in the order in which English has them, and what they say.

    Args:
        topics: one of the catalogue, or several.
        prefix: what the names of their messages begin with; a code is the rest.
        devices: what those begin with that stand with each kind of device, before the topics' own; None: nothing does.
    """

    def __init__(self, topics: str | Sequence[str], prefix: str = "", *, devices: str | None = None) -> None:
        own: tuple[Sequence[str], str] = (topics,) if isinstance(topics, str) else topics, prefix
        self._parts = [own] if devices is None else [(DEVICE_TOPICS, devices), own]
        self._read: dict[str, dict[str, CatalogueMessage]] = {}

    def find(self, code: str, language: Language) -> CatalogueMessage | None:
        """Return what is said under a code, to be filled with figures; None where it has no words in a language, nor in English."""
        return self._of(language).get(code)

    def say(self, code: str, language: Language, /, **figures: object) -> str:
        """Return what a code says, with its figures.

        Raises:
            KeyError: there are no words for it, or a figure is missing.
        """
        return self._of(language)[code](figures)

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

    def _of(self, language: Language) -> dict[str, CatalogueMessage]:
        if language not in self._read:
            self._read[language] = {
                name.removeprefix(prefix): message
                for topics, prefix in self._parts
                for name, message in CATALOGUE.messages(topics, language).items()
                if name.startswith(prefix)
            }
        return self._read[language]


@cache
def read_texts(topic: str, language: Language) -> Mapping[str, str]:
    """Return the texts of a topic by their names, with figures in braces as ``str.format`` fills them.

    Raises:
        InvalidInputError: one of them has choices.
    """
    return MappingProxyType({name: message.text for name, message in CATALOGUE.messages((topic,), language).items()})
