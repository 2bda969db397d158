"""The demo's real year, from the cache or the network.

Without either the error names the remedy.
"""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.timeline import local_days
from luna.platform.settings import load_settings
from services.ingest.demo_data.demo import TEST_FIRST_DAY, TEST_LAST_DAY, DemoData, load_demo


@pytest.fixture(scope="module")
def demo() -> DemoData:
    return load_demo(load_settings().cache)


def test_sites_reach_their_stated_yearly_sums(demo: DemoData) -> None:
    sums = {
        site.site.name: (site.observations.load_kwh.sum(), site.observations.pv_kwh.sum())
        for site in demo.sites
    }
    assert sums == {"home": pytest.approx((4000, 5700)), "feed_in": pytest.approx((3500, 4500))}


def test_the_local_year_is_whole(demo: DemoData) -> None:
    home = demo.sites[0].observations
    assert len(home) == 365 * 96
    assert np.isfinite(home.load_kwh).all()
    assert np.isfinite(demo.prices.price).all()
    np.testing.assert_array_equal(home.starts, demo.prices.starts)


def test_the_sun_shines_around_noon_on_both_sides_of_the_clock_changes(demo: DemoData) -> None:
    pv = demo.sites[0].observations.pv_kwh.reshape(-1, 4).sum(axis=1)
    utc_hour = demo.sites[0].observations.starts[::4].astype("datetime64[h]").astype(int) % 24
    # Solar noon of central Germany lies between 11 and 12 UTC all year.
    assert np.average(utc_hour, weights=pv) == pytest.approx(11, abs=0.7)


def test_prices_are_those_of_2023(demo: DemoData) -> None:
    hourly = demo.prices.price[::4]
    # 315 negative hours of the calendar year in UTC, and the first hour of the local year before
    # it.
    assert int((hourly < 0).sum()) == 316
    assert hourly.min() == pytest.approx(-0.5)


def test_every_price_is_known_before_its_day(demo: DemoData) -> None:
    # From 13:00 the day before: eleven hours ahead at least, and 36 at most (on the day that has 25
    # hours).
    ahead = (demo.prices.starts - demo.prices.published_at) / np.timedelta64(1, "h")
    assert (ahead.min(), ahead.max()) == (11, 35.75)


def test_feed_in_sells_at_a_flat_price(demo: DemoData) -> None:
    assert demo.sites[1].site.tariff.export.model_dump() == {"kind": "fixed", "price": 0.07}


def test_test_days_are_a_hundred_and_lie_in_the_year(demo: DemoData) -> None:
    days = local_days(TEST_FIRST_DAY, TEST_LAST_DAY, ZoneInfo(demo.sites[0].site.timezone))
    assert (TEST_LAST_DAY - TEST_FIRST_DAY).days + 1 == 100
    assert days.starts[-1] < demo.prices.starts[-1]


def test_a_warm_start_reads_what_a_start_before_it_has_computed(demo: DemoData) -> None:
    cache = load_settings().cache
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    load_demo(cache)
    assert before
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == before


def test_a_damaged_copy_is_made_again(demo: DemoData, tmp_path: Path) -> None:
    cache = load_settings().cache
    for package in cache.resolve().glob("*.whl"):
        (tmp_path / package.name).symlink_to(package)
    (whole,) = cache.resolve().glob("demo-*.npz")
    (tmp_path / whole.name).write_bytes(whole.read_bytes()[:1000])
    np.testing.assert_array_equal(
        load_demo(tmp_path).sites[0].observations.load_kwh, demo.sites[0].observations.load_kwh
    )


def test_every_series_says_where_it_comes_from_in_both_languages(demo: DemoData) -> None:
    records = [
        demo.prices.provenance,
        *(record for site in demo.sites for record in site.provenance),
    ]
    assert len(records) == 5
    assert all(
        set(record.changes) == {"en", "de"} and len(record.sha256) == 64 for record in records
    )
