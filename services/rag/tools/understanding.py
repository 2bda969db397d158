"""Matches questions with tools by rules, without a language model.

Precision counts: a question that may be about a document matches none.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from services.rag.tools import (
    battery_since,
    best_time,
    bill_on_tariff,
    charging_sessions,
    cues,
    energy_matching,
    forecast,
    house_now,
    plan,
    plan_reasons,
    price_ahead,
    price_course,
    price_reasons,
    savings,
    site_description,
    what_would_it_cost,
)
from services.rag.tools.dutch import find_sheet_name, put_into_german
from services.rag.tools.periods import fold, names_too_long
from services.rag.tools.question import MatchedCall, PlainQuestion

MOST_WORDS = 60


class CallLike(Protocol):
    """An earlier call: ``MatchedCall``, ``ToolCallRequest``, ``ToolCall`` or ``ToolResult``."""

    @property
    def tool(self) -> str: ...

    @property
    def arguments(self) -> Mapping[str, Any]: ...


def match_question(question: str, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return the calls of tools that answer a question; days are the site's.

    It is in German, English or Dutch.

    Empty where the question may be about a document, where a word that no tool knows makes another
    question of it ("except", "on Sundays"), or where it names more days than a tool reads.

    Invariants: never raises, whatever the text; what it returns is accepted by the tool.
    """
    plain = _read(question, site, now)
    if not plain.text or len(plain.text.split()) > MOST_WORDS or plain.has(cues.DOCUMENT):
        return []
    matchers = (*_STATE_MATCHERS, *_PERIOD_MATCHERS)
    if plain.has(cues.NARROWED) or names_too_long(plain.text, plain.today):
        matchers = _STATE_MATCHERS
    for match in matchers:
        calls = match(plain)
        if calls:
            return calls
    return []


def match_ahead(question: str, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return the call for a price not published yet, if the question asks for one.

    It answers where no document does.
    """
    plain = _read(question, site, now)
    if not plain.text or len(plain.text.split()) > MOST_WORDS:
        return []
    return price_ahead.match_price_ahead(plain)


def match_on_sheet(question: str, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return the call of a question what past days would have cost on a tariff sheet.

    The prices are missing in its arguments.
    """
    plain = _read(question, site, now, name=find_sheet_name(fold(question)))
    if not plain.text or len(plain.text.split()) > MOST_WORDS:
        return []
    return bill_on_tariff.match_bill(plain)


def match_follow_up(
    question: str, previous: CallLike, *, site: Site, now: datetime
) -> list[MatchedCall]:
    """Return the previous call with the period or series changed that a short question names.

    A question that stands by itself is matched as one.
    """
    whole = match_question(question, site=site, now=now)
    plain = _read(question, site, now)
    if plain.has(cues.DOCUMENT) or plain.has(cues.NARROWED):
        return whole
    if len(plain.text.split()) > _MOST_FOLLOWING:
        return whole
    if whole and not _GOES_ON.match(plain.text):
        return whole
    changes = _find_changes(plain, previous.tool)
    if not changes:
        return whole
    # The previous clock times belong to the previous period; all other arguments stay.
    arguments = dict(previous.arguments)
    arguments.pop("from_clock", None)
    arguments.pop("to_clock", None)
    return [MatchedCall(previous.tool, arguments | changes)]


def _find_changes(question: PlainQuestion, tool: str) -> dict[str, Any]:
    """Return the arguments of a tool's call that a follow-up question changes."""
    changes: dict[str, Any] = {}
    periods = question.periods(forward=tool in ("forecast", "plan"))
    if periods and tool in _PERIOD_TOOLS:
        changes |= periods[0].as_arguments()
    series = list(cues.find_series(question.text))
    if tool == "forecast":
        series = [name for name in series if name in ("load", "pv")]
    if series and tool in ("energy_query", "forecast"):
        changes |= {"series": series}
    if tool == "price_course" and (question.has(cues.SPOT) or question.has(cues.EXPORT_PRICE)):
        changes |= {"price": price_course.price_kind(question)}
    if tool == "plan_reasons":
        at = question.instant()
        if at:
            changes |= {"at": at}
    if tool == "price_reasons":
        at = price_reasons.find_price_instant(question)
        if at:
            changes |= {"at": at}
    if tool == "what_would_it_cost":
        changes |= what_would_it_cost.find_variant(question.text, question.site)
    return changes


_PERIOD_TOOLS = ("price_course", "energy_query", "forecast", "plan", "savings")
_MOST_FOLLOWING = 9
_GOES_ON = re.compile(
    r"^(?:und|and|oder|or|what about|how about|wie (?:ist|sieht|war|waer\w*) "
    r"(?:es|das)|was ist mit|dasselbe|the same|aber|but|nur|only)\b"
)


def _read(question: str, site: Site, now: datetime, *, name: str = "") -> PlainQuestion:
    """Return a plain question; a Dutch one in German, but for a name: the site's where none is."""
    # "Soll ich" asks for advice, which documents give; "wann soll ich" asks for a time.
    text = cues.WHEN_SHALL.sub(
        "wann", put_into_german(fold(question), name=name or fold(site.name))
    )
    if cues.STARTED_BY_HAND.search(text):
        text = cues.SHALL_START.sub("", text)
    today = now.astimezone(parse_zone(site.timezone)).date()
    return PlainQuestion(text, today, site)


_Matchers = tuple[Callable[[PlainQuestion], list[MatchedCall]], ...]
# The more specific matcher comes first. These ask for a state or a variant, not for a period.
_STATE_MATCHERS: _Matchers = (what_would_it_cost.match_variant, plan_reasons.match_reason)
_PERIOD_MATCHERS: _Matchers = (
    price_reasons.match_price_reason,
    savings.match_savings,
    energy_matching.match_comparison,
    energy_matching.match_reasons,
    energy_matching.match_form,
    site_description.match_site,
    house_now.match_house,
    battery_since.match_since,
    charging_sessions.match_sessions,
    best_time.match_best_time,
    price_course.match_price,
    energy_matching.match_cost,
    forecast.match_forecast,
    plan.match_plan,
    energy_matching.match_energy,
)
