"""Tool: tells the prices of a period beside those of the period before."""

import re
from datetime import timedelta
from typing import Annotated

import numpy as np
from pydantic import Field

from luna.contracts.site_tools import ToolSource
from luna.energy.timeline import SLOTS_PER_HOUR, FloatArray, Timeline
from services.rag.tools import cues
from services.rag.tools.declaration import DayPeriod, Findings, PeriodArguments, Tool, ToolContext
from services.rag.tools.periods import HORIZON
from services.rag.tools.price_ahead import match_price_ahead
from services.rag.tools.price_to_come import tell_price_ahead
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import (
    Column,
    PriceKind,
    draw,
    mean_finite,
    price_source,
    read_prices,
    series_source,
    share_finite,
    slot_start,
)
from services.rag.tools.telling import Teller

# Closer than this to each other, two prices read the same.
_SAME_PRICE = 0.0005


class PriceArguments(PeriodArguments):
    """Arguments: kind of price and period."""

    price: Annotated[
        PriceKind,
        Field(
            description=(
                "import: what a bought kWh costs; export: what a sold one earns; spot: the "
                "market's (EPEX) price; grid: the network's fees"
            )
        ),
    ] = "import"
    market: Annotated[
        str | None,
        Field(
            max_length=32,
            description="of the site's tariff, for spot; default: its only or first one",
        ),
    ] = None
    after_contract: Annotated[
        bool, Field(description="after the contract or the support has ended, whenever that is")
    ] = False


def match_price(question: PlainQuestion) -> list[MatchedCall]:
    """Return the calls of a question that asks for prices of electricity."""
    names_price = question.has(cues.PRICE)
    if question.has(cues.CHEAPEST) or question.has(cues.EXPENSIVE):
        names_price |= question.has(cues.ELECTRIC)
    if not names_price or question.has(cues.GOODS):
        return []
    if question.has(cues.NIGHTLY) or question.is_definition():
        return []
    if match_price_ahead(question):
        # Contracts say it: documents are asked first.
        return []
    forward = question.has(cues.UNTIL_WEEKDAY) and not question.has(cues.PAST)
    periods = question.periods(forward=forward)
    if not periods and not _asks_today(question):
        return []
    kind = {"price": price_kind(question)}
    chosen = periods[:2] or [DayPeriod(question.today, question.today)]
    return [MatchedCall("price_course", kind | period.as_arguments()) for period in chosen]


def _asks_today(question: PlainQuestion) -> bool:
    """Return whether a question for a price that names no day asks for today's."""
    if re.search(
        r"verlauf|kurve|curve|course|entwickl|aktuell|current|jetzt|gerade|now", question.text
    ):
        return True
    if re.search(r"wie (?:hoch|teuer)|how (?:high|expensive)", question.text):
        return True
    names_any_price = re.search(r"(?<!\w)(?:preise?n?|prices?|spot)(?!\w)", question.text)
    return question.has(cues.OWN) and not names_any_price


def price_kind(question: PlainQuestion) -> str:
    """Return the kind of price that a question means."""
    if question.has(cues.EXPORT_PRICE):
        return "export"
    return "spot" if question.has(cues.SPOT) else "import"


