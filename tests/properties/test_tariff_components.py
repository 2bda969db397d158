"""Sums of components: order does not matter, dates are half-open, parts add up to the price."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.economics.prices import price_rule, price_slots
from luna.energy.economics.tariff_lines import price_lines
from luna.energy.site import OWN_IMPORT, Tariff
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import SLOT, Timeline

ZONE = ZoneInfo("Europe/Amsterdam")
# Around the end of summer time and of a month.
START = datetime(2026, 10, 24, 22, tzinfo=UTC)
DAYS = [date(2026, 10, 20) + timedelta(days=number) for number in range(20)]
SLOTS = Timeline(START, SLOT, 9 * 96)
CLOCKS = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]
NAMES = ["energy", "grid fee", "levies", "extra", "rebate"]

prices = st.floats(-1, 1).map(lambda price: round(price, 4))
dates = st.lists(st.sampled_from(DAYS), min_size=2, max_size=2, unique=True).map(sorted)
windows = st.fixed_dictionaries(
    {"price": prices, "from": st.sampled_from(CLOCKS), "to": st.sampled_from(CLOCKS)},
    optional={
        "days": st.sampled_from(["all", "weekday", "weekend"])
        | st.lists(st.sampled_from(["mon", "sat", "sun"]), min_size=1, max_size=3, unique=True),
        "months": st.lists(st.integers(9, 12), min_size=1, max_size=3, unique=True),
    },
)
kinds = st.one_of(
    st.fixed_dictionaries({"kind": st.just("fixed"), "price": prices}),
    st.fixed_dictionaries(
        {
            "kind": st.just("calendar"),
            "price": prices,
            "windows": st.lists(windows, min_size=1, max_size=4),
        }
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("spot"),
            "market": st.just("NL"),
            "factor": st.sampled_from([1.0, 1.05]),
            "billing_minutes": st.sampled_from([15, 30, 60]),
        }
    ),
)


@st.composite
def components(draw: st.DrawFn) -> list[dict[str, Any]]:
    listed = []
    for name in NAMES[: draw(st.integers(1, len(NAMES)))]:
        component = {"name": name, "vat": draw(st.sampled_from([0.0, 0.21]))} | draw(kinds)
        if draw(st.booleans()):
            first, end = draw(dates)
            component |= {"valid_from": first, "valid_to": end}
        if draw(st.booleans()):
            component["zero_below_spot"] = "NL"
        listed.append(component)
    return listed


def describe(listed: list[dict[str, Any]]) -> Tariff:
    return Tariff.model_validate({"import": {"kind": "components", "components": listed}})


def make_spot(seed: int) -> dict[str, Any]:
    return {"NL": np.random.default_rng(seed).normal(0.05, 0.1, SLOTS.count)}


@given(components(), st.randoms(use_true_random=False), st.integers(0, 99))
def test_the_price_is_the_sum_of_its_lines_in_any_order(
    listed: list[dict[str, Any]], chance: Any, seed: int
) -> None:
    slots = PricedSlots(SLOTS, ZONE, make_spot(seed), OWN_IMPORT)
    rule = describe(listed).import_
    whole = price_rule(rule, slots)
    lines = price_lines(rule, slots)
    np.testing.assert_allclose(sum(line.rate for line in lines), whole, atol=1e-12)
    shuffled = list(listed)
    chance.shuffle(shuffled)
    np.testing.assert_allclose(price_rule(describe(shuffled).import_, slots), whole, atol=1e-12)


@given(components(), st.sampled_from(DAYS[6:12]))
def test_a_component_split_at_a_date_is_the_same_price(
    listed: list[dict[str, Any]], day: date
) -> None:
    halves = []
    for component in listed:
        first = component.get("valid_from", date.min)
        end = component.get("valid_to", date.max)
        for begin, until in ((first, min(day, end)), (max(day, first), end)):
            if begin < until:
                halves.append(component | {"valid_from": begin, "valid_to": until})
    spot = make_spot(1)
    whole, _ = price_slots(describe(listed), SLOTS, zone=ZONE, spot=spot)
    split, _ = price_slots(describe(halves), SLOTS, zone=ZONE, spot=spot)
    np.testing.assert_allclose(split, whole, atol=1e-12)
