"""Forecasts of ComEd's prices: the day-ahead market's hours, on days of 23, 24 and 25 hours."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from luna.energy.timeline import SLOT, Timeline, local_day
from luna.platform.clock import FixedClock
from services.ingest.collected_prices import Need
from services.ingest.price_collection import collect, date_prices
from services.ingest.sources.prices.comed import ComEd
from services.ingest.sources.prices.comed_day_ahead import ComEdDayAhead
from services.ingest.sources.prices.registry import market_named
from services.ingest.sources.source import PriceSheet, SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import Reply, Service, document
from tests.support.suite.tables import each_row

CHICAGO = ZoneInfo("America/Chicago")
DAY = date(2026, 6, 9)
# 10:20 in Chicago: the quarter-hour from 10:15 runs.
NOW = datetime(2026, 6, 9, 15, 20, tzinfo=UTC)
TODAY = local_day(DAY, CHICAGO)


def feed(day: date, hours: Sequence[int], first_cents: float = 1.0) -> httpx.Response:
    """Return the answer for a day: each hour is a tenth of a cent dearer than the one before."""
    rows = [
        f"[Date.UTC({day.year},{day.month - 1},{day.day},{hour},0,0), "
        f"{round(first_cents + place / 10, 1)}]"
        for place, hour in enumerate(hours)
    ]
    return httpx.Response(200, text=f"[{', '.join(rows)}]")


def open_at(now: datetime, *replies: Reply) -> tuple[ComEdDayAhead, Service]:
    service = Service(*replies)
    web = Web("service", service, sleep=service.wait, clock=FixedClock(now))
    return ComEdDayAhead(web), service


def starts_of(sheet: PriceSheet) -> list[datetime]:
    return [start.replace(tzinfo=UTC) for start in sheet.starts.tolist()]


def test_it_forecasts_from_the_quarter_hour_that_runs_until_tomorrow_s_end() -> None:
    tomorrow = local_day(DAY + timedelta(days=1), CHICAGO)
    source, service = open_at(
        NOW, feed(DAY, range(24)), feed(DAY + timedelta(days=1), range(24), -1.0)
    )
    (sheet,) = source.fetch("US-COMED", TODAY.start, tomorrow.end)
    ahead = NOW - timedelta(minutes=5)
    assert starts_of(sheet) == list(Timeline(ahead, SLOT, (tomorrow.end - ahead) // SLOT))
    # The eleventh hour of today costs 2.0 cents, the first of tomorrow -1.0.
    assert sheet.price[0] == pytest.approx(0.02)
    assert sheet.price[-96] == pytest.approx(-0.01)
    assert (sheet.currency, sheet.minutes, sheet.published_at) == ("USD", 15, None)
    asked = [dict(request.url.params) for request in service.asked]
    assert asked == [
        {"type": "daynexttoday", "date": "20260609"},
        {"type": "daynexttoday", "date": "20260610"},
    ]


def test_what_is_over_is_not_asked_for() -> None:
    source, service = open_at(NOW, feed(DAY, range(24)))
    assert source.fetch("US-COMED", TODAY.start - timedelta(days=9), TODAY.start) == []
    assert service.asked == []


# In spring the third row is an hour that clocks skip; in autumn the second hour stands twice.
@each_row(
    "day, hours, cents",
    [
        (date(2026, 3, 8), [*range(24)], [10, 11, *range(13, 34)]),
        (date(2026, 3, 8), [0, 1, *range(3, 24)], [*range(10, 33)]),
        (date(2026, 11, 1), [0, 1, 1, *range(2, 24)], [*range(10, 35)]),
    ],
    ids=["23 of 24 hours", "23 hours", "25 hours"],
)
def test_a_day_on_which_clocks_change_has_its_hours(
    day: date, hours: list[int], cents: list[int]
) -> None:
    slots = local_day(day, CHICAGO)
    source, _ = open_at(slots.start, feed(day, hours))
    (sheet,) = source.fetch("US-COMED", slots.start, slots.end)
    assert starts_of(sheet) == list(slots)
    assert (sheet.price[::4] * 1000).round(6).tolist() == cents


@each_row(
    "reply, count",
    [
        (httpx.Response(200, text="[]"), 0),
        (feed(DAY, range(12)), 48),
        (feed(DAY - timedelta(days=1), range(24)), 0),
        (feed(DAY, [5, 5]), 4),
    ],
    ids=["not out yet", "half a day", "another day", "doubled"],
)
def test_hours_that_are_not_there_stay_missing(reply: httpx.Response, count: int) -> None:
    source, _ = open_at(TODAY.start, reply)
    sheets = source.fetch("US-COMED", TODAY.start, TODAY.end)
    assert sum(sheet.starts.size for sheet in sheets) == count


@each_row(
    "reply, error",
    [
        (httpx.Response(200, text="<html>Sorry</html>"), SourceError),
        (httpx.Response(200, text="[[Date.UTC(2026,5,9,0,0,0), null]]"), SourceError),
        (httpx.Response(200, text="[[Date.UTC(2026,5,9), 2.0]]"), SourceError),
        (httpx.Response(401), SourceRefusedError),
        (httpx.Response(429), SourceError),
        (httpx.Response(500), SourceError),
        (httpx.ReadTimeout("late"), SourceError),
    ],
    ids=["a page", "no number", "no hour", "401", "429", "500", "late"],
)
def test_an_answer_that_cannot_be_used_is_refused(reply: Reply, error: type[Exception]) -> None:
    source, _ = open_at(TODAY.start, reply)
    with pytest.raises(error):
        source.fetch("US-COMED", TODAY.start, TODAY.end)


def test_a_forecast_that_fails_loses_no_real_price_and_is_told() -> None:
    prices = [
        {"millisUTC": str(int((NOW - n * timedelta(minutes=5)).timestamp() * 1000)), "price": "2.0"}
        for n in range(1, 8)
    ]
    real = Service(document(prices))
    broken, _ = open_at(NOW, httpx.Response(200, text="no list"))
    need = Need("US-COMED", "USD", Timeline(NOW - timedelta(minutes=35), SLOT, 4))
    collected = collect([ComEd(Web("comed", real, sleep=real.wait)), broken], need)
    # From 9:45 and 10:00 on it has all five minutes; the one that runs, and the next, are unknown.
    assert np.isfinite(collected.price).tolist() == [True, True, False, False]
    assert [fault for fault in collected.faults if "comed_day_ahead" in fault]


def test_a_forecast_is_none_of_a_settled_price_until_its_slot_is_over() -> None:
    source, _ = open_at(NOW, feed(DAY, range(24)))
    need = Need("US-COMED", "USD", Timeline(NOW - timedelta(minutes=5), SLOT, 4))
    collected = collect([source], need)
    changed, known_from = date_prices(
        collected, np.full(4, np.nan), now=NOW, market=market_named("US-COMED")
    )
    assert changed.all()
    assert set(known_from.tolist()) == {NOW.replace(tzinfo=None)}
