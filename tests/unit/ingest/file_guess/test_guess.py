"""Files of portals, inverters and Home Assistant: what is stored is what is true, and what a file
does not say is asked.
"""

import gzip
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from luna.contracts.file_guess import FileGuess
from luna.energy.errors import InvalidInputError
from services.ingest.file_guess.guess import guess_file
from services.ingest.file_guess.sources import WHOLE_BYTES
from services.ingest.file_guess.translate import read_rows
from services.ingest.limited_file import FileLimits
from tests.support.metering.foreign_files import (
    HELD_OUT,
    HOUR,
    KNOWN,
    ForeignFile,
    House,
    comma,
    lines,
    workbook,
)

BERLIN = "Europe/Berlin"


def guess(
    folder: Path,
    content: bytes,
    choices: dict[str, str] | None = None,
    *,
    name: str = "file.csv",
    zone: str = BERLIN,
) -> FileGuess:
    path = folder / "file"
    path.write_bytes(content)
    return guess_file(path, file_name=name, timezone=zone, choices=choices)


def read(folder: Path, found: FileGuess, step: timedelta) -> dict[str, dict[datetime, float]]:
    """Return what would be stored, summed up to ``step``."""
    assert found.reading is not None
    rows = pl.concat(
        list(read_rows(folder / "file", found.reading, FileLimits())), how="vertical_relaxed"
    )
    at = (
        rows["slot_start"]
        if rows["slot_start"].dtype != pl.String
        else rows["slot_start"].str.to_datetime("%+", time_zone="UTC")
    )
    stored: dict[str, dict[datetime, float]] = {}
    for name in (name for name in rows.columns if name not in {"line", "slot_start"}):
        series = stored.setdefault(name, {})
        for instant, value in zip(at, rows[name].cast(pl.Float64), strict=True):
            if value is not None:
                start = instant - timedelta(seconds=instant.timestamp() % step.total_seconds())
                series[start] = series.get(start, 0.0) + value
    return stored


@pytest.mark.parametrize("make", [*KNOWN, *HELD_OUT], ids=lambda make: make.__name__)
def test_what_would_be_stored_of_a_file_is_what_is_true(
    make: Callable[[], ForeignFile], tmp_path: Path
) -> None:
    file = make()
    asked = guess(tmp_path, file.content, name=file.name, zone=file.house.zone.key)
    assert {question.key for question in asked.questions} <= file.asked
    answers = dict(file.answers)
    found = asked
    if answers:
        found = guess(tmp_path, file.content, answers, name=file.name, zone=file.house.zone.key)
    assert found.reading is not None
    direct = (
        found.reading.step_seconds is not None
        and found.reading.step_seconds >= file.house.step.total_seconds()
        and file.house.step >= timedelta(minutes=5)
    )
    step = file.house.step if direct else max(file.house.step, timedelta(minutes=15))
    stored = read(tmp_path, found, step)
    assert set(stored) == set(file.series)
    for name, truth in file.series.items():
        expected: dict[datetime, float] = {}
        for start, value in zip(file.house.starts, truth, strict=True):
            slot = start - timedelta(seconds=start.timestamp() % step.total_seconds())
            expected[slot] = expected.get(slot, 0.0) + value
        assert len(expected) - len(stored[name]) == file.open_ends
        assert {
            at: value
            for at, value in stored[name].items()
            if abs(value - expected[at]) > file.tolerance
        } == {}


def test_what_a_counter_rises_by_is_what_the_month_comes_to(tmp_path: Path) -> None:
    # 30 days of 0.05 kWh a quarter-hour: 96 · 30 · 0.05 = 144 kWh, but for the last quarter-hour.
    house = House("2024-06-01", 30)
    rows = [
        f"{house.local(at, '%Y-%m-%d %H:%M')};{comma(1000 + at * 0.05)}"
        for at in range(len(house.starts))
    ]
    found = guess(tmp_path, lines("Zeit;Zählerstand Bezug (kWh)", *rows).encode())
    assert found.preview is not None
    assert [(total.month, total.name, round(total.value, 2)) for total in found.preview.totals] == [
        ("2024-06", "import_kwh", 143.95)
    ]


