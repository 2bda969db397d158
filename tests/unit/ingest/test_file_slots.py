from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from luna.energy.row_fault import RowFault
from luna.energy.site import parse_site
from services.ingest.file_slots import (
    set_aside_impossible,
    set_aside_off_grid,
    set_aside_repeats,
    to_quarter_hours,
)
from services.ingest.plausible_powers import limit_powers
from tests.support.metering.row_faults import read_faults

START = datetime(2024, 1, 1, tzinfo=UTC)


def rows(minutes: list[int], **columns: list[Any]) -> pl.DataFrame:
    instants = pl.Series(
        "instant",
        [START + timedelta(minutes=minute) for minute in minutes],
        dtype=pl.Datetime("us", "UTC"),
    )
    return pl.DataFrame(
        [
            pl.Series("line", range(2, 2 + len(minutes))),
            instants,
            *(pl.Series(name, values) for name, values in columns.items()),
        ]
    )


def minutes_of(frame: pl.DataFrame) -> list[int]:
    return [(instant - START) // timedelta(minutes=1) for instant in frame["instant"]]


def test_identical_repeats_are_counted_and_contradicting_ones_set_aside() -> None:
    kept, identical, contradicting = set_aside_repeats(
        rows([15, 0, 0, 0, 15], load_kwh=[5.0, 1.0, 1.0, 2.0, None]), ["instant"], ["load_kwh"]
    )
    assert (minutes_of(kept), kept["load_kwh"].to_list()) == ([0, 15], [1.0, 5.0])
    assert identical == 1
    assert dict(zip(contradicting["line"], read_faults(contradicting["fault"]), strict=True)) == {
        5: RowFault.of("contradicts_line", line=3),
        6: RowFault.of("contradicts_line", line=2),
    }


def test_the_same_time_of_another_key_is_no_repeat() -> None:
    kept, identical, _ = set_aside_repeats(
        rows([0, 0], sensor=["a", "b"], value=[1.0, 1.0]), ["instant", "sensor"], ["value"]
    )
    assert (kept.height, identical) == (2, 0)


def test_rows_off_the_grid_are_set_aside() -> None:
    on_grid, off_grid = set_aside_off_grid(rows([0, 15, 22, 30]), timedelta(minutes=15))
    assert minutes_of(on_grid) == [0, 15, 30]
    assert read_faults(off_grid["fault"]) == [RowFault.of("off_grid", minutes=15)]


def test_hours_may_begin_at_half_past_where_they_all_do() -> None:
    on_grid, off_grid = set_aside_off_grid(rows([30, 90, 150, 165, 210]), timedelta(hours=1))
    assert minutes_of(on_grid) == [30, 90, 150, 210]
    assert off_grid.height == 1


def test_what_the_site_cannot_do_is_set_aside() -> None:
    site = parse_site(
        {"name": "home", "timezone": "UTC", "pv": [{"peak_kw": 4}], "grid": {"import_limit_kw": 11}}
    )
    # 4 kW for a quarter-hour is 1 kWh; a quarter above it is believed, 1.3 kWh is not.
    possible, impossible = set_aside_impossible(
        rows([0, 15], pv_kwh=[1.25, 1.3]), limit_powers(site), timedelta(minutes=15)
    )
    assert minutes_of(possible) == [0]
    assert read_faults(impossible["fault"]) == [
        RowFault.of("above_site", series="pv_kwh", limit=1.25, minutes=15)
    ]


def test_a_site_without_limits_takes_any_believable_power() -> None:
    site = parse_site({"name": "home", "timezone": "UTC"})
    assert (
        set_aside_impossible(
            rows([0], load_kwh=[2_000.0]), limit_powers(site), timedelta(minutes=15)
        )[0].height
        == 1
    )
    assert (
        set_aside_impossible(
            rows([0], load_kwh=[3_000.0]), limit_powers(site), timedelta(minutes=15)
        )[0].height
        == 0
    )


def test_an_hour_becomes_four_quarters() -> None:
    hour = rows([0], load_kwh=[4.0], import_price=[0.3], soc=[0.5])
    quarters = to_quarter_hours(
        hour, timedelta(hours=1), keys=[], values=["load_kwh", "import_price", "soc"]
    )
    assert minutes_of(quarters) == [0, 15, 30, 45]
    assert quarters["load_kwh"].to_list() == [1.0] * 4
    assert quarters["import_price"].to_list() == [0.3] * 4
    assert quarters["soc"].to_list() == [None, None, None, 0.5]


def test_three_times_five_minutes_become_a_quarter_and_an_incomplete_one_is_left_out() -> None:
    parts = rows([0, 5, 10, 15, 25], load_kwh=[1.0, 2.0, 3.0, 4.0, 5.0])
    quarters = to_quarter_hours(parts, timedelta(minutes=5), keys=[], values=["load_kwh"])
    assert (minutes_of(quarters), quarters["load_kwh"].to_list()) == ([0], [6.0])


def test_ten_minutes_go_through_five() -> None:
    parts = rows([0, 10, 20], load_kwh=[2.0, 4.0, 6.0])
    quarters = to_quarter_hours(parts, timedelta(minutes=10), keys=[], values=["load_kwh"])
    assert quarters["load_kwh"].to_list() == [4.0, 8.0]


@pytest.mark.parametrize("minutes", [5, 30])
def test_forecasts_of_different_issue_keep_apart(minutes: int) -> None:
    count = 30 // minutes
    issued = [START] * count + [START + timedelta(hours=1)] * count
    parts = rows(
        [minutes * row for row in range(count)] * 2,
        issued_at=pl.Series(issued, dtype=pl.Datetime("us", "UTC")),
        ghi_w_m2=[10.0] * count + [20.0] * count,
    )
    quarters = to_quarter_hours(
        parts, timedelta(minutes=minutes), keys=["issued_at"], values=["ghi_w_m2"]
    )
    assert quarters["ghi_w_m2"].to_list() == [10.0, 10.0, 20.0, 20.0]
