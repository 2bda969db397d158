"""What commands show people: times of the site's clock, with the name of its offset, on days with
23, 24 and 25 hours.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from luna.contracts.forecast import TrainRequest
from luna.platform.database import engine, jobs, sites
from luna.platform.database.engine import unit_of_work
from tests.support.command_line.call import Luna
from tests.support.control.inverters import describe
from tests.support.database.databases import migrated_database
from tests.support.household.measurements import describe_site

BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
SITE = ("--site", "shown")


@pytest.fixture
def home(luna_on_servers: Luna, database: Engine) -> Iterator[Luna]:
    """Commands beside a stored site in Berlin that may be told what to do."""
    with unit_of_work(database) as connection:
        sites.save(
            connection,
            describe_site(name="shown", batteries=[BATTERY], control=describe("dry_run")),
        )
    yield luna_on_servers
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM sites WHERE name = 'shown'"))
        connection.execute(text("DELETE FROM jobs WHERE request ->> 'site_id' = 'shown'"))


def load(luna: Luna, folder: Path, *rows: str) -> str:
    file = folder / "load.csv"
    file.write_text("\n".join(["slot_start,load_kwh,pv_kwh", *rows]), encoding="utf-8")
    said = luna(
        "data", "load", str(file), "--kind", "observations", "--timezone", "Europe/Berlin", *SITE
    )
    assert said.code == 0, said.err
    return " ".join(said.out.split())


def test_a_load_says_from_when_until_when_by_the_sites_clock(home: Luna, tmp_path: Path) -> None:
    slots = [
        f"2024-07-01 {hour:02}:{minute:02},0.1,0"
        for hour in range(3)
        for minute in range(0, 60, 15)
    ]
    assert "Stored from 2024-07-01 00:00 CEST to" in load(home, tmp_path, *slots)


def test_a_query_shows_the_hour_that_comes_twice_twice_and_the_skipped_one_never(
    home: Luna, tmp_path: Path
) -> None:
    autumn = [
        f"2024-10-27T0{hour}:{minute:02}:00Z,0.1,0"
        for hour in range(3)
        for minute in range(0, 60, 15)
    ]
    spring = [
        f"2024-03-31T0{hour}:{minute:02}:00Z,0.1,0"
        for hour in range(3)
        for minute in range(0, 60, 15)
    ]
    load(home, tmp_path, *autumn)
    load(home, tmp_path, *spring)
    query = ("data", "query", *SITE, "--series", "load_kwh", "--resolution", "1h")
    shown = home(*query, "--from", "2024-10-27 01:00", "--to", "2024-10-27 04:00").out
    assert [line.split()[1:3] for line in shown.splitlines()[1:]] == [
        ["01:00", "CEST"],
        ["02:00", "CEST"],
        ["02:00", "CET"],
        ["03:00", "CET"],
    ]
    shown = home(*query, "--from", "2024-03-31 01:00", "--to", "2024-03-31 04:00").out
    assert [line.split()[1:3] for line in shown.splitlines()[1:]] == [
        ["01:00", "CET"],
        ["03:00", "CEST"],
    ]
    # Machines get instants as before.
    rows = home(
        *query, "--from", "2024-03-31 01:00", "--to", "2024-03-31 04:00", "--json"
    ).document["rows"]
    assert [row["start"] for row in rows] == ["2024-03-31T00:00:00Z", "2024-03-31T01:00:00Z"]


def test_an_override_ends_by_the_sites_clock(home: Luna) -> None:
    said = home("control", "override", *SITE, "--mode", "charge", "--until", "2099-07-01T18:00").out
    assert "until 2099-07-01 18:00 CEST" in " ".join(said.split())
    assert "until 2099-07-01 18:00 CEST" in " ".join(home("control", "status", *SITE).out.split())


def test_a_block_begins_and_ends_by_the_sites_clock(home: Luna) -> None:
    block = (
        "--device",
        "battery",
        "--action",
        "hold",
        "--from",
        "2099-01-01",
        "--until",
        "2099-01-02",
    )
    shown = " ".join(home("manual", "add", *SITE, *block).out.split())
    assert "2099-01-01 00:00 CET 2099-01-02 00:00 CET" in shown
    refused = home("manual", "add", *SITE, *block[:2], "--action", "charge", *block[4:])
    assert "from 2099-01-01 00:00 CET to 2099-01-02 00:00 CET" in refused.problem["detail"]


def test_jobs_are_listed_by_one_clock_that_of_the_sites_where_they_share_one(
    luna_on_servers: Luna, database_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with migrated_database(database_server, "clock") as address:
        monkeypatch.setenv("LUNA_DATABASE_URL", address)
        pool = engine.create(address)
        with unit_of_work(pool) as connection:
            sites.save(connection, describe_site(name="shown", batteries=[BATTERY]))
            own = jobs.accept(
                connection,
                task="forecaster.model.train",
                key="shown",
                request=TrainRequest(site_id="shown").model_dump_json(),
                trace_id="",
            )
            other = jobs.accept(
                connection,
                task="forecaster.model.train",
                key="else",
                request=TrainRequest(site_id="nowhere").model_dump_json(),
                trace_id="",
            )
        listed = luna_on_servers("jobs", "list").out
        zones = {line.split()[0]: line.split()[-1] for line in listed.splitlines()[2:]}
        assert "Times: Europe/Berlin" in listed
        assert zones[own.job_id] == zones[other.job_id]
        assert zones[own.job_id] in ("CET", "CEST")
        assert "UTC" not in luna_on_servers("jobs", "show", own.job_id).out
        with unit_of_work(pool) as connection:
            sites.save(
                connection,
                describe_site(name="afar", timezone="Europe/Lisbon", batteries=[BATTERY]),
            )
        assert "Times: UTC" in luna_on_servers("jobs", "list").out
        pool.dispose()


@pytest.mark.parametrize("day", ["2023-02-30", "yesterday", "0001-01-01"])
def test_what_is_no_day_is_refused_with_the_way_to_write_one(luna: Luna, day: str) -> None:
    said = luna("replay", "--site", "home", "--from", day, "--to", "2024-02-01")
    assert (said.code, said.problem["field"], said.problem["value"]) == (2, "--from", day)


def test_a_window_that_is_empty_names_what_was_written(home: Luna) -> None:
    said = home(
        "data", "query", *SITE, "--series", "load_kwh", "--from", "2024-09-02", "--to", "2024-09-01"
    )
    assert (said.code, said.problem["field"], said.problem["value"]) == (2, "--to", "2024-09-01")
