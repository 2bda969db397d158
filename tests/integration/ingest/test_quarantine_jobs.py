"""What a person decides about refused rows, on the real database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.data import QuarantinedRow, ResolveReply, ResolveRequest
from luna.energy.errors import ConflictError, InvalidInputError, NotFoundError
from luna.energy.row_fault import RowFault
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import observations, prices, quality, quarantine, readings, sites
from luna.platform.database.quarantine import Refused
from services.ingest.loading import FileForm, LoadReport, load_file
from services.ingest.quality_service import judge_slots
from services.ingest.quarantine_release import resolve_row
from services.ingest.repair import repair_days
from tests.support.database.changed_history import read_changes
from tests.support.database.site import store_site

pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = Timeline(START, SLOT, 96)
NOW = datetime(2024, 1, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _home(connection: Connection) -> None:
    tariff = {"import": {"kind": "spot", "market": "NL"}}
    store_site(connection, timezone="UTC", pv=[{"peak_kw": 5}], tariff=tariff)


def load(
    connection: Connection,
    folder: Path,
    *rows: str,
    header: str = "slot_start,load_kwh,pv_kwh",
    kind: str = "observations",
) -> LoadReport:
    path = folder / "file.csv"
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    return load_file(connection, "home", path, FileForm(kind))


def row_at(minute: int, *cells: object) -> str:
    return ",".join([(START + timedelta(minutes=minute)).isoformat(), *map(str, cells)])


def only_row(connection: Connection) -> QuarantinedRow:
    (row,) = quarantine.list_rows(connection, "home")
    return row


def decide(connection: Connection, resolution: str, **values: object) -> ResolveReply:
    row = only_row(connection)
    return resolve_row(
        connection,
        ResolveRequest.model_validate(
            {"quarantine_id": row.quarantine_id, "resolution": resolution, "values": values}
        ),
        now=NOW,
    )


def observed(connection: Connection, series: str = "pv_kwh", slots: int = 4) -> list[float]:
    return observations.read_series(connection, "home", DAY.window(0, slots), (series,))[
        series
    ].tolist()


def test_a_released_row_goes_where_it_would_have_gone_and_the_change_is_told(
    connection: Connection, tmp_path: Path
) -> None:
    # A roof of 5 kW gives 1.5625 kWh in a quarter-hour at most, says the site; the load beside it
    # was stored at once.
    load(connection, tmp_path, row_at(0, 1, 1), row_at(15, 1, 2), row_at(30, 1, 1))
    reply = decide(connection, "released")
    assert observed(connection, slots=3) == [1.0, 2.0, 1.0]
    assert (reply.row.resolution, reply.row.resolved_at, reply.slots_changed) == (
        "released",
        NOW,
        1,
    )
    changes = read_changes(connection, "home", first=START, end=DAY.end)
    assert [(change.series, change.before, change.after) for change in changes] == [
        ("pv_kwh", None, 2.0)
    ]
    assert changes[0].rule == f"released by hand from quarantine {reply.row.quarantine_id}"
    # The day whose slot it is was judged again: three of 96 slots are known.
    assert [
        day.verdict for day in quality.read(connection, "home", START.date(), START.date())
    ] == ["exclude"]


def test_a_corrected_row_keeps_what_was_received_and_what_it_should_have_been(
    connection: Connection, tmp_path: Path
) -> None:
    load(connection, tmp_path, row_at(0, 1, 1), row_at(15, "x", 0.5), row_at(30, 1, 1))
    row = decide(connection, "corrected", load_kwh=0.25).row
    assert (row.resolution, row.corrected, row.raw["load_kwh"]) == (
        "corrected",
        {"load_kwh": 0.25},
        "x",
    )
    assert observed(connection, "load_kwh", 3) == [1.0, 0.25, 1.0]
    assert observed(connection, slots=3) == [1.0, 0.5, 1.0]


def test_a_corrected_row_passes_every_rule(connection: Connection, tmp_path: Path) -> None:
    load(connection, tmp_path, row_at(0, 1, 1), row_at(15, 1, 2), row_at(30, 1, 1))
    with pytest.raises(InvalidInputError) as impossible:
        decide(connection, "corrected", pv_kwh=1.9)
    assert impossible.value.reason == "row-not-let-in"
    figures = {"series": "pv_kwh", "limit": 1.5625, "minutes": 15}
    assert impossible.value.parameters["why"] == {"code": "above_site", "parameters": figures}
    with pytest.raises(InvalidInputError) as unknown:
        decide(connection, "corrected", power=1)
    assert (unknown.value.field, unknown.value.reason) == ("values.power", "unknown-name")


def test_a_dismissed_row_stays_out(connection: Connection, tmp_path: Path) -> None:
    load(connection, tmp_path, row_at(0, 1, 1), row_at(15, 1, 2))
    assert decide(connection, "dismissed").slots_changed == 0
    assert np.isnan(observed(connection, slots=2)[1])
    assert quarantine.list_rows(connection, "home") == []
    assert len(quarantine.list_rows(connection, "home", status="dismissed")) == 1


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (row_at(15, "x", 1), "no_number"),
        (row_at(15, -3, 1), "below"),
        ("2024-01-01T00:20:00Z,1,1", "off_grid"),
        ("today,1,1", "no_time"),
    ],
    ids=["no number", "an energy below zero", "off the grid", "no time"],
)
def test_what_cannot_be_stored_as_it_stands_is_not_released(
    connection: Connection, tmp_path: Path, row: str, code: str
) -> None:
    load(
        connection,
        tmp_path,
        row_at(0, 1, 1),
        row,
        *[row_at(minute, 1, 1) for minute in range(30, 120, 15)],
    )
    with pytest.raises(InvalidInputError) as refused:
        decide(connection, "released")
    assert (refused.value.reason, refused.value.parameters["why"]["code"]) == (
        "row-not-let-in",
        code,
    )
    assert "luna data quarantine correct" in str(refused.value)
    assert only_row(connection).resolution is None


def test_a_row_of_an_hourly_file_fills_its_four_quarter_hours(
    connection: Connection, tmp_path: Path
) -> None:
    load(
        connection,
        tmp_path,
        row_at(0, 1, 1),
        row_at(60, 1, 8),
        row_at(120, 1, 1),
        row_at(180, 1, 1),
    )
    assert decide(connection, "released").slots_changed == 4
    assert observed(connection, slots=8) == [0.25] * 4 + [2.0] * 4


def test_five_minutes_alone_make_no_quarter_hour(connection: Connection, tmp_path: Path) -> None:
    load(
        connection,
        tmp_path,
        *[row_at(minute, 0.1, 0.1 if minute != 5 else 2) for minute in range(0, 60, 5)],
    )
    with pytest.raises(InvalidInputError, match="5 minutes alone"):
        decide(connection, "released")


def test_the_instant_is_the_one_the_files_clock_meant(
    connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(
        "slot_start,load_kwh,pv_kwh\n2024-01-01T02:00:00,1,1\n2024-01-01T02:15:00,1,2\n"
        "2024-01-01T02:30:00,1,1\n"
    )
    load_file(connection, "home", path, FileForm("observations", ZoneInfo("Europe/Helsinki")))
    decide(connection, "released")
    assert observed(connection, slots=3) == [1.0, 2.0, 1.0]


def test_a_released_contradiction_takes_the_place_of_the_first_and_holds_against_the_file(
    connection: Connection, tmp_path: Path
) -> None:
    rows = [row_at(0, 1, 1), row_at(15, 1, 1), row_at(15, 1, 0.5), row_at(30, 1, 1)]
    load(connection, tmp_path, *rows)
    assert decide(connection, "released").slots_changed == 1
    load(connection, tmp_path, *rows)
    assert observed(connection, slots=3) == [1.0, 0.5, 1.0]
    assert quarantine.list_rows(connection, "home") == []
    assert len(read_changes(connection, "home", first=START, end=DAY.end)) == 1


@pytest.mark.parametrize("resolution", ["corrected", "dismissed"])
def test_what_was_decided_survives_a_load_of_the_file_again(
    connection: Connection, tmp_path: Path, resolution: str
) -> None:
    rows = [row_at(0, 1, 1), row_at(15, "x", 1), row_at(30, 1, 1)]
    load(connection, tmp_path, *rows)
    decided = decide(
        connection, resolution, **({"load_kwh": 0.3} if resolution == "corrected" else {})
    ).row
    before = observed(connection, "load_kwh")
    load(connection, tmp_path, *rows)
    assert quarantine.list_rows(connection, "home", status=decided.resolution or "open") == [
        decided
    ]
    np.testing.assert_array_equal(observed(connection, "load_kwh"), before)


def test_prices_of_a_market_are_told_by_the_markets_name(
    connection: Connection, tmp_path: Path
) -> None:
    load(
        connection,
        tmp_path,
        row_at(0, 0.1),
        row_at(15, 55),
        row_at(30, 0.1),
        header="slot_start,spot_price",
        kind="prices",
    )
    assert decide(connection, "released").slots_changed == 1
    assert prices.read(connection, "NL", DAY.window(0, 3)).tolist() == [0.1, 55.0, 0.1]
    (change,) = read_changes(connection, "home", first=START, end=DAY.end)
    assert (change.series, change.before, change.after) == ("market_prices:NL", None, 55.0)


def test_a_sites_own_price_is_released_beyond_its_bounds(
    connection: Connection, tmp_path: Path
) -> None:
    load(
        connection,
        tmp_path,
        row_at(0, 0.1),
        row_at(15, 55),
        row_at(30, 0.1),
        header="slot_start,import_price",
        kind="prices",
    )
    decide(connection, "released")
    assert observed(connection, "import_price", 3) == [0.1, 55.0, 0.1]


def test_a_reading_is_corrected(connection: Connection, tmp_path: Path) -> None:
    load(
        connection,
        tmp_path,
        row_at(0, "meter", 1),
        row_at(7, "meter", "x"),
        header="instant,sensor,value",
        kind="readings",
    )
    decide(connection, "corrected", value=1.5)
    instants, values = readings.read(connection, "home", "meter", first=START, end=DAY.end)
    assert (instants[1], values.tolist()) == (np.datetime64("2024-01-01T00:07"), [1.0, 1.5])


def test_one_value_takes_the_place_of_one_reading_only(connection: Connection) -> None:
    raw = {
        "sensor": "meter",
        "instant": "2024-01-01T00:00:00Z",
        "until": "2024-01-01T06:00:00Z",
        "value": 3,
        "unit": "kW",
        "readings": 24,
    }
    quarantine.settle(
        connection,
        "home",
        {"sensor meter": [Refused(1, RowFault.of("constant", limit=12.0), raw)]},
        lines=(0, 2),
    )
    with pytest.raises(InvalidInputError) as refused:
        decide(connection, "corrected", value=2)
    assert (refused.value.reason, refused.value.parameters) == ("entry-of-readings", {"count": 24})
    assert decide(connection, "released").row.resolution == "released"


def test_nobody_decides_twice(connection: Connection, tmp_path: Path) -> None:
    load(connection, tmp_path, row_at(0, 1, 1), row_at(15, 1, 2))
    row = decide(connection, "dismissed").row
    with pytest.raises(ConflictError) as refused:
        resolve_row(
            connection,
            ResolveRequest(quarantine_id=row.quarantine_id, resolution="released"),
            now=NOW,
        )
    assert (refused.value.reason, refused.value.parameters["decision"]) == (
        "row-decided",
        "dismissed",
    )


def test_a_row_that_is_not_there_is_not_found(connection: Connection) -> None:
    with pytest.raises(NotFoundError, match="no such row"):
        resolve_row(
            connection, ResolveRequest(quarantine_id=999_999_999, resolution="released"), now=NOW
        )


def test_a_list_goes_on_where_it_ended(connection: Connection, tmp_path: Path) -> None:
    load(
        connection, tmp_path, row_at(0, 1, 1), *[row_at(15 * slot, "x", 1) for slot in range(1, 6)]
    )
    first = quarantine.list_rows(connection, "home", limit=3)
    rest = quarantine.list_rows(connection, "home", limit=3, below=first[-1].quarantine_id)
    assert sorted(row.line for row in [*first, *rest]) == [3, 4, 5, 6, 7]


def test_a_file_that_says_otherwise_than_one_before_changes_history_and_tells_it(
    connection: Connection, tmp_path: Path
) -> None:
    load(connection, tmp_path, row_at(0, 1, 1), row_at(15, 1, 1), row_at(30, "", 1))
    assert read_changes(connection, "home", first=START, end=DAY.end) == []
    load(connection, tmp_path, row_at(0, 1, 1), row_at(15, 0.8, 1), row_at(30, 1, 1))
    (change,) = read_changes(connection, "home", first=START, end=DAY.end)
    assert (change.series, change.before, change.after, change.rule) == (
        "load_kwh",
        1.0,
        0.8,
        "loaded from a file",
    )


def test_a_load_takes_back_the_verdicts_on_its_days(connection: Connection, tmp_path: Path) -> None:
    rows = [row_at(0, 1, 1), row_at(15, 1, 1)]
    load(connection, tmp_path, *rows)
    judge_slots(connection, sites.load(connection, "home"), START, DAY.end, now=NOW)
    load(connection, tmp_path, *rows)
    assert len(quality.read(connection, "home", START.date(), START.date())) == 1
    load(connection, tmp_path, row_at(0, 1, 0.5))
    assert quality.read(connection, "home", START.date(), START.date()) == []


def test_a_value_that_is_loaded_in_the_place_of_a_repaired_one_counts_as_measured(
    connection: Connection, tmp_path: Path
) -> None:
    load(
        connection,
        tmp_path,
        row_at(0, 1, 1),
        row_at(15, "", 1),
        row_at(30, "", 1),
        row_at(45, 1, 1),
    )
    repair_days(connection, "home", (START.date(), START.date()), now=NOW)
    assert quality.read_repaired(connection, "home", DAY).tolist()[:4] == [0, 1, 1, 0]
    load(
        connection,
        tmp_path,
        row_at(0, 1, 1),
        row_at(15, 0.7, 1),
        row_at(30, "", 1),
        row_at(45, 1, 1),
    )
    assert quality.read_repaired(connection, "home", DAY).tolist()[:4] == [0, 0, 1, 0]
    assert observed(connection, "load_kwh") == [1.0, 0.7, 1.0, 1.0]
