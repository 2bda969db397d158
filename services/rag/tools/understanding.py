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
from services.rag.tools.what_would_it_cost import find_variant

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
    plain = _read(question, site, now)
    if not plain.text or len(plain.text.split()) > MOST_WORDS or plain.has(cues.DOCUMENT):
        return []
    stopped = plain.has(cues.NARROWED) or names_too_long(plain.text, plain.today)
    for match in _MATCHERS[: _WHOLE_QUESTIONS if stopped else None]:
        calls = match(plain)
        if calls:
            return calls
    return []


def match_follow_up(question: str, previous: CallLike, *, site: Site, now: datetime) -> list[MatchedCall]:
    """Return what a short question goes on to ask after a call: the same of another period, of another series, or of both; none where it goes on with nothing.

    A question that stands by itself is matched as one.
    """
    plain = _read(question, site, now)
    if plain.has(cues.DOCUMENT) or plain.has(cues.NARROWED) or len(plain.text.split()) > _MOST_FOLLOWING:
        return match_question(question, site=site, now=now)
    whole = match_question(question, site=site, now=now)
    if whole and not _GOES_ON.match(plain.text):
        return whole
    # The arguments that a follow-up changes.
    periods = plain.periods(forward=previous.tool in ("forecast", "plan"))
    series = cues.find_series(plain.text)
    changes: dict[str, Any] = {}
    if periods and previous.tool in ("price_course", "consumption", "forecast", "plan", "savings", "compare_periods"):
        changes |= _days(periods[0])
    if series and previous.tool == "consumption":
        changes |= {"series": list(series)}
    if previous.tool == "forecast" and (expected := [name for name in series if name in ("load", "pv")]):
        changes |= {"series": expected}
    if previous.tool == "price_course" and (plain.has(cues.SPOT) or plain.has(cues.EXPORT_PRICE)):
        changes |= {"price": _price_kind(plain)}
    if previous.tool == "plan_reasons" and (at := _instant(plain)):
        changes |= {"at": at}
    if previous.tool == "what_would_it_cost":
        changes |= find_variant(plain.text, plain.site)
    # A call whose period may change keeps its other arguments, and the period's days.
    unchanged = {name: value for name, value in previous.arguments.items() if name not in ("from_clock", "to_clock")}
    return [MatchedCall(previous.tool, unchanged | changes)] if changes else whole


_MOST_FOLLOWING = 9
_GOES_ON = re.compile(r"^(?:und|and|oder|or|what about|how about|wie (?:ist|sieht|war|waer\w*) (?:es|das)|was ist mit|dasselbe|the same|aber|but|nur|only)\b")


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


def _is_definition(question: PlainQuestion) -> bool:
    """Return whether it asks what something is, of nobody's and of no time."""
    return cues.DEFINITION.match(question.text) is not None and not question.periods() and not question.has(cues.OWN)


def _match_what_if(question: PlainQuestion) -> list[MatchedCall]:
    variant = find_variant(question.text, question.site) if question.has(cues.WHAT_IF) else {}
    return [MatchedCall("what_would_it_cost", variant)] if variant else []


def _match_why(question: PlainQuestion) -> list[MatchedCall]:
    acts = question.has(cues.BATTERY) and question.has(cues.BATTERY_ACTION)
    at_a_time = question.has(cues.RUNNING) and find_instant(question.text) is not None and not question.has(charging_stays.CAR)
    if not question.has(cues.WHY) or not (acts or at_a_time) or question.has(cues.ABILITY):
        return []
    # Of batteries in general nothing is planned.
    if re.search(r"\b(?:batteries|batterien|akkus|lithium\w*)\b", question.text) and not question.has(cues.OWN) and not question.periods():
        return []
    at = _instant(question)
    return [MatchedCall("plan_reasons", {"at": at} if at else {})]


def _instant(question: PlainQuestion) -> str | None:
    """Return the local time that is named: a clock time of a day, or the noon of another day than today."""
    clock, periods = find_instant(question.text), question.days()
    day = periods[0].first if periods else question.today
    if clock is None and periods and not periods[0].whole_days:
        clock = periods[0].from_clock
    if clock is None and day != question.today:
        clock = "12:00"
    return None if clock is None else f"{day.isoformat()} {clock}"


