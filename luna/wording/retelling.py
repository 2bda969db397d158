"""Reasons and limits of stored plans told anew in the reader's language."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from luna.errors import InvalidInputError
from luna.wording.battery_reasons import LIMITS
from luna.wording.numbers import Numbers
from luna.wording.sentences import limit, sentence

_CODES = {words: code for code, spoken in LIMITS.items() for words in spoken.values()}


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
        said: str = (reason["short"] if short else "") or reason["text"]
        return said


def retell_limits(limits: Iterable[str], numbers: Numbers) -> list[str]:
    """Return limits at work in the reader's language; a plan carries them as words of its own language."""
    codes = [_CODES.get(words, words) for words in limits]
    return [limit(code, language=numbers.language) if code in LIMITS else code for code in codes]
