"""Tells a price to come by the entered tariff, or the reason why it is not known yet."""

from datetime import datetime, timedelta

import numpy as np

from luna.energy.site import ImportRule
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import prices
from services.rag.tools.declaration import DayPeriod, Findings, ToolContext
from services.rag.tools.reading import PriceKind, price_source, read_prices, slot_start
from services.rag.tools.telling import Teller

# Day-ahead markets publish a day at a time, some a little more.
_LOOK_AHEAD = timedelta(days=14)


def tell_price_ahead(
    teller: Teller, context: ToolContext, kind: PriceKind, period: DayPeriod | None
) -> Findings:
    """Tell the price of a time that is not published yet.

    Args:
        teller: collects the sentences.
        context: of the tool.
        kind: which price.
        period: all of it is to come; None: whenever the contract has ended.
    """
    when = teller.phrase("after_contract") if period is None else teller.period(period)
    if kind == "grid":
        return teller.miss("grid_fees_unknown", period=when)
    tariff = context.site.tariff
    rule = tariff.export if kind == "export" else tariff.import_
    if kind == "spot":
        if not rule.markets:
            rule = tariff.export
        if not rule.markets:
            return teller.miss("no_market")
    market = rule.markets[0] if rule.markets else ""
    if kind == "spot":
        market = teller.name("market", market)
    what = teller.phrase(f"price_{kind}", market=market)
    first = context.now if period is None else period.timeline(context.zone).start
    bounds = rule.bounds_on(first.astimezone(context.zone).date())
    if bounds is None:
        told = {"period": when, "what": what}
        return _tell_unpublished(teller, context, kind, rule, figures=told)
    lowest, highest = bounds
    figures = {"what": what, "price": teller.figure(f"{kind}_price", lowest, "price")}
    if highest > lowest:
        figures["highest"] = teller.figure(f"highest_{kind}_price", highest, "price")
    spread = "_between" if highest > lowest else ""
    if period is None:
        return teller.miss(f"price_after_contract{spread}", (), **figures)
    teller.say(f"price_declared{spread}", period=when, **figures)
    return teller.finish(sources=(price_source(context, period.timeline(context.zone)),))


def _tell_unpublished(
    teller: Teller,
    context: ToolContext,
    kind: PriceKind,
    rule: ImportRule,
    *,
    figures: dict[str, str],
) -> Findings:
    """Tell that a price is not known yet, its market, and the end of the known prices."""
    code = "price_not_loaded"
    if rule.markets:
        code = "price_unpublished"
        figures |= {"market": teller.name("market", rule.markets[0])}
    until = _find_known_end(context, kind, rule)
    if until is None:
        return teller.miss(code, (), **figures)
    teller.say(code, **figures)
    return teller.miss("price_known_until", until=teller.moment("known_until", until, day=True))


def _find_known_end(context: ToolContext, kind: PriceKind, rule: ImportRule) -> datetime | None:
    """Return the end of the known prices; None where not even the present one is known."""
    start = floor_to(context.now, SLOT)
    timeline = Timeline(start, SLOT, _LOOK_AHEAD // SLOT)
    if kind == "spot" and rule.markets:
        values = prices.read(
            context.connection, rule.markets[0], timeline, currency=context.site.currency
        )
    else:
        values = read_prices(context, timeline, kind)
    known = np.flatnonzero(np.isfinite(values))
    return slot_start(timeline, int(known[-1]) + 1) if known.size else None
