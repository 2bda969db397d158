import numpy as np
import pytest

from luna.energy.timeline import FloatArray
from luna.energy.weather import WEATHER, WeatherVintages
from services.forecaster.inputs.solar import Light, Sky, estimate_output, expected_output, look_up
from tests.support.household.measurements import describe_site

SITE = describe_site(pv=[{"name": "roof", "peak_kw": 4, "tilt_deg": 0}])
STARTS = np.arange("2024-06-20T00:00", "2024-06-21T00:00", 15, dtype="datetime64[m]").astype(
    "datetime64[s]"
)
FIRST = int(STARTS[0].astype(np.int64)) // 900
NOON = 44  # 11:00 UTC, an hour and a half before noon by the clock of Berlin


@pytest.fixture
def sky() -> Sky:
    found = look_up(STARTS, SITE)
    assert found is not None
    return found


def tell(**series: FloatArray) -> dict[str, FloatArray]:
    return {name: series.get(name, np.full(STARTS.size, np.nan)) for name in WEATHER}


def estimate(sky: Sky, **series: FloatArray) -> FloatArray:
    weather = tell(**series)
    return estimate_output(weather, Light.of(weather, sky), sky, SITE.pv)


def test_two_kinds_of_light_give_the_third(sky: Sky) -> None:
    dni = np.full(96, 600.0)
    dhi = np.full(96, 100.0)
    ghi = dni * sky.up + dhi
    high = sky.up > 0.1
    for told in (
        {"dni_w_m2": dni, "dhi_w_m2": dhi},
        {"ghi_w_m2": ghi, "dhi_w_m2": dhi},
        {"ghi_w_m2": ghi, "dni_w_m2": dni},
    ):
        light = Light.of(tell(**told), sky)
        np.testing.assert_allclose(
            [light.ghi[high], light.dni[high], light.dhi[high]], [ghi[high], dni[high], dhi[high]]
        )


def test_global_light_alone_is_split_by_how_clear_it_is(sky: Sky) -> None:
    bright, dull = (
        Light.of(tell(ghi_w_m2=share * sky.clear_ghi_w_m2), sky) for share in (1.0, 0.2)
    )
    assert bright.dhi[NOON] < 0.3 * bright.ghi[NOON]
    assert dull.dhi[NOON] > 0.9 * dull.ghi[NOON]
    assert bright.dni[NOON] * sky.up[NOON] + bright.dhi[NOON] == pytest.approx(bright.ghi[NOON])


def test_clouds_alone_tell_of_the_light(sky: Sky) -> None:
    # Kasten and Czeplak: a covered sky lets a quarter of the clear sky's light through.
    assert Light.of(tell(cloud_fraction=np.ones(96)), sky).ghi[NOON] == pytest.approx(
        0.25 * sky.clear_ghi_w_m2[NOON]
    )


def test_a_flat_roof_yields_in_proportion_to_the_global_light_and_less_when_it_is_warm(
    sky: Sky,
) -> None:
    ghi = sky.clear_ghi_w_m2 * 0.8
    output = estimate(sky, ghi_w_m2=ghi)
    hot = estimate(sky, ghi_w_m2=ghi, temperature_c=np.full(96, 30.0))
    # W/m² over those of the rating, losses, kW, quarter of an hour
    assert output[NOON] == pytest.approx(ghi[NOON] / 1000 * 0.9 * 4 / 4)
    assert 0.85 * output[NOON] < hot[NOON] < 0.95 * output[NOON]


def test_nothing_is_promised_by_night_and_nothing_known_where_the_weather_tells_of_no_light(
    sky: Sky,
) -> None:
    output = estimate(sky, ghi_w_m2=np.full(96, 100.0))
    assert (output[sky.clear_sky_kwh == 0] == 0).all()
    assert (output <= 1.0).all()  # 4 kW
    assert np.isnan(estimate(sky, temperature_c=np.full(96, 20.0))).all()


def test_the_past_is_promised_by_the_forecast_of_half_a_day_before_else_as_it_was_known_at_last(
    sky: Sky,
) -> None:
    slots = np.array([NOON, NOON, NOON, NOON + 1, NOON + 2])
    # In quarter-hours; the last when its slot had been over for one
    issued = FIRST + slots + np.array([-60, -10, 1, 1, 2])
    book = WeatherVintages.of(
        STARTS[slots],
        (issued * 900).astype("datetime64[s]"),
        {"ghi_w_m2": np.array([500.0, 600.0, 700.0, 400.0, 300.0])},
    )
    promised = expected_output(book, sky, SITE.pv, first=FIRST)
    assert promised[[NOON, NOON + 1]] == pytest.approx(np.array([500, 400]) / 1000 * 0.9)
    assert np.isnan(np.delete(promised, [NOON, NOON + 1])).all()
