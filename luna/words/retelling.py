"""Reasons and limits of stored plans told anew in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE
from luna.words.modes import join_figures
from luna.words.numbers import Numbers
from luna.words.reasons import LIMITS
from luna.words.sentences import Sentences, limit, sentence


def retell_reason(reason: Mapping[str, Any], start: datetime, numbers: Numbers, *, short: bool = False) -> str:
    """Return a reason in the reader's language: anew from its figures, where they are words here, else as the plan says it.

    Args:
        reason: ``code``, ``text``, ``short`` and ``figures``, as a plan's answer has them.
        start: of the slot.
        numbers: how the reader is spoken to.
        short: for a small screen.
    """
    figures = {"start": start} | reason["figures"]
    try:
        return sentence(reason["code"], figures, language=numbers.language, zone=numbers.zone, currency=numbers.currency, short=short)
    except InvalidInputError:
        text: str = (reason["short"] if short else "") or reason["text"]
        return text


def retell_run(reason: Mapping[str, Any], alike: Sequence[Mapping[str, Any]], now: datetime, numbers: Numbers) -> str:
    """Return the reason of a run of slots, of all of it where one sentence is true of it, by times as they are read ``now``, not when it begins.

    Args:
        reason: as a plan's answer has it, of the slot that stands for the run where no one sentence does.
        alike: the figures of the slots with the same code, each with ``start``.
        now: as of when times are read.
        numbers: how the reader is spoken to.
    """
    try:
        joined = join_figures(reason["code"], alike)
    except KeyError:
        # Words that this version does not know: the plan's own stand.
        joined = None
    figures = reason["figures"] if joined is None else {name: value for name, value in joined.items() if name != "start"}
    try:
        return Sentences(numbers).say(reason["code"], {**figures, "start": now})
    except (InvalidInputError, KeyError, TypeError, ValueError):
        text: str = reason["text"]
        return text


def retell_limits(limits: Iterable[str], numbers: Numbers) -> list[str]:
    """Return limits at work in the reader's language; a plan carries them as words of its own language."""
    codes = [_limit_codes().get(words, words) for words in limits]
    return [limit(code, language=numbers.language) if code in LIMITS else code for code in codes]


@cache
def _limit_codes() -> dict[str, str]:
    """Return the codes of limits by their words, in any language."""
    return {LIMITS.say(code, language): code for code in LIMITS for language in CATALOGUE.languages}
