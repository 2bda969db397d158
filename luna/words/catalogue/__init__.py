"""What Luna says, as data: a folder for each language, in it a file for each topic, in the format of Fluent (https://projectfluent.org).

A language is there once its folder is; what it lacks is said in English. A topic's file is read when something of it is said first, and a message parsed
when that is said first: a process that says nothing loads neither, and the parser is loaded for what is more than a line.
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
# The topic in which a language says of itself what it is called and how it counts.
ITSELF = "language"
_START_OF_MESSAGE = re.compile(r"^(?=[a-zA-Z])", re.MULTILINE)


# A message that is one line of text, figures and no-break spaces, before blank lines and comments.
_LINE = re.compile(r"""[\w-]+ = (?! )((?:[^{}\r\n]|\{ \$[a-zA-Z]\w* \}|\{ "\\u00A0" \})+)(?:\n(?:#[^\n]*)?)*""")
_FIGURE = re.compile(r"\{ \$(\w+) \}")
_NO_BREAK_SPACE = '{ "\\u00A0" }'


class CatalogueMessage:
    """What is said under one name, in one language."""

    __slots__ = ("_language", "_parts", "_source")

    def __init__(self, source: str, language: "_Language") -> None:
        self._source = source
        self._language = language
        self._parts: tuple[Part, ...] | None = None

    @property
    def parts(self) -> tuple["Part", ...]:
        """Its texts and choices.

        Raises:
            InvalidInputError: what of Fluent it is written in is not read here.
        """
        if self._parts is None:
            # Most messages have one line, which needs no parser; the parser takes 1.6 MB and 30 ms to load.
            line = _LINE.fullmatch(self._source)
            if line is None:
                from luna.words.catalogue.fluent_message import parse

                self._parts = parse(self._source)
            else:
                self._parts = (_FIGURE.sub(r"{\1}", line[1].rstrip(" ").replace(_NO_BREAK_SPACE, "\u00a0")),)
        return self._parts

    @property
    def text(self) -> str:
        """Its one text, with its figures in braces.

        Raises:
            InvalidInputError: it has choices.
        """
        match self.parts:
            case (str(text),):
                return text
            case _:
                raise InvalidInputError("this message of a catalogue is one text", field="message", value=self._source, remedy="Write it without choices.")

    def __call__(self, figures: Mapping[str, object]) -> str:
        """Return it with its figures, each as ``str`` writes it."""
        return self._fill(self.parts, figures)

    def _fill(self, parts: tuple["Part", ...], figures: Mapping[str, object]) -> str:
        text = ""
        for part in parts:
            text += part.format_map(figures) if isinstance(part, str) else self._fill(part.choose(figures, self._language.plural_form), figures)
        return text


class _Language:
    """One language's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._topics: dict[str, Mapping[str, CatalogueMessage]] = {}

    def read(self, topic: str) -> Mapping[str, CatalogueMessage]:
        """Return the messages of a topic by their names; none where it has no such file."""
        if topic not in self._topics:
            path = self._folder / f"{topic}.ftl"
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            sources = (source for source in _START_OF_MESSAGE.split(text) if source[:1].isalpha())
            self._topics[topic] = {source.partition("=")[0].strip(): CatalogueMessage(source, self) for source in sources}
        return self._topics[topic]

    @cached_property
    def _plural(self) -> tuple[Callable[[int], int], tuple[str, ...]]:
        itself = self.read(ITSELF)
        return c2py(itself["plural"]({})), tuple(itself["plural-forms"]({}).split())

    def plural_form(self, count: int) -> str:
        """Return the plural form that a whole number takes."""
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
        """The codes of the languages that are there."""
        codes = {path.parent.name for path in self._folder.glob(f"*/{ITSELF}.ftl")}
        return (ENGLISH, *sorted(codes - {ENGLISH}))

    def choose(self, wanted: str) -> str:
        """Return the language that is wanted where it is there, else English."""
        return wanted if wanted in self.languages else ENGLISH

    def topics(self, language: str) -> tuple[str, ...]:
        """Return the topics of which a language says something."""
        return tuple(sorted(path.stem for path in (self._folder / language).glob("*.ftl")))

    def read(self, topic: str, language: str) -> Mapping[str, CatalogueMessage]:
        """Return the messages of a topic by their names, of this language alone."""
        if language not in self._languages:
            self._languages[language] = _Language(self._folder / language)
        return self._languages[language].read(topic)

    def messages(self, topics: Iterable[str], language: str) -> dict[str, CatalogueMessage]:
        """Return the messages of topics by their names: an earlier topic's before a later one's, English ones where the language has none."""
        messages_by_name: dict[str, CatalogueMessage] = {}
        later_first = tuple(topics)[::-1]
        for each in dict.fromkeys((ENGLISH, self.choose(language))):
            for topic in later_first:
                messages_by_name |= self.read(topic, each)
        return messages_by_name

    def name(self, language: str) -> str:
        """Return what a language calls itself."""
        return self.read(ITSELF, language)["name"]({})


CATALOGUE = Catalogue(Path(__file__).parent)
