from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.site import Location, PvArray
from luna.timeline import local_day
from services.forecaster.solar import estimate_clear_sky, estimate_irradiance, limit_output, locate_sun
from tests.household import describe_site

GREENWICH = Location(latitude=51.48, longitude=0.0)


def instants(*moments: datetime) -> np.ndarray:
    return np.array([moment.astimezone(UTC).replace(tzinfo=None) for moment in moments], dtype="datetime64[s]")


@pytest.mark.parametrize(
    ("moment", "elevation_deg"),
    [
        # Solar noon at Greenwich: 90 − latitude + declination (23.44, 0, −23.44 degrees).
        (datetime(2024, 6, 20, 12, 2, tzinfo=UTC), 61.96),
        (datetime(2024, 3, 20, 12, 7, tzinfo=UTC), 38.5),
        (datetime(2024, 12, 21, 11, 58, tzinfo=UTC), 15.08),
    ],
    ids=["summer", "equinox", "winter"],
)
def test_noon_sun_stands_as_high_as_the_declination_says(moment: datetime, elevation_deg: float) -> None:
    sun = locate_sun(instants(moment), GREENWICH)
    assert 90 - np.degrees(np.arccos(sun.cos_zenith[0])) == pytest.approx(elevation_deg, abs=0.5)
    assert np.degrees(sun.azimuth_rad[0]) == pytest.approx(180, abs=1.5)


def test_an_east_roof_peaks_in_the_morning_and_a_west_roof_in_the_afternoon() -> None:
    day = local_day(date(2024, 6, 1), ZoneInfo("Europe/London"))
    sun = locate_sun(day.starts, GREENWICH)
    east, west = (estimate_irradiance(sun, PvArray(peak_kw=1, tilt_deg=40, azimuth_deg=azimuth)).argmax() for azimuth in (90, 270))
    assert east < 48 < west


@pytest.mark.parametrize(("day", "dark"), [(date(2024, 6, 21), False), (date(2024, 12, 21), True)], ids=["midnight sun", "polar night"])
def test_the_far_north_has_no_night_in_june_and_no_day_in_december(day: date, dark: bool) -> None:
    site = describe_site(location={"latitude": 70.0, "longitude": 20.0})
    output = estimate_clear_sky(local_day(day, ZoneInfo("Europe/Oslo")).starts, site)
    assert (output == 0).all() == dark
    assert (output > 0).all() == (not dark)


def test_clear_sky_output_stays_below_the_arrays_peak() -> None:
    site = describe_site(pv=[{"name": "a", "peak_kw": 3}, {"name": "b", "peak_kw": 2, "azimuth_deg": 90}])
    output = estimate_clear_sky(local_day(date(2024, 6, 21), ZoneInfo("Europe/Berlin")).starts, site)
    assert limit_output(site) == pytest.approx(1.25)
    assert 0.7 * 1.25 < output.max() <= 1.25


def test_without_a_location_the_sky_is_flat() -> None:
    assert (estimate_clear_sky(instants(datetime(2024, 6, 1, tzinfo=UTC)), describe_site(location=None)) == 1).all()
