import numpy as np
import pytest

from services.ingest.sources.home_assistant.entity_history import as_readings, parse_rows
from services.ingest.sources.source import SourceError

HOUR_MS = 3_600_000
START = np.datetime64("1970-01-01T00:00", "us")


def row(hour: float, length: float = 1, **values: float | None) -> dict[str, float | None]:
    return {"start": int(hour * HOUR_MS), "end": int((hour + length) * HOUR_MS), **values}


def readings(*rows: dict[str, float | None]) -> list[tuple[float, float]]:
    instants, values = as_readings(parse_rows(rows, "sensor.a"))
    return [
        (float((instant - START) / np.timedelta64(1, "h")), float(value))
        for instant, value in zip(instants, values, strict=True)
    ]


def test_a_counter_stands_at_its_state_when_the_row_ends() -> None:
    assert readings(row(0, state=100.0, sum=10.0), row(1, state=102.0, sum=12.0)) == [
        (1, 100),
        (2, 102),
    ]


def test_what_was_counted_before_a_reset_within_a_row_is_not_lost() -> None:
    # 100 → reset → 3, and the sum says that 8 were counted: 5 of them before the reset, at 105.
    said = readings(
        row(0, state=100.0, sum=10.0), row(1, state=3.0, sum=18.0), row(2, state=4.0, sum=19.0)
    )
    assert said == [(1, 100), (1.5, 105), (2, 3), (3, 4)]


def test_a_dip_that_the_sum_follows_is_no_reset() -> None:
    assert readings(row(0, state=100.0, sum=10.0), row(1, state=99.9, sum=9.9)) == [
        (1, 100),
        (2, 99.9),
    ]


def test_without_states_the_sum_is_the_counter() -> None:
    assert readings(row(0, state=None, sum=1.5), row(1, state=None, sum=2.0)) == [
        (1, 1.5),
        (2, 2.0),
    ]


def test_a_mean_holds_from_the_start_of_its_row_until_the_row_ends() -> None:
    assert readings(row(0, mean=400.0), row(1, mean=500.0))[:5] == [
        (0, 400),
        (0.25, 400),
        (0.5, 400),
        (0.75, 400),
        (1, 500),
    ]


def test_where_rows_are_missing_a_mean_is_unknown() -> None:
    said = readings(row(0, 0.25, mean=400.0), row(1, 0.25, mean=500.0))
    np.testing.assert_array_equal(said, [(0, 400), (0.25, np.nan), (1, 500), (1.25, np.nan)])


def test_no_rows_are_no_readings() -> None:
    assert readings() == []


@pytest.mark.parametrize("rows", [[{"start": 0}], ["x"], [{"start": 0, "end": "later"}]])
def test_rows_in_another_form_name_the_sensor(rows: list[dict[str, float]]) -> None:
    with pytest.raises(SourceError, match=r"sensor\.a"):
        parse_rows(rows, "sensor.a")
