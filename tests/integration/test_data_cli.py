"""``luna site`` and ``luna data`` as a person or a script runs them."""

from pathlib import Path

import pytest

from tests.support.command_line.call import Luna

pytestmark = pytest.mark.every_database

SITE = "name: from-the-command-line\ntimezone: Europe/Berlin\n"
ROWS = "zeit,verbrauch\n2024-01-01T00:00:00,1\n2024-01-01T00:15:00,x\n2024-01-01T00:30:00,3\n"


def test_a_site_is_added_its_file_loaded_and_its_series_read(
    luna_on_servers: Luna, tmp_path: Path
) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "meter.csv").write_text(ROWS)
    assert luna_on_servers("site", "add", "--file", str(tmp_path / "site.yaml")).code == 0
    columns = [
        "--column",
        "slot_start=zeit",
        "--column",
        "load_kwh=verbrauch",
        "--timezone",
        "Europe/Berlin",
    ]
    loaded = luna_on_servers(
        "data",
        "load",
        str(tmp_path / "meter.csv"),
        "--site",
        "from-the-command-line",
        "--kind",
        "observations",
        *columns,
        "--json",
    )
    report = loaded.document
    assert (report["accepted"], report["quarantined"], report["reasons"]) == (
        2,
        1,
        {"Consumption is not a number": 1},
    )
    window = ["--from", "2024-01-01", "--to", "2024-01-01T00:45:00+01:00"]
    answer = luna_on_servers(
        "data",
        "query",
        "--site",
        "from-the-command-line",
        "--series",
        "load_kwh",
        *window,
        "--json",
    ).document
    assert [row["value"] for row in answer["rows"]] == [1.0, None, 3.0]


GERMAN = "Datum;Uhrzeit;Verbrauch [Wh];SOC\n01.01.2024;00:00;1.250,5;50\n01.01.2024;00:15;250;51\n"


def test_a_portals_export_is_loaded_as_it_is(luna_on_servers: Luna, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "portal.csv").write_bytes(GERMAN.encode("cp1252"))
    luna_on_servers("site", "add", "--file", str(tmp_path / "site.yaml"))
    columns = [
        "--column",
        "slot_start=Datum+Uhrzeit",
        "--column",
        "load_kwh=Verbrauch [Wh]",
        "--column",
        "soc=SOC",
        "--unit",
        "soc=%",
    ]
    to = [
        "--site",
        "from-the-command-line",
        "--kind",
        "observations",
        "--timezone",
        "Europe/Berlin",
    ]
    loaded = luna_on_servers("data", "load", str(tmp_path / "portal.csv"), *to, *columns)
    assert (loaded.code, "converted from Wh" in loaded.out) == (0, True)
    window = [
        "--site",
        "from-the-command-line",
        "--from",
        "2024-01-01",
        "--to",
        "2024-01-01T00:30:00+01:00",
    ]
    found = [
        luna_on_servers("data", "query", "--series", name, *window, "--json").document["rows"]
        for name in ("load_kwh", "soc")
    ]
    assert [[row["value"] for row in rows] for rows in found] == [[1.2505, 0.25], [0.5, 0.51]]


@pytest.mark.parametrize("option", ["--column", "--unit"])
def test_half_a_pair_is_refused_with_an_example(
    luna_on_servers: Luna, tmp_path: Path, option: str
) -> None:
    said = luna_on_servers(
        "data",
        "load",
        str(tmp_path / "meter.csv"),
        "--site",
        "x",
        "--kind",
        "observations",
        option,
        "load_kwh",
    )
    assert (said.code, said.problem["field"], said.problem["value"]) == (2, option, "load_kwh")


def test_bad_input_is_a_problem_document_and_exit_code_two(
    luna_on_servers: Luna, tmp_path: Path
) -> None:
    (tmp_path / "meter.csv").write_text(ROWS)
    said = luna_on_servers(
        "data", "load", str(tmp_path / "meter.csv"), "--site", "nowhere", "--kind", "observations"
    )
    assert (said.code, said.out) == (2, "")
    assert (said.problem["field"], said.problem["value"]) == ("site", "nowhere")


