from datetime import UTC, datetime

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.observations import Observations
from luna.energy.timeline import SLOT, Timeline, parse_instant

STARTS = np.array(["2024-01-01T00:00", "2024-01-01T00:30"], dtype="datetime64[s]")


def test_series_that_are_not_given_are_unknown() -> None:
    observed = Observations.of(STARTS, {"load_kwh": np.array([1.0, 2.0])})
    assert np.isnan(observed.pv_kwh).all()
    assert observed.load_kwh.tolist() == [1.0, 2.0]


def test_a_gap_becomes_unknown_on_a_timeline_and_never_zero() -> None:
    observed = Observations.of(STARTS, {"load_kwh": np.array([1.0, 2.0])})
    on_grid = observed.on(Timeline(parse_instant("2024-01-01T00:00:00Z", field="start"), SLOT, 4))
    np.testing.assert_array_equal(on_grid.load_kwh, [1.0, np.nan, 2.0, np.nan])


def test_refuses_repeated_slots() -> None:
    with pytest.raises(InvalidInputError, match="strictly ascending"):
        Observations.of(STARTS[[0, 0]], {"load_kwh": np.zeros(2)})


def test_refuses_a_series_of_another_length_by_name() -> None:
    with pytest.raises(InvalidInputError, match="pv_kwh"):
        Observations.of(STARTS, {"pv_kwh": np.zeros(3)})


def test_refuses_an_unknown_series_by_name() -> None:
    with pytest.raises(InvalidInputError, match="gas_kwh"):
        Observations.of(STARTS, {"gas_kwh": np.zeros(2)})


def test_a_window_that_is_left_out_becomes_unknown_and_its_neighbours_stay() -> None:
    first, second = (start.astype(datetime).replace(tzinfo=UTC) for start in STARTS)
    observed = Observations.of(
        STARTS, {"load_kwh": np.array([1.0, 2.0]), "soc": np.array([0.5, 0.6])}
    )
    kept = observed.without([(first, second)])
    np.testing.assert_array_equal(kept.load_kwh, [np.nan, 2.0])
    np.testing.assert_array_equal(kept.soc, [np.nan, 0.6])
