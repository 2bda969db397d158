from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.timeline import SLOT
from services.forecaster.forecaster import Forecaster
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.frame import Pairs, frame_series, number_slot
from services.forecaster.inputs.pv_features import view_pv
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.model.aurora import Aurora
from services.forecaster.model.baseline import BASELINES, LIKE_DAYS, Baseline
from tests.support.household.measurements import (
    START,
    describe_site,
    forecast_weather,
    measure_days,
)

DAYS = 12
AFTERNOON = (DAYS - 1) * 96 + 54  # 13:30 UTC of the last day


def see_unusual(last_day: float) -> float:
    """How the last two hours look, of a roof that faces east where the site says south.

    The last day yields a share of what the others do.
    """
    history = measure_days(DAYS)
    east = estimate_clear_sky(
        history.starts, describe_site(pv=[{"peak_kw": 5, "azimuth_deg": 90, "tilt_deg": 45}])
    )
    share = np.where(np.arange(len(history)) < (DAYS - 1) * 96, 1.0, last_day)
    measured = Observations.of(
        history.starts, {"load_kwh": history.load_kwh, "pv_kwh": east * share}
    )
    first = number_slot(START)
    view = view_pv(
        frame_series(measured, describe_site(), first=first, last=first + DAYS * 96),
        Pairs(np.array([AFTERNOON]), np.array([AFTERNOON + 4])),
    )
    return float(view.column("brightness_unusual")[0])


def test_the_last_hours_are_compared_with_the_same_hours_however_the_roof_faces() -> None:
    assert see_unusual(1.0) == pytest.approx(1.0, abs=0.1)
    assert 0.5 < see_unusual(0.5) < 0.8  # the less a sky gives, the less it says


SHADED = describe_site(
    pv=[
        {"name": "south", "peak_kw": 3, "shading": "heavy"},
        {"name": "west", "peak_kw": 2, "azimuth_deg": 270, "shading": "some"},
    ]
)
OPEN = SHADED.model_copy(
    update={"pv": [array.model_copy(update={"shading": None}) for array in SHADED.pv]}
)


@pytest.mark.parametrize(
    "make",
    [Aurora, *((lambda site, version=version: Baseline(version, site)) for version in BASELINES)],
    ids=["aurora", *BASELINES],
)
@pytest.mark.parametrize("weather", [False, True], ids=["without weather", "with weather"])
def test_shading_takes_its_share_of_what_was_never_measured_and_nothing_of_what_was(
    make: Callable[[Site], Forecaster], *, weather: bool
) -> None:
    context = Context(weather=forecast_weather(8)) if weather else NO_CONTEXT
    history = measure_days(6)
    for known, share in (
        (Observations.of(history.starts[:0], {}), (3 * 0.75 + 2 * 0.93) / 5),
        (history, 1.0),
    ):
        issued = [
            make(site)
            .issue_many(known, [START + timedelta(days=6)], 96, context=context)
            .pv_kwh.expected.sum()
            for site in (SHADED, OPEN)
        ]
        assert issued[0] == pytest.approx(share * issued[1], rel=1e-6)


@pytest.mark.parametrize(
    ("shading", "hours"),
    [("morning", range(11)), ("midday", range(11, 15)), ("evening", range(15, 24))],
)
def test_shade_in_a_part_of_the_day_takes_half_of_it_and_nothing_of_the_rest(
    shading: str, hours: range
) -> None:
    shaded = OPEN.model_copy(
        update={"pv": [array.model_copy(update={"shading": shading}) for array in OPEN.pv]}
    )
    nothing = Observations.of(measure_days(6).starts[:0], {})
    at = START + timedelta(days=6)
    issued = [
        Baseline(LIKE_DAYS, site)
        .issue_many(nothing, [at], 96, context=NO_CONTEXT)
        .pv_kwh.expected[0]
        for site in (shaded, OPEN)
    ]
    zone = ZoneInfo(OPEN.timezone)
    left = [
        0.5 if (at + place * SLOT).astimezone(zone).hour in hours else 1.0 for place in range(96)
    ]
    assert issued[1].max() > 0
    np.testing.assert_allclose(issued[0], issued[1] * left, rtol=1e-6)
