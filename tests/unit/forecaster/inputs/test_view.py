import numpy as np
import pytest

from services.forecaster.inputs.frame import frame_series, number_slot, pair_origins
from services.forecaster.inputs.series import EVERY_SERIES, ForecastSeries
from tests.household import day, describe_site, measure_days


@pytest.mark.parametrize("series", EVERY_SERIES, ids=lambda series: series.name)
def test_each_column_has_a_name_of_its_own(series: ForecastSeries) -> None:
    frame = frame_series(measure_days(10), describe_site(), first=number_slot(day(0)), last=number_slot(day(10)))
    view = series.view(frame, pair_origins(frame, [day(8)], 4))
    assert view.features.shape == (4, len(view.names))
    assert len(set(view.names)) == len(view.names)
    assert view.select(np.array([True, False, True, False])).names == view.names
    assert view.features[:, view.names.index("lead")].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("series", EVERY_SERIES, ids=lambda series: series.name)
def test_every_member_stands_in_its_own_column(series: ForecastSeries) -> None:
    frame = frame_series(measure_days(40), describe_site(), first=number_slot(day(0)), last=number_slot(day(40)))
    view = series.view(frame, pair_origins(frame, [day(35, hours=9)], 96))
    for name, member in view.members["centre"].items():
        np.testing.assert_allclose(view.features[:, view.names.index(name)], member / view.scale_kwh, rtol=1e-5)
