"""Tool: tells what past days would have cost at a tariff sheet's prices."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from math import fsum
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, model_validator

from luna.energy.account import AccountSlots, BoolArray, settle_account
from luna.energy.economics.base_charges import list_base_costs
from luna.energy.site import Site, parse_site
from luna.energy.timeline import Timeline, local_dates, local_day, parse_zone, split_days
from luna.house.account import has_begun, read_account_slots
from luna.words.numbers import join_words
from services.rag.months import ANY_MONTH
from services.rag.tools import cues
from services.rag.tools.declaration import (
    Clock,
    ClockEnd,
    DayPeriod,
    Findings,
    PeriodArguments,
    Tool,
    ToolContext,
)
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import price_source, series_source
from services.rag.tools.telling import Teller

_SHEET = re.compile(
    r"\b(?:tarifblatt|preisblatt|tarif\w*|vertrag|angebot|preisliste|tariff(?: sheet)?|"
    r"price sheet|price list|rate sheet|contract|offer)\b"
)
# The Dutch "had" is read as "hatte".
_WOULD = re.compile(
    r"\b(?:haette\w*|hatte\w*|waere\w*|would(?: have)?|wuerde\w*)\b|"
    r"\bmit dem neuen\b|\bon the new\b"
)
_MONEY = re.compile(r"kost\w*|cost\w*|bezahl\w*|gezahlt|zahl\w*|paid|pay|teuer|expensive|rechnung")
# Where the question itself names the price, or what is not the whole bill, no sheet answers.
_OTHER = cues.any_of(
    r"\d+(?:[.,]\d+)? ?(?:ct|cents?|eur|euros?|€)|(?:€|eur) ?\d+(?:[.,]\d+)?",
    r"\w*waermepumpe\w*|heat pumps?|geschirrspueler\w*|spuelmaschine\w*|waschmaschine\w*|"
    r"trockner|dishwasher|washing machine|tumble dryer|dryer",
    r"autos?|elektroautos?|cars?|ev|wallbox\w*|laden|charging|heizung|heating",
    r"\w*batterien?|akkus?|\w*speichers?|batter(?:y|ies)|solaranlage\w*",
)
_WHOLE = frozenset({"load", "import"})
# "Would November have cost": a month without a word that makes it a period.
_BARE_MONTH = re.compile(rf"\b(would|wuerde|haette|hatte|waere)(?: der)? (?=(?:{ANY_MONTH})\b)")
# An amount below this reads as none.
LEAST_DIFFERENCE = 0.005
# More spans of days are no longer read.
MOST_SPANS = 8


class BillArguments(PeriodArguments):
    """Arguments: days and the prices that a tariff sheet names; the last thirty days by default."""

    usual_days: ClassVar[tuple[int, int]] = (-30, -1)

    energy_price: Annotated[
        float, Field(ge=-1, le=5, description="of a bought kWh in the site's currency, as 0.319")
    ]
    base_price: Annotated[
        float, Field(ge=0, le=1000, description="due each month or day, whatever is bought")
    ]
    base_per: Annotated[
        Literal["day", "month"], Field(description="what the base price is due for")
    ] = "month"
    currency: Annotated[
        Literal["EUR", "GBP", "CHF"] | None, Field(description="of the prices; default: the site's")
    ] = None
    night_price: Annotated[
        float | None, Field(ge=-1, le=5, description="of a kWh bought in the night hours")
    ] = None
    night_from: Annotated[Clock | None, Field(description="when the night price begins")] = None
    night_to: Annotated[ClockEnd | None, Field(description="when the night price ends")] = None

    @model_validator(mode="after")
    def _night_is_whole(self) -> Self:
        parts = (self.night_price, self.night_from, self.night_to)
        if any(part is None for part in parts) != all(part is None for part in parts):
            raise ValueError("night_price needs night_from and night_to, and they need it")
        return self


def match_bill(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question what past days would have cost on a tariff sheet.

    The sheet's prices are missing: documents hold them.
    """
    is_asked = question.has(_SHEET) and question.has(_WOULD) and question.has(_MONEY)
    if not is_asked or question.has(cues.NARROWED) or question.has(_OTHER):
        return []
    # "Vertrag" is no yield of the sun.
    if not _WHOLE.issuperset(cues.find_series(_SHEET.sub("", question.text))):
        return []
    spoken = _BARE_MONTH.sub(r"\1 in ", question.text)
    periods = replace(question, text=spoken).past_periods()
    if not periods:
        return []
    return [MatchedCall("bill_on_tariff", periods[0].as_arguments())]


