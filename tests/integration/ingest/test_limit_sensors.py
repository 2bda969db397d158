"""Limits that sensors set, from a reading to the table."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from luna.contracts.operator_limits import StoredLimit
from luna.energy.errors import UnavailableError
from luna.energy.site import Site
from luna.platform.database import operator_limits
from luna.platform.database.engine import unit_of_work
from services.ingest.listening import limit_sensors
from services.ingest.listening.limit_sensors import LimitSensors
from services.ingest.listening.recording_state import StateFile
from services.ingest.source_readings import Reading
from tests.support.control.executor import START, Clock
from tests.support.database.site import stored_site

NAME = "home_with_contact"
CONTACT = "binary_sensor.ripple_control"
POWER = "mqtt:operator/limit [W]"
FEED_IN = "eebus:lpp"
CAR = {"capacity_kwh": 60, "charge_limit_kw": 11}
ROLES: dict[str, Any] = {
    "operator_limit_contact": CONTACT,
    "operator_import_limit": POWER,
    "operator_export_limit": FEED_IN,
}


@dataclass
class Home:
    """A stored site with the watch over its sensors."""

    database: Engine
    site: Site
    clock: Clock
    notes: StateFile
    watch: LimitSensors

    def hear(self, sensor: str, value: float, unit: str | None = None) -> None:
        """Let a sensor report a value, and the watch take its turn."""
        readings = [Reading(sensor, self.clock.now(), value, unit)]
        self.watch.note("source", readings, changes_only=True)
        self.watch.turn([self.site])

    def restart(self) -> None:
        """Start the recorder anew, with what is on its disk."""
        self.watch = LimitSensors(self.database, self.notes, clock=self.clock)

    def pass_time(self, **passed: float) -> None:
        self.clock.instant += timedelta(**passed)

    def in_force(self) -> list[tuple[str, float | None, float | None]]:
        """Return source, import and export of the limits that hold, by source."""
        now = self.clock.now()
        with unit_of_work(self.database) as connection:
            limits = operator_limits.list_in_force(connection, NAME, now)
        return sorted((limit.source, limit.import_kw, limit.export_kw) for limit in limits)

    def history(self) -> list[StoredLimit]:
        with unit_of_work(self.database) as connection:
            return operator_limits.read_history(connection, NAME)


@pytest.fixture
def home(database: Engine, tmp_path: Path) -> Iterator[Home]:
    """A home with a contact, a topic and a link to the control box."""
    clock = Clock()
    notes = StateFile(tmp_path / "notes.json")
    watch = LimitSensors(database, notes, clock=clock)
    with stored_site(database, name=NAME, vehicles=[CAR], input_sensors=ROLES) as site:
        yield Home(database, site, clock, notes, watch)


def test_contact_limits_the_site_while_it_is_on(home: Home) -> None:
    home.hear(CONTACT, 0.0)
    assert home.in_force() == []
    home.hear(CONTACT, 1.0)
    assert home.in_force() == [("contact", 4.2, None)]
    home.pass_time(minutes=30)
    home.hear(CONTACT, 0.0)
    assert home.in_force() == []
    [past] = home.history()
    assert (past.start, past.end, past.scope) == (START, START + timedelta(minutes=30), "devices")


def test_powers_of_topic_and_control_box_are_limits(home: Home) -> None:
    home.hear(POWER, 6300.0, "W")
    home.hear(FEED_IN, 0.0, "W")
    assert home.in_force() == [("lpp", None, 0.0), ("mqtt", 6.3, None)]
    home.hear(POWER, -1.0, "W")
    assert home.in_force() == [("lpp", None, 0.0)]


def test_other_power_is_an_event_of_its_own(home: Home) -> None:
    home.hear(POWER, 6300.0, "W")
    home.pass_time(minutes=10)
    home.hear(POWER, 4200.0, "W")
    assert home.in_force() == [("mqtt", 4.2, None)]
    assert [limit.import_kw for limit in home.history()] == [6.3, 4.2]


def test_same_value_again_stores_nothing(home: Home) -> None:
    for _ in range(3):
        home.hear(POWER, 4200.0, "W")
        home.pass_time(minutes=1)
    assert len(home.history()) == 1


def test_restart_releases_what_is_no_longer_wanted(home: Home) -> None:
    home.hear(POWER, 4200.0, "W")
    home.restart()
    home.watch.turn([home.site])
    assert home.in_force() == [("mqtt", 4.2, None)]
    home.hear(POWER, -1.0, "W")
    assert home.in_force() == []


def test_sensor_that_stays_silent_after_a_restart_limits_for_two_hours(home: Home) -> None:
    home.hear(POWER, 4200.0, "W")
    home.restart()
    home.pass_time(minutes=119)
    home.watch.turn([home.site])
    assert home.in_force()
    home.pass_time(minutes=2)
    home.watch.turn([home.site])
    assert not home.in_force()


def test_limit_is_stored_as_soon_as_the_database_answers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_away(_engine: Engine) -> None:
        raise UnavailableError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(limit_sensors, "unit_of_work", is_away)
        home.hear(CONTACT, 1.0)
    assert home.in_force() == []
    home.watch.turn([home.site])
    assert home.in_force() == [("contact", 4.2, None)]
