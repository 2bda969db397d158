"""Prices of Octopus Intelligent: day, night, and the half-hours that are dispatched."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from luna.energy.timeline import SLOT, Timeline, local_day
from luna.platform.clock import FixedClock
from services.ingest.collected_prices import Need
from services.ingest.price_collection import collect, date_prices
from services.ingest.sources.prices.octopus_intelligent import OctopusIntelligent
from services.ingest.sources.prices.registry import market_named
from services.ingest.sources.source import SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import document
from tests.support.suite.tables import each_row

LONDON = ZoneInfo("Europe/London")
# 14:40 in London.
NOW = datetime(2026, 6, 9, 13, 40, tzinfo=UTC)
TODAY = local_day(date(2026, 6, 9), LONDON)
NIGHT = 0.07
DAY = 0.28
Answer = dict[str, Any]


def instant(hour: int, minute: int = 0) -> str:
    """Return a time of the ninth of June in London, as GraphQL writes it."""
    return datetime(2026, 6, 9, hour, minute, tzinfo=LONDON).isoformat()


def planned(begin: str, end: str, kind: str | None = "SMART") -> Answer:
    return {"start": begin, "end": end, "type": kind}


def completed(begin: str, end: str, source: str | None = None) -> Answer:
    return {"start": begin, "end": end, "meta": {"source": source}}


def error(code: str) -> Answer:
    return {"errors": [{"message": "No.", "extensions": {"errorCode": code}}], "data": None}


class OctopusServer(httpx.BaseTransport):
    """Octopus' two interfaces as recorded: GraphQL, and rates with two rows a night, paged."""

    def __init__(
        self,
        *,
        plans: Sequence[Answer] = (),
        done: Sequence[Answer] = (),
        replies: dict[str, Answer] | None = None,
        points: Answer | None = None,
        days: Sequence[date] = (date(2026, 6, 8), date(2026, 6, 9), date(2026, 6, 10)),
    ) -> None:
        self.days = days
        self.asked: list[httpx.Request] = []
        tariff = {"productCode": "INTELLI-VAR-22-10-14", "tariffCode": "E-1R-INTELLI-VAR-C"}
        agreement = {"validFrom": "2025-01-01T00:00:00Z", "validTo": None, "tariff": tariff}
        supply = {"meterPoint": {"agreements": [agreement]}}
        car = {"id": "car", "deviceType": "ELECTRIC_VEHICLES", "status": {"current": "LIVE"}}
        old = {"id": "old", "deviceType": "ELECTRIC_VEHICLES", "status": {"current": "RETIRED"}}
        account = {
            "account": {"electricityAgreements": [supply]},
            "devices": [old, car],
            "rateLimitInfo": points and {"pointsAllowanceRateLimit": points},
        }
        dispatches = {"flexPlannedDispatches": [*plans], "completedDispatches": [*done]}
        self.replies = {
            "obtainKrakenToken": {"data": {"obtainKrakenToken": {"token": "for-an-hour"}}},
            "electricityAgreements": {"data": account},
            "flexPlannedDispatches": {"data": dispatches},
        } | (replies or {})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        if request.method == "GET":
            return self._list_rates(int(request.url.params["page"]))
        query = json.loads(request.content)["query"]
        (name,) = [name for name in self.replies if name in query]
        return document(self.replies[name])

    def _list_rates(self, page: int) -> httpx.Response:
        rows = []
        for day in self.days:
            begin = datetime(day.year, day.month, day.day, 5, 30, tzinfo=LONDON)
            evening = begin.replace(hour=23)
            morning = begin + timedelta(days=1)
            for pence, start, end in ((28.0, begin, evening), (7.0, evening, morning)):
                dearer = {"value_inc_vat": pence + 2, "payment_method": "NON_DIRECT_DEBIT"}
                usual = {"value_inc_vat": pence, "payment_method": "DIRECT_DEBIT"}
                times = {
                    "valid_from": start.astimezone(UTC).isoformat(),
                    "valid_to": end.astimezone(UTC).isoformat(),
                }
                rows += [usual | times, dearer | times]
        half = len(rows) // 2
        more = "https://next" if page == 1 else None
        return document({"results": rows[:half] if page == 1 else rows[half:], "next": more})


def fetch(server: OctopusServer, slots: Timeline = TODAY, now: datetime = NOW) -> dict[str, float]:
    """Return the price of each slot that has one, by its time in London."""
    web = Web("octopus_intelligent", server, sleep=lambda _: None, clock=FixedClock(now))
    sheets = OctopusIntelligent(web, "A-1:key").fetch("GB-INTELLIGENT", slots.start, slots.end)
    prices = {}
    for sheet in sheets:
        for start, price in zip(sheet.starts.tolist(), sheet.price.tolist(), strict=True):
            local = start.replace(tzinfo=UTC).astimezone(LONDON)
            prices[f"{local:%H:%M}"] = round(price, 6)
    return prices


def test_the_night_is_cheap_and_so_is_every_half_hour_that_a_planned_dispatch_touches() -> None:
    server = OctopusServer(plans=[planned(instant(16, 10), instant(17))])
    prices = fetch(server)
    assert prices["05:15"] == prices["23:30"] == NIGHT
    assert prices["14:30"] == prices["15:45"] == prices["17:00"] == DAY
    # From 16:10 on: the half-hour from 16:00 on is paid at the night's price as a whole.
    assert [prices[clock] for clock in ("16:00", "16:15", "16:30", "16:45")] == [NIGHT] * 4
    assert [request.headers.get("authorization") for request in server.asked[:3]] == [
        None,
        "for-an-hour",
        "for-an-hour",
    ]
    variables = json.loads(server.asked[2].content)["variables"]
    assert variables == {"account": "A-1", "device": "car"}
    assert "/products/INTELLI-VAR-22-10-14/electricity-tariffs/E-1R-INTELLI-VAR-C/" in str(
        server.asked[3].url
    )