def tell_bill_on_tariff(context: ToolContext, arguments: BillArguments) -> Findings:
    """Tell the cost on other prices beside the cost on the site's own tariff, then the prices.

    Both are of the same quarter-hours: those that the account of the period counts.
    """
    teller = Teller(context)
    if arguments.currency not in (None, context.site.currency):
        return teller.miss("sheet_currency")
    period = arguments.period(context.today)
    timeline = period.timeline(context.zone)
    now = context.now if has_begun(timeline, context.now) else timeline.end
    slots = read_account_slots(context.connection, context.site, timeline, now=now)
    other_site = _with_prices(context.site, arguments)
    other_slots = read_account_slots(context.connection, other_site, timeline, now=now)
    sources = (
        series_source(context, "import_kwh", slots.timeline),
        price_source(context, slots.timeline),
    )
    title = teller.period(period)
    is_counted = np.isfinite(other_slots.cost)
    if not is_counted.any():
        return teller.miss("nothing_recorded", sources, period=title)
    own_is_known = is_counted & np.isfinite(slots.cost)
    if own_is_known.any():
        is_counted = own_is_known
    is_partial = not is_counted.all()
    if is_partial:
        days = _list_complete_days(slots.timeline, is_counted, context.zone)
        _tell_gaps(teller, period, days, title)
    cost = _settle(other_slots, is_counted, period)
    own_cost = _settle(slots, is_counted, period) if own_is_known.any() else None
    _tell_costs(teller, cost, own_cost, title="" if is_partial else title)
    if slots.timeline.end < timeline.end:
        teller.say("so_far", until=teller.moment("until", slots.timeline.end, day=True))
    if is_partial:
        _tell_days(teller, period, days)
        if period.whole_days:
            teller.say("sheet_base_whole")
    prices = _list_prices(teller, arguments, with_base=period.whole_days)
    teller.say("sheet_prices", list=prices)
    if context.site.tariff.peaks and not _has_months(period):
        teller.say("bill_without_peaks")
    return teller.finish(sources=sources)


def _settle(slots: AccountSlots, is_counted: BoolArray, period: DayPeriod) -> float:
    """Return what the counted quarter-hours and the base charges cost.

    Of whole months it is what their account says, with the capacity charge.
    """
    bought_kwh = np.where(is_counted, slots.energy_kwh["import"], np.nan)
    counted = replace(slots, energy_kwh={**slots.energy_kwh, "import": bought_kwh})
    cost = settle_account(counted, with_demand=False).energy_cost or 0.0
    if period.whole_days:
        zone = parse_zone(slots.site.timezone)
        charges = list_base_costs(slots.site.tariff.base, slots.timeline, zone)
        cost += fsum(charges.values())
    if _has_months(period):
        cost += settle_account(slots).demand_cost or 0.0
    return cost


def _has_months(period: DayPeriod) -> bool:
    """Return whether a period is made of whole months."""
    follows = period.last + timedelta(days=1)
    return period.whole_days and period.first.day == 1 and follows.day == 1


def _list_complete_days(timeline: Timeline, is_counted: BoolArray, zone: ZoneInfo) -> list[date]:
    """Return the local days of which every quarter-hour is counted and over."""
    days = local_dates(timeline, zone)
    complete = []
    for first, end in pairwise(split_days(timeline, zone)):
        day = days[first]
        if end - first == local_day(day, zone).count and is_counted[first:end].all():
            complete.append(day)
    return complete


