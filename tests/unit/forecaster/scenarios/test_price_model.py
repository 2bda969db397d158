"""Prices beyond what is published: certain where they are known, wider the further ahead, and never
made of what is not known yet.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.forecaster.scenarios.joint_scenarios import make_scenarios
from services.forecaster.scenarios.price_model import (
    FEW_PRICES,
    MEMORY,
    NO_PRICES,
    MarketAhead,
    PriceDays,
    look_beyond,
)
from tests.support.forecasts.scenarios import (
    ISSUED_AT,
    describe_errors,
    describe_forecast,
    describe_prices,
)

ZONE = ZoneInfo("Europe/Amsterdam")
START = ISSUED_AT.replace(minute=0)
AHEAD = Timeline(START, SLOT, 192)
AROUND = Timeline(START - MEMORY, SLOT, MEMORY // SLOT + 192)
# Published until local midnight, 22:00 UTC: twelve hours of the horizon.
PUBLISHED = 48


def look(*, days: int = 118, change: FloatArray | None = None) -> MarketAhead:
    known = describe_prices(AROUND) if change is None else change
    known[-192 + PUBLISHED :] = np.nan
    known[: known.size - 192 - 96 * days] = np.nan
    return look_beyond(known, AROUND, timeline=AHEAD, zone=ZONE)


def test_published_prices_are_certain() -> None:
    market = look()
    np.testing.assert_array_equal(
        market.quantiles[:PUBLISHED],
        np.repeat(describe_prices(AROUND)[-192:][:PUBLISHED, None], 7, axis=1),
    )
    assert market.reasons == ()


def test_beyond_them_quantiles_are_ordered_and_may_be_negative() -> None:
    beyond = look().quantiles[PUBLISHED:]
    assert (np.diff(beyond, axis=1) >= 0).all()
    assert (beyond[:, -1] - beyond[:, 0] > 0.01).all()
    assert beyond.min() < 0


def test_the_rhythm_of_the_day_is_known() -> None:
    market = look()
    beyond = np.isnan(market.published)
    # The cheapest quarter-hour is 13:00 UTC, 15:00 local, 0.07 below the evening's.
    afternoon, evening = (
        market.expected[beyond & (market.quarter == quarter)].mean() for quarter in (60, 84)
    )
    assert 0.04 < evening - afternoon < 0.1


def test_about_as_much_lies_within_the_band_as_it_says() -> None:
    inside = []
    for days in range(20):
        around = Timeline(START - MEMORY + timedelta(days=days), SLOT, MEMORY // SLOT + 192)
        actual = describe_prices(Timeline(START - MEMORY, SLOT, around.count + 96 * 20))[
            96 * days :
        ][: around.count]
        known = np.where(np.arange(around.count) < around.count - 192 + PUBLISHED, actual, np.nan)
        market = look_beyond(
            known, around, timeline=Timeline(around.end - 192 * SLOT, SLOT, 192), zone=ZONE
        )
        beyond = slice(PUBLISHED, None)
        inside.append(
            (actual[-192:][beyond] >= market.quantiles[beyond, 1])
            & (actual[-192:][beyond] <= market.quantiles[beyond, 5])
        )
    assert 0.7 < np.mean(inside) < 0.9


@pytest.mark.parametrize(("days", "reason"), [(118, None), (20, FEW_PRICES), (1, NO_PRICES)])
def test_what_prices_cannot_rest_on_is_named(days: int, reason: str | None) -> None:
    assert look(days=days).reasons == ((reason,) if reason else ())


def test_without_prices_nothing_is_said_beyond_the_published() -> None:
    market = look(days=1)
    assert np.isfinite(market.expected[:PUBLISHED]).all()
    assert np.isnan(market.expected[PUBLISHED:]).all()


def test_a_missing_quarter_of_a_known_day_is_filled_in() -> None:
    known = describe_prices(AROUND)
    known[-192 + 4] = np.nan
    market = look(change=known)
    np.testing.assert_allclose(market.quantiles[4], (known[-192 + 3] + known[-192 + 5]) / 2)


@pytest.mark.parametrize(
    ("start", "slots"),
    [(datetime(2024, 3, 30, 23, tzinfo=UTC), 92), (datetime(2024, 10, 26, 22, tzinfo=UTC), 100)],
    ids=["short", "long"],
)
def test_a_day_on_which_the_clock_changes_has_a_price_at_every_time(
    start: datetime, slots: int
) -> None:
    days = PriceDays.fold(Timeline(start, SLOT, slots), np.arange(slots, dtype=float), ZONE)
    assert days.price.shape == (1, 96)
    assert np.isfinite(days.price).all()


def test_scenarios_carry_published_prices_as_they_are_and_the_expected_price_in_the_mean() -> None:
    rng = np.random.default_rng(1)
    market = look()
    made = make_scenarios(describe_forecast(rng), describe_errors(rng), {"NL": market})
    paths = made.spot_price["NL"]
    np.testing.assert_array_equal(
        paths[:, :PUBLISHED], np.repeat(market.published[None, :PUBLISHED], 10, axis=0)
    )
    assert (paths[:, PUBLISHED:].std(axis=0) > 0).all()
    np.testing.assert_allclose(made.expected_price("NL"), market.expected)


def test_price_errors_of_neighbouring_hours_stay_together() -> None:
    rng = np.random.default_rng(1)
    around = describe_prices(AROUND)
    # Whole days dearer or cheaper than usual: then a scenario that is dear in one hour is dear in
    # the next.
    known = (
        around
        + np.repeat(np.random.default_rng(7).normal(0, 0.05, around.size // 96 + 1), 96)[
            : around.size
        ]
    )
    made = make_scenarios(describe_forecast(rng), describe_errors(rng), {"NL": look(change=known)})
    beyond = made.spot_price["NL"][:, PUBLISHED + 48 :]
    apart = np.corrcoef(
        beyond[:, :-8].ravel() - np.tile(beyond.mean(0)[:-8], 10),
        beyond[:, 8:].ravel() - np.tile(beyond.mean(0)[8:], 10),
    )[0, 1]
    assert apart > 0.4
