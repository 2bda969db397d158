"""Look-up of catalogue messages by code, over one or several topics."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

from luna.energy.devices import DEVICE_KINDS
from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE, ENGLISH, CatalogueMessage
from luna.words.language import Language

# The topic of each kind of device.
DEVICE_TOPICS = tuple(f"device_{kind.name}" for kind in DEVICE_KINDS)


def refuse_code(code: str, known: Iterable[str], field: str) -> InvalidInputError:
    """Return the error of a code that the catalogue lacks."""
    remedy = f"Known are {', '.join(known)}."
    return InvalidInputError("has no words", field=field, value=code, remedy=remedy)


def refuse_missing_figure(error: KeyError, field: str) -> InvalidInputError:
    """Return the error of a figure that a sentence needs and did not get."""
    return InvalidInputError("the sentence needs a figure", field=field, value=str(error.args[0]))


class Phrases(Collection[str]):
    """A collection of codes with the message of each.

    They are in the order of the English catalogue.

    Args:
        topics: one topic of the catalogue, or several.
        prefix: of the message names; a code is the rest of a name.
        devices: prefix of further messages, in the topics of the device kinds, which come first;
            None: there are none.
    """

    def __init__(
        self, topics: str | Sequence[str], prefix: str = "", *, devices: str | None = None
    ) -> None:
        own_topics = (topics,) if isinstance(topics, str) else topics
        self._parts: list[tuple[Sequence[str], str]] = [(own_topics, prefix)]
        if devices is not None:
            self._parts.insert(0, (DEVICE_TOPICS, devices))
        self._read: dict[str, dict[str, CatalogueMessage]] = {}

    def find(self, code: str, language: Language) -> CatalogueMessage | None:
        """Return the message of a code, None where the language and English lack it."""
        return self._of(language).get(code)

    def say(self, code: str, language: Language, /, **figures: object) -> str:
        """Return the text of a code with its figures.

        Raises:
            KeyError: no message for it, or a figure is missing.
        """
        return self._of(language)[code](figures)

    def fill(self, code: str, language: Language, figures: Mapping[str, object]) -> str:
        """Return the text of a code with figures from a mapping that may compute them.

        Raises:
            KeyError: no message for it, or a figure is missing.
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
            messages: dict[str, CatalogueMessage] = {}
            for topics, prefix in self._parts:
                for name, message in CATALOGUE.messages(topics, language).items():
                    if name.startswith(prefix):
                        messages[name.removeprefix(prefix)] = message
            self._read[language] = messages
        return self._read[language]


@cache
def read_texts(topic: str, language: Language) -> Mapping[str, str]:
    """Return the texts of a topic by name, with placeholders for ``str.format``.

    Those with choices are left out, which ``say_text`` says.
    """
    messages = CATALOGUE.messages((topic,), language).items()
    return MappingProxyType(
        {name: message.text for name, message in messages if not message.has_choices}
    )


def say_text(topic: str, name: str, language: Language, /, **figures: object) -> str:
    """Return a text of a topic with its figures, which may choose its wording."""
    return CATALOGUE.messages((topic,), language)[name](figures)