def _tell_gaps(teller: Teller, period: DayPeriod, complete: Sequence[date], title: str) -> None:
    if period.days == 1:
        teller.say("sheet_gaps_day", period=title)
        return
    teller.say(
        "sheet_gaps",
        period=title,
        complete=teller.figure("complete_days", len(complete), "count"),
        days=teller.figure("days", period.days, "count"),
    )


def _tell_costs(teller: Teller, cost: float, own_cost: float | None, *, title: str) -> None:
    """Tell what was due on the sheet beside the own cost; an empty title: of what is recorded."""
    figures = {"cost": teller.figure("cost_on_sheet", cost, "cost")}
    code = "sheet_cost"
    if own_cost is not None:
        difference = cost - own_cost
        figures["amount"] = teller.figure("cost_difference", abs(difference), "cost")
        code = "sheet_less" if difference < 0 else "sheet_more"
        if abs(difference) < LEAST_DIFFERENCE:
            code = "sheet_same"
    period = title or teller.phrase("sheet_recorded").rstrip()
    teller.say(code, period=period, **figures)


def _tell_days(teller: Teller, period: DayPeriod, complete: Sequence[date]) -> None:
    """Tell the complete days, or the others if these are fewer spans."""
    if period.days == 1 or not complete:
        return
    all_days = [period.first + timedelta(days=number) for number in range(period.days)]
    complete_spans = _join_days(complete)
    other_spans = _join_days([day for day in all_days if day not in complete])
    code = "sheet_complete"
    spans = complete_spans
    if len(other_spans) < len(complete_spans):
        code = "sheet_incomplete"
        spans = other_spans
    parts = []
    for number, (first, last) in enumerate(spans[:MOST_SPANS], start=1):
        begin = teller.day(f"span_{number}_first", first)
        if first == last:
            parts.append(begin)
            continue
        end = teller.day(f"span_{number}_last", last)
        parts.append(teller.phrase("sheet_span", first=begin, last=end).rstrip())
    if len(spans) > MOST_SPANS:
        parts.append(teller.phrase("sheet_others").rstrip())
    teller.say(code, list=join_words(parts, teller.numbers.language))


def _join_days(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return the spans of consecutive days."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def _with_prices(site: Site, arguments: BillArguments) -> Site:
    """Return the site with a sheet's prices; feed-in and capacity charges stay as they are."""
    import_rule: dict[str, object] = {"kind": "fixed", "price": arguments.energy_price}
    if arguments.night_price is not None:
        band = {
            "from": arguments.night_from,
            "to": arguments.night_to,
            "price": arguments.night_price,
        }
        import_rule = {
            "kind": "time_of_use",
            "default": arguments.energy_price,
            "bands": [band],
        }
    base = {"name": "base", "price": arguments.base_price, "per": arguments.base_per}
    document = site.model_dump(mode="json", by_alias=True)
    document["tariff"] |= {"import": import_rule, "base": [base], "devices": []}
    return parse_site(document)


def _list_prices(teller: Teller, arguments: BillArguments, *, with_base: bool) -> str:
    energy = teller.figure("energy_price", arguments.energy_price, "price")
    parts = [energy]
    if arguments.night_price is not None and arguments.night_from and arguments.night_to:
        night = teller.phrase(
            "sheet_night",
            price=teller.figure("night_price", arguments.night_price, "price"),
            from_clock=teller.clock("night_from", arguments.night_from),
            to_clock=teller.clock("night_to", arguments.night_to),
        )
        parts.append(night.rstrip())
    if with_base:
        base = teller.figure("base_price", arguments.base_price, "cost")
        parts.append(teller.phrase(f"sheet_base_{arguments.base_per}", price=base).rstrip())
    return join_words(parts, teller.numbers.language)


TOOL = Tool(
    "bill_on_tariff",
    "What past days would have cost at a tariff sheet's prices, from the recorded quarter-hours, "
    "beside what they cost on the site's own tariff. Take the prices from a document.",
    BillArguments,
    tell_bill_on_tariff,
)
