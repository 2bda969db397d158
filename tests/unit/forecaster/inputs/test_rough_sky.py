"""The sun of a site that does not say where it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import available_timezones

import numpy as np

from luna.energy.observations import Observations
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, parse_zone
from services.forecaster.forecaster import Forecaster
from services.forecaster.inputs.rough_sky import RoughSky, find_place
from services.forecaster.model.aurora import Aurora
from services.forecaster.model.baseline import BASELINES, Baseline
from tests.support.household.measurements import ROOF, day, measure_days
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

SUMMER = datetime(2024, 6, 20, 22, tzinfo=UTC)
WINTER = datetime(2024, 12, 20, 23, tzinfo=UTC)
NOWHERE = parse_site({"name": "nowhere", "timezone": "Europe/Berlin", "pv": [ROOF]})
FORECASTERS = [Aurora, *(partial(Baseline, version) for version in BASELINES)]


@each_row(
    ("timezone", "latitude", "longitude"),
    [
        ("Europe/Berlin", 52.5, 13.4),
        ("Australia/Sydney", -33.9, 151.2),
        ("America/St_Johns", 47.6, -52.7),
        # An old name is a link: that of Kolkata.
        ("Asia/Calcutta", 22.5, 88.4),
        # Named after no place: the meridian of its time, minus five hours of fifteen degrees.
        ("Etc/GMT+5", 40, -75),
        ("UTC", 40, 0),
    ],
)
def test_a_time_zone_has_a_place(timezone: str, latitude: float, longitude: float) -> None:
    place = find_place(timezone)
    assert (round(place.latitude, 1), round(place.longitude, 1)) == (latitude, longitude)


def test_every_time_zone_has_a_place_over_which_the_sun_is_high_around_its_noon() -> None:
    winter = datetime(2024, 1, 1, tzinfo=UTC)
    zones = sorted(available_timezones() - {"Factory", "localtime"})
    # Those of one continent lie side by side.
    for timezone in zones[:: 1 if LONG else 5]:
        hours = (winter.astimezone(parse_zone(timezone)).utcoffset() or timedelta(0)) / timedelta(
            hours=1
        )
        # No clock is further than three and a half hours from the sun's: the furthest is that of
        # western China.
        away = (hours * 15 - find_place(timezone).longitude + 180) % 360 - 180
        assert abs(away) <= 52.5, timezone


@each_row("timezone", ["Europe/Berlin", "Europe/London", "Australia/Sydney", "UTC"])
@each_row("start", [SUMMER, WINTER], ids=["summer", "winter"])
def test_the_rough_sun_is_down_at_local_midnight_and_up_at_noon(
    timezone: str, start: datetime
) -> None:
    site = NOWHERE.model_copy(update={"timezone": timezone})
    timeline = Timeline(start, SLOT, 96)
    local = [instant.astimezone(parse_zone(timezone)).hour for instant in timeline]
    sky = RoughSky.of(timeline.starts, site)
    assert sky is not None
    assert sky.most_kwh[[hour in {23, 0, 1} for hour in local]].max() == 0
    assert sky.mean_kwh[[hour in {11, 12} for hour in local]].min() > 0
    assert (sky.most_kwh >= sky.mean_kwh).all()


@each_row("make", FORECASTERS, ids=["aurora", *BASELINES])
@each_row("start", [SUMMER, WINTER], ids=["summer", "winter"])
def test_without_location_and_history_there_is_no_sun_at_night_and_a_wide_band_by_day(
    make: Callable[[Site], Forecaster], start: datetime
) -> None:
    nothing = Observations.of(np.empty(0, dtype="datetime64[s]"), {})
    pv = make(NOWHERE).issue_many(nothing, [start], 96).forecast(0).pv_kwh
    local = np.arange(96) / 4  # the forecast begins at local midnight
    night = (local < 3) | (local >= 23)
    noon = (local >= 11) & (local < 14)
    assert pv.p95[night].max() == 0
    assert pv.expected[noon].min() > 0
    assert (pv.p90 - pv.p10)[noon].min() > pv.expected[noon].max()
    # 5 kWp bring 1.25 kWh in a quarter-hour at most; what is expected is less than half of a clear
    # sky.
    assert pv.expected.max() < 0.5 * 1.25


@each_row("make", FORECASTERS, ids=["aurora", *BASELINES])
def test_what_was_measured_knows_the_sun_better_than_the_time_zone(
    make: Callable[[Site], Forecaster],
) -> None:
    # A roof whose sun is six hours from that of its clock.
    known = measure_days(5)
    moved = Observations.of(
        known.starts, {"load_kwh": known.load_kwh, "pv_kwh": np.roll(known.pv_kwh, 24)}
    )
    pv = make(NOWHERE).issue_many(moved, [day(5)], 96).forecast(0).pv_kwh.expected
    assert 16 * 4 < np.average(np.arange(96), weights=pv) < 20 * 4
