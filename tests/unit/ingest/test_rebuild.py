"""Days that are built again: what is the same day with corrections, and what is another one."""

from datetime import date

import numpy as np
import pytest

from luna.energy.timeline import FloatArray
from services.ingest.rebuild import compare_day
from tests.support.suite.tables import each_row

DAY = date(2024, 1, 10)
# A day's load of 0.1 to 0.6 kWh per slot, 33.6 kWh; the sun's half of it, and a battery that
# charges by day and gives by night.
LOAD = 0.1 + np.tile(np.arange(6) / 10, 16)
CHARGE = np.where((np.arange(96) >= 40) & (np.arange(96) < 60), 0.5, 0.0)
DISCHARGE = np.where(np.arange(96) >= 76, 0.45, 0.0)


def faults(before: dict[str, FloatArray], after: dict[str, FloatArray]) -> list[tuple[str, str]]:
    return [(found.series, found.fault) for found in compare_day(DAY, before, after)]


@pytest.mark.parametrize("factor", [1000, 12, 4])
def test_a_day_that_grows_by_a_factor_is_another_day(factor: float) -> None:
    assert faults({"load_kwh": LOAD}, {"load_kwh": LOAD * factor}) == [("load_kwh", "factor")]


@pytest.mark.parametrize("factor", [1 / 1000, 1 / 12, 1 / 4, 0])
def test_a_day_that_loses_more_than_half_is_another_day(factor: float) -> None:
    assert faults({"load_kwh": LOAD}, {"load_kwh": LOAD * factor}) == [("load_kwh", "gone")]


def test_a_battery_that_is_turned_around_is_another_one() -> None:
    before = {"charge_kwh": CHARGE, "discharge_kwh": DISCHARGE}
    after = {"charge_kwh": DISCHARGE, "discharge_kwh": CHARGE}
    assert faults(before, after) == [("charge_kwh", "swapped"), ("discharge_kwh", "swapped")]


@each_row(
    ("before", "after"),
    [
        (np.full(96, np.nan), LOAD),
        (np.where(np.arange(96) < 80, LOAD, np.nan), LOAD * 1000),
        (LOAD, LOAD * 1.3),
        (LOAD, np.where(np.arange(96) < 30, LOAD, np.nan)),
        (LOAD, np.where(np.arange(96) == 50, LOAD + 60, LOAD)),
        (
            np.where(np.arange(96) == 50, 0.2, 0.0),
            np.where((np.arange(96) >= 48) & (np.arange(96) < 60), 1.75, 0.0),
        ),
        (LOAD / 100, np.zeros(96)),
    ],
    ids=[
        "first built",
        "incomplete before",
        "corrected",
        "unknown now",
        "a late peak",
        "a car that was hardly seen",
        "next to nothing",
    ],
)
def test_a_day_that_is_completed_or_corrected_is_the_same_day(
    before: FloatArray, after: FloatArray
) -> None:
    assert faults({"load_kwh": before}, {"load_kwh": after}) == []
