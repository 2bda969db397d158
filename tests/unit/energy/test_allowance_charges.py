"""Allowances of each day: what a kWh within and beyond them costs, by numbers derived by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.economics.charges import (
    AllowanceCharge,
    ChargedComponent,
    find_charges,
    period_begin,
)
from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.site import Tariff, parse_site
from luna.energy.timeline import FloatArray, Timeline, local_day, local_instant
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
# Of the tariff with tax: 24 cents.
NIGHT = {
    "kind": "allowance",
    "name": "night",
    "kwh_per_day": 10,
    "price": 0,
    "price_beyond": 20,
    "unit": "cents_per_kwh",
    "vat": 0.2,
    "from": "00:00",
    "to": "06:00",
}
# A cap of 6 kWh for all hours, from noon to noon: 10 cents more beyond it.
NOON = {
    "kind": "allowance",
    "name": "noon",
    "kwh_per_day": 6,
    "price": 0.2,
    "price_beyond": 0.3,
    "day_begins": "12:00",
}
BLOCKS = {"kind": "blocks", "name": "tiers", "blocks": [{"up_to_kwh": 5, "price": 0}, {"price": 1}]}


def make_tariff(*components: dict[str, Any]) -> Tariff:
    return Tariff.model_validate({"import": {"kind": "components", "components": list(components)}})


def charged(component: dict[str, Any]) -> ChargedComponent:
    (only,) = find_charges(make_tariff(component).import_)
    return only


def at(day: date, clock: str) -> datetime:
    return local_instant(day, clock, BERLIN)


def added(
    component: dict[str, Any], import_kwh: list[float], start: datetime, *, drawn: float = 0.0
) -> FloatArray:
    timeline = Timeline(start, HOUR, len(import_kwh))
    charge = charged(component).after(drawn)
    return charge.slot_cost(np.array(import_kwh), timeline, zone=BERLIN)


@each_row(
    ("drawn", "kwh_beyond"),
    [
        # 4 kWh an hour, 10 of them within: the third hour crosses the cap, the last is outside.
        (0.0, [0.0, 0.0, 2.0, 4.0, 4.0, 4.0, 0.0]),
        (7.5, [1.5, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0]),
        (30.0, [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0]),
    ],
    ids=["a whole allowance", "partly used", "used up"],
)
def test_a_kwh_beyond_the_allowance_costs_more(drawn: float, kwh_beyond: list[float]) -> None:
    start = at(date(2024, 2, 1), "00:00")
    assert added(NIGHT, [4.0] * 7, start, drawn=drawn) == pytest.approx(np.array(kwh_beyond) * 0.24)


def test_the_price_of_a_slot_is_that_within_the_allowance_and_of_the_window() -> None:
    timeline = Timeline(at(date(2024, 2, 1), "04:00"), HOUR, 4)
    beyond, _ = price_slots(make_tariff(NIGHT), timeline, zone=BERLIN, spot={})
    outside, _ = price_slots(
        make_tariff(NIGHT | {"price_outside": 35}), timeline, zone=BERLIN, spot={}
    )
    assert beyond == pytest.approx([0.0, 0.0, 0.24, 0.24])
    assert outside == pytest.approx([0.0, 0.0, 0.42, 0.42])


@each_row(
    ("day", "hours", "kwh_beyond"),
    [
        (date(2024, 3, 30), 24, 1.0),
        (date(2024, 3, 31), 23, 0.0),
        (date(2024, 10, 27), 25, 2.0),
    ],
    ids=["a common day", "clocks forward", "clocks back"],
)
def test_a_day_has_the_hours_of_the_local_clock(day: date, hours: int, kwh_beyond: float) -> None:
    all_day = NIGHT | {"kwh_per_day": 23, "to": "24:00"}
    assert local_day(day, BERLIN, HOUR).count == hours
    # The following day begins with its own allowance.
    cost = added(all_day, [1.0] * (hours + 20), at(day, "00:00"))
    assert cost.sum() == pytest.approx(kwh_beyond * 0.24)


@each_row("day", [date(2024, 2, 1), date(2024, 3, 31), date(2024, 10, 27)])
def test_an_allowance_from_noon_goes_on_over_midnight(day: date) -> None:
    # From 22:00 of the day before until 14:00 with 1 kWh an hour.
    start = at(day - timedelta(days=1), "22:00")
    hours = (at(day, "14:00") - start) // HOUR
    beyond_kwh = np.diff(np.maximum(np.arange(hours - 1) - 6.0, 0.0))
    cost = added(NOON, [1.0] * hours, start)
    # Six within, the others beyond until noon; then a new one.
    assert cost == pytest.approx(np.concatenate([beyond_kwh, [0.0, 0.0]]) * 0.1)


def test_over_the_end_of_a_month_blocks_begin_anew_and_an_allowance_from_noon_does_not() -> None:
    tariff = make_tariff(NOON, BLOCKS)
    noon, blocks = find_charges(tariff.import_)
    midnight = at(date(2024, 2, 1), "00:00")
    morning = at(date(2024, 2, 1), "08:00")
    begin = at(date(2024, 1, 31), "12:00")
    assert period_begin([noon, blocks], midnight, BERLIN) == begin
    assert period_begin([noon, blocks], morning, BERLIN) == begin
    assert period_begin([noon, blocks], at(date(2024, 2, 5), "08:00"), BERLIN) == midnight
    # One kWh in each of the 20 hours since noon, eight of them in February.
    past = Timeline(begin, HOUR, 20)
    bought = np.ones(20)
    bought[3] = np.nan
    assert noon.count_drawn(bought, past, zone=BERLIN) == 19.0
    assert blocks.count_drawn(bought, past, zone=BERLIN) == 8.0
    # At noon and at midnight nothing is drawn of what begins.
    until_noon = Timeline(begin, HOUR, 24)
    assert noon.count_drawn(np.ones(24), until_noon, zone=BERLIN) == 0.0
    assert blocks.count_drawn(np.ones(12), Timeline(begin, HOUR, 12), zone=BERLIN) == 0.0


def test_only_energy_within_the_window_is_taken_from_the_allowance() -> None:
    past = Timeline(at(date(2024, 2, 1), "00:00"), HOUR, 10)
    assert charged(NIGHT).count_drawn(np.ones(10), past, zone=BERLIN) == 6.0
    weekend = NIGHT | {"days": "weekend"}
    assert charged(weekend).count_drawn(np.ones(10), past, zone=BERLIN) == 0.0


@each_row("first", [0, 3, 10, 11, 14, 26])
def test_the_rest_of_a_plan_goes_on_with_what_is_left(first: int) -> None:
    # From 02:00: noon is after ten hours.
    timeline = Timeline(at(date(2024, 2, 1), "02:00"), HOUR, 30)
    import_kwh = np.random.default_rng(first).gamma(2.0, 0.4, 30)
    charge = charged(NOON).after(2.0)
    rest = charge.after(import_kwh[:first], timeline, zone=BERLIN)
    whole = charge.slot_cost(import_kwh, timeline, zone=BERLIN)
    assert rest.slot_cost(
        import_kwh[first:], timeline.window(first, 30 - first), zone=BERLIN
    ) == pytest.approx(whole[first:])
    assert whole.sum() > 0


def test_an_allowance_holds_from_its_first_day_until_before_its_last() -> None:
    dated = NOON | {"valid_from": "2024-02-02", "valid_to": "2024-02-03"}
    # One kWh an hour of the days from 1 to 3 February. On the 2nd: 12 hours until noon, six of them
    # beyond, and 12 after it.
    cost = added(dated, [1.0] * 72, at(date(2024, 2, 1), "00:00"))
    assert cost[:24].sum() == 0.0
    assert cost[24:48] == pytest.approx(np.tile([0.0] * 6 + [0.1] * 6, 2))
    assert cost[48:].sum() == 0.0


def test_a_charge_counts_with_tax_and_unit() -> None:
    charge = charged(NIGHT).after(0.0)
    assert isinstance(charge, AllowanceCharge)
    assert charge.component.rise == pytest.approx(0.24)
    assert charge.component.bounds == (0.0, 0.2)
    assert make_tariff(NIGHT).import_.bounds_on(date(2024, 2, 1)) == pytest.approx((0.0, 0.24))


@each_row(
    ("tariff", "reason"),
    [
        ({"import": NIGHT | {"price_beyond": -1}}, "allowance-cheaper"),
        ({"import": NIGHT | {"zero_below_spot": "DE"}}, "zero-below-spot-counted"),
        ({"import": BLOCKS | {"zero_below_spot": "DE"}}, "zero-below-spot-counted"),
        ({"import": NIGHT, "export": NIGHT}, "drawn-not-sold"),
        ({"import": NIGHT | {"kwh_per_day": 0}}, "greater-than"),
    ],
    ids=["cheaper beyond", "free below zero", "free blocks", "sold", "none"],
)
def test_allowances_that_are_none_are_refused(tariff: dict[str, Any], reason: str) -> None:
    rules = {
        side: {"kind": "components", "components": [component]}
        for side, component in tariff.items()
    }
    with pytest.raises(InvalidInputError) as caught:
        parse_site({"name": "home", "timezone": "UTC", "tariff": rules})
    assert caught.value.reason == reason
    assert str(caught.value.field).startswith("site.tariff")


def test_instants_before_the_clock_time_belong_to_the_day_before() -> None:
    instant = datetime(2024, 2, 1, 10, 59, tzinfo=UTC)
    component = charged(NOON)
    assert component.period_begin(instant, BERLIN) == at(date(2024, 1, 31), "12:00")
    later = instant + timedelta(minutes=1)
    assert component.period_begin(later, BERLIN) == later
