"""Localised recommendations: title, text, evidence, and why one is shown."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from luna.words.devices import say_device
from luna.words.numbers import NBSP, Numbers, say_date
from luna.words.phrases import Phrases, refuse_code, refuse_missing_figure


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
        raise refuse_code(code, _TITLES, "code")
    language = numbers.language
    # Sentences name figures without their units.
    texts = {}
    for figure_name, value in figures.items():
        name = figure_name.removesuffix("_kwh").removesuffix("_w")
        texts[name] = _FORMS[name](value, numbers) if name in _FORMS else str(value)
    try:
        evidence = []
        if code in _EVIDENCE:
            evidence.append(_EVIDENCE.say(code, language, **texts))
        if code in _OF_A_YEAR:
            evidence.append(_YEAR.say("counted", language, **texts))
            evidence.append(_YEAR.say("bill", language, **texts))
        return RecommendationWords(
            _TITLES.say(code, language, **texts),
            _TEXTS.say(code, language, **texts),
            tuple(evidence),
        )
    except KeyError as exc:
        raise refuse_missing_figure(exc, "figures") from exc


def say_reason(code: str, numbers: Numbers, *, saving: float | None = None) -> str:
    """Return why an item is shown, in a sentence."""
    return REASONS.say(code, numbers.language, saving=numbers.money(saving))


def _say_price(value: float, numbers: Numbers) -> str:
    return numbers.price(value, decimals=1)


def _say_money(value: float, numbers: Numbers) -> str:
    return numbers.money(value)


def _say_energy(value: float, numbers: Numbers) -> str:
    return numbers.energy(value)


def _say_watts(value: float, numbers: Numbers) -> str:
    return f"{numbers.number(value)}{NBSP}W"


def _say_count(value: float, numbers: Numbers) -> str:
    return numbers.number(value)


def _say_day(value: str, numbers: Numbers) -> str:
    return say_date(date.fromisoformat(value), numbers.language)


def _say_share(value: float, numbers: Numbers) -> str:
    return numbers.share(value)


def _say_weekdays(value: Sequence[int], numbers: Numbers) -> str:
    return numbers.weekdays(value)


def _say_waiting(value: str, numbers: Numbers) -> str:
    if value in _WAITING:
        return _WAITING.say(value, numbers.language)
    return say_device(value, language=numbers.language)


# Figure → format.
_FORMS: dict[str, Callable[[Any, Numbers], str]] = {
    **dict.fromkeys(("price", "markup"), _say_price),
    **dict.fromkeys(("bill", "paid", "instead"), _say_money),
    **dict.fromkeys(("energy", "run"), _say_energy),
    **dict.fromkeys(("standby", "less"), _say_watts),
    **dict.fromkeys(("days", "days_held", "runs_per_week"), _say_count),
    **dict.fromkeys(("first", "last"), _say_day),
    "reserve": _say_share,
    "weekdays": _say_weekdays,
    "device": _say_waiting,
}
