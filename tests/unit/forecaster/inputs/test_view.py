import tracemalloc

import numpy as np
import pytest

from services.forecaster.inputs.forecast_series import EVERY_SERIES, ForecastSeries
from services.forecaster.inputs.frame import frame_series, number_slot, pair_origins
from tests.support.household.measurements import day, describe_site, measure_days


@pytest.mark.parametrize("series", EVERY_SERIES, ids=lambda series: series.name)
def test_each_column_has_a_name_of_its_own(series: ForecastSeries) -> None:
    frame = frame_series(
        measure_days(10), describe_site(), first=number_slot(day(0)), last=number_slot(day(10))
    )
    view = series.view(frame, pair_origins(frame, [day(8)], 4))
    assert view.features.shape == (4, len(view.names))
    assert len(set(view.names)) == len(view.names)
    assert view.select(np.array([True, False, True, False])).names == view.names
    assert view.features[:, view.names.index("lead")].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("series", EVERY_SERIES, ids=lambda series: series.name)
def test_every_member_stands_in_its_own_column(series: ForecastSeries) -> None:
    frame = frame_series(
        measure_days(40), describe_site(), first=number_slot(day(0)), last=number_slot(day(40))
    )
    view = series.view(frame, pair_origins(frame, [day(35, hours=9)], 96))
    for name, member in view.members["centre"].items():
        np.testing.assert_allclose(
            view.features[:, view.names.index(name)], member / view.scale_kwh, rtol=1e-5
        )


@pytest.mark.parametrize("series", EVERY_SERIES, ids=lambda series: series.name)
def test_many_rows_are_described_as_few_are_and_take_little_more_than_what_comes_of_them(
    series: ForecastSeries,
) -> None:
    frame = frame_series(
        measure_days(40), describe_site(), first=number_slot(day(0)), last=number_slot(day(40))
    )
    pairs = pair_origins(frame, [day(35, hours=hour) for hour in range(96)], 96)
    tracemalloc.start()
    view = series.view(frame, pairs)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    first, *_, last = (
        series.view(frame, pairs.select(pairs.origin == origin))
        for origin in np.unique(pairs.origin)
    )
    np.testing.assert_array_equal(
        np.concatenate([view.features[:96], view.features[-96:]]),
        np.concatenate([first.features, last.features]),
    )
    for part, members in view.members.items():
        for name, member in members.items():
            np.testing.assert_allclose(
                member[-96:], last.members[part][name], rtol=1e-12, err_msg=f"{part} {name}"
            )
    # Described at once, 9,216 rows take 40 MB (PV) and 60 MB (load) that are not kept.
    assert most - kept < 25e6
