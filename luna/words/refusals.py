"""A refusal in the words of a reader of pages: what is the matter, where, and what to do, in their language whatever the error was worded in."""

import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from luna.energy import refusals
from luna.energy.errors import InvalidInputError, LunaError, read_problem
from luna.words.devices import PREFIXES, say_device
from luna.words.language import Language
from luna.words.numbers import MINUS, NBSP, say_day
from luna.words.quarantine import say_row_fault
from luna.words.refusal_phrases import CODES, FIELDS, PATTERNS, Phrase, RefusalPhrases

_ALSO_WRONG = re.compile(r"; also wrong: .*\Z", re.DOTALL)
# A command of the terminal; the product's own name begins with a capital.
COMMAND = re.compile(r"\bluna [a-z]")


class SpokenError(InvalidInputError):
    """A refusal that is worded in its reader's language already."""


@dataclass(frozen=True, slots=True)
class SaidRefusal:
    """What a page says of an error; ``place`` and ``remedy`` are empty where there is none, ``detail`` is the error itself where it says more."""

    sentence: str
    remedy: str
    place: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.sentence, self.remedy, self.detail) if part)


def say_refusal(error: LunaError, language: Language) -> SaidRefusal:
    """Return what a page says of an error."""
    place = _say_place(error.field, language)
    if isinstance(error, SpokenError):
        return SaidRefusal(error.message, error.remedy or "", place)
    # Of a newer release's worker there are reasons that this one does not know.
    declared = refusals.REASONS.get(error.reason or "")
    if declared is not None:
        told, speech = declared.de if language == "de" else declared.english, _FigureWords(language)
        sentence, remedy = (speech.vformat(part, (), error.parameters) for part in told)
        return SaidRefusal(sentence, remedy, place, f"{error.message}." if declared.quotes else "")
    return _say(error.code, error.message, error.remedy or "", place=place, language=language)


def say_problem(problem: Mapping[str, Any], language: Language) -> SaidRefusal:
    """Return what a page says of the problem document of a job that failed."""
    return say_refusal(read_problem(problem), language)


class _FigureWords(string.Formatter):
    """Fills figures into a sentence as people of a language write them; what stands after the colon says what each is."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return a figure; of an error of another release it may be missing."""
        return kwargs.get(str(key))

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        """Return the figure as it is: people are shown no quotes of Python's."""
        return value

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return a figure in words."""
        return "" if value is None else self._say(value, format_spec)

    def _say(self, value: Any, kind: str) -> str:
        if isinstance(value, list):
            return ", ".join(dict.fromkeys(self._say(each, kind.removesuffix("s")) for each in value))
        kinds: dict[str, Callable[[Any], str]]
        kinds = {"share": self._say_share, "unit": _say_unit, "device": self._say_device, "day": self._say_day, "instant": self._say_instant}
        kinds |= {"row": self._say_row}
        return kinds.get(kind, self._say_number)(value)

    def _say_share(self, value: float) -> str:
        return f"{self._say_number(round(100 * value, 1))}{NBSP if self._language == 'de' else ''}%"

    def _say_device(self, value: str) -> str:
        return say_device(value, language=self._language)

    def _say_row(self, value: str) -> str:
        return say_row_fault(value, self._language)

    def _say_day(self, value: str) -> str:
        return say_day(date.fromisoformat(value[:10]), self._language)

    def _say_instant(self, value: str) -> str:
        # With the offset of the site, so its clock stands there.
        return f"{self._say_day(value)}, {datetime.fromisoformat(value):%H:%M}"

    def _say_number(self, value: Any) -> str:
        if isinstance(value, float):
            text = f"{value:.10g}".replace("-", MINUS)
            return text.replace(".", ",") if self._language == "de" else text
        return str(value)


def _say_unit(value: str) -> str:
    return f"{NBSP}{value}" if value else ""


def _say(code: str, message: str, remedy: str, *, place: str, language: Language) -> SaidRefusal:
    plain = _ALSO_WRONG.sub("", message)
    for phrases, pattern in _compiled():
        found = pattern.fullmatch(f"{plain}\n{remedy}")
        if found:
            figures = {name: _say_figure(name, text, language) for name, text in found.groupdict().items()}
            detail = message if phrases.quotes else ""
            return SaidRefusal(_pick(phrases.sentence, language, figures), _pick(phrases.remedy, language, figures), place, detail)
    sentence, usual = CODES.get(code, CODES["internal"])
    # A remedy for the terminal is none on a page.
    own = [part for part in (f"{message}.", remedy) if not COMMAND.search(part)]
    return SaidRefusal(_pick(sentence, language), _pick(usual, language), place, " ".join(own).strip())


@cache
def _compiled() -> list[tuple[RefusalPhrases, re.Pattern[str]]]:
    return [(phrases, re.compile(phrases.pattern, re.DOTALL)) for phrases in PATTERNS]


def _pick(phrase: Phrase, language: Language, figures: Mapping[str, str] | None = None) -> str:
    return (phrase.de if language == "de" else phrase.en).format(**(figures or {}))


def _say_figure(name: str, text: str | None, language: Language) -> str:
    if name == "share":
        return f"{100 * float(text or 0):.0f}"
    if name in {"number", "known"} and language == "de":
        return (text or "").replace(".", ",")
    if name == "device":
        return say_device(text or "", language=language)
    if name == "names":
        return ", ".join(dict.fromkeys(say_device(each, language=language) for each in (text or "").split(", ")))
    return text or ""


def _say_place(field: str | None, language: Language) -> str:
    """Return a field as people call it: the last part of its path that is no number."""
    last = next((part for part in reversed((field or "").split(".")) if part and not part.isdigit()), "")
    if last in FIELDS:
        return _pick(FIELDS[last], language)
    return PREFIXES.say(last, language) if last in PREFIXES else last
