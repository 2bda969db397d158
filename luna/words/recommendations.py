"""Localised recommendations: title, text, evidence, and why one is shown."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from luna.energy.errors import InvalidInputError
from luna.words.numbers import NBSP, Numbers, say_date
from luna.words.phrases import Phrases


class RecommendationWords(NamedTuple):
    """A recommendation in one language."""

    title: str
    text: str
    evidence: tuple[str, ...] = ()


# By code of the item; ``_FORMS`` formats the figures.
_TITLES = Phrases("recommendations", "title_")
_TEXTS = Phrases("recommendations", "text_")
_EVIDENCE = Phrases("recommendations", "evidence_")
# The basis of savings that are extrapolated from the recorded days to a year.
_YEAR = Phrases("recommendations", "year_")
_OF_A_YEAR = ("shift_load", "standby", "battery_reserve", "negative_feed_in", "wash_in_sun")
REASONS = Phrases("recommendations", "reason_")
# Column of a use that can be deferred → name.
_WAITING = Phrases((), devices="waiting_")


def say_recommendation(
    code: str, figures: Mapping[str, Any], numbers: Numbers
) -> RecommendationWords:
    """Return title, text and evidence of an item.

    Raises:
        InvalidInputError: an unknown code, or a missing figure.
    """
    if code not in _TITLES:
        raise InvalidInputError(
            "has no words", field="code", value=code, remedy=f"Known are {', '.join(_TITLES)}."
        )
    language = numbers.language
    # Sentences name figures without their units.
    named = {name.removesuffix("_kwh").removesuffix("_w"): value for name, value in figures.items()}
    texts = {
        name: _FORMS[name](value, numbers) if name in _FORMS else str(value)
        for name, value in named.items()
    }
    try:
        evidence = [_EVIDENCE.say(code, language, **texts)] if code in _EVIDENCE else []
        evidence += (
            [_YEAR.say(each, language, **texts) for each in ("counted", "bill")]
            if code in _OF_A_YEAR
            else []
        )
        return RecommendationWords(
            _TITLES.say(code, language, **texts),
            _TEXTS.say(code, language, **texts),
            tuple(evidence),
        )
    except KeyError as exc:
        raise InvalidInputError(
            "the words need a figure", field="figures", value=str(exc.args[0])
        ) from exc


def say_reason(code: str, numbers: Numbers, *, saving: float | None = None) -> str:
    """Return why an item is shown, in a sentence."""
    return REASONS.say(code, numbers.language, saving=numbers.money(saving))


# Figure → format.
_FORMS: dict[str, Callable[[Any, Numbers], str]] = {
    **dict.fromkeys(("price", "markup"), lambda value, numbers: numbers.price(value, decimals=1)),
    **dict.fromkeys(("bill", "paid", "instead"), lambda value, numbers: numbers.money(value)),
    **dict.fromkeys(("energy", "run"), lambda value, numbers: numbers.energy(value)),
    **dict.fromkeys(("standby", "less"), lambda value, numbers: f"{numbers.number(value)}{NBSP}W"),
    **dict.fromkeys(
        ("days", "days_held", "runs_per_week"), lambda value, numbers: numbers.number(value)
    ),
    **dict.fromkeys(
        ("first", "last"),
        lambda value, numbers: say_date(date.fromisoformat(value), numbers.language),
    ),
    "reserve": lambda value, numbers: numbers.share(value),
    "device": lambda value, numbers: (
        _WAITING.say(value, numbers.language) if value in _WAITING else value
    ),
}
