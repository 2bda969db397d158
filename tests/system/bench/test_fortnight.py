"""The bench that lives a fortnight, for hours: the same code hears, plans and tells; the home's truth judges it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bench.fortnight import live_fortnight
from bench.fortnight.incidents import Incident
from luna.database import engine
from luna.database.migrate import upgrade
from tests.databases import own_database
from tests.folders import server_folder

LIVED = timedelta(hours=2)
INCIDENTS = (Incident("battery_deaf", timedelta(minutes=15), timedelta(minutes=30)), Incident("luna_stopped", timedelta(hours=1), timedelta(minutes=30)))


@pytest.fixture
def empty(database_server: str) -> Iterator[Engine]:
    """A database in which there is no other site: all that is stored would be planned."""
    with own_database(database_server, "luna_fortnight") as address:
        upgrade(address)
        database = engine.create(address)
        yield database
        database.dispose()


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder() as parent:
        yield parent


def test_hours_of_a_home_with_incidents_lose_no_reading_and_say_nothing_false(empty: Engine, folder: Path) -> None:
    told: list[str] = []
    figures = live_fortnight(folder, empty, LIVED, incidents=INCIDENTS, say=told.append)
    assert figures["false"] == []
    assert (figures["sentences_false"], figures["readings_lost"], figures["minutes_without_plan"]) == (0, 0, 0)
    assert figures["sentences"] > 0
    # At each of five looks in the quarter-hours in which Luna lived, energies of the meter, the roof, the battery and how full that is.
    assert figures["readings"] >= 6 * 5 * (figures["minutes"] - figures["minutes_stopped"]) // 15
    assert (figures["minutes"], figures["minutes_stopped"]) == (120, 30)
    for name, energy in figures["energies"].items():
        # What flowed while Luna was stopped stands in the quarter-hours of that time.
        assert energy["stored_kwh"] == pytest.approx(energy["true_kwh"], abs=0.01 + 0.01 * energy["true_kwh"]), name
        assert energy["unknown_slots"] == 0, name
    assert set(figures["cost"]) == {"self", "luna", "foresight"}
    assert figures["cost"]["foresight"] <= figures["cost"]["self"] + 1e-6
    assert any("sentences false" in line for line in told)
