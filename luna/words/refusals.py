"""Errors on pages: sentence, field and remedy in the reader's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from luna.energy import refusals
from luna.energy.errors import InvalidInputError, LunaError, read_problem
from luna.energy.refusals import ParameterKind
from luna.energy.row_fault import RowFault
from luna.words.devices import say_device
from luna.words.fields import name_field
from luna.words.language import Language
from luna.words.numbers import MINUS, Numbers, join_unit, say_day, write_decimal
from luna.words.phrases import Phrases
from luna.words.quarantine import say_row_fault

# Sentences and remedies by declared reason, and of errors without one by their code.
SENTENCES = Phrases("refusals", "sentence_")
REMEDIES = Phrases("refusals", "remedy_")
SENTENCES_OF_CODES = Phrases("error_codes", "sentence_")
REMEDIES_OF_CODES = Phrases("error_codes", "remedy_")
# What a refusal speaks of, by its English noun.
THINGS = Phrases("things")


class SpokenError(InvalidInputError):
    """An error whose message is already in its reader's language."""


@dataclass(frozen=True, slots=True)
class RefusalText:
    """An error on a page, without the error's own English message.

    ``place`` and ``remedy`` may be empty. ``is_general``: no sentence of its own is declared, so
    the page shows the number of its report.
    """

    sentence: str
    remedy: str
    place: str = ""
    is_general: bool = False

    def __str__(self) -> str:
        return " ".join(part for part in (self.sentence, self.remedy) if part)


def say_refusal(error: LunaError, language: Language) -> RefusalText:
    """Return an error in the reader's language."""
    place = name_field(error.field or "", language)
    if isinstance(error, SpokenError):
        return RefusalText(error.message, error.remedy or "", place)
    # A worker of a newer release may send reasons that this one lacks.
    declared = refusals.REASONS.get(error.reason or "")
    if declared is not None:
        figures = _SaidParameters(error.parameters, declared.kinds, language)
        reason = str(error.reason)
        return RefusalText(
            SENTENCES.fill(reason, language, figures),
            REMEDIES.fill(reason, language, figures),
            place,
        )
    code = error.code if error.code in SENTENCES_OF_CODES else LunaError.code
    # The error's own remedy addresses the command line and programs.
    return RefusalText(
        SENTENCES_OF_CODES.say(code, language),
        REMEDIES_OF_CODES.say(code, language),
        place,
        is_general=True,
    )


def say_problem(problem: Mapping[str, Any], language: Language) -> RefusalText:
    """Return the problem document of a failed job in the reader's language."""
    return say_refusal(read_problem(problem), language)


class _SaidParameters(dict[str, object]):
    """The localised parameters of an error."""

    def __init__(
        self, parameters: Mapping[str, Any], kinds: Mapping[str, ParameterKind], language: Language
    ) -> None:
        super().__init__()
        for name, value in parameters.items():
            if value is not None:
                self[name] = _say_parameter(value, kinds.get(name), language)

    def __missing__(self, name: str) -> str:
        # An error of another release may lack it.
        return ""


def _say_parameter(value: Any, kind: ParameterKind | None, language: Language) -> object:
    if isinstance(value, list):
        members = [str(_say_parameter(member, kind, language)) for member in value]
        return ", ".join(dict.fromkeys(members))
    if kind is not None:
        return _KINDS[kind](value, language)
    if isinstance(value, float):
        return write_decimal(f"{value:.10g}", language).replace("-", MINUS)
    return value


def _say_share(value: float, language: Language) -> str:
    percent = round(100 * value, 1)
    decimals = 0 if percent == round(percent) else 1
    # Time zone and currency do not matter for a share.
    return Numbers(language, ZoneInfo("UTC"), "EUR").share(value, decimals=decimals)


def _say_instant(value: str, language: Language) -> str:
    # The text has the site's offset, so it shows the site's local time.
    return f"{_say_day(value, language)}, {datetime.fromisoformat(value):%H:%M}"


def _say_day(value: str, language: Language) -> str:
    return say_day(date.fromisoformat(value[:10]), language)


def _say_unit(value: str, language: Language) -> str:
    return join_unit("", value, language)


def _say_device(value: str, language: Language) -> str:
    return say_device(value, language=language)


def _say_thing(value: str, language: Language) -> str:
    message = THINGS.find(value, language)
    return value if message is None else message({})


def _say_field(value: str, language: Language) -> str:
    return name_field(value, language) or value


def _say_bytes(value: int, language: Language) -> str:
    unit, divisor = ("MB", 1e6) if value >= 1e6 else ("kB", 1e3)
    amount = value / divisor
    decimals = 0 if amount >= 10 else 1
    number = write_decimal(f"{amount:.{decimals}f}", language)
    return join_unit(number, unit, language)


def _say_row(value: Any, language: Language) -> str:
    return say_row_fault(RowFault.read(value), language)


_KINDS: Mapping[ParameterKind, Callable[[Any, Language], str]] = {
    "share": _say_share,
    "unit": _say_unit,
    "device": _say_device,
    "day": _say_day,
    "instant": _say_instant,
    "row": _say_row,
    "bytes": _say_bytes,
    "thing": _say_thing,
    "field": _say_field,
}
