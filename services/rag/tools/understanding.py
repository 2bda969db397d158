"""Which tools a question asks for, by rules, without a language model.

Precision counts: what may be about a document asks for none.
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
    charging_stays,
    compare_periods,
    consumption,
    cues,
    forecast,
    house_now,
    plan,
    plan_reasons,
    price_ahead,
    price_course,
    savings,
    site_description,
    what_would_it_cost,
)
from services.rag.tools.periods import fold, names_too_long
from services.rag.tools.question import MatchedCall, PlainQuestion

MOST_WORDS = 60


class CallLike(Protocol):
    """A call that was made: ``MatchedCall``, ``ToolCallRequest``, ``ToolCall`` and ``ToolResult``
    are.
    """

    @property
    def tool(self) -> str:
        """Its tool."""
        ...

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Its arguments."""
        ...


def match_question(question: str, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return the tools that a German or English question asks for, with days resolved where the
    site is; none where it may ask a document.

    None either where a word that no tool knows makes another question of it ("except", "on
    Sundays"), or where it names more days than a tool reads.

    Invariants: never raises, whatever the text; what it returns is accepted by the tool.
    """
    plain = _read(question, site, now)
    if not plain.text or len(plain.text.split()) > MOST_WORDS or plain.has(cues.DOCUMENT):
        return []
    stopped = plain.has(cues.NARROWED) or names_too_long(plain.text, plain.today)
    for match in _MATCHERS[: _WHOLE_QUESTIONS if stopped else None]:
        calls = match(plain)
        if calls:
            return calls
    return []


def match_ahead(question: str, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return the call for a price that is not published yet, for a question that no document
    answers.
    """
    plain = _read(question, site, now)
    if not plain.text or len(plain.text.split()) > MOST_WORDS:
        return []
    return price_ahead.match_price_ahead(plain)


def match_follow_up(
    question: str, previous: CallLike, *, site: Site, now: datetime
) -> list[MatchedCall]:
    """Return what a short question goes on to ask after a call: the same of another period, of
    another series, or of both; none where it goes on with nothing.

    A question that stands by itself is matched as one.
    """
    plain = _read(question, site, now)
    if (
        plain.has(cues.DOCUMENT)
        or plain.has(cues.NARROWED)
        or len(plain.text.split()) > _MOST_FOLLOWING
    ):
        return match_question(question, site=site, now=now)
    whole = match_question(question, site=site, now=now)
    if whole and not _GOES_ON.match(plain.text):
        return whole
    # The arguments that a follow-up changes.
    periods = plain.periods(forward=previous.tool in ("forecast", "plan"))
    series = cues.find_series(plain.text)
    changes: dict[str, Any] = {}
    if periods and previous.tool in (
        "price_course",
        "consumption",
        "forecast",
        "plan",
        "savings",
        "compare_periods",
    ):
        changes |= periods[0].as_arguments()
    if series and previous.tool == "consumption":
        changes |= {"series": list(series)}
    if previous.tool == "forecast" and (
        expected := [name for name in series if name in ("load", "pv")]
    ):
        changes |= {"series": expected}
    if previous.tool == "price_course" and (plain.has(cues.SPOT) or plain.has(cues.EXPORT_PRICE)):
        changes |= {"price": price_course.price_kind(plain)}
    if previous.tool == "plan_reasons" and (at := plain.instant()):
        changes |= {"at": at}
    if previous.tool == "what_would_it_cost":
        changes |= what_would_it_cost.find_variant(plain.text, plain.site)
    # A call whose period may change keeps its other arguments, and the period's days.
    unchanged = {
        name: value
        for name, value in previous.arguments.items()
        if name not in ("from_clock", "to_clock")
    }
    return [MatchedCall(previous.tool, unchanged | changes)] if changes else whole


_MOST_FOLLOWING = 9
_GOES_ON = re.compile(
    r"^(?:und|and|oder|or|what about|how about|wie (?:ist|sieht|war|waer\w*) "
    r"(?:es|das)|was ist mit|dasselbe|the same|aber|but|nur|only)\b"
)


def _read(question: str, site: Site, now: datetime) -> PlainQuestion:
    # "Soll ich" asks for advice, which documents give; "wann soll ich" asks for a time.
    return PlainQuestion(
        cues.WHEN_SHALL.sub("wann", fold(question)),
        now.astimezone(parse_zone(site.timezone)).date(),
        site,
    )


# The one that says more of a question comes first; the first ones are asked of a state or a
# variant, not of a time.
_WHOLE_QUESTIONS = 2
_MATCHERS: tuple[Callable[[PlainQuestion], list[MatchedCall]], ...] = (
    what_would_it_cost.match_variant,
    plan_reasons.match_reason,
    savings.match_savings,
    compare_periods.match_comparison,
    site_description.match_site,
    house_now.match_house,
    battery_since.match_since,
    charging_stays.match_stays,
    best_time.match_best_time,
    price_course.match_price,
    consumption.match_cost,
    forecast.match_forecast,
    plan.match_plan,
    consumption.match_energy,
)