# A file, the question that it leaves, and whether an answer is taken for granted.
OPEN = {
    "month or day": (
        "Time,Import kWh\n03/04/2024 00:00,0.25\n03/04/2024 12:00,0.5\n03/04/2024 23:00,0.5\n",
        "day_order",
        False,
    ),
    "sign of the grid": (
        "Time,Grid Power (W)\n"
        + "".join(f"2024-01-01 {hour:02}:00,{100 - 20 * hour}\n" for hour in range(24)),
        "sign:Grid Power (W)",
        False,
    ),
    "used or bought": (
        "Start,Consumption (kWh)\n"
        + "".join(f"2024-01-01 {hour:02}:00,0.{hour}\n" for hour in range(10, 24)),
        "column:Consumption (kWh)",
        False,
    ),
    "thousands or decimals": (
        "Zeit;Bezug Wh\n"
        + "".join(f"2024-01-01 {hour:02}:00;1,{hour}5\n" for hour in range(10, 24)),
        "decimal",
        False,
    ),
    "nameless": (
        "a,b\n" + "".join(f"2024-01-01 {hour:02}:00,0.{hour}\n" for hour in range(24)),
        "column:b",
        False,
    ),
    "clock": (
        "Start,Import (kWh)\n"
        + "".join(f"2024-01-01 {hour:02}:00,0.{hour}\n" for hour in range(24)),
        "zone",
        True,
    ),
    "end of an interval": (
        "Zeit,Import (kWh)\n"
        + "".join(f"2024-01-01 {hour:02}:00,0.{hour}\n" for hour in range(5, 20)),
        "label",
        True,
    ),
    "unit": (
        "Start,Import\n" + "".join(f"2024-01-01 {hour:02}:00,0.{hour}\n" for hour in range(24)),
        "unit:Import",
        True,
    ),
}


@pytest.mark.parametrize("case", OPEN)
def test_what_a_file_does_not_say_is_asked(case: str, tmp_path: Path) -> None:
    text, key, granted = OPEN[case]
    found = guess(tmp_path, text.encode())
    (question,) = [each for each in found.questions if each.key == key]
    assert (question.likely is not None) == granted
    # Without a likely answer nothing can be stored.
    assert (found.reading is None) == any(each.likely is None for each in found.questions)


def test_a_clock_without_summer_time_is_seen_where_the_hour_that_others_skip_has_values(
    tmp_path: Path,
) -> None:
    rows = [
        f"{datetime(2024, 3, 30) + HOUR * at:%Y-%m-%d %H:%M},0.{10 + at * 7 % 13}"  # noqa: DTZ001
        for at in range(48)
    ]
    found = guess(tmp_path, lines("Start,Import (kWh)", *rows).encode())
    (question,) = found.questions
    assert question.choices == ["Etc/GMT-1", "UTC"]


def test_an_answer_changes_what_is_stored(tmp_path: Path) -> None:
    text, key, _ = OPEN["sign of the grid"]
    bought = guess(tmp_path, text.encode(), {key: "import"})
    sold = guess(tmp_path, text.encode(), {key: "export"})
    assert read(tmp_path, bought, HOUR)["import_kwh"] == read(tmp_path, sold, HOUR)["export_kwh"]


def html(_folder: Path) -> bytes:
    return b"<!DOCTYPE html><html><head><title>Anmelden</title></head><body><form>"


def bomb(_folder: Path) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(1000))
        archive.infolist()[1].file_size = 3_000_000_000
    return content.getvalue()


BAD: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty": (lambda _: b"", "file-empty"),
    "blank": (lambda _: b"\r\n\r\n  \r\n", "file-empty"),
    "binary": (lambda _: bytes(range(256)) * 8, "file-of-other-kind"),
    "page to sign in": (html, "file-is-web-page"),
    "zip bomb": (bomb, "workbook-too-large"),
    "archive": (lambda _: zipped("data.csv"), "file-is-zip"),
    "damaged workbook": (lambda _: workbook([["a"]])[:300], "workbook-unreadable"),
    "PDF": (lambda _: b"%PDF-1.7 ...", "file-is-pdf"),
    "prose": (lambda _: b"Dear customer,\nyour figures are on their way.\n", "file-without-table"),
    "days": (
        lambda _: lines(
            "Datum;Verbrauch kWh", *(f"{day:02}.01.2024;{day}" for day in range(1, 20))
        ).encode(),
        "rows-are-days",
    ),
    "header alone": (lambda _: b"Datum;Bezug kWh\r\n", "file-without-table"),
    "cut JSON": (lambda _: b'[[{"entity_id": "sensor.a", "sta', "file-no-json"),
    "nested JSON": (lambda _: b"[" * 100_000, "json-too-deep"),
    "JSON without rows": (lambda _: b'{"error": "unauthorised"}', "json-without-rows"),
    "cut gzip": (lambda _: gzip.compress(b"Zeit;Bezug\n" * 5000)[:60], "file-damaged"),
    "endless line": (lambda _: b"x" * 3_000_000, "line-too-long"),
}


