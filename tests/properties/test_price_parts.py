"""What a kWh is made of: parts add up to the price, and none is called low where it is not."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.economics.price_parts import find_low_part, price_parts
from luna.energy.economics.prices import price_slots
from luna.energy.site import OWN_IMPORT, Tariff
from luna.energy.tariffs.component import PricedSlots
from luna.energy.timeline import FloatArray, local_day

BERLIN = ZoneInfo("Europe/Berlin")
# One of them has 25 hours, one 23.
DAYS = (date(2026, 10, 25), date(2026, 11, 3), date(2026, 3, 29))
cents = st.integers(-20, 200).map(lambda tenths: tenths / 10)
clocks = st.integers(0, 23).map(lambda hour: f"{hour:02}:00")
windows = st.lists(
    st.fixed_dictionaries({"from": clocks, "to": clocks, "price": cents}), min_size=1, max_size=3
)
vat = st.sampled_from([0.0, 0.19])
calendar = st.fixed_dictionaries(
    {"kind": st.just("calendar"), "price": cents, "windows": windows, "vat": vat}
)
fixed = st.fixed_dictionaries({"kind": st.just("fixed"), "price": cents, "vat": vat})
spot = st.fixed_dictionaries(
    {
        "kind": st.just("spot"),
        "market": st.just("DE"),
        "vat": vat,
        "billing_minutes": st.sampled_from([15, 60]),
    }
)
tariffs = st.lists(st.one_of(calendar, fixed, spot), min_size=1, max_size=4)


def name_parts(parts: list[dict[str, Any]]) -> Tariff:
    named = []
    for place, part in enumerate(parts):
        unit = {} if part["kind"] == "spot" else {"unit": "cents_per_kwh"}
        named.append(part | unit | {"name": f"{part['kind']} {place}"})
    return Tariff.model_validate({"import": {"kind": "components", "components": named}})


def read_slots(day: date, seed: int) -> PricedSlots:
    timeline = local_day(day, BERLIN)
    levels = np.random.default_rng(seed).normal(0.08, 0.05, timeline.count // 8 + 1)
    return PricedSlots(timeline, BERLIN, {"DE": levels.repeat(8)[: timeline.count]}, OWN_IMPORT)


def mean_before(price: FloatArray) -> float:
    return float(np.mean(price)) - 1e-9


@given(parts=tariffs, day=st.sampled_from(DAYS), seed=st.integers(0, 50))
def test_the_parts_add_up_to_the_price(parts: list[dict[str, Any]], day: date, seed: int) -> None:
    tariff = name_parts(parts)
    slots = read_slots(day, seed)
    imported, _ = price_slots(tariff, slots.timeline, zone=BERLIN, spot=slots.spot)
    total = sum(part.price for part in price_parts(tariff.import_, slots))
    np.testing.assert_allclose(total, imported, atol=1e-12)


@given(parts=tariffs, day=st.sampled_from(DAYS), seed=st.integers(0, 50))
def test_a_part_is_called_low_only_where_it_alone_makes_the_price_low(
    parts: list[dict[str, Any]], day: date, seed: int
) -> None:
    tariff = name_parts(parts)
    slots = read_slots(day, seed)
    read = price_parts(tariff.import_, slots)
    total, _ = price_slots(tariff, slots.timeline, zone=BERLIN, spot=slots.spot)
    for slot in range(slots.timeline.count):
        low = find_low_part(read, slot)
        if low is None:
            continue
        assert len(read) > 1
        assert low.part.name is not None
        assert low.part.name.startswith("calendar")
        assert total[slot] < np.mean(total)
        assert low.price == pytest.approx(low.part.price.min())
        assert low.highest == low.part.price.max()
        assert low.price < low.highest
        for other in read:
            if other.name != low.part.name:
                assert other.price[slot] >= mean_before(other.price)


def test_a_low_grid_fee_is_found_where_the_spot_price_does_not_explain_it() -> None:
    fee = {
        "kind": "calendar",
        "price": 11.3,
        "windows": [{"from": "00:00", "to": "05:00", "price": 1.1}],
    }
    tariff = name_parts([{"kind": "spot", "market": "DE"}, fee])
    timeline = local_day(date(2026, 11, 3), BERLIN)
    spot = np.full(timeline.count, 0.08)
    # From one to two the market is cheap as well.
    spot[4:8] = 0.02
    read = price_parts(tariff.import_, PricedSlots(timeline, BERLIN, {"DE": spot}, OWN_IMPORT))
    night = [find_low_part(read, slot) for slot in range(20)]
    found = [low is not None for low in night]
    assert found == [True] * 4 + [False] * 4 + [True] * 12
    assert night[0] is not None
    assert (night[0].part.name, night[0].price, night[0].highest) == (
        "calendar 1",
        pytest.approx(0.011),
        pytest.approx(0.113),
    )
    assert all(find_low_part(read, slot) is None for slot in range(20, timeline.count))


def test_nothing_is_called_low_on_a_day_whose_prices_are_not_all_published() -> None:
    fee = {
        "kind": "calendar",
        "price": 11.3,
        "windows": [{"from": "00:00", "to": "05:00", "price": 1.1}],
    }
    tariff = name_parts([{"kind": "spot", "market": "DE"}, fee])
    timeline = local_day(date(2026, 11, 3), BERLIN)
    spot = np.full(timeline.count, 0.08)
    spot[-1] = np.nan
    read = price_parts(tariff.import_, PricedSlots(timeline, BERLIN, {"DE": spot}, OWN_IMPORT))
    assert [find_low_part(read, slot) for slot in range(timeline.count)] == [None] * timeline.count