def _match_compare(question: PlainQuestion) -> list[MatchedCall]:
    if not (question.has(cues.COMPARE) or question.has(cues.BEFORE)):
        return []
    periods = question.periods()
    if len(periods) == 1:
        # The week or month that runs, where the one before it is what is compared with.
        if re.search(r"zur vorwoche|to the previous week|with the previous week", question.text):
            periods.insert(0, DayPeriod(question.today - question.today.weekday() * _DAY, question.today))
        elif re.search(r"zum vormonat|to the previous month|with the previous month", question.text):
            periods.insert(0, DayPeriod(question.today.replace(day=1), question.today))
    if question.has(cues.BEFORE) and len(periods) == 1:
        if re.search(r"monat|month", question.text):
            last = periods[0].first.replace(day=1) - _DAY
            periods.append(DayPeriod(last.replace(day=1), last))
        else:
            back = 7 if re.search(r"woche|week", question.text) else 1
            periods.append(periods[0].shift(-max(back, periods[0].days)))
    if len(periods) < 2:
        return []
    if question.has(cues.PRICE) and not question.has(cues.COST):
        return [MatchedCall("price_course", {"price": _price_kind(question)} | _days(period)) for period in periods[:2]]
    one, other = (_past(period, question.today) for period in periods[:2])
    if one is None or other is None or not (cues.find_series(question.text) or question.has(cues.COST) or question.has(cues.BALANCE)):
        return []
    days = {"first_day": one.first, "last_day": one.last, "other_first_day": other.first, "other_last_day": other.last}
    return [MatchedCall("compare_periods", {name: day.isoformat() for name, day in days.items()})]


def _match_savings(question: PlainQuestion) -> list[MatchedCall]:
    if not question.has(cues.SAVINGS) or question.has(cues.NO_SAVINGS) or _is_definition(question):
        return []
    periods = [past for period in question.periods() if (past := _past(period, question.today))]
    if not periods and not re.search(r"\bluna\b", question.text) and not question.has(cues.OWN):
        return []
    return [MatchedCall("savings", {name: value for name, value in _days(periods[0]).items() if name.endswith("_day")} if periods else {})]


def _match_best_time(question: PlainQuestion) -> list[MatchedCall]:
    asks_when = question.has(cues.STARTED_BY_HAND) and question.has(cues.STARTED_BY_HAND_QUESTION) and not question.has(cues.WHY)
    past = bool(question.periods()) and all(_ahead(period, question.today) is None for period in question.periods())
    return [MatchedCall("best_time")] if asks_when and not question.has(cues.GOODS) and not past else []


def _is_generic(question: PlainQuestion) -> bool:
    """Return whether it is about batteries in general."""
    return re.search(r"\b(?:batteries|batterien|akkus|a battery|eine batterie|lithium\w*)\b", question.text) is not None and not question.has(cues.OWN)


def _match_since(question: PlainQuestion) -> list[MatchedCall]:
    begun = question.has(cues.SINCE_WHEN) and question.has(cues.BATTERY) and question.has(cues.BATTERY_STATE)
    other = question.has(charging_stays.CAR) or question.has(cues.ABILITY) or question.has(cues.PLAN) or question.has(cues.WHY)
    return [MatchedCall("battery_since")] if begun and not other and not _is_generic(question) else []


def _match_plan(question: PlainQuestion) -> list[MatchedCall]:
    if question.has(cues.NO_PLAN) or question.has(cues.ABILITY) or question.has(cues.SINCE) or question.has(cues.NIGHTLY):
        return []
    battery = question.has(cues.BATTERY) and question.has(cues.BATTERY_QUESTION) and question.has(cues.BATTERY_ACTION)
    periods = question.periods(forward=True)
    if not question.has(cues.PLAN) and (not battery or _is_generic(question) or question.has(cues.SINCE_WHEN)):
        return []
    ahead = [part for period in periods if (part := _ahead(period, question.today))]
    if periods and not ahead:
        return []
    return [MatchedCall("plan", _days(ahead[0]) if ahead else {})]


