"""``luna data quality``, ``gaps``, ``repair``, ``changes`` and ``quarantine`` as a person or a
script runs them.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from luna.energy.day_fault import DayFault
from luna.words.quality import say_day_fault
from tests.support.command_line.call import Luna, Said

pytestmark = pytest.mark.every_database

START = datetime(2024, 1, 1, tzinfo=UTC)
WINDOW = ("--from", "2024-01-01", "--to", "2024-01-02")


@pytest.fixture
def home(luna_on_servers: Luna, tmp_path: Path) -> Luna:
    """Two days: on the first a price of zero among others and a row that is no number, on the
    second six hours without load.
    """
    name = tmp_path.name
    (tmp_path / "site.yaml").write_text(f"name: {name}\ntimezone: UTC\n")
    times = [START + slot * timedelta(minutes=15) for slot in range(192)]
    loads = ["x" if slot == 8 else "" if 100 <= slot < 124 else "0.2" for slot in range(192)]
    rows = [f"{time.isoformat()},{load},0" for time, load in zip(times, loads, strict=True)]
    (tmp_path / "meter.csv").write_text("\n".join(["slot_start,load_kwh,pv_kwh", *rows]))
    prices = [f"{time.isoformat()},{0.0 if slot == 50 else 0.3}" for slot, time in enumerate(times)]
    (tmp_path / "prices.csv").write_text("\n".join(["slot_start,import_price", *prices]))

    def call(*words: str) -> Said:
        return luna_on_servers("data", *words, "--site", name)

    luna_on_servers("site", "add", "--file", str(tmp_path / "site.yaml"))
    call("load", str(tmp_path / "meter.csv"), "--kind", "observations")
    call("load", str(tmp_path / "prices.csv"), "--kind", "prices")
    return call


def test_every_local_day_has_a_verdict_with_reasons(home: Luna) -> None:
    (site,) = home("quality", *WINDOW, "--json").document["sites"]
    rows = site["days"]
    assert [(row["day"], row["verdict"]) for row in rows] == [
        ("2024-01-01", "exclude"),
        ("2024-01-02", "exclude"),
    ]
    assert rows[0]["reasons"] == [
        say_day_fault(DayFault.of("price_zero", series="import_price", known=1, slots=96)),
        say_day_fault(DayFault.of("coverage", series="load_kwh", known=95, slots=96)),
    ]
    assert rows[1]["reasons"] == [
        say_day_fault(DayFault.of("coverage", series="load_kwh", known=72, slots=96))
    ]
    assert "2 exclude" in home("quality", *WINDOW).out
    assert home("verdicts", *WINDOW, "--json").document["days"] == rows
    told = home("verdicts", "--from", "2024-01-02").out
    assert ("2024-01-02" in told, "2024-01-01" in told) == (True, False)


def test_a_repair_is_tried_made_and_told_and_the_day_is_clean_afterwards(home: Luna) -> None:
    tried = home("repair", *WINDOW, "--dry-run", "--json").document
    assert (tried["dry_run"], tried["slots"]) == (True, 2)
    assert home("repair", *WINDOW, "--json").document["repairs"] == [
        {
            "series": "import_price",
            "day": "2024-01-01",
            "rule": "zero price filled forward",
            "slots": 1,
        },
        {"series": "load_kwh", "day": "2024-01-01", "rule": "short gap filled", "slots": 1},
    ]
    assert home("repair", *WINDOW, "--json").document["slots"] == 0
    change = home("changes", *WINDOW, "--json").document["changes"][0]
    told = {name: change[name] for name in ("series", "slot_start", "before", "after", "rule")}
    assert told == {
        "series": "import_price",
        "slot_start": "2024-01-01T12:30:00Z",
        "before": 0.0,
        "after": 0.3,
        "rule": "zero price filled forward",
    }
    assert home("verdicts", *WINDOW, "--json").document["days"][0]["verdict"] == "clean"
    assert "2024-01-01 12:30" in home("changes", *WINDOW).out


def test_gaps_are_shown_by_series(home: Luna) -> None:
    gaps = home("gaps", "--from", "2024-01-01", "--to", "2024-01-03", "--json").document["gaps"]
    assert [
        (gap["series"], gap["first"], gap["last"], gap["slots"]) for gap in gaps if gap["slots"] > 1
    ] == [("load_kwh", "2024-01-02T01:00:00Z", "2024-01-02T06:45:00Z", 24)]


def test_a_window_upside_down_is_a_problem(home: Luna) -> None:
    said = home("quality", "--from", "2024-01-02", "--to", "2024-01-01")
    assert (said.code, said.problem["field"]) == (2, "--to")


def test_a_refused_row_is_listed_corrected_and_gone_from_the_list(home: Luna) -> None:
    (row,) = home("quarantine", "list", "--json").document["rows"]
    assert (row["reason"], row["raw"]["load_kwh"], row["resolution"]) == (
        "Consumption is not a number",
        "x",
        None,
    )
    number = str(row["quarantine_id"])
    refused = home("quarantine", "release", number)
    assert (refused.code, "not a number" in refused.problem["detail"]) == (2, True)
    reply = home("quarantine", "correct", number, "--value", "load_kwh=0.4", "--json").document
    assert (reply["row"]["resolution"], reply["row"]["corrected"], reply["slots_changed"]) == (
        "corrected",
        {"load_kwh": "0.4"},
        1,
    )
    assert home("quarantine", "list", "--json").document["rows"] == []
    assert len(home("quarantine", "list", "--status", "corrected", "--json").document["rows"]) == 1
    again = home("quarantine", "dismiss", number)
    assert (again.code, again.problem["status"]) == (1, 409)


def test_a_row_that_is_not_there_and_a_value_without_a_column_are_problems(home: Luna) -> None:
    assert home("quarantine", "release", "999999999").problem["status"] == 404
    assert home("quarantine", "correct", "1", "--value", "0.4").problem["field"] == "--value"
