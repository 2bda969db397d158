"""Components of a price, by numbers derived by hand."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.site import Tariff, parse_site
from luna.energy.timeline import SLOT, Timeline, local_day
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
FIXED = {"name": "levies", "kind": "fixed", "price": 0.05}
BLOCKS = {"name": "energy", "kind": "blocks", "blocks": [{"price": 0.2}]}
STEPS = {
    "name": "feed-in",
    "kind": "plant_size",
    "plant_kw": 12.0,
    "unit": "cents_per_kwh",
    "steps": [{"up_to_kw": 10, "price": 8.0}, {"price": 7.4}],
}


def describe(*components: dict[str, Any], **export: Any) -> Tariff:
    tariff: dict[str, Any] = {"import": {"kind": "components", "components": components}}
    return Tariff.model_validate(tariff | export)


def price(tariff: Tariff, timeline: Timeline, **spot: Any) -> list[float]:
    return price_slots(tariff, timeline, zone=BERLIN, spot=spot)[0].round(9).tolist()


def test_parts_add_up_in_the_units_of_the_bill_with_their_own_tax() -> None:
    tariff = describe(
        {"name": "energy", "kind": "spot", "market": "DE", "vat": 0.19},
        {"name": "grid fee", "kind": "fixed", "price": 10.0, "unit": "cents_per_kwh", "vat": 0.19},
        {"name": "surcharge", "kind": "fixed", "price": 20.0, "unit": "per_mwh"},
    )
    timeline = Timeline(datetime(2026, 3, 2, tzinfo=UTC), SLOT, 2)
    # (0.08 + 0.10) · 1.19 + 0.02, and (−0.05 + 0.10) · 1.19 + 0.02.
    assert price(tariff, timeline, DE=np.array([0.08, -0.05])) == [0.2342, 0.0795]


def test_a_calendar_follows_month_weekday_holiday_and_clock() -> None:
    fee = {
        "name": "grid fee",
        "kind": "calendar",
        "price": 0.10,
        "holidays": "DE",
        "windows": [
            {"from": "22:00", "to": "06:00", "price": 0.02},
            {"from": "17:00", "to": "20:00", "days": "weekday", "months": [1, 5], "price": 0.30},
            {"days": ["sun"], "price": 0.05},
        ],
    }
    tariff = describe(fee)
    hours = [0, 6, 17, 20, 22]
    rows = {
        # A Monday in May; 1 May 2026 is a Friday and a holiday; a Sunday; a Monday in June.
        date(2026, 5, 4): [0.02, 0.10, 0.30, 0.10, 0.02],
        date(2026, 5, 1): [0.02, 0.05, 0.05, 0.05, 0.02],
        date(2026, 5, 3): [0.02, 0.05, 0.05, 0.05, 0.02],
        date(2026, 6, 8): [0.02, 0.10, 0.10, 0.10, 0.02],
    }
    for day, expected in rows.items():
        priced = price(tariff, local_day(day, BERLIN))
        assert [priced[4 * hour] for hour in hours] == expected, day


def test_a_price_changes_at_local_midnight_of_its_date() -> None:
    tariff = describe(
        {"name": "fee", "kind": "fixed", "price": 0.1, "valid_to": "2027-01-01"},
        {"name": "fee", "kind": "fixed", "price": 0.3, "valid_from": "2027-01-01"},
    )
    # 22:45 to 23:30 UTC; the year ends at 23:00 UTC.
    timeline = Timeline(datetime(2026, 12, 31, 22, 45, tzinfo=UTC), SLOT, 3)
    assert price(tariff, timeline) == [0.1, 0.3, 0.3]


def test_an_hour_is_billed_at_its_mean() -> None:
    tariff = describe({"name": "energy", "kind": "spot", "market": "NO", "billing_minutes": 60})
    timeline = Timeline(datetime(2026, 1, 5, tzinfo=UTC), SLOT, 8)
    spot = np.array([0.0, 0.0, 0.4, 0.8, 1.0, 1.0, np.nan, 1.0])
    priced = price_slots(tariff, timeline, zone=BERLIN, spot={"NO": spot})[0]
    np.testing.assert_allclose(priced, [0.3] * 4 + [np.nan] * 4)


def test_hours_follow_the_clock_of_a_half_hour_zone() -> None:
    tariff = describe({"name": "energy", "kind": "spot", "market": "AU", "billing_minutes": 60})
    adelaide = ZoneInfo("Australia/Adelaide")
    # Adelaide is 9.5 hours ahead in July: 00:00 UTC is 09:30 there.
    timeline = Timeline(datetime(2026, 7, 1, tzinfo=UTC), SLOT, 4)
    spot = {"AU": np.array([1.0, 3.0, 5.0, 7.0])}
    priced = price_slots(tariff, timeline, zone=adelaide, spot=spot)[0]
    assert priced.tolist() == [2.0, 2.0, 6.0, 6.0]


def test_feed_in_earns_nothing_while_the_market_is_below_zero() -> None:
    paid = STEPS | {"zero_below_spot": "DE"}
    tariff = describe(FIXED, export={"kind": "components", "components": [paid]})
    timeline = Timeline(datetime(2026, 6, 1, tzinfo=UTC), SLOT, 3)
    spot = {"DE": np.array([0.01, -0.001, 0.0])}
    earned = price_slots(tariff, timeline, zone=BERLIN, spot=spot)[1]
    # (10 · 8.0 + 2 · 7.4) / 12 = 7.9 ct.
    np.testing.assert_allclose(earned, [0.079, 0.0, 0.079])
    assert tariff.markets == ["DE"]


def test_a_rule_of_one_kind_is_the_same_as_its_components() -> None:
    bands = [{"from": "06:00", "to": "22:00", "days": "weekday", "price": 0.35}]
    by_clock = {"kind": "time_of_use", "default": 0.25, "bands": bands}
    windows = {"name": "energy", "kind": "calendar", "price": 0.25, "windows": bands}
    day = local_day(date(2026, 3, 29), BERLIN)
    assert price(Tariff.model_validate({"import": by_clock}), day) == price(describe(windows), day)


@each_row(
    ("components", "reason"),
    [
        ([FIXED, FIXED], "components-overlap"),
        ([FIXED | {"valid_from": "2026-02-01", "valid_to": "2026-02-01"}], "dates-reversed"),
        ([BLOCKS, BLOCKS | {"name": "more"}], "blocks-twice"),
        (
            [
                BLOCKS | {"valid_to": "2026-02-02"},
                BLOCKS | {"name": "more", "valid_from": "2026-02-01"},
            ],
            "blocks-twice",
        ),
        ([STEPS | {"steps": [{"up_to_kw": 10, "price": 8.0}]}], "plant-beyond-steps"),
        ([STEPS | {"steps": [{"price": 8.0}, {"up_to_kw": 20, "price": 7.0}]}], "steps-fall"),
        (
            [
                {"name": "a", "kind": "calendar", "price": 0, "windows": [{"price": 1}]}
                | {"holidays": "XX"}
            ],
            "holidays-unknown",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(components: list[dict[str, Any]], reason: str) -> None:
    site = {
        "name": "home",
        "timezone": "Europe/Berlin",
        "tariff": {"import": {"kind": "components", "components": components}},
    }
    with pytest.raises(InvalidInputError) as refused:
        parse_site(site)
    assert refused.value.reason == reason