@pytest.fixture
def metered(luna_on_servers: Luna, tmp_path: Path) -> Luna:
    """A site with a counter that was read every half-hour."""
    (tmp_path / "site.yaml").write_text(SITE.replace("from-the-command-line", "metered home"))
    (tmp_path / "readings.csv").write_text(
        "instant,sensor,value\n"
        + "".join(
            f"2024-01-01T{slot // 2:02}:{30 * (slot % 2):02}:00Z,meter,{slot * 2}\n"
            for slot in range(9)
        )
    )
    luna_on_servers("site", "add", "--file", str(tmp_path / "site.yaml"))
    luna_on_servers(
        "data",
        "load",
        str(tmp_path / "readings.csv"),
        "--site",
        "metered home",
        "--kind",
        "readings",
    )
    return luna_on_servers


def read(luna: Luna, *options: str) -> list[dict[str, object]]:
    window = ["--from", "2024-01-01T01:00:00+01:00", "--to", "2024-01-01T05:00:00Z"]
    rows: list[dict[str, object]] = luna(
        "data",
        "readings",
        "--site",
        "metered home",
        "--sensor",
        "meter",
        *window,
        *options,
        "--json",
    ).document["rows"]
    return rows


def test_readings_come_as_received_by_bucket_or_as_a_shape(metered: Luna) -> None:
    assert [row["value"] for row in read(metered)] == [2.0 * slot for slot in range(9)]
    # Two steps of 2 in each hour; nothing was read after 04:00.
    assert [row["value"] for row in read(metered, "--aggregate", "increase")] == [
        4.0,
        4.0,
        4.0,
        4.0,
        None,
    ]
    means = read(metered, "--aggregate", "time_weighted_mean", "--resolution", "1d")
    # Each value holds for half an hour: the mean of 0, 2, …, 14, known for four of five hours.
    assert [(row["value"], row["known"]) for row in means] == [(7.0, 0.8)]
    assert [row["instant"] for row in read(metered, "--aggregate", "shape", "--points", "3")][
        ::2
    ] == [
        "2024-01-01T00:00:00.000000Z",
        "2024-01-01T04:00:00.000000Z",
    ]


def test_an_unknown_sensor_is_a_problem_that_names_the_known(metered: Luna) -> None:
    said = metered(
        "data",
        "readings",
        "--site",
        "metered home",
        "--sensor",
        "roof",
        "--from",
        "2024-01-01",
        "--to",
        "2024-01-02",
    )
    assert (said.code, said.problem["field"], said.problem["remedy"]) == (
        2,
        "sensor",
        "Sensors of metered home: meter.",
    )


def test_slots_are_built_from_readings(metered: Luna, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        SITE.replace("from-the-command-line", "metered home")
        + "input_sensors: { total_load_consumption: meter, battery_soc: soc }\n"
    )
    (tmp_path / "unit.csv").write_text(
        "instant,sensor,value,unit\n2024-01-01T00:00:00Z,meter,0,kWh\n"
    )
    metered("site", "add", "--file", str(tmp_path / "site.yaml"))
    metered(
        "data", "load", str(tmp_path / "unit.csv"), "--site", "metered home", "--kind", "readings"
    )
    window = ["--from", "2024-01-01T01:00:00+01:00", "--to", "2024-01-01T04:00:00Z"]
    report = metered("data", "slots", "--site", "metered home", *window, "--json").document
    # Two kilowatt-hours in each half-hour, shared by its two quarter-hours.
    assert report["series"] == {
        "load_kwh": {"known": 16, "interpolated": 0, "filled": 0, "rejected": {}},
        "soc": {"known": 0, "interpolated": 0, "filled": 0, "rejected": {}},
    }
    assert (report["slots_written"], report["missing_sensors"]) == (16, ["soc"])
    assert (
        metered("data", "slots", "--site", "metered home", *window, "--json").document[
            "slots_written"
        ]
        == 0
    )
    assert "16 " in metered("data", "slots", "--site", "metered home", *window).out
