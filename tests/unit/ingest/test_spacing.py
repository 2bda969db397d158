from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from luna.energy.errors import InvalidInputError
from services.ingest.instants import Spacing, choose_step, measure_spacing
from tests.support.suite.tables import each_row

START = datetime(2024, 1, 1, tzinfo=UTC)


def spacing(*minutes: float) -> Spacing:
    return measure_spacing(
        pl.Series(
            [START + timedelta(minutes=minute) for minute in minutes],
            dtype=pl.Datetime("us", "UTC"),
        )
    )


@each_row("step", [1, 5, 10, 15, 30, 60])
def test_reads_the_step_from_the_rows(step: float) -> None:
    assert choose_step([spacing(*range(0, 50 * step, step))]) == timedelta(minutes=step)


def test_gaps_do_not_change_the_step() -> None:
    assert choose_step([spacing(0, 15, 30, 60, 75, 105, 300, 315)]) == timedelta(minutes=15)


def test_one_row_is_a_quarter_hour() -> None:
    assert choose_step([spacing(0)]) == timedelta(minutes=15)


@each_row("step", [0.5, 7, 25, 1440])
def test_refuses_a_step_that_does_not_divide_the_hour(step: float) -> None:
    with pytest.raises(InvalidInputError, match="divide"):
        choose_step([spacing(*(step * row for row in range(30)))])


def test_refuses_a_step_that_changes_within_the_file() -> None:
    hourly = range(0, 60 * 40, 60)
    quarterly = range(60 * 40, 60 * 80, 15)
    with pytest.raises(InvalidInputError) as refused:
        choose_step([spacing(*hourly, *quarterly)])
    assert (refused.value.reason, refused.value.parameters) == (
        "file-step-changes",
        {"step": 15, "other": 60},
    )
