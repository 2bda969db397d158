"""Training, plan, replay and status say the same of the version that drives the planner."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.platform.database import engine, observations, sites
from luna.platform.database.schema.sites import sites as sites_table
from tests.support.command_line.call import Luna
from tests.support.household.measurements import day, describe_site, measure_days

TARIFF = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}


@pytest.fixture
def home(database: Engine) -> Iterator[str]:
    """A stored site with fifteen days, from 1 March 2024 on."""
    with engine.unit_of_work(database) as connection:
        sites.save(
            connection, describe_site(name="driven_home", tariff=TARIFF, batteries=[BATTERY])
        )
        observations.upsert(connection, "driven_home", measure_days(15))
    yield "driven_home"
    with engine.unit_of_work(database) as connection:
        connection.execute(sites_table.delete().where(sites_table.c.name == "driven_home"))


def test_training_plan_replay_and_status_name_the_same_driving_version_and_what_changes_it(
    luna_on_servers: Luna, home: str
) -> None:
    days = (
        "--from",
        "2024-03-15",
        "--to",
        "2024-03-15",
        "--policies",
        "idle,mpc",
        "--every",
        "720",
    )

    def ask() -> list[dict[str, Any]]:
        replayed = luna_on_servers("replay", *days, "--site", home, "--json")
        assert replayed.code == 0, replayed.err
        planned = luna_on_servers(
            "plan", "--start", day(14, hours=12).isoformat(), "--site", home, "--json"
        )
        assert replayed.document["forecast_version"] == planned.document["forecast"]["version"]
        return [
            replayed.document,
            luna_on_servers("forecast", "status", "--site", home, "--json").document,
            *(
                note
                for note in planned.document["notes"]
                if note["code"] == "forecast_awaits_proof"
            ),
        ]

    trained = luna_on_servers("forecast", "train", "--site", home, "--json")
    assert trained.code == 0, trained.err
    *told, note = ask()
    command = f"luna forecast promote --site {home} --version aurora_v1.0"
    for driving in [trained.document["driving"], *(document["driving"] for document in told)]:
        assert (
            driving["forecast_version"],
            driving["waiting"]["days"],
            driving["waiting"]["command"],
        ) == ("baseline_like_days", 0, command)
    assert (note["figures"]["version"], note["figures"]["command"]) == (
        "baseline_like_days",
        command,
    )
    assert luna_on_servers(*command.split()[1:]).code == 0
    promoted = ask()
    assert [document["driving"]["forecast_version"] for document in promoted] == [
        "aurora_v1.0",
        "aurora_v1.0",
    ]
    assert promoted[0]["driving"]["waiting"] is None


def test_people_read_why_a_trained_version_does_not_drive_and_how_to_use_it(
    luna_on_servers: Luna, home: str
) -> None:
    words = " ".join(luna_on_servers("forecast", "train", "--site", home).out.split())
    assert "Accepted: there was none before" in words
    assert "baseline_like_days drives the planner: the default" in words
    assert "0 of 14 days" in words
    assert f"luna forecast promote --site {home} --version aurora_v1.0" in words
