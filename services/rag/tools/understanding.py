"""Which tools a question asks for, by rules, without a language model. Precision counts: what may be about a document asks for none."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from services.rag.tools import charging_stays, cues
from services.rag.tools.clock_phrases import find_instant
from services.rag.tools.declaration import DayPeriod
from services.rag.tools.periods import fold, names_too_long
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.variant_phrases import find_variant

MOST_WORDS = 60
_DAY = timedelta(days=1)


class CallLike(Protocol):
    """A call that was made: ``MatchedCall``, ``ToolCallRequest``, ``ToolCall`` and ``ToolResult`` are."""

    @property
    def tool(self) -> str:
        """Its tool."""
        ...

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Its arguments."""
        ...


def match_question(question: str, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return the tools that a German or English question asks for, with days resolved where the site is; none where it may ask a document.

    None either where a word that no tool knows makes another question of it ("except", "on Sundays"), or where it names more days than a tool reads.

    Invariants: never raises, whatever the text; what it returns is accepted by the tool.
    """
    asked = _read(question, site, now)
    if not asked.text or len(asked.text.split()) > MOST_WORDS or asked.has(cues.DOCUMENT):
        return []
    stopped = asked.has(cues.NARROWED) or names_too_long(asked.text, asked.today)
    for match in _MATCHERS[: _WHOLE_QUESTIONS if stopped else None]:
        calls = match(asked)
        if calls:
            return calls
    return []


def match_follow_up(question: str, previous: CallLike, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return what a short question goes on to ask after a call: the same of another period, of another series, or of both; none where it goes on with nothing.

    A question that stands by itself is matched as one.
    """
    asked = _read(question, site, now)
    if asked.has(cues.DOCUMENT) or asked.has(cues.NARROWED) or len(asked.text.split()) > _MOST_FOLLOWING:
        return match_question(question, site=site, now=now)
    whole = match_question(question, site=site, now=now)
    if whole and not _GOES_ON.match(asked.text):
        return whole
    changes = _changed(asked, previous)
    return [MatchedCall(previous.tool, _kept(previous) | changes)] if changes else whole


_MOST_FOLLOWING = 9
_GOES_ON = re.compile(r"^(?:und|and|oder|or|what about|how about|wie (?:ist|sieht|war|waer\w*) (?:es|das)|was ist mit|dasselbe|the same|aber|but|nur|only)\b")
_PERIOD_FIELDS = ("first_day", "last_day", "from_clock", "to_clock")


def _changed(asked: PlainQuestion, previous: CallLike) -> dict[str, Any]:
    """Return the arguments that a follow-up changes."""
    periods = asked.periods(forward=previous.tool in ("forecast", "plan"))
    series = cues.find_series(asked.text)
    changes: dict[str, Any] = {}
    if periods and previous.tool in ("price_course", "consumption", "forecast", "plan", "savings", "compare_periods"):
        changes |= _days(periods[0])
    if series and previous.tool == "consumption":
        changes |= {"series": list(series)}
    if previous.tool == "forecast" and (expected := [name for name in series if name in ("load", "pv")]):
        changes |= {"series": expected}
    if previous.tool == "price_course" and (asked.has(cues.SPOT) or asked.has(cues.EXPORT_PRICE)):
        changes |= {"price": _price_kind(asked)}
    if previous.tool == "plan_reasons" and (at := _instant(asked)):
        changes |= {"at": at}
    if previous.tool == "what_would_it_cost":
        changes |= find_variant(asked.text, asked.site)
    return changes


def _kept(previous: CallLike) -> dict[str, Any]:
    """Return what stays of a call whose period may change: the other arguments, and the period's own."""
    return {name: value for name, value in previous.arguments.items() if name not in ("from_clock", "to_clock")}


def _read(question: str, site: Site, now: datetime) -> PlainQuestion:
    # "Soll ich" asks for advice, which documents give; "wann soll ich" asks for a time.
    return PlainQuestion(cues.WHEN_SHALL.sub("wann", fold(question)), now.astimezone(parse_zone(site.timezone)).date(), site)


def _days(period: DayPeriod) -> dict[str, Any]:
    clocks = {} if period.whole_days else {"from_clock": period.from_clock, "to_clock": period.to_clock}
    return {"first_day": period.first.isoformat(), "last_day": period.last.isoformat(), **clocks}


def _past(period: DayPeriod, today: date) -> DayPeriod | None:
    """Return the part of a period that is not ahead."""
    return None if period.first > today else DayPeriod(period.first, min(period.last, today), period.from_clock, period.to_clock)


def _ahead(period: DayPeriod, today: date) -> DayPeriod | None:
    """Return the part of a period that is not over."""
    return None if period.last < today else DayPeriod(max(period.first, today), period.last, period.from_clock, period.to_clock)


def _is_definition(asked: PlainQuestion) -> bool:
    """Return whether it asks what something is, of nobody's and of no time."""
    return cues.DEFINITION.match(asked.text) is not None and not asked.periods() and not asked.has(cues.OWN)


def _match_what_if(asked: PlainQuestion) -> list[MatchedCall]:
    variant = find_variant(asked.text, asked.site) if asked.has(cues.WHAT_IF) else {}
    return [MatchedCall("what_would_it_cost", variant)] if variant else []


def _match_why(asked: PlainQuestion) -> list[MatchedCall]:
    acts = asked.has(cues.BATTERY) and asked.has(cues.BATTERY_ACTION)
    at_a_time = asked.has(cues.RUNNING) and find_instant(asked.text) is not None and not asked.has(charging_stays.CAR)
    if not asked.has(cues.WHY) or not (acts or at_a_time) or asked.has(cues.ABILITY):
        return []
    # Of batteries in general nothing is planned.
    if re.search(r"\b(?:batteries|batterien|akkus|lithium\w*)\b", asked.text) and not asked.has(cues.OWN) and not asked.periods():
        return []
    at = _instant(asked)
    return [MatchedCall("plan_reasons", {"at": at} if at else {})]


def _instant(asked: PlainQuestion) -> str | None:
    """Return the local time that is named: a clock time of a day, or the noon of another day than today."""
    clock, periods = find_instant(asked.text), asked.days()
    day = periods[0].first if periods else asked.today
    if clock is None and periods and not periods[0].whole_days:
        clock = periods[0].from_clock
    if clock is None and day != asked.today:
        clock = "12:00"
    return None if clock is None else f"{day.isoformat()} {clock}"


def _match_compare(asked: PlainQuestion) -> list[MatchedCall]:
    if not (asked.has(cues.COMPARE) or asked.has(cues.BEFORE)):
        return []
    periods = asked.periods()
    if len(periods) == 1 and (late := _current(asked)):
        periods = [late, periods[0]]
    if asked.has(cues.BEFORE) and len(periods) == 1:
        periods = [periods[0], _before(asked, periods[0])]
    if len(periods) < 2:
        return []
    if asked.has(cues.PRICE) and not asked.has(cues.COST):
        return [MatchedCall("price_course", {"price": _price_kind(asked)} | _days(period)) for period in periods[:2]]
    one, other = (_past(period, asked.today) for period in periods[:2])
    if one is None or other is None or not (cues.find_series(asked.text) or asked.has(cues.COST) or asked.has(cues.BALANCE)):
        return []
    days = {"first_day": one.first, "last_day": one.last, "other_first_day": other.first, "other_last_day": other.last}
    return [MatchedCall("compare_periods", {name: day.isoformat() for name, day in days.items()})]


def _current(asked: PlainQuestion) -> DayPeriod | None:
    """Return the week or month that runs, where the one before it is what is compared with."""
    if re.search(r"zur vorwoche|to the previous week|with the previous week", asked.text):
        return DayPeriod(asked.today - asked.today.weekday() * _DAY, asked.today)
    if re.search(r"zum vormonat|to the previous month|with the previous month", asked.text):
        return DayPeriod(asked.today.replace(day=1), asked.today)
    return None


def _before(asked: PlainQuestion, period: DayPeriod) -> DayPeriod:
    if re.search(r"monat|month", asked.text):
        last = period.first.replace(day=1) - _DAY
        return DayPeriod(last.replace(day=1), last)
    back = 7 if re.search(r"woche|week", asked.text) else 1
    return period.shift(-max(back, period.days))


def _match_savings(asked: PlainQuestion) -> list[MatchedCall]:
    if not asked.has(cues.SAVINGS) or asked.has(cues.NO_SAVINGS) or _is_definition(asked):
        return []
    periods = [past for period in asked.periods() if (past := _past(period, asked.today))]
    if not periods and not re.search(r"\bluna\b", asked.text) and not asked.has(cues.OWN):
        return []
    return [MatchedCall("savings", {name: value for name, value in _days(periods[0]).items() if name.endswith("_day")} if periods else {})]


def _match_best_time(asked: PlainQuestion) -> list[MatchedCall]:
    asked_for = asked.has(cues.STARTED_BY_HAND) and asked.has(cues.STARTED_BY_HAND_ASKED) and not asked.has(cues.WHY) and not asked.has(cues.GOODS)
    past = bool(asked.periods()) and all(_ahead(period, asked.today) is None for period in asked.periods())
    return [MatchedCall("best_time")] if asked_for and not past else []


def _is_generic(asked: PlainQuestion) -> bool:
    """Return whether it is about batteries in general."""
    return re.search(r"\b(?:batteries|batterien|akkus|a battery|eine batterie|lithium\w*)\b", asked.text) is not None and not asked.has(cues.OWN)


def _match_since(asked: PlainQuestion) -> list[MatchedCall]:
    begun = asked.has(cues.SINCE_WHEN) and asked.has(cues.BATTERY) and asked.has(cues.BATTERY_STATE)
    other = asked.has(charging_stays.CAR) or asked.has(cues.ABILITY) or asked.has(cues.PLAN) or asked.has(cues.WHY)
    return [MatchedCall("battery_since")] if begun and not other and not _is_generic(asked) else []


def _match_plan(asked: PlainQuestion) -> list[MatchedCall]:
    if asked.has(cues.NO_PLAN) or asked.has(cues.ABILITY) or asked.has(cues.SINCE) or asked.has(cues.NIGHTLY):
        return []
    battery = asked.has(cues.BATTERY) and asked.has(cues.BATTERY_ASKED) and asked.has(cues.BATTERY_ACTION)
    periods = asked.periods(forward=True)
    if not asked.has(cues.PLAN) and (not battery or _is_generic(asked) or asked.has(cues.SINCE_WHEN)):
        return []
    ahead = [part for period in periods if (part := _ahead(period, asked.today))]
    if periods and not ahead:
        return []
    return [MatchedCall("plan", _days(ahead[0]) if ahead else {})]


def _match_price(asked: PlainQuestion) -> list[MatchedCall]:
    cheapest = (asked.has(cues.CHEAPEST) or asked.has(cues.EXPENSIVE)) and asked.has(cues.ELECTRIC)
    if not (asked.has(cues.PRICE) or cheapest) or asked.has(cues.GOODS) or asked.has(cues.NIGHTLY) or _is_definition(asked):
        return []
    periods = asked.periods(forward=asked.has(cues.UNTIL_WEEKDAY) and not asked.has(cues.PAST))
    plain = re.search(r"(?<!\w)(?:preise?n?|prices?|spot)(?!\w)", asked.text) is not None
    course = re.search(r"verlauf|kurve|curve|course|entwickl|aktuell|current|jetzt|gerade|now", asked.text) is not None
    if not periods and not course and (plain or not asked.has(cues.OWN)) and not re.search(r"wie (?:hoch|teuer)|how (?:high|expensive)", asked.text):
        return []
    wanted = periods[:2] or [DayPeriod(asked.today, asked.today)]
    return [MatchedCall("price_course", {"price": _price_kind(asked)} | _days(period)) for period in wanted]


def _price_kind(asked: PlainQuestion) -> str:
    return "export" if asked.has(cues.EXPORT_PRICE) else "spot" if asked.has(cues.SPOT) else "import"


def _match_cost(asked: PlainQuestion) -> list[MatchedCall]:
    bought = asked.has(cues.GOODS) or (asked.has(cues.EQUIPMENT) and not asked.has(cues.ELECTRIC))
    if not asked.has(cues.COST) or bought or asked.has(cues.DIVIDED):
        return []
    periods = [past for period in asked.periods() if (past := _past(period, asked.today))]
    if not periods or not (asked.has(cues.ELECTRIC) or asked.has(cues.OWN) or cues.find_series(asked.text)):
        return []
    return [MatchedCall("consumption", _days(periods[0]) | {"cost": True})]


def _match_forecast(asked: PlainQuestion) -> list[MatchedCall]:
    series = [name for name in cues.find_series(asked.text) if name in ("load", "pv")]
    periods = asked.periods(forward=True)
    strong = re.search(r"prognose|vorhersage|forecast|predict", asked.text) is not None
    ahead = [part for period in periods if (part := _ahead(period, asked.today))]
    if strong and not series and not asked.has(cues.WEATHER):
        series = ["load", "pv"] if ahead else []
    if not series or not asked.has(cues.FORECAST) or asked.has(cues.SINCE) or asked.has(cues.DIVIDED) or _is_definition(asked):
        return []
    if periods and not ahead:
        # What was forecast of a day that is over.
        return [MatchedCall("forecast", {"series": series} | _days(periods[0]))] if strong else []
    if not ahead and not strong:
        return []
    return [MatchedCall("forecast", {"series": series} | (_days(ahead[0]) if ahead else {}))]


def _match_energy(asked: PlainQuestion) -> list[MatchedCall]:
    series = cues.find_series(asked.text)
    if (not series and not asked.has(cues.BALANCE)) or asked.has(cues.DIVIDED):
        return []
    periods = asked.periods()
    past = [part for period in periods if (part := _past(period, asked.today))]
    if past:
        chosen = {} if asked.has(cues.BALANCE) else {"series": list(series)}
        return [MatchedCall("consumption", chosen | _days(part)) for part in past[:2]]
    expected = [name for name in series if name in ("load", "pv")]
    return [MatchedCall("forecast", {"series": expected} | _days(periods[0]))] if periods and expected else []


def _match_house(asked: PlainQuestion) -> list[MatchedCall]:
    return [MatchedCall("house_now")] if asked.has(cues.HOUSE_NOW) and not asked.has(cues.WHY) and not cues.find_series(asked.text) else []


def _match_site(asked: PlainQuestion) -> list[MatchedCall]:
    return [MatchedCall("site_description")] if asked.has(cues.SITE) else []


# The one that says more of a question comes first; the first ones are asked of a state or a variant, not of a time.
_WHOLE_QUESTIONS = 2
_MATCHERS: tuple[Callable[[PlainQuestion], list[MatchedCall]], ...] = (
    _match_what_if,
    _match_why,
    _match_savings,
    _match_compare,
    _match_site,
    _match_house,
    _match_since,
    charging_stays.match_stays,
    _match_best_time,
    _match_price,
    _match_cost,
    _match_forecast,
    _match_plan,
    _match_energy,
)
