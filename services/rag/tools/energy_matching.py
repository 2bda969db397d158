"""Matches questions with the query over a home's energy and money."""

import re
from datetime import timedelta
from typing import Any

from services.rag.tools import cues
from services.rag.tools.declaration import DayPeriod
from services.rag.tools.periods import find_count
from services.rag.tools.price_course import price_kind
from services.rag.tools.question import MatchedCall, PlainQuestion

QUERY = "energy_query"
# "The day with most" without a period is looked for in so many days.
YEAR_DAYS = 365


def match_comparison(question: PlainQuestion) -> list[MatchedCall]:
    """Return the calls of a question that compares two periods, or a period with the previous."""
    if not (question.has(cues.COMPARE) or question.has(cues.BEFORE)):
        return []
    periods = _find_compared(question)
    if len(periods) < 2:
        return []
    if question.has(cues.PRICE) and not question.has(cues.COST):
        kind = {"price": price_kind(question)}
        return [MatchedCall("price_course", kind | period.as_arguments()) for period in periods]
    one, other = (period.past(question.today) for period in periods)
    if one is None or other is None:
        return []
    series = cues.find_series(question.text)
    is_bare = cues.PERIODS_ALONE.fullmatch(question.text) is not None
    names_energy = bool(series) or question.has(cues.BALANCE) or is_bare
    if not names_energy and not question.has(cues.COST):
        return []
    days = {
        "first_day": one.first,
        "last_day": one.last,
        "other_first_day": other.first,
        "other_last_day": other.last,
    }
    arguments: dict[str, Any] = {name: day.isoformat() for name, day in days.items()}
    if series and series != ("load",):
        arguments["series"] = list(series)
    if question.has(cues.COST):
        arguments["cost"] = True
    return [MatchedCall(QUERY, arguments)]


def _find_compared(question: PlainQuestion) -> list[DayPeriod]:
    """Return the first two periods to compare; fewer where no second one is meant."""
    periods = question.periods()
    today = question.today
    if len(periods) == 1:
        # "Compared with the previous week" means the current week beside it.
        if re.search(
            r"zur vorwoche|to the previous week|with the previous week|"
            r"(?:than|als) (?:in |der )*(?:last week|letzte[nr]? woche)$",
            question.text.rstrip(" ?!."),
        ):
            monday = today - timedelta(days=today.weekday())
            periods.insert(0, DayPeriod(monday, today))
        elif re.search(
            r"zum vormonat|to the previous month|with the previous month|"
            r"(?:than|als) (?:in |im )*(?:last month|letzte[nr]? monat)$",
            question.text.rstrip(" ?!."),
        ):
            periods.insert(0, DayPeriod(today.replace(day=1), today))
    if question.has(cues.BEFORE) and len(periods) == 1:
        if re.search(r"monat|month", question.text):
            last = periods[0].first.replace(day=1) - timedelta(days=1)
            periods.append(DayPeriod(last.replace(day=1), last))
        else:
            back = 7 if re.search(r"woche|week", question.text) else 1
            periods.append(periods[0].shift(-max(back, periods[0].days)))
    return periods[:2]


