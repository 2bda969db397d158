"""In which unit a sensor's readings are read."""

import numpy as np
import pytest

from luna.energy.units import UnitHistory, ratio
from tests.support.suite.tables import each_row

MINUTES = np.datetime64("2024-01-01T00:00", "us") + np.arange(10) * np.timedelta64(60_000_000, "us")


@each_row(
    ("unit", "to", "expected"),
    [
        ("Wh", "kWh", 0.001),
        ("MWh", "Wh", 1e6),
        ("kw", "W", 1000.0),
        ("1", "%", 100.0),
        ("°C", "°C", 1.0),
        ("W", "kWh", np.nan),
        ("kkWh", "kWh", np.nan),
        (None, "kWh", np.nan),
    ],
)
def test_a_unit_is_expressed_in_another_of_its_kind_alone(
    unit: str | None, to: str, expected: float
) -> None:
    assert ratio(unit, to) == pytest.approx(expected, nan_ok=True)


@each_row(
    ("names", "expected"),
    [
        # Each name holds for as many minutes as there are of ten.
        ({"kWh": 4, "Wh": 6}, "Wh"),
        ({"kWh": 9, "Wh": 1}, "Wh"),
        ({"kWh": 9, "W": 1}, "kWh"),
        ({"W": 3, "kWh": 7}, "kWh"),
        ({"kWh": 2, "kkWh": 8}, "kWh"),
        ({"°C": 2, "°F": 8}, "°F"),
    ],
    ids=["later", "one later", "one power", "another kind since", "no unit", "nothing known"],
)
def test_readings_are_read_in_the_newest_unit_of_most_of_them(
    names: dict[str, int], expected: str
) -> None:
    first, *later = names
    history = UnitHistory(first, MINUTES[list(names.values())[:1]], tuple(later))
    assert history.newest(MINUTES) == expected
