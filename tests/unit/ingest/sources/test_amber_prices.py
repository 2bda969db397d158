"""What Amber says, and what it comes to.

The market's time is ten hours ahead of UTC all year.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from luna.energy.timeline import Timeline, local_day, parse_zone
from luna.platform.clock import FixedClock
from services.ingest.sources.prices.amber import NEM, Amber
from services.ingest.sources.prices.publication import on_quarter_hours
from services.ingest.sources.source import PriceSheet, SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import (
    Service,
    amber,
    amber_with,
    document,
    recorded,
)
from tests.support.suite.tables import each_row

ZONE = parse_zone(NEM)
DAY = local_day(date(2026, 3, 29), ZONE)
# 0:22 of that day.
NOW = datetime(2026, 3, 28, 14, 22, tzinfo=UTC)


def source(service: Service, now: datetime = NOW) -> Amber:
    return Amber(Web("amber", service, sleep=service.wait, clock=FixedClock(now)), "secret")


def rows(sheets: list[PriceSheet]) -> list[tuple[str, float]]:
    return [
        (str(start)[11:16], round(float(price), 6))
        for sheet in sheets
        for start, price in zip(sheet.starts, sheet.price, strict=True)
    ]


def replies() -> Service:
    return Service(
        recorded("amber_sites.json"), recorded("amber_prices.json"), recorded("amber_current.json")
    )


def test_quarter_hours_are_means_of_five_minutes_and_half_hours_stay() -> None:
    service = replies()
    sheets = source(service).fetch("AU-AMBER", DAY.start, DAY.end)
    # (24.12 + 26.34 + 27.54) / 3 = 26 cents; the next one's parts are past 28, current 29 and
    # Amber's forecast 30, where the market operator's is 99.
    assert [(sheet.minutes, rows([sheet])) for sheet in sheets] == [
        (30, [("14:30", 0.315)]),
        (15, [("14:00", 0.26), ("14:15", 0.29)]),
    ]
    assert {(sheet.currency, sheet.published_at) for sheet in sheets} == {("AUD", None)}


def test_a_sold_kwh_earns_what_is_below_zero_at_amber() -> None:
    # (6.5 + 8.5 - 3) / 3 = 4 cents are paid; of the next quarter-hour only one part is known.
    assert rows(source(replies()).fetch("AU-AMBER-FEEDIN", DAY.start, DAY.end)) == [
        ("14:30", 0.12),
        ("14:00", 0.04),
    ]


def test_the_active_site_is_asked_for_the_days_until_today_and_for_what_follows() -> None:
    service = replies()
    tomorrow_ends = DAY.end + timedelta(days=1)
    source(service).fetch("AU-AMBER", DAY.start - timedelta(days=9), tomorrow_ends)
    site = "/v1/sites/01J23BAP2SFA218BMV8A73Y9Z9"
    assert [(request.url.path, dict(request.url.params)) for request in service.asked] == [
        ("/v1/sites", {}),
        (f"{site}/prices", {"startDate": "2026-03-20", "endDate": "2026-03-26"}),
        (f"{site}/prices", {"startDate": "2026-03-27", "endDate": "2026-03-29"}),
        # 47 hours and 38 minutes in parts of five minutes.
        (f"{site}/prices/current", {"next": "572"}),
    ]
    assert {request.headers["authorization"] for request in service.asked} == {"Bearer secret"}


def test_of_days_that_are_over_nothing_ahead_is_asked_for() -> None:
    service = replies()
    source(service, DAY.end).fetch("AU-AMBER", DAY.start, DAY.end)
    assert [request.url.path.rsplit("/", 1)[-1] for request in service.asked] == ["sites", "prices"]


def test_the_account_needs_an_active_site_with_the_channel() -> None:
    with pytest.raises(SourceRefusedError, match="controlledLoad"):
        source(replies()).fetch("AU-AMBER-CONTROLLED", DAY.start, DAY.end)
    with pytest.raises(SourceRefusedError, match="no active site"):
        source(Service(document([]))).fetch("AU-AMBER", DAY.start, DAY.end)


def day_of(day: Timeline) -> tuple[list[datetime], list[float]]:
    starts = list(day)[::2]
    return starts, [float(place) for place in range(len(starts))]


@each_row(
    "day",
    [date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4)],
    ids=["usual", "clocks back in Sydney", "clocks forward in Sydney"],
)
def test_every_day_of_the_market_has_24_hours(day: date) -> None:
    slots = local_day(day, ZONE)
    service = amber(*day_of(slots), kind="ActualInterval")
    (sheet,) = source(service, slots.end).fetch("AU-AMBER", slots.start, slots.end)
    starts, price = on_quarter_hours(sheet)
    assert starts.tolist() == slots.starts.tolist()
    np.testing.assert_allclose(price, np.repeat(np.arange(48), 2) / 100)


def test_an_empty_answer_is_no_price_and_half_a_day_is_half_of_them() -> None:
    assert source(amber([], [])).fetch("AU-AMBER", DAY.start, DAY.end) == []
    starts, cents = day_of(DAY)
    (sheet,) = source(amber(starts[:24], cents[:24])).fetch("AU-AMBER", DAY.start, DAY.end)
    assert len(sheet.price) == 24


def interval(minutes_in: int, cents: float, *, minutes: int = 5, **change: Any) -> dict[str, Any]:
    start = DAY.start + timedelta(minutes=minutes_in)
    return {
        "type": "ActualInterval",
        "duration": minutes,
        "startTime": (start + timedelta(seconds=1)).isoformat(),
        "endTime": (start + timedelta(minutes=minutes)).isoformat(),
        "perKwh": cents,
        "channelType": "general",
    } | change


def test_of_a_doubled_interval_the_later_one_counts() -> None:
    past = [interval(0, 10.0), interval(5, 10.0), interval(10, 10.0), interval(30, 8.0, minutes=30)]
    ahead = [interval(10, 40.0), interval(30, 9.0, minutes=30)]
    sheets = source(amber_with(past, ahead)).fetch("AU-AMBER", DAY.start, DAY.end)
    assert rows(sheets) == [("14:30", 0.09), ("14:00", 0.2)]


def test_a_part_that_comes_twice_makes_no_whole_quarter_hour() -> None:
    past = [interval(0, 10.0), interval(5, 10.0), interval(5, 12.0)]
    assert source(amber_with(past, [])).fetch("AU-AMBER", DAY.start, DAY.end) == []


@each_row(
    "fault",
    [
        interval(0, 10.0, duration=30),
        interval(0, 10.0, endTime=(DAY.start + timedelta(minutes=10)).isoformat()),
        interval(0, 10.0, minutes=7),
        interval(7, 10.0, minutes=30),
        interval(0, 10.0, perKwh="dear"),
        interval(0, 10.0, startTime="2026-03-29T00:00:01"),
    ],
    ids=["duration", "end", "odd length", "odd start", "no number", "no offset"],
)
def test_amber_is_not_believed_where_it_contradicts_itself(fault: dict[str, Any]) -> None:
    with pytest.raises(SourceError):
        source(amber_with([interval(30, 10.0), fault], [])).fetch("AU-AMBER", DAY.start, DAY.end)


def test_a_fault_in_another_channel_is_none_of_this_one() -> None:
    other = interval(0, 10.0, duration=30, channelType="feedIn")
    past = [other, interval(30, 10.0, minutes=30)]
    assert rows(source(amber_with(past, [])).fetch("AU-AMBER", DAY.start, DAY.end)) == [
        ("14:30", 0.1)
    ]
