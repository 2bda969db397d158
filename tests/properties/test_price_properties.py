"""What holds for all prices on their way from products to quarter-hours."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.timeline import SLOT, Timeline
from services.ingest.collected_prices import CollectedPrices, Need
from services.ingest.price_collection import ROUNDING, date_prices
from services.ingest.sources.prices.declaration import Market
from services.ingest.sources.prices.publication import (
    DeliveryWindow,
    Issue,
    Product,
    make_sheets,
    on_quarter_hours,
)

START = datetime(2026, 3, 28, 23, tzinfo=UTC)
prices = st.lists(st.one_of(st.none(), st.floats(-500, 4_000)), min_size=1, max_size=100)


@given(prices=prices, minutes=st.sampled_from([15, 30, 60]))
def test_every_product_keeps_its_mean_and_holes_stay_open(
    prices: list[float | None], minutes: int
) -> None:
    products = [
        Product(START + place * timedelta(minutes=minutes), minutes, price)
        for place, price in enumerate(prices)
    ]
    window = DeliveryWindow("NL", START, START + len(prices) * timedelta(minutes=minutes))
    quarter_hours = {
        start: price
        for sheet in make_sheets(window, products, Issue("EUR"))
        for start, price in zip(*on_quarter_hours(sheet), strict=True)
    }
    parts = minutes // 15
    for product in products:
        own = [
            np.datetime64(product.start.replace(tzinfo=None), "s") + np.timedelta64(15 * part, "m")
            for part in range(parts)
        ]
        known = [quarter_hours[start] for start in own if start in quarter_hours]
        assert len(known) == (product.price is not None) * parts
        np.testing.assert_allclose(known, [(product.price or 0.0) / 1_000] * len(known), rtol=1e-12)


@given(prices=prices, first=st.integers(-5, 105), count=st.integers(0, 100))
def test_nothing_outside_the_window_is_delivered(
    prices: list[float | None], first: int, count: int
) -> None:
    products = [
        Product(START + place * timedelta(minutes=15), 15, price)
        for place, price in enumerate(prices)
    ]
    window = DeliveryWindow(
        "NL", START + first * timedelta(minutes=15), START + (first + count) * timedelta(minutes=15)
    )
    delivered = sum(len(sheet.starts) for sheet in make_sheets(window, products, Issue("EUR")))
    assert delivered == sum(
        price is not None for price in prices[max(first, 0) : max(first + count, 0)]
    )


price_or_none = st.one_of(st.just(np.nan), st.floats(-0.5, 4.0))
slot = st.tuples(price_or_none, price_or_none, st.one_of(st.none(), st.integers(-100, 100)))


@given(slots=st.lists(slot, min_size=1, max_size=96), now=st.integers(-200, 200))
def test_no_price_is_known_before_anybody_could_know_it(
    slots: list[tuple[float, float, int | None]], now: int
) -> None:
    moment = START + now * timedelta(hours=1, minutes=7)
    timeline = Timeline(START, SLOT, len(slots))
    found = CollectedPrices.nothing(Need("NL", "EUR", timeline))
    found.price[:] = [price for price, _, _ in slots]
    said = [None if hours is None else START + timedelta(hours=hours) for _, _, hours in slots]
    found.published_at[:] = [
        "NaT" if instant is None else instant.replace(tzinfo=None) for instant in said
    ]
    known = np.array([stored for _, stored, _ in slots])
    changed, at = date_prices(found, known, now=moment, market=Market("NL"))

    present = np.datetime64(moment.replace(tzinfo=None), "us")
    assert (at <= present).all()
    assert not changed[np.isnan(found.price)].any()
    assert not changed[np.abs(found.price - known) <= ROUNDING].any()
    assert (at[changed & np.isfinite(known)] == present).all()
    # What is new was known before its slot began: what is traded the day before is never a
    # surprise.
    assert (at[changed & np.isnan(known)] <= timeline.starts[changed & np.isnan(known)]).all()
