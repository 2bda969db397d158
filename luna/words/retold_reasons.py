"""Translation of reasons and limits of stored plans into the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from luna.energy.errors import InvalidInputError
from luna.words.catalogue import CATALOGUE
from luna.words.modes import join_figures
from luna.words.numbers import Numbers
from luna.words.reason_sentences import Sentences, limit, sentence
from luna.words.reason_wordings import LIMITS


def retell_reason(
    reason: Mapping[str, Any], start: datetime, numbers: Numbers, *, short: bool = False
) -> str:
    """Return a reason in the reader's language; if unknown, the plan's own text.

    Args:
        reason: ``code``, ``text``, ``short`` and ``figures`` of a plan's reply.
        start: of the slot.
        numbers: formats of the reader.
        short: for a small screen.
    """
    figures = {"start": start} | reason["figures"]
    try:
        return sentence(
            reason["code"],
            figures,
            language=numbers.language,
            zone=numbers.zone,
            currency=numbers.currency,
            short=short,
        )
    except InvalidInputError:
        text: str = (reason["short"] if short else "") or reason["text"]
        return text


def retell_run(
    reason: Mapping[str, Any], alike: Sequence[Mapping[str, Any]], now: datetime, numbers: Numbers
) -> str:
    """Return the reason of a run of slots, with times relative to ``now``.

    It is one sentence for all of them where one is true.

    Args:
        reason: of a plan's reply, of the slot that represents the run where no single sentence is
            true.
        alike: the figures of the slots with the same code, each with ``start``.
        now: instant of reading.
        numbers: formats of the reader.
    """
    try:
        joined = join_figures(reason["code"], alike)
    except KeyError:
        # A figure that this release does not know: the plan's own text is used.
        joined = None
    figures = reason["figures"] if joined is None else joined
    try:
        return Sentences(numbers).say(reason["code"], {**figures, "start": now})
    except (InvalidInputError, KeyError, TypeError, ValueError):
        text: str = reason["text"]
        return text


def retell_limits(limits: Iterable[str], numbers: Numbers) -> list[str]:
    """Return active limits in the reader's language.

    A plan stores them as texts of its own language.
    """
    codes = [_limit_codes().get(words, words) for words in limits]
    return [limit(code, language=numbers.language) if code in LIMITS else code for code in codes]


@cache
def _limit_codes() -> dict[str, str]:
    """Return the codes of limits by their texts in all languages."""
    codes = {}
    for code in LIMITS:
        for language in CATALOGUE.languages:
            codes[LIMITS.say(code, language)] = code
    return codes
