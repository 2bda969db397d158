"""When a site's own prices became known, whatever is loaded in whatever order."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.economics.prices import publication_times
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from services.ingest.own_prices import date_prices

BERLIN = ZoneInfo("Europe/Berlin")
DAY = Timeline(datetime(2024, 1, 9, 23, tzinfo=UTC), SLOT, 96)
price = st.one_of(st.just(np.nan), st.sampled_from([0.0, 0.1, 0.1 + 1e-7, 0.25, -0.3]))
prices = st.lists(price, min_size=96, max_size=96).map(np.array)
received = st.one_of(
    st.none(),
    st.integers(-3 * 1440, 3 * 1440).map(lambda minutes: DAY.start + timedelta(minutes=minutes)),
)


@given(prices, prices, received)
def test_nothing_is_dated_after_it_came_and_what_is_stored_already_is_not_new(
    given_price: FloatArray, known: FloatArray, received_at: datetime | None
) -> None:
    chosen, published = date_prices(
        DAY.starts, given_price, known, zone=BERLIN, received_at=received_at
    )
    same = np.isclose(given_price, known, rtol=0, atol=1e-6)
    assert not (chosen & same).any()
    np.testing.assert_array_equal(chosen, np.isfinite(given_price) & ~same)
    latest = (
        publication_times(DAY.starts, BERLIN).max()
        if received_at is None
        else np.datetime64(received_at.replace(tzinfo=None))
    )
    assert (published[chosen] <= latest).all()


@given(st.lists(st.tuples(prices, st.integers(0, 4 * 96)), min_size=1, max_size=4))
def test_what_was_loaded_later_changes_nothing_of_what_was_known_before(
    loads: list[tuple[FloatArray, int]],
) -> None:
    instants = sorted({DAY.start - timedelta(days=2) + place * SLOT for _, place in loads})
    revisions: dict[tuple[np.datetime64, int], float] = {}

    def known(at: datetime) -> FloatArray:
        seen = np.full(96, np.nan)
        now = np.datetime64(at.replace(tzinfo=None))
        for (published, slot), value in sorted(revisions.items()):
            seen[slot] = value if published <= now else seen[slot]
        return seen

    before: dict[datetime, FloatArray] = {}
    for at, (loaded, _) in zip(instants, loads, strict=False):
        chosen, published = date_prices(
            DAY.starts, loaded, known(datetime.max.replace(tzinfo=UTC)), zone=BERLIN, received_at=at
        )
        revisions |= {
            (published[slot], slot): float(loaded[slot]) for slot in np.flatnonzero(chosen).tolist()
        }
        # Whoever looked before it came sees what was seen then; what nobody had loaded yet is dated
        # as published, as a backtest wants it.
        for earlier, seen in before.items():
            kept = np.isfinite(seen)
            np.testing.assert_array_equal(known(earlier)[kept], seen[kept])
        before[floor_to(at, SLOT)] = known(at)
