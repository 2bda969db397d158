"""Why a kWh costs what it costs in a slot, by numbers derived by hand."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.economics.price_explanation import PriceExplanation, explain_price
from luna.energy.economics.prices import price_slots
from luna.energy.site import OWN_EXPORT, OWN_IMPORT, Tariff
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import FloatArray, local_day, local_instant
from tests.support.billing.reference import price_at
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
WEDNESDAY = date(2024, 1, 31)
SPRING = date(2024, 3, 31)
AUTUMN = date(2024, 10, 27)
MARKET = "DE-LU"
GRID_FEE = {
    "kind": "calendar",
    "name": "grid fee",
    "unit": "cents_per_kwh",
    "price": 8.0,
    "windows": [
        {"from": "15:00", "to": "20:00", "price": 16.0, "days": "weekday", "months": [1, 10]},
        {"from": "22:00", "to": "06:00", "price": 2.0},
    ],
}
SPOT = {"kind": "spot", "name": "energy", "market": MARKET, "vat": 0.25}
TAX = {"kind": "fixed", "name": "tax", "price": 0.02}
KINDS: dict[str, dict[str, Any]] = {
    "fixed": {"kind": "fixed", "price": 0.3},
    "time_of_use": {
        "kind": "time_of_use",
        "default": 0.34,
        "bands": [{"from": "22:00", "to": "06:00", "price": 0.24}],
    },
    "spot": {"kind": "spot", "market": MARKET, "markup": 0.1, "vat": 0.19},
    "series": {"kind": "series"},
    "blocks": {"kind": "blocks", "blocks": [{"up_to_kwh": 250, "price": 0.2}, {"price": 0.4}]},
    "components": {"kind": "components", "components": [SPOT, GRID_FEE, TAX]},
}


def sum_of(*components: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "components", "components": list(components)}


def explain(
    rule: dict[str, Any], day: date, clock: str, *, spot: FloatArray | float = 0.1
) -> PriceExplanation:
    """Return the explanation of a bought kWh; ``spot``: the market's prices of the local day."""
    tariff = Tariff.model_validate({"import": rule})
    slots = local_day(day, BERLIN)
    prices = np.broadcast_to(spot, slots.count)
    series = {MARKET: prices, OWN_IMPORT: prices, OWN_EXPORT: prices}
    at = local_instant(day, clock, BERLIN)
    return explain_price(tariff.import_, PricedSlots(slots, BERLIN, series, OWN_IMPORT), at)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("day", [WEDNESDAY, SPRING, AUTUMN], ids=str)
def test_the_sum_is_the_price_of_the_slot(kind: str, day: date) -> None:
    rule = KINDS[kind]
    slots = local_day(day, BERLIN)
    spot = np.sin(np.arange(slots.count)) / 10
    tariff = Tariff.model_validate({"import": rule})
    series = {MARKET: spot, OWN_IMPORT: spot}
    imported, _ = price_slots(tariff, slots, zone=BERLIN, spot=series)
    for slot, at in enumerate(slots):
        priced = PricedSlots(slots, BERLIN, series, OWN_IMPORT)
        explanation = explain_price(tariff.import_, priced, at)
        parts = [component.on_day.price for component in explanation.components]
        taxed = [component.net_price + component.tax for component in explanation.components]
        assert explanation.on_day.price == imported[slot]
        assert sum(parts) == pytest.approx(imported[slot])
        assert sum(taxed) == pytest.approx(imported[slot])
        assert explanation.start == at


def test_a_component_is_told_with_tax_window_and_day() -> None:
    explanation = explain(KINDS["components"], WEDNESDAY, "18:07")
    spot, fee, tax = explanation.components
    # 0.1 and a quarter of it.
    assert (spot.net_price, spot.tax) == pytest.approx((0.1, 0.025))
    assert (fee.detail.from_clock, fee.detail.to_clock) == ("15:00", "20:00")
    assert (fee.detail.days, fee.detail.months) == ((0, 1, 2, 3, 4), (1, 10))
    # Eight hours at 2, five at 16, eleven at 8 cents: (16 + 80 + 88) / 24.
    assert fee.on_day.day_mean == pytest.approx(0.01 * 184 / 24)
    standings = [component.on_day.standing for component in explanation.components]
    assert standings == ["constant", "highest", "constant"]
    assert explanation.main is fee
    assert explanation.on_day.price == pytest.approx(0.125 + 0.16 + 0.02)
    assert explanation.start == datetime(2024, 1, 31, 17, tzinfo=UTC)
    assert tax.detail.code == "price"