@each_row(
    "dispatch, price",
    [
        (planned(instant(16), instant(17), "SMART"), NIGHT),
        (planned(instant(16), instant(17), None), NIGHT),
        (planned(instant(16), instant(17), "smart-charge"), NIGHT),
        (planned(instant(16), instant(17), "BOOST"), DAY),
        (planned(instant(16), instant(17), "TEST"), DAY),
    ],
    ids=["smart", "unnamed", "older name", "boost", "test"],
)
def test_only_what_octopus_chose_is_cheap(dispatch: Answer, price: float) -> None:
    assert fetch(OctopusServer(plans=[dispatch]))["16:00"] == price


def test_what_was_dispatched_settles_and_what_nobody_remembers_has_no_price() -> None:
    done = [
        completed(instant(1), instant(2)),
        completed(instant(7), instant(7, 30), "smart-charge"),
    ]
    # At 23:40 the morning until 11:30 is more than twelve hours ago.
    late = datetime(2026, 6, 9, 22, 40, tzinfo=UTC)
    prices = fetch(OctopusServer(done=done), now=late)
    assert prices["01:00"] == prices["07:00"] == NIGHT
    assert "08:00" not in prices
    assert prices["12:00"] == DAY


def test_a_plan_that_is_withdrawn_is_a_revision_and_no_settled_price() -> None:
    need = Need("GB-INTELLIGENT", "GBP", Timeline(NOW.replace(hour=15, minute=0), SLOT, 2))
    stored = np.full(2, NIGHT)
    web = Web("octopus_intelligent", OctopusServer(), clock=FixedClock(NOW))
    collected = collect([OctopusIntelligent(web, "A-1:key")], need)
    changed, known_from = date_prices(
        collected, stored, now=NOW, market=market_named("GB-INTELLIGENT")
    )
    assert changed.all()
    assert set(known_from.tolist()) == {NOW.replace(tzinfo=None)}


@each_row("day, hours", [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)], ids=["23 h", "25 h"])
def test_a_day_on_which_clocks_change_has_its_quarter_hours(day: date, hours: int) -> None:
    slots = local_day(day, LONDON)
    around = [day + timedelta(days=each) for each in (-1, 0, 1)]
    server = OctopusServer(days=around)
    web = Web("octopus_intelligent", server, clock=FixedClock(slots.start))
    (sheet,) = OctopusIntelligent(web, "A-1:key").fetch("GB-INTELLIGENT", slots.start, slots.end)
    assert sheet.starts.tolist() == slots.starts.tolist()
    # From 5:30 to 23:30 it is day, whatever the clocks do at night.
    assert (sheet.price == NIGHT).sum() == 4 * hours - 72


@each_row(
    "replies",
    [
        {"obtainKrakenToken": error("KT-CT-1139")},
        {"electricityAgreements": error("KT-CT-1111")},
        {
            "electricityAgreements": {
                "data": {"account": {"electricityAgreements": []}, "devices": []}
            }
        },
    ],
    ids=["wrong key", "not this account", "another tariff"],
)
def test_what_waiting_does_not_mend_is_refused_without_telling_the_key(
    replies: dict[str, Answer],
) -> None:
    with pytest.raises(SourceRefusedError) as refusal:
        fetch(OctopusServer(replies=replies))
    assert "A-1:key" not in str(refusal.value)


@each_row(
    "replies",
    [
        {"obtainKrakenToken": error("KT-CT-1199")},
        {"flexPlannedDispatches": error("KT-CT-4340")},
        {"flexPlannedDispatches": {"data": {"flexPlannedDispatches": [{"start": "now"}]}}},
        {"flexPlannedDispatches": {"data": None}},
    ],
    ids=["too many requests", "no plans", "no time", "nothing"],
)
def test_prices_without_dispatches_are_not_taken_for_all_there_is(
    replies: dict[str, Answer],
) -> None:
    with pytest.raises(SourceError):
        fetch(OctopusServer(replies=replies))


# The next hour's points come at 14:00 UTC.
POINTS = {"limit": 50_000, "isBlocked": False, "ttl": NOW.replace(hour=14, minute=0).timestamp()}


@each_row(
    "points",
    [
        POINTS | {"remainingPoints": 4_999},
        POINTS | {"remainingPoints": 6_000, "isBlocked": True},
    ],
    ids=["the last tenth", "blocked"],
)
def test_the_last_points_of_an_hour_are_left_to_the_customer_s_other_programs(
    points: Answer,
) -> None:
    server = OctopusServer(points=points)
    with pytest.raises(SourceError, match="after 14:00 UTC"):
        fetch(server)
    # After token and account nothing more is asked.
    assert len(server.asked) == 2


@each_row(
    "points",
    [POINTS | {"remainingPoints": 5_000}, POINTS | {"remainingPoints": None}, None],
    ids=["more than a tenth", "not counted", "not told"],
)
def test_with_points_left_or_unknown_prices_are_fetched(points: Answer | None) -> None:
    assert fetch(OctopusServer(points=points))["05:15"] == NIGHT


def test_a_token_without_an_account_is_refused_before_anything_is_asked() -> None:
    server = OctopusServer()
    with pytest.raises(SourceRefusedError, match="account:api_key"):
        OctopusIntelligent(Web("octopus_intelligent", server), "key").fetch(
            "GB-INTELLIGENT", TODAY.start, TODAY.end
        )
    assert server.asked == []
