from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.site import Site
from luna.energy.timeline import local_day
from services.forecaster.inputs.solar import Sky, estimate_clear_sky, limit_output, look_up
from tests.support.household.measurements import describe_site

GREENWICH = {"latitude": 51.48, "longitude": 0.0}


def instants(*moments: datetime) -> np.ndarray:
    return np.array(
        [moment.astimezone(UTC).replace(tzinfo=None) for moment in moments], dtype="datetime64[s]"
    )


def sky_over(site: Site, *moments: datetime) -> Sky:
    sky = look_up(instants(*moments), site)
    assert sky is not None
    return sky


@pytest.mark.parametrize(
    ("slot", "elevation_deg"),
    [
        # Around solar noon at Greenwich: 90 − latitude + declination (23.44, 0, −23.44 degrees).
        (datetime(2024, 6, 20, 12, 0, tzinfo=UTC), 61.96),
        (datetime(2024, 3, 20, 12, 0, tzinfo=UTC), 38.5),
        (datetime(2024, 12, 21, 11, 50, tzinfo=UTC), 15.08),
    ],
    ids=["summer", "equinox", "winter"],
)
def test_noon_sun_stands_as_high_as_the_declination_says(
    slot: datetime, elevation_deg: float
) -> None:
    sky = sky_over(describe_site(location=GREENWICH), slot)
    assert 90 - sky.zenith_deg[0] == pytest.approx(elevation_deg, abs=0.3)
    assert sky.azimuth_deg[0] == pytest.approx(180, abs=4)


def test_slots_may_be_asked_for_in_any_order_and_across_months() -> None:
    site = describe_site()
    moments = [
        datetime(2024, 7, 1, 10, tzinfo=UTC),
        datetime(2023, 12, 31, 11, tzinfo=UTC),
        datetime(2024, 3, 5, 9, tzinfo=UTC),
    ]
    together = sky_over(site, *moments).clear_sky_kwh
    assert together.tolist() == [
        float(sky_over(site, moment).clear_sky_kwh[0]) for moment in moments
    ]


def test_an_east_roof_peaks_in_the_morning_and_a_west_roof_in_the_afternoon() -> None:
    day = local_day(date(2024, 6, 1), ZoneInfo("Europe/London"))
    roofs = [
        describe_site(
            location=GREENWICH, pv=[{"peak_kw": 1, "tilt_deg": 40, "azimuth_deg": azimuth}]
        )
        for azimuth in (90, 270)
    ]
    east, west = (estimate_clear_sky(day.starts, roof).argmax() for roof in roofs)
    assert east < 52 < west  # solar noon is at 13:00 by the clock


@pytest.mark.parametrize(
    ("day", "dark"),
    [(date(2024, 6, 21), False), (date(2024, 12, 21), True)],
    ids=["midnight sun", "polar night"],
)
def test_the_far_north_has_no_night_in_june_and_no_day_in_december(day: date, dark: bool) -> None:
    site = describe_site(location={"latitude": 70.0, "longitude": 20.0})
    output = estimate_clear_sky(local_day(day, ZoneInfo("Europe/Oslo")).starts, site)
    assert (output == 0).all() == dark
    assert (output > 0).all() == (not dark)


def test_a_roof_in_sydney_faces_north_and_gives_most_in_december() -> None:
    sydney = {"latitude": -33.87, "longitude": 151.21}
    zone = ZoneInfo("Australia/Sydney")

    def day_kwh(month: int, **array: float) -> float:
        site = describe_site(location=sydney, pv=[{"peak_kw": 5} | array])
        starts = local_day(date(2026, month, 21), zone).starts
        return float(estimate_clear_sky(starts, site).sum())

    # A roof that says nothing faces the sun of noon.
    assert day_kwh(6) == day_kwh(6, azimuth_deg=0)
    assert day_kwh(6) > 2 * day_kwh(6, azimuth_deg=180)
    by_month = [day_kwh(month, tilt_deg=15) for month in range(1, 13)]
    assert by_month.index(max(by_month)) == 11
    assert by_month.index(min(by_month)) == 5


def test_clear_sky_output_stays_below_the_arrays_peak() -> None:
    site = describe_site(
        pv=[{"name": "a", "peak_kw": 3}, {"name": "b", "peak_kw": 2, "azimuth_deg": 90}]
    )
    output = estimate_clear_sky(
        local_day(date(2024, 6, 21), ZoneInfo("Europe/Berlin")).starts, site
    )
    assert limit_output(site) == pytest.approx(1.25)
    assert 0.7 * 1.25 < output.max() <= 1.25


def test_without_a_location_the_sky_is_flat() -> None:
    assert (
        estimate_clear_sky(instants(datetime(2024, 6, 1, tzinfo=UTC)), describe_site(location=None))
        == 1
    ).all()