@each_row(
    ("day", "clock", "window", "standing"),
    [
        (WEDNESDAY, "05:45", "22:00", "lowest"),
        (WEDNESDAY, "06:00", None, "between"),
        (WEDNESDAY, "14:45", None, "between"),
        (WEDNESDAY, "15:00", "15:00", "highest"),
        # On a Saturday only the night has a window.
        (date(2024, 1, 27), "18:00", None, "highest"),
        # In March the afternoon has none.
        (date(2024, 3, 6), "18:00", None, "highest"),
    ],
)
def test_the_window_that_holds_is_found(
    day: date, clock: str, window: str | None, standing: str
) -> None:
    (fee,) = explain(sum_of(GRID_FEE), day, clock).components
    assert (fee.detail.from_clock, fee.on_day.standing) == (window, standing)


@each_row(
    ("day", "clock", "slots", "mean"),
    [
        # 23 hours, seven of them at 2 cents; 25 hours, nine at 2 cents. Both are Sundays.
        (SPRING, "03:00", 92, (7 * 0.02 + 16 * 0.08) / 23),
        (AUTUMN, "03:00", 100, (9 * 0.02 + 16 * 0.08) / 25),
    ],
)
def test_a_day_of_a_clock_change_counts_its_own_hours(
    day: date, clock: str, slots: int, mean: float
) -> None:
    explanation = explain(sum_of(GRID_FEE), day, clock)
    assert explanation.rank is not None
    assert explanation.rank.count == slots
    assert explanation.on_day.day_mean == pytest.approx(mean)


def test_the_repeated_hour_has_two_billing_intervals() -> None:
    slots = local_day(AUTUMN, BERLIN)
    rule = Tariff.model_validate({"import": sum_of(SPOT | {"billing_minutes": 60})}).import_
    priced = PricedSlots(slots, BERLIN, {MARKET: np.arange(100.0)}, OWN_IMPORT)
    begins = []
    for at in (
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        datetime(2024, 10, 27, 1, 30, tzinfo=UTC),
    ):
        (spot,) = explain_price(rule, priced, at).components
        begins.append((spot.detail.begin, spot.net_price))
    # Slots 8 to 11 have the mean 9.5, slots 12 to 15 that of 13.5.
    assert begins == [
        (datetime(2024, 10, 27, 0, tzinfo=UTC), 9.5),
        (datetime(2024, 10, 27, 1, tzinfo=UTC), 13.5),
    ]


def test_a_price_that_changes_on_a_date_is_that_of_its_own_day() -> None:
    before = TAX | {"valid_to": "2024-01-31"}
    after = TAX | {"price": 0.05, "valid_from": "2024-01-31"}
    rule = sum_of(before, after)
    for day, price in ((date(2024, 1, 30), 0.02), (WEDNESDAY, 0.05)):
        (tax,) = explain(rule, day, "12:00").components
        # The neighbour's price is not part of the day.
        assert (tax.on_day.price, tax.on_day.day_mean) == pytest.approx((price, price))
        assert tax.on_day.standing == "constant"


def test_a_negative_market_price_waives_the_part_that_says_so() -> None:
    spot = np.full(96, 0.1)
    spot[48:56] = -0.05
    rule = sum_of(SPOT, TAX | {"zero_below_spot": MARKET})
    energy, tax = explain(rule, WEDNESDAY, "12:00", spot=spot).components
    assert (energy.net_price, energy.tax) == pytest.approx((-0.05, -0.0125))
    assert (tax.on_day.price, tax.below_spot, energy.below_spot) == (0.0, MARKET, None)
    assert explain(rule, WEDNESDAY, "14:00", spot=spot).components[1].below_spot is None


def test_the_main_part_moves_the_price_the_way_it_went() -> None:
    spot = np.full(96, 0.1)
    rule = KINDS["components"]
    dear = explain(rule, WEDNESDAY, "18:00", spot=spot)
    assert dear.main is not None
    assert dear.main.name == "grid fee"
    # At noon the fee is at its mean nearly, and the market makes the price the lowest.
    spot[48:52] = -1.0
    cheap = explain(rule, WEDNESDAY, "12:00", spot=spot)
    assert cheap.main is not None
    assert cheap.main.name == "energy"
    assert cheap.rank is not None
    assert (cheap.rank.from_cheapest, cheap.rank.from_dearest) == (1, 93)


