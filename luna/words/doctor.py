"""Findings of the doctor in the reader's language."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from luna.words.catalogue import ENGLISH
from luna.words.checks import format_fault, name_check
from luna.words.language import Language
from luna.words.numbers import Numbers, say_date, say_instant
from luna.words.phrases import Phrases, read_texts
from luna.words.refusals import say_problem

FINDINGS = Phrases("doctor", "finding_")
REMEDIES = Phrases("doctor", "remedy_")
KINDS = Phrases("doctor", "kind_")
# An error is said by its own words, whatever it is about.
ERROR = "error"
_UTC = ZoneInfo("UTC")


class FindingText(NamedTuple):
    """A finding for people; ``remedy`` is empty where there is nothing to do."""

    detail: str
    remedy: str


def format_finding(code: str, figures: Mapping[str, Any], language: Language) -> FindingText:
    """Return a finding in the reader's language.

    ``check``, ``fault`` and ``fault_figures`` are of a check, ``problem`` and ``message`` of an
    error, ``kind`` names stored documents; instants are shown in UTC.
    """
    if code == ERROR:
        return _format_error(figures, language)
    texts = {name: _format(value, language) for name, value in figures.items()}
    remedy_code = code
    remedy = ""
    if "kind" in figures:
        remedy_code = figures["kind"]
        texts["kind"] = KINDS.say(remedy_code, language)
    if "check" in figures:
        texts["check"] = name_check(figures["check"], language)
    if "fault" in figures:
        fault = format_fault(figures["check"], figures["fault"], figures["fault_figures"], language)
        texts["fault"] = fault.fault
        remedy = fault.remedy
    if remedy_code in REMEDIES:
        remedy = REMEDIES.say(remedy_code, language)
    return FindingText(FINDINGS.fill(code, language, texts), remedy)


def _format_error(figures: Mapping[str, Any], language: Language) -> FindingText:
    """Return an error; what only English says of it stands in brackets."""
    field = figures["field"]
    place = f"{field}: " if field else ""
    sentence = figures["message"]
    remedy = figures["remedy"] or read_texts("checks", language)["remedy_other"]
    if language != ENGLISH:
        refusal = say_problem(figures["problem"], language)
        sentence = refusal.sentence
        if refusal.is_general:
            sentence = f"{sentence} ({figures['message']})"
        remedy = refusal.remedy
    detail = FINDINGS.say(ERROR, language, place=place, sentence=sentence)
    return FindingText(detail, remedy)


def _format(value: object, language: Language) -> object:
    if isinstance(value, datetime):
        return say_instant(value, _UTC)
    if isinstance(value, date):
        return say_date(value, language)
    if isinstance(value, float):
        return Numbers(language, _UTC, "EUR").number(value, 1)
    return value