def match_reasons(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question why a period was dear or cheap.

    Of the price of electricity, not of what was paid, other rules tell.
    """
    periods = question.past_periods()
    if not question.has(cues.WHY) or not periods:
        return []
    is_dear = question.has(cues.DEAR)
    is_cheap = question.has(cues.CHEAP)
    is_bill = question.has(cues.COST) and question.has(cues.MUCH_OR_LITTLE)
    if not (is_dear or is_cheap or is_bill):
        return []
    about_price = question.has(cues.PRICE) or question.has(cues.ELECTRIC)
    if _is_about_thing(question) or (about_price and not question.has(cues.COST)):
        return []
    is_low = is_cheap or (not is_dear and question.has(cues.LITTLE))
    premise = "cheap" if is_low else "dear"
    arguments = periods[0].as_arguments() | {"form": "reasons", "premise": premise}
    return [MatchedCall(QUERY, arguments)]


def match_form(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question for another form than a sum, or about plan and forecast."""
    if question.has(cues.WHY) or question.has(cues.OTHER_MEAN) or question.is_definition():
        return []
    series = cues.find_series(question.text)
    quantity = _find_quantity(question, series)
    if quantity is None:
        return []
    return (
        _match_versus(question, series)
        or _match_ranking(question, quantity)
        or _match_part(question, series, quantity)
    )


def _find_quantity(question: PlainQuestion, series: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the arguments of the quantity that a question is about; None without one."""
    about_price = question.has(cues.PRICE) or question.has(cues.ELECTRIC)
    about_cost = question.has(cues.COST) or (question.has(cues.CHEAPEST) and not about_price)
    if about_cost and not question.has(cues.PRICE):
        is_of_all = not _is_about_thing(question) and not question.has(cues.EARNED)
        return {"cost": True} if is_of_all else None
    return {"series": list(series)} if series else None


def _is_about_thing(question: PlainQuestion) -> bool:
    """Return whether it is about the cost of a thing, or of a device alone."""
    is_device = question.has(cues.EQUIPMENT) and not question.has(cues.ELECTRIC)
    return is_device or question.has(cues.GOODS)


def _match_versus(question: PlainQuestion, series: tuple[str, ...]) -> list[MatchedCall]:
    """Return the call of load or PV beside what was planned or forecast."""
    expected = [name for name in series if name in ("load", "pv")]
    if not expected:
        return []
    if question.has(cues.THAN_PLANNED):
        versus = "plan"
    elif question.has(cues.THAN_FORECAST):
        versus = "forecast"
    else:
        return []
    days = _find_past(question) or DayPeriod(question.today, question.today)
    arguments = {"series": expected[:1], "versus": versus}
    return [MatchedCall(QUERY, arguments | days.as_arguments())]


def _match_ranking(question: PlainQuestion, quantity: dict[str, Any]) -> list[MatchedCall]:
    """Return the call of the days, or the quarter-hour, with most or least."""
    is_lowest = question.has(cues.LOWEST)
    if question.has(cues.OTHER_SPAN) or not (is_lowest or question.has(cues.HIGHEST)):
        return []
    period = _find_past(question)
    if period is None:
        # Of the whole past a year is looked at; of a time to come nothing is measured.
        is_past = question.has(cues.PAST) or question.has(cues.OWN)
        is_cost = "cost" in quantity and not question.has(cues.WHICH_DAY)
        if question.periods() or is_cost or not is_past:
            return []
        period = DayPeriod(question.today - timedelta(days=YEAR_DAYS), question.today)
    arguments = quantity | period.as_arguments()
    if question.has(cues.WHICH_DAY):
        count = min(find_count(question.text), 10)
        return [
            MatchedCall(QUERY, arguments | {"form": "days", "count": count, "least": is_lowest})
        ]
    return [MatchedCall(QUERY, arguments | {"form": "lowest" if is_lowest else "highest"})]


def _match_part(
    question: PlainQuestion, series: tuple[str, ...], quantity: dict[str, Any]
) -> list[MatchedCall]:
    """Return the call of a share, a daily mean or a course over a named period."""
    period = _find_past(question)
    if period is None:
        return []
    days = period.as_arguments()
    own_use = question.has(cues.OWN_USE)
    if own_use and "pv" in series:
        return [MatchedCall(QUERY, days | {"series": ["pv"], "form": "share"})]
    if question.has(cues.SHARE):
        # "The share of use that the car took" names the use as well.
        parts = [name for name in series if name != "load"] or ["load"]
        return [MatchedCall(QUERY, days | {"series": parts[:1], "form": "share"})]
    if question.has(cues.DAILY_MEAN):
        return [MatchedCall(QUERY, days | quantity | {"form": "mean"})]
    if question.has(cues.COURSE) and not question.has(cues.DIVIDED):
        return [MatchedCall(QUERY, days | quantity | {"form": "course"})]
    return []


def _find_past(question: PlainQuestion) -> DayPeriod | None:
    periods = question.past_periods()
    return periods[0] if periods else None


def match_cost(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks what electricity cost."""
    if not question.has(cues.COST) or _is_about_thing(question) or question.has(cues.DIVIDED):
        return []
    past = question.past_periods()
    if len(past) == 1 and question.has(cues.MORE_THAN):
        return []
    series = cues.find_series(question.text)
    names_energy = question.has(cues.ELECTRIC) or question.has(cues.OWN) or bool(series)
    if not past or not names_energy:
        return []
    return [MatchedCall(QUERY, past[0].as_arguments() | {"cost": True})]


def match_energy(question: PlainQuestion) -> list[MatchedCall]:
    """Return the calls of a question about amounts of energy, past or expected."""
    series = cues.find_series(question.text)
    if (not series and not question.has(cues.BALANCE)) or question.has(cues.DIVIDED):
        return []
    past = question.past_periods()
    if len(past) == 1 and question.has(cues.MORE_THAN):
        # The other period was not read: the sum of one answers another question.
        return []
    if past:
        chosen = {} if question.has(cues.BALANCE) else {"series": list(series)}
        return [MatchedCall(QUERY, chosen | period.as_arguments()) for period in past[:2]]
    periods = question.periods()
    expected = [name for name in series if name in ("load", "pv")]
    if not periods or not expected:
        return []
    return [MatchedCall("forecast", {"series": expected} | periods[0].as_arguments())]