def zipped(name: str) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "a;b")
    return content.getvalue()


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_file_of_measurements_is_refused_with_a_sentence(
    case: str, tmp_path: Path
) -> None:
    make, reason = BAD[case]
    with pytest.raises(InvalidInputError) as caught:
        guess(tmp_path, make(tmp_path))
    assert caught.value.reason == reason
    assert caught.value.remedy


def test_a_long_file_is_guessed_from_its_ends_and_read_whole(tmp_path: Path) -> None:
    # 13,400 long rows of 30 seconds at 1,200 W: 0.3 kWh a quarter-hour.
    start = datetime(2024, 1, 1)  # noqa: DTZ001 - a clock's own time
    rows = "".join(
        f"{start + timedelta(seconds=30 * at):%Y-%m-%dT%H:%M:%SZ},1200.0,{'x' * 1200}\n"
        for at in range(13_400)
    )
    content = f"time,grid_import_w,note\n{rows}".encode()
    assert len(content) > WHOLE_BYTES
    found = guess(tmp_path, content)
    assert found.preview is not None
    assert not found.preview.whole
    values = read(tmp_path, found, timedelta(minutes=15))["import_kwh"]
    # 402,000 seconds are 446 whole quarter-hours.
    assert len(values) == 446
    assert {round(value, 9) for value in values.values()} == {0.3}


def test_states_that_change_at_odd_times_become_quarter_hours(tmp_path: Path) -> None:
    # 600 W from 10:00 on, 1,200 W from 10:20 on, silent from 10:50 on: 0.15, 0.25 (5 min and 10
    # min) and 0.3 kWh, then unknown.
    states = [
        ("10:00:00", "600"),
        ("10:20:00", "1200"),
        ("10:50:00", "unavailable"),
        ("11:40:00", "300"),
        ("12:10:00", "300"),
    ]
    group = [
        {
            "entity_id": "sensor.solar_power",
            "state": state,
            "last_changed": f"2024-06-01T{clock}+00:00",
        }
        for clock, state in states
    ]
    group[0]["attributes"] = {"unit_of_measurement": "W"}  # type: ignore[assignment]
    found = guess(tmp_path, json.dumps([group]).encode())
    stored = read(tmp_path, found, timedelta(minutes=15))["pv_kwh"]
    assert [(f"{at:%H:%M}", round(value, 9)) for at, value in sorted(stored.items())] == [
        ("10:00", 0.15),
        ("10:15", 0.25),
        ("10:30", 0.3),
        ("11:45", 0.075),
    ]


def test_unreadable_rows_come_out_as_written_and_are_not_taken_for_another_hour(
    tmp_path: Path,
) -> None:
    # 02:30 is skipped in Berlin, a clock that was never set says 1970, and a line may be short; a
    # counter's reading is no energy of a slot.
    odd = ["2024-03-31 02:30;4211.5", "1970-01-01 00:00;4000", "broken"]
    house = House("2024-03-30", 2)
    rows = [
        f"{house.local(at, '%Y-%m-%d %H:%M')};{value:.3f}"
        for at, value in enumerate(house.counter(house.bought, 4200))
    ]
    found = guess(
        tmp_path, lines("Zeit;Zählerstand Bezug kWh;Notiz", *rows[:100], *odd, *rows[100:]).encode()
    )
    assert found.reading is not None
    refused, gathered = read_rows(tmp_path / "file", found.reading, FileLimits())
    assert refused["slot_start"].to_list() == [
        "2024-03-31T02:30:00 (Europe/Berlin)",
        "1970-01-01T00:00:00 (Europe/Berlin)",
        "broken (Europe/Berlin)",
    ]
    assert refused["line"].to_list() == [102, 103, 104]
    assert gathered.height == len(house.starts) - 1