def test_a_larger_part_that_pulls_the_other_way_is_not_the_cause() -> None:
    # Two fees of 12 and 11 cents more than by day against a market 20 cents below: the price is
    # above its mean, though no part lies further from its own than the market.
    evening = [{"from": "18:00", "to": "19:00", "price": 0.12}]
    fee = {"kind": "calendar", "name": "fee", "price": 0.0, "windows": evening}
    levy = fee | {"name": "levy", "windows": [evening[0] | {"price": 0.11}]}
    spot = np.full(96, 0.3)
    spot[72:76] = 0.1
    explanation = explain(sum_of(SPOT | {"vat": 0}, fee, levy), WEDNESDAY, "18:30", spot=spot)
    assert explanation.on_day.deviation > 0
    assert explanation.main is not None
    assert explanation.main.name == "fee"


def test_a_price_that_is_the_same_all_day_has_no_main_part() -> None:
    explanation = explain(KINDS["fixed"], WEDNESDAY, "18:00")
    assert (explanation.main, explanation.on_day.standing) == (None, "constant")
    (energy,) = explanation.components
    assert (energy.code, energy.name) == ("energy", None)


def test_an_unknown_price_keeps_the_parts_that_are_known() -> None:
    spot = np.full(96, 0.1)
    spot[72:] = np.nan
    explanation = explain(KINDS["components"], WEDNESDAY, "18:00", spot=spot)
    assert np.isnan(explanation.on_day.price)
    assert (explanation.rank, explanation.main) == (None, None)
    energy, fee, _ = explanation.components
    assert (energy.on_day.standing, fee.on_day.standing) == ("unknown", "highest")
    known = explain(KINDS["components"], WEDNESDAY, "17:45", spot=spot)
    assert known.rank is not None
    assert known.rank.count == 72


def test_the_first_block_is_told() -> None:
    (block,) = explain(KINDS["blocks"], WEDNESDAY, "18:00").components
    assert (block.detail.up_to_kwh, block.on_day.price) == (250, 0.2)


@pytest.mark.parametrize("day", [date(2024, 1, 14), date(2024, 1, 15)], ids=str)
def test_blocks_are_told_on_the_days_on_which_they_hold(day: date) -> None:
    first = {"kind": "blocks", "name": "energy", "blocks": KINDS["blocks"]["blocks"]}
    second = first | {"blocks": [{"up_to_kwh": 90, "price": 0.3}, {"price": 0.5}], "vat": 0.1}
    rule = sum_of(
        first | {"valid_to": "2024-01-15"}, second | {"valid_from": "2024-01-15"}, GRID_FEE
    )
    blocks, fee = explain(rule, day, "18:00").components
    at = local_instant(day, "18:00", BERLIN)
    clerk = price_at({"import": rule}, "Europe/Berlin", at)
    explained = {"energy": blocks.on_day.price, GRID_FEE["name"]: fee.on_day.price}
    assert explained == pytest.approx({name: float(price) for name, price in clerk.items()})
    assert blocks.detail.up_to_kwh == (250 if day.day == 14 else 90)


NIGHT = {
    "kind": "allowance",
    "name": "free nights",
    "kwh_per_day": 10,
    "price": 0,
    "price_beyond": 0.25,
    "price_outside": 0.3,
    "to": "06:00",
    "days": "weekday",
}


@pytest.mark.parametrize("clock", ["05:45", "06:00"])
def test_an_allowance_is_told_within_its_window(clock: str) -> None:
    (told,) = explain(sum_of(NIGHT), WEDNESDAY, clock).components
    at = local_instant(WEDNESDAY, clock, BERLIN)
    clerk = price_at({"import": sum_of(NIGHT)}, "Europe/Berlin", at)
    assert told.on_day.price == pytest.approx(float(clerk["free nights"]))
    detail = told.detail
    shown = (detail.code, detail.up_to_kwh, detail.to_clock, detail.days)
    within = ("allowance", 10, "06:00", (0, 1, 2, 3, 4))
    outside = ("no_window", None, None, ())
    assert shown == (within if clock == "05:45" else outside)
