"""Which recorded days of a stored site can be lived again."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.data import DayQuality
from luna.energy.day_fault import DayFault
from luna.energy.errors import NotFoundError
from luna.energy.site import parse_site
from luna.energy.timeline import local_days
from luna.platform.database import observations, quality, sites
from luna.platform.database.engine import unit_of_work
from luna.words.quality import say_day_fault
from services.agent.evaluation.days import choose_unseen_days
from services.agent.evaluation.record import read_record
from tests.support.forecasts.evaluated_home import (
    FIRST,
    LAST,
    SITE,
    UNSEEN,
    ZONE,
    evaluated_home,
    observe,
)


@pytest.fixture
def recorded(database: Engine) -> Iterator[Connection]:
    with evaluated_home(database), unit_of_work(database) as connection:
        yield connection


def test_a_record_without_gaps_has_nothing_against_any_day(recorded: Connection) -> None:
    record = read_record(recorded, SITE)
    assert (record.first, record.last, record.unusable) == (FIRST, LAST, {})
    assert [week.first for week in choose_unseen_days(record, count=14).weeks] == [
        UNSEEN,
        UNSEEN + timedelta(days=7),
    ]


def test_gaps_and_excluded_days_are_told_with_their_reason(recorded: Connection) -> None:
    seen = observe(local_days(FIRST, LAST, ZONE))
    gone = slice(400, 402)  # of the fifth day
    observations.withdraw(
        recorded, SITE.name, "load_kwh", starts=seen.starts[gone], values=seen.load_kwh[gone]
    )
    quality.save(
        recorded,
        SITE.name,
        [DayQuality(day=date(2024, 4, 9), verdict="exclude", faults=[DayFault("open")])],
    )
    quality.save(recorded, SITE.name, [DayQuality(day=date(2024, 4, 2), verdict="mask_battery")])
    record = read_record(recorded, SITE)
    # What a battery did counts for nothing here: replays have their own.
    assert record.unusable == {
        FIRST + timedelta(days=4): "load_kwh is unknown in 2 slots",
        date(2024, 4, 9): f"exclude; {say_day_fault(DayFault('open'))}",
    }


def test_a_day_without_prices_cannot_be_lived_again(recorded: Connection) -> None:
    spot = {
        "import": {"kind": "spot", "market": "NOWHERE"},
        "export": {"kind": "fixed", "price": 0.07},
    }
    record = read_record(
        recorded,
        parse_site(SITE.model_dump(mode="json", by_alias=True) | {"tariff": spot}),
        first=UNSEEN,
        last=UNSEEN,
    )
    assert record.unusable == {UNSEEN: "the price NOWHERE is unknown in 96 slots"}


def test_a_site_without_records_says_how_to_load_them(connection: Connection) -> None:
    site = parse_site({"name": "empty", "timezone": "Europe/Berlin"})
    sites.save(connection, site)
    with pytest.raises(NotFoundError) as raised:
        read_record(connection, site)
    assert raised.value.reason == "no-whole-day-recorded"
    assert "luna data load" in (raised.value.remedy or "")
