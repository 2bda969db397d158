from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from services.ingest.instants import NAIVE, SKIPPED, UNREADABLE, InstantReader
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")


def read(written: Any, zone: ZoneInfo | None = None) -> pl.DataFrame:
    return InstantReader(zone).read(pl.Series("slot_start", written, dtype=pl.String))


@each_row(
    "written",
    [
        "2024-02-01T00:00:00Z",
        "2024-02-01 00:00Z",
        "2024-02-01T01:00:00+01:00",
        "2024-01-31T19:00:00.000-0500",
        " 2024-02-01T05:30+05:30 ",
        "2024-02-01T01:00:00+01",
    ],
)
def test_reads_every_way_to_write_an_offset(written: Any) -> None:
    assert read([written])["instant"].to_list() == [datetime(2024, 2, 1, tzinfo=UTC)]


@each_row(
    "written",
    ["01.02.2024 01:00", "1.2.2024 1:00:00", "01.02.24, 01:00", " 01.02.2024 01:00:00.000 "],
)
def test_reads_days_written_first_with_points_between(written: str) -> None:
    assert read([written], BERLIN)["instant"].to_list() == [datetime(2024, 2, 1, tzinfo=UTC)]
    assert (
        read([f"{written.strip()}+01:00", "2024-02-01T00:00Z"])["instant"].to_list()
        == [datetime(2024, 2, 1, tzinfo=UTC)] * 2
    )
    assert read([written])["fault"].to_list() == [NAIVE.text]


@each_row(
    "written",
    [
        "yesterday",
        "",
        None,
        "2024-02-30T00:00:00Z",
        "2024-02-01",
        "2024-02-01T25:00Z",
        "2024-02-01T00:00:00+25:00",
        "01/02/2024 01:00",
        "31.02.2024 01:00",
    ],
)
def test_says_what_is_no_time(written: Any) -> None:
    times = read([written], BERLIN)
    assert times["instant"].to_list() == [None]
    assert times["fault"].to_list() == [UNREADABLE.text]


def test_refuses_a_time_without_offset_unless_the_zone_is_named() -> None:
    assert read(["2024-02-01T00:00:00"])["fault"].to_list() == [NAIVE.text]
    assert read(["2024-02-01T01:00:00"], BERLIN)["instant"].to_list() == [
        datetime(2024, 2, 1, tzinfo=UTC)
    ]


def test_an_offset_beats_the_zone() -> None:
    assert read(["2024-02-01T00:00:00Z"], BERLIN)["instant"].to_list() == [
        datetime(2024, 2, 1, tzinfo=UTC)
    ]


def test_the_repeated_hour_is_told_apart_by_order() -> None:
    times = read(
        [
            "2024-10-27T02:00",
            "2024-10-27T02:30",
            "2024-10-27T02:00",
            "2024-10-27T02:30",
            "2024-10-27T03:00",
        ],
        BERLIN,
    )
    assert [instant.strftime("%H:%M") for instant in times["instant"]] == [
        "00:00",
        "00:30",
        "01:00",
        "01:30",
        "02:00",
    ]
    assert times["resolved"].to_list() == [True, True, True, True, False]


def test_the_repeated_hour_of_a_file_that_runs_backwards_is_told_apart_too() -> None:
    times = read(
        [
            "2024-10-27T03:00",
            "2024-10-27T02:30",
            "2024-10-27T02:00",
            "2024-10-27T02:30",
            "2024-10-27T02:00",
        ],
        BERLIN,
    )
    assert [instant.strftime("%H:%M") for instant in times["instant"]] == [
        "02:00",
        "01:30",
        "01:00",
        "00:30",
        "00:00",
    ]


def test_the_repeated_hour_is_told_apart_across_batches() -> None:
    reader = InstantReader(BERLIN)
    first, second = (
        reader.read(pl.Series(["2024-10-27T01:00", "2024-10-27T02:00"]))["instant"][-1]
        for _ in range(2)
    )
    assert (second - first).total_seconds() == 3600


def test_each_series_has_its_own_repeated_hour() -> None:
    times = InstantReader(BERLIN).read(
        pl.Series(["2024-10-27T02:00"] * 2), series=pl.Series(["roof", "meter"])
    )
    assert times["instant"].n_unique() == 1


def test_the_missing_hour_is_refused_with_its_reason() -> None:
    assert read(["2024-03-31T02:30"], BERLIN)["fault"].to_list() == [SKIPPED.text]


def test_reads_typed_instants() -> None:
    aware = pl.Series([datetime(2024, 2, 1, tzinfo=UTC)], dtype=pl.Datetime("ms", "UTC"))
    # A file without zone is what is tested.
    naive = pl.Series([datetime(2024, 2, 1, 1)], dtype=pl.Datetime("us"))  # noqa: DTZ001
    assert (
        InstantReader(None).read(aware)["instant"].to_list()
        == InstantReader(BERLIN).read(naive)["instant"].to_list()
    )
