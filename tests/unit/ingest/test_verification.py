from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from luna.energy.site import SiteSensor
from luna.energy.timeline import Timeline
from services.ingest.metering.column_sensors import Column
from services.ingest.verification import DayDifference, add_submetered, ask_energy, compare_days

START = datetime(2024, 1, 1, tzinfo=UTC)
HOURS = Timeline(START, timedelta(hours=1), 4)


class Statistics:
    """Statistics as they were handed in."""

    def __init__(self, **rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def statistics(
        self, sensor: str, first: datetime, end: datetime, *, period: str, **options: object
    ) -> list[dict[str, Any]]:
        return self.rows[sensor]


def row(hour: int, **values: float | None) -> dict[str, Any]:
    return {"start": (START + timedelta(hours=hour)).timestamp() * 1000, **values}


def test_counters_count_their_change_and_one_with_a_minus_is_taken_off() -> None:
    source = Statistics(
        a=[row(0, change=2.0), row(1, change=3.0)], b=[row(0, change=0.5), row(2, change=1.0)]
    )
    np.testing.assert_array_equal(
        ask_energy(source, Column("load_kwh", (SiteSensor("a"), SiteSensor("b", -1))), HOURS),
        [1.5, np.nan, np.nan, np.nan],
    )


def test_a_power_counts_its_mean_where_it_flowed_one_way_alone() -> None:
    source = Statistics(a=[row(0, mean=2.0, min=0.5), row(1, mean=1.0, min=-0.5)])
    np.testing.assert_array_equal(
        ask_energy(source, Column("import_kwh", (SiteSensor("a"),)), HOURS),
        [2, np.nan, np.nan, np.nan],
    )


def test_the_load_a_meter_shows_holds_the_appliances_that_are_kept_apart() -> None:
    stored = add_submetered(
        {"load_kwh": np.array([1.0]), "vehicle_kwh": np.array([2.0]), "pv_kwh": np.array([5.0])}
    )
    assert {name: values.tolist() for name, values in stored.items()} == {
        "load_kwh": [3.0],
        "vehicle_kwh": [2.0],
        "pv_kwh": [5.0],
    }


def test_days_are_compared_over_the_hours_that_both_know() -> None:
    source = np.array([1.0, np.nan, 1.0, 1.0])
    stored = np.array([1.1, 1.0, np.nan, 1.0])
    days = list(
        compare_days(
            "load_kwh",
            source,
            stored,
            [(date(2024, 1, 1), slice(0, 2)), (date(2024, 1, 2), slice(2, 4))],
        )
    )
    assert [(day.source_kwh, day.stored_kwh, day.hours, day.day_hours) for day in days] == [
        (1.0, 1.1, 1, 2),
        (1.0, 1.0, 1, 2),
    ]
    assert days[0].difference_share == pytest.approx(0.1)


@pytest.mark.parametrize(("stored_kwh", "beyond"), [(10.19, False), (10.21, True), (9.79, True)])
def test_a_difference_beyond_two_per_cent_is_marked(stored_kwh: float, beyond: bool) -> None:
    assert DayDifference(date(2024, 1, 1), "load_kwh", 10.0, stored_kwh, 24, 24).beyond is beyond


def test_a_tenth_of_a_kilowatt_hour_is_rounding_on_a_day_without_sun() -> None:
    day = DayDifference(date(2024, 1, 1), "pv_kwh", 0.0, 0.09, 24, 24)
    assert (day.beyond, np.isnan(day.difference_share)) == (False, True)
