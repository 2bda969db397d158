"""Prices beyond what is published, as past days let expect them, in the place of the last known day again."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.economics import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_midnight
from services.forecaster.scenarios.price_model import MEMORY, look_beyond
from services.planner.problem.knowledge import SitePrices
from services.planner.problem.problem import Problem

# A plan's horizon ends within so many local days from the midnight before its start, a change of the clock included.
_AHEAD = timedelta(days=3, hours=1)


def foresee_prices(problem: Problem, prices: SitePrices) -> Problem:
    """Return the problem with the prices that past days let expect where none are published; as it is where nothing can be said of them.

    Invariants: published prices stay as they are, and nothing published after the problem's start is read.
    """
    timeline = problem.outlook.timeline
    if (timeline.step, prices.timeline.step) != (SLOT, SLOT):
        return problem
    try:
        carried, expected = prices.ahead(timeline.start, timeline), expect_prices(prices, timeline)
    except InvalidInputError:  # a price is missing, or the plan is not on the grid of prices: what the planner expects stands
        return problem
    off_import, off_export = expected[0] - carried.import_price, expected[1] - carried.export_price
    if not np.isfinite(off_import + off_export).all():
        return problem
    return _shift(problem, off_import, off_export)


def _shift(problem: Problem, off_import: FloatArray, off_export: FloatArray) -> Problem:
    """Return the problem with other prices, what is really paid among them."""
    outlook, billed = problem.outlook, problem.billed
    return replace(
        problem,
        outlook=replace(outlook, import_price=outlook.import_price + off_import, export_price=outlook.export_price + off_export),
        billed=None if billed is None else _shift(billed, off_import, off_export),
    )


def expect_prices(prices: SitePrices, timeline: Timeline) -> tuple[FloatArray, FloatArray]:
    """Return import and export price of each slot, ``(slots,)``: as published by the timeline's start, beyond that as expected; NaN where nothing is known.

    Raises:
        InvalidInputError: the timeline is not on the grid of the prices.
    """
    zone, spot = ZoneInfo(prices.site.timezone), {}
    place = prices.timeline.index_of(timeline.start)
    midnight = local_midnight(timeline.start.astimezone(zone).date(), zone)
    begin = place - (timeline.start - midnight) // SLOT
    first, end = max(begin - MEMORY // SLOT, 0), min(begin + _AHEAD // SLOT, prices.timeline.count)
    for market, book in prices.books.items():
        published = book.read(timeline.start, first, end)
        expected = _expect(published.tobytes(), prices.timeline.start + first * SLOT, max(begin, first) - first, prices.site.timezone)
        spot[market] = expected[place - max(begin, first) :][: timeline.count]
    return price_slots(prices.site.tariff, timeline, zone=zone, spot=spot)


@lru_cache(maxsize=32)
def _expect(published: bytes, start: datetime, ahead: int, timezone: str) -> FloatArray:
    """Return the expected prices from slot ``ahead`` of a series on, NaN beyond the published ones where too few days are known to learn from.

    They change only when prices are published, or a day begins.
    """
    series = np.frombuffer(published)
    timeline = Timeline(start + ahead * SLOT, SLOT, series.size - ahead)
    market = look_beyond(series, Timeline(start, SLOT, series.size), timeline=timeline, zone=ZoneInfo(timezone))
    return market.published if market.reasons else market.expected
