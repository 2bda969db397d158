"""The message catalogue: a folder per language, a Fluent file per topic, English as fall-back.

The format is that of https://projectfluent.org. A new folder adds a language. A file is read when
its topic is first used and a message parsed when first used; messages of one line need no parser.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from gettext import c2py
from pathlib import Path
from typing import TYPE_CHECKING

from luna.energy.errors import InvalidInputError

if TYPE_CHECKING:
    from luna.words.catalogue.fluent_message import Part

ENGLISH = "en"
# The topic with a language's own name, plural rule and locale formats.
ITSELF = "language"
_START_OF_MESSAGE = re.compile(r"^(?=[a-zA-Z])", re.MULTILINE)


# A message of one line: text, figures and no-break spaces, followed by blank lines and comments.
_LINE = re.compile(
    r"""[\w-]+ = (?! )((?:[^{}\r\n]|\{ \$[a-zA-Z]\w* \}|\{ "\\u00A0" \})+)(?:\n(?:#[^\n]*)?)*"""
)
_FIGURE = re.compile(r"\{ \$(\w+) \}")
_NO_BREAK_SPACE = '{ "\\u00A0" }'


class CatalogueMessage:
    """One message in one language, parsed when first used."""

    __slots__ = ("_language", "_parts", "source")

    def __init__(self, source: str, language: "_Language") -> None:
        self.source = source
        self._language = language
        self._parts: tuple[Part, ...] | None = None

    @property
    def parts(self) -> tuple["Part", ...]:
        """The texts and choices of the message.

        Raises:
            InvalidInputError: it uses a part of Fluent that is not supported.
        """
        if self._parts is None:
            # Most messages have one line, which needs no parser; the parser takes 1.6 MB and 30 ms
            # to load.
            line = _LINE.fullmatch(self.source)
            if line is None:
                from luna.words.catalogue.fluent_message import parse

                self._parts = parse(self.source)
            else:
                self._parts = (
                    _FIGURE.sub(r"{\1}", line[1].rstrip(" ").replace(_NO_BREAK_SPACE, "\u00a0")),
                )
        return self._parts

    @property
    def text(self) -> str:
        """The message as one format string.

        Raises:
            InvalidInputError: it has choices.
        """
        match self.parts:
            case (str(text),):
                return text
            case _:
                raise InvalidInputError(
                    "this message of a catalogue is one text",
                    field="message",
                    value=self.source,
                    remedy="Write it without choices.",
                )

    @property
    def has_choices(self) -> bool:
        """Whether its wording depends on a figure."""
        return any(not isinstance(part, str) for part in self.parts)

    def __call__(self, figures: Mapping[str, object]) -> str:
        """Return the text with its figures, each formatted by ``str``."""
        return self._fill(self.parts, figures)

    def _fill(self, parts: tuple["Part", ...], figures: Mapping[str, object]) -> str:
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part.format_map(figures)
            else:
                wording = part.choose(figures, self._language.plural_form)
                text += self._fill(wording, figures)
        return text


class _Language:
    """One language's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._topics: dict[str, Mapping[str, CatalogueMessage]] = {}

    def read(self, topic: str) -> Mapping[str, CatalogueMessage]:
        """Return the messages of a topic by name; none where it has no such file."""
        if topic not in self._topics:
            path = self._folder / f"{topic}.ftl"
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            messages = {}
            for source in _START_OF_MESSAGE.split(text):
                if source[:1].isalpha():
                    name = source.partition("=")[0].strip()
                    messages[name] = CatalogueMessage(source, self)
            self._topics[topic] = messages
        return self._topics[topic]

    @cached_property
    def _plural(self) -> tuple[Callable[[int], int], tuple[str, ...]]:
        itself = self.read(ITSELF)
        return c2py(itself["plural"]({})), tuple(itself["plural-forms"]({}).split())

    def plural_form(self, count: int) -> str:
        """Return the plural category of an integer."""
        rule, forms = self._plural
        return forms[rule(abs(count))]


class Catalogue:
    """The languages of a folder.

    Invariants:
        English comes first among ``languages``, the others by their codes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._languages: dict[str, _Language] = {}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The codes of all languages."""
        codes = {path.parent.name for path in self._folder.glob(f"*/{ITSELF}.ftl")}
        return (ENGLISH, *sorted(codes - {ENGLISH}))

    def choose(self, wanted: str) -> str:
        """Return ``wanted`` where the catalogue has it, else English."""
        return wanted if wanted in self.languages else ENGLISH

    def topics(self, language: str) -> tuple[str, ...]:
        """Return the topics that a language has a file for."""
        return tuple(sorted(path.stem for path in (self._folder / language).glob("*.ftl")))

    def read(self, topic: str, language: str) -> Mapping[str, CatalogueMessage]:
        """Return the messages of a topic by name, without the English fall-back."""
        if language not in self._languages:
            self._languages[language] = _Language(self._folder / language)
        return self._languages[language].read(topic)

    def messages(self, topics: Iterable[str], language: str) -> dict[str, CatalogueMessage]:
        """Return the messages of topics by name.

        Earlier topics win over later ones, English is the fall-back.
        """
        messages_by_name: dict[str, CatalogueMessage] = {}
        later_first = tuple(topics)[::-1]
        for source_language in dict.fromkeys((ENGLISH, self.choose(language))):
            for topic in later_first:
                messages_by_name |= self.read(topic, source_language)
        return messages_by_name

    def name(self, language: str) -> str:
        """Return a language's own name."""
        return self.read(ITSELF, language)["name"]({})


CATALOGUE = Catalogue(Path(__file__).parent)
