"""Weekly departures: proposed from what a site recorded, and what becomes of the answer."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from luna.contracts.charging_sessions import NewSession
from luna.contracts.departures import DepartureChanges, ProposedDeparture
from luna.energy.errors import NotFoundError
from luna.platform.database import charging_sessions, departures
from tests.support.planning.departures import at, record_departures

# A Monday; no public holiday and no change of the clock for eleven weeks.
BEGIN = date(2026, 1, 5)
WEEKS = 11
END = BEGIN + timedelta(weeks=WEEKS)
NOW = at(END, 12)
DAYS = [BEGIN + timedelta(days=number) for number in range(WEEKS * 7)]


def workdays(day: date) -> float | None:
    return 7.5 if day.weekday() < 5 else None


def record(
    connection: Connection, leaves: Callable[[date], float | None] = workdays, **changes: Any
) -> None:
    record_departures(connection, leaves, DAYS, **changes)


def read(connection: Connection, now: datetime = NOW) -> list[ProposedDeparture]:
    return departures.read_proposals(connection, "driving", now=now)


def accept(connection: Connection, proposed: ProposedDeparture, **changes: Any) -> Any:
    return departures.accept(
        connection,
        "driving",
        proposed.departure_id,
        DepartureChanges.model_validate(changes),
        by="anna",
        now=NOW,
    )


def test_workdays_are_proposed_with_what_they_rest_on(connection: Connection) -> None:
    record(connection)
    (proposed,) = read(connection)
    assert proposed.days == ["mon", "tue", "wed", "thu", "fri"]
    assert (proposed.leaves, proposed.comes) == ("07:30", "18:00")
    # The first Monday's stay began before the record; 10 kWh from the grid at nine tenths.
    assert (proposed.usual_kwh, proposed.enough_kwh) == (9.0, 9.0)
    assert (proposed.target_soc, proposed.arrival_soc) == (1.0, 0.85)
    assert charging_sessions.read_standing(connection, "driving", first=NOW) == []


def test_an_accepted_departure_is_a_weekly_session_from_the_next_evening_on(
    connection: Connection,
) -> None:
    record(connection)
    (proposed,) = read(connection)
    stored = accept(connection, proposed)
    assert stored.days == proposed.days
    # It is a Monday: the next departure is on Tuesday.
    assert stored.from_ == at(NOW.date(), 18)
    assert stored.to == at(NOW.date() + timedelta(days=1), 7.5)
    assert (stored.target_soc, stored.arrival_soc) == (1.0, 0.85)
    assert read(connection) == []


def test_what_the_owner_changes_is_what_is_stored(connection: Connection) -> None:
    record(connection)
    (proposed,) = read(connection)
    stored = accept(connection, proposed, leaves="06:45", days=["tue", "thu"], target_soc=0.8)
    assert stored.days == ["tue", "thu"]
    assert stored.to == at(NOW.date() + timedelta(days=1), 6.75)
    # The way needs as much as before.
    assert (stored.target_soc, stored.arrival_soc) == (0.8, pytest.approx(0.65))
    # Wednesday was refused with it.
    assert read(connection) == []


def test_a_declined_departure_is_proposed_again_once_it_has_changed(
    connection: Connection,
) -> None:
    changed = BEGIN + timedelta(weeks=6)

    def later(day: date) -> float | None:
        hour = workdays(day)
        return 9.0 if hour is not None and day >= changed else hour

    record(connection, later)
    then = at(changed, 12)
    (proposed,) = read(connection, then)
    answer = departures.decline(connection, "driving", proposed.departure_id, by="anna", now=then)
    assert (answer.answer, answer.answered_by) == ("declined", "anna")
    assert read(connection, then) == []
    with pytest.raises(NotFoundError):
        departures.decline(connection, "driving", proposed.departure_id, by="anna", now=then)
    (anew,) = read(connection)
    assert (anew.leaves, anew.days) == ("09:00", proposed.days)


def test_an_accepted_departure_takes_its_days_from_what_was_planned(
    connection: Connection,
) -> None:
    record(connection, lambda day: workdays(day) if day.weekday() in (1, 3) else None)
    session = NewSession.model_validate(
        {
            "vehicle": "car",
            "from": at(BEGIN, 20),
            "to": at(BEGIN + timedelta(days=1), 10),
            "days": ["tue", "wed"],
            "target_soc": 0.7,
            "arrival_soc": 0.5,
        }
    )
    before = charging_sessions.add(connection, "driving", session, by="anna", now=NOW)
    (proposed,) = read(connection)
    assert proposed.replaces == [before.session_id]
    accept(connection, proposed)
    standing = charging_sessions.read_standing(connection, "driving", first=NOW)
    assert sorted(session.days for session in standing) == [["tue", "thu"], ["wed"]]


def test_without_a_plug_sensor_nothing_is_proposed(connection: Connection) -> None:
    record(connection, input_sensors={"vehicle_consumption": "sensor.wallbox"})
    assert read(connection) == []
