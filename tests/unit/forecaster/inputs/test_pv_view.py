import numpy as np
import pytest

from luna.observations import Observations
from services.forecaster.inputs.frame import Pairs, frame_series, number_slot
from services.forecaster.inputs.pv_features import view_pv
from services.forecaster.inputs.solar import estimate_clear_sky
from tests.household import START, describe_site, measure_days

DAYS = 12
AFTERNOON = (DAYS - 1) * 96 + 54  # 13:30 UTC of the last day


def see_unusual(last_day: float) -> float:
    """How the last two hours look, of a roof that faces east where the site says south; the last day yields a share of what the others do."""
    history = measure_days(DAYS)
    east = estimate_clear_sky(history.starts, describe_site(pv=[{"peak_kw": 5, "azimuth_deg": 90, "tilt_deg": 45}]))
    share = np.where(np.arange(len(history)) < (DAYS - 1) * 96, 1.0, last_day)
    measured = Observations.of(history.starts, {"load_kwh": history.load_kwh, "pv_kwh": east * share})
    first = number_slot(START)
    view = view_pv(frame_series(measured, describe_site(), first=first, last=first + DAYS * 96), Pairs(np.array([AFTERNOON]), np.array([AFTERNOON + 4])))
    return float(view.column("brightness_unusual")[0])


def test_the_last_hours_are_compared_with_the_same_hours_however_the_roof_faces() -> None:
    assert see_unusual(1.0) == pytest.approx(1.0, abs=0.1)
    assert 0.5 < see_unusual(0.5) < 0.8  # the less a sky gives, the less it says