def tell_prices(context: ToolContext, arguments: PriceArguments) -> Findings:
    """Tell mean, lowest and highest price of a period, and the mean of the period before."""
    teller = Teller(context)
    period = arguments.period(context.today)
    is_far = period.first > context.today + HORIZON
    if arguments.after_contract or arguments.price == "grid" or is_far:
        time_ahead = None if arguments.after_contract else period
        return tell_price_ahead(teller, context, arguments.price, time_ahead)
    timeline = period.timeline(context.zone)
    market: str | None = None
    if arguments.price == "spot":
        market = _find_market(context, arguments.market)
        if market is None:
            return teller.miss("no_market")
    values = read_prices(context, timeline, arguments.price, market)
    source = _source_of(context, timeline, market)
    what = teller.phrase(f"price_{arguments.price}", market=teller.name("market", market or ""))
    if not np.isfinite(values).any():
        if period.first > context.today:
            return tell_price_ahead(teller, context, arguments.price, period)
        return teller.miss("no_prices", (source,), period=teller.period(period), what=what)
    period, timeline, values = _cut_to_published(context, period, timeline, values)
    tense = "_ahead" if period.first > context.today else ""
    teller.say(
        f"price_mean{tense}",
        period=teller.period(period),
        what=what,
        mean=teller.figure(f"mean_{arguments.price}_price", mean_finite(values), "price"),
    )
    _tell_extremes(teller, timeline, values, several=period.days > 1, tense=tense)
    column: Column = (f"{arguments.price}_price", "price", "step", values, "mean")
    chart = draw(teller, "chart_prices", timeline, [column])
    if tense:
        # Past prices say nothing of those to come.
        return teller.finish(chart=chart, sources=(source,))
    earlier = period.shift(-period.days).timeline(context.zone)
    before = read_prices(context, earlier, arguments.price, market)
    if np.isfinite(before).any():
        _tell_difference(teller, mean_finite(values), mean_finite(before))
    teller.say_partly("partly_known", "share_known", share_finite(values))
    sources = (source, _source_of(context, earlier, market))
    return teller.finish(chart=chart, sources=sources)


def _find_market(context: ToolContext, requested: str | None) -> str | None:
    """Return the requested market if the tariff has it; without a request its first one."""
    for name in context.site.tariff.markets:
        if requested in (None, name):
            return name
    return None


def _source_of(context: ToolContext, timeline: Timeline, market: str | None) -> ToolSource:
    if market is None:
        return price_source(context, timeline)
    return series_source(context, f"market_prices:{market}", timeline)


def _tell_difference(teller: Teller, mean: float, mean_before: float) -> None:
    before = teller.figure("mean_price_before", mean_before, "price")
    difference = mean - mean_before
    if abs(difference) < _SAME_PRICE:
        teller.say("price_same", before=before)
        return
    amount = teller.figure("price_difference", abs(difference), "price")
    code = "price_dearer" if difference > 0 else "price_cheaper"
    teller.say(code, difference=amount, before=before)


def _cut_to_published(
    context: ToolContext, period: DayPeriod, timeline: Timeline, values: FloatArray
) -> tuple[DayPeriod, Timeline, FloatArray]:
    """Return a period up to its last published price; a past one unchanged."""
    count = int(np.flatnonzero(np.isfinite(values))[-1]) + 1
    if count == timeline.count or timeline.end <= context.now:
        return period, timeline, values
    end = slot_start(timeline, count).astimezone(context.zone)
    last = end.date()
    clock = f"{end:%H:%M}"
    if clock == "00:00":
        last -= timedelta(days=1)
        clock = "24:00"
    published = DayPeriod(period.first, last, period.from_clock, clock)
    return published, Timeline(timeline.start, timeline.step, count), values[:count]


def _tell_extremes(
    teller: Teller, timeline: Timeline, values: FloatArray, *, several: bool, tense: str
) -> None:
    lowest = int(np.nanargmin(values))
    highest = int(np.nanargmax(values))
    if values[highest] - values[lowest] < _SAME_PRICE:
        teller.say(f"price_constant{tense}")
        return
    figures = {}
    for name, place in (("lowest", lowest), ("highest", highest)):
        figures[name] = teller.figure(f"{name}_price", float(values[place]), "price")
        figures[f"{name}_at"] = teller.moment(
            f"{name}_price_at", slot_start(timeline, place), day=several
        )
    teller.say(f"price_extremes{tense}", **figures)
    negative = int((values < 0).sum())
    if negative:
        hours = teller.hours("negative_hours", negative / SLOTS_PER_HOUR)
        teller.say(f"price_negative{tense}", hours=hours)
    else:
        teller.say(f"price_never_negative{tense}")


TOOL = Tool(
    "price_course",
    "How electricity prices went over a period: mean, lowest and highest with their times, "
    "hours below zero, and the mean of the period before."
    " Prices: what the site pays for a kWh (import), earns for it (export), or the "
    "wholesale market price such as EPEX spot (spot). Past days, today,"
    " and tomorrow once published.",
    PriceArguments,
    tell_prices,
)
