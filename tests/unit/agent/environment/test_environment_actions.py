"""Powers that contradict each other are gated by the day's prices."""

import numpy as np
import pytest

from services.agent.environment.actions import DayPrices, Powers, find_quartiles
from tests.support.suite.tables import each_row

# 0.1, 0.2, 0.3, 0.4: quartiles at 0.175, 0.25 and 0.325; the zeros are gaps.
DAY = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.0])


def gated(price: float, charge: float, discharge: float, export: float = 0.0) -> list[float]:
    powers = Powers(*(np.array([[each]]) for each in (charge, discharge, export))).gate(
        DayPrices(np.array([price]), *find_quartiles(DAY).reshape(3, 1))
    )
    return [
        float(powers.charge_kw[0, 0]),
        float(powers.discharge_kw[0, 0]),
        float(powers.export_kw[0, 0]),
    ]


def test_zero_prices_are_left_out_of_the_quartiles() -> None:
    assert find_quartiles(DAY) == pytest.approx([0.175, 0.25, 0.325])
    assert find_quartiles(np.zeros(4)).tolist() == [0.0, 0.0, 0.0]


@each_row(
    ("price", "charge", "discharge", "export", "kept"),
    [
        (0.1, 1.0, 3.0, 2.0, [1.0, 0.0, 0.0]),
        (0.4, 3.0, 1.0, 0.5, [0.0, 1.0, 0.5]),
        (0.2, 2.0, 1.0, 0.5, [2.0, 0.0, 0.0]),
        (0.3, 1.0, 2.0, 0.0, [0.0, 2.0, 0.0]),
        (0.2, 2.0, 1.0, 1.0, [2.0, 0.0, 0.0]),
        (0.3, 2.0, 1.0, 1.0, [0.0, 1.0, 1.0]),
        (0.1, 0.0, 1.0, 0.0, [0.0, 1.0, 0.0]),
        (0.4, 1.0, 0.0, 0.0, [1.0, 0.0, 0.0]),
    ],
    ids=[
        "cheap",
        "dear",
        "more in",
        "more out",
        "equal below the median",
        "equal above it",
        "only out",
        "only in",
    ],
)
def test_no_slot_is_asked_for_both_directions(
    price: float, charge: float, discharge: float, export: float, kept: list[float]
) -> None:
    assert gated(price, charge, discharge, export) == kept