def _match_price(question: PlainQuestion) -> list[MatchedCall]:
    cheapest = (question.has(cues.CHEAPEST) or question.has(cues.EXPENSIVE)) and question.has(cues.ELECTRIC)
    if not (question.has(cues.PRICE) or cheapest) or question.has(cues.GOODS) or question.has(cues.NIGHTLY) or _is_definition(question):
        return []
    periods = question.periods(forward=question.has(cues.UNTIL_WEEKDAY) and not question.has(cues.PAST))
    plain = re.search(r"(?<!\w)(?:preise?n?|prices?|spot)(?!\w)", question.text) is not None
    course = re.search(r"verlauf|kurve|curve|course|entwickl|aktuell|current|jetzt|gerade|now", question.text) is not None
    if not periods and not course and (plain or not question.has(cues.OWN)) and not re.search(r"wie (?:hoch|teuer)|how (?:high|expensive)", question.text):
        return []
    chosen = periods[:2] or [DayPeriod(question.today, question.today)]
    return [MatchedCall("price_course", {"price": _price_kind(question)} | _days(period)) for period in chosen]


def _price_kind(question: PlainQuestion) -> str:
    return "export" if question.has(cues.EXPORT_PRICE) else "spot" if question.has(cues.SPOT) else "import"


def _match_cost(question: PlainQuestion) -> list[MatchedCall]:
    bought = question.has(cues.GOODS) or (question.has(cues.EQUIPMENT) and not question.has(cues.ELECTRIC))
    if not question.has(cues.COST) or bought or question.has(cues.DIVIDED):
        return []
    periods = [past for period in question.periods() if (past := _past(period, question.today))]
    if not periods or not (question.has(cues.ELECTRIC) or question.has(cues.OWN) or cues.find_series(question.text)):
        return []
    return [MatchedCall("consumption", _days(periods[0]) | {"cost": True})]


def _match_forecast(question: PlainQuestion) -> list[MatchedCall]:
    series = [name for name in cues.find_series(question.text) if name in ("load", "pv")]
    periods = question.periods(forward=True)
    strong = re.search(r"prognose|vorhersage|forecast|predict", question.text) is not None
    ahead = [part for period in periods if (part := _ahead(period, question.today))]
    if strong and not series and not question.has(cues.WEATHER):
        series = ["load", "pv"] if ahead else []
    if not series or not question.has(cues.FORECAST) or question.has(cues.SINCE) or question.has(cues.DIVIDED) or _is_definition(question):
        return []
    if periods and not ahead:
        # What was forecast of a day that is over.
        return [MatchedCall("forecast", {"series": series} | _days(periods[0]))] if strong else []
    if not ahead and not strong:
        return []
    return [MatchedCall("forecast", {"series": series} | (_days(ahead[0]) if ahead else {}))]


def _match_energy(question: PlainQuestion) -> list[MatchedCall]:
    series = cues.find_series(question.text)
    if (not series and not question.has(cues.BALANCE)) or question.has(cues.DIVIDED):
        return []
    periods = question.periods()
    past = [part for period in periods if (part := _past(period, question.today))]
    if past:
        chosen = {} if question.has(cues.BALANCE) else {"series": list(series)}
        return [MatchedCall("consumption", chosen | _days(part)) for part in past[:2]]
    expected = [name for name in series if name in ("load", "pv")]
    return [MatchedCall("forecast", {"series": expected} | _days(periods[0]))] if periods and expected else []


def _match_house(question: PlainQuestion) -> list[MatchedCall]:
    return [MatchedCall("house_now")] if question.has(cues.HOUSE_NOW) and not question.has(cues.WHY) and not cues.find_series(question.text) else []


def _match_site(question: PlainQuestion) -> list[MatchedCall]:
    return [MatchedCall("site_description")] if question.has(cues.SITE) else []


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
