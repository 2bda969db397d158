"""Languages of the catalogue and their locale formats: numbers, units, days and lists."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE, ITSELF

if TYPE_CHECKING:
    Language: TypeAlias = str
else:
    # Models validate a language against the folders of the catalogue.
    Language = Literal[CATALOGUE.languages]


@dataclass(frozen=True, slots=True)
class LanguageForms:
    """Locale formats of a language; a missing one falls back to English.

    Args:
        decimal_mark: decimal separator.
        digits: translation of the separators of Python's ``,`` format; None: they are the same.
        share, energy, little_energy, power, hours, temperature, fahrenheit: ``{number}`` with its
            unit.
        texts: every message by its name, for ``str.format``.
    """

    decimal_mark: str
    digits: dict[int, str] | None
    share: str
    energy: str
    little_energy: str
    power: str
    hours: str
    temperature: str
    fahrenheit: str
    weekdays: tuple[str, ...]
    weekdays_in_full: tuple[str, ...]
    months: tuple[str, ...]
    texts: dict[str, str]

    def say(self, name: str, **figures: object) -> str:
        """Return a message of ``language.ftl`` with its figures."""
        return self.texts[name].format(**figures)


@cache
def language_forms(language: Language) -> LanguageForms:
    """Return the locale formats of a language.

    Raises:
        InvalidInputError: the catalogue lacks it, or one of its messages has choices.
    """
    if language not in CATALOGUE.languages:
        *others, last = CATALOGUE.languages
        remedy = f"Use {', '.join(others)} or {last}."
        raise InvalidInputError(
            "this language is not spoken here", field="language", value=language, remedy=remedy
        )
    messages = CATALOGUE.messages((ITSELF,), language)
    texts = {name: message.text for name, message in messages.items()}
    decimal_mark = texts["decimal-mark"]
    group_mark = texts["group-mark"]
    digits = None
    if (decimal_mark, group_mark) != (".", ","):
        digits = str.maketrans({".": decimal_mark, ",": group_mark})
    return LanguageForms(
        decimal_mark=decimal_mark,
        digits=digits,
        share=texts["share"],
        energy=texts["energy"],
        little_energy=texts["little-energy"],
        power=texts["power"],
        hours=texts["hours"],
        temperature=texts["temperature"],
        fahrenheit=texts["fahrenheit"],
        weekdays=tuple(texts["weekdays"].split(" ")),
        weekdays_in_full=tuple(texts["weekdays-in-full"].split(" ")),
        months=tuple(texts["months"].split(" ")),
        texts=texts,
    )
