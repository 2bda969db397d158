from collections.abc import Callable

import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.weather import NO_WEATHER, WeatherVintages
from services.forecaster.inputs.context import Context
from services.forecaster.inputs.frame import Pairs, frame_series, number_slot
from services.forecaster.inputs.pv_features import view_pv
from services.forecaster.inputs.solar import look_up
from services.forecaster.inputs.view import FeatureMatrix
from tests.support.household.measurements import START, describe_site, measure_days

DAYS = 20
SITE = describe_site()
FIRST = number_slot(START)
SLOTS = np.arange((DAYS + 3) * 96)
STARTS = ((FIRST + SLOTS) * 900).astype("datetime64[s]")
ORIGIN = DAYS * 96
NOON = 46


def clear_ghi() -> np.ndarray:
    sky = look_up(STARTS, SITE)
    assert sky is not None
    return sky.clear_ghi_w_m2


def issue(share: np.ndarray | float, *, lead_slots: int) -> WeatherVintages:
    """The global light as a share of the clear sky's, issued so long before each slot.

    After it where negative.
    """
    return WeatherVintages.of(
        STARTS,
        ((FIRST + SLOTS - lead_slots) * 900).astype("datetime64[s]"),
        {"ghi_w_m2": share * clear_ghi()},
    )


def look(weather: WeatherVintages, *, came: float = 0.6) -> FeatureMatrix:
    """Tomorrow, where every day so far yielded the same share of a clear sky."""
    sky = look_up(STARTS, SITE)
    assert sky is not None
    history = measure_days(DAYS)
    steady = Observations.of(
        history.starts,
        {"load_kwh": history.load_kwh, "pv_kwh": came * sky.clear_sky_kwh[: len(history)]},
    )
    frame = frame_series(
        steady, SITE, first=FIRST, last=FIRST + SLOTS.size, context=Context(weather)
    )
    return view_pv(frame, Pairs(np.full(96, ORIGIN), ORIGIN + np.arange(96)))


def test_output_follows_the_weather_as_forecast() -> None:
    bright, dull = (
        look(issue(np.where(SLOTS < ORIGIN, 0.6, share), lead_slots=192)).members["centre"][
            "weather"
        ]
        for share in (0.9, 0.15)
    )
    same = look(issue(0.6, lead_slots=192)).members["centre"]
    assert bright[NOON] > 1.3 * same["weather"][NOON] > 3 * dull[NOON]
    assert same["weather"][NOON] == pytest.approx(same["clear_sky"][NOON], rel=0.1)


def test_what_the_weather_promises_is_corrected_by_what_came_of_it() -> None:
    half, whole = (
        look(issue(0.8, lead_slots=192), came=came).members["centre"]["weather"].sum()
        for came in (0.3, 0.6)
    )
    assert half == pytest.approx(whole / 2, rel=0.05)


@pytest.mark.parametrize(
    "tell", [lambda: NO_WEATHER, lambda: issue(0.5, lead_slots=-1)], ids=["none", "measured only"]
)
def test_where_no_forecast_was_known_the_clear_sky_speaks(
    tell: Callable[[], WeatherVintages],
) -> None:
    view = look(tell())
    assert np.isnan(view.features[:, view.names.index("weather_estimate")]).all()
    np.testing.assert_array_equal(
        view.members["centre"]["weather"], view.members["centre"]["clear_sky"]
    )
    assert all(
        np.isfinite(member).all() for named in view.members.values() for member in named.values()
    )


def test_nothing_is_yielded_by_night_whatever_the_weather_says() -> None:
    view = look(issue(1.0, lead_slots=192))
    assert (view.members["centre"]["weather"][view.limit_kwh == 0] == 0).all()
