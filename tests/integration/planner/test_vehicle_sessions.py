"""Stored stays of vehicles: kept by a site, in every plan of it until they are over or taken
back.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from luna.contracts.charging_sessions import NewSession, StoredSession, lay_out_sessions
from luna.contracts.plan import PlanReply, PlanRequest, StateMessage
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, parse_zone
from luna.platform.database import charging_sessions, forecasts, sites
from luna.platform.database import readings as readings_of
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.milp.solver import Solver
from services.planner.service.plans import complete_request, plan_and_store
from tests.support.suite.depth import draws

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = parse_zone("Europe/Berlin")
# Eleven kW at nine tenths: a quarter-hour stores 2.475 of 60 kWh.
CAR = {"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}
BATTERY = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}


def describe(**changes: Any) -> Site:
    tariff = {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.07}}
    return parse_site(
        {
            "name": "parked",
            "timezone": "Europe/Berlin",
            "batteries": [BATTERY],
            "vehicles": [CAR],
            "tariff": tariff,
        }
        | changes
    )


@pytest.fixture
def parked(connection: Connection) -> str:
    """A stored site with a car, and a forecast for two days from ``START`` on."""
    sites.save(connection, describe())
    load = Quantiles.exact(np.full(192, 0.1))
    forecasts.upsert(
        connection,
        "parked",
        [
            Forecast(
                Timeline(START, SLOT, 192),
                START,
                DEFAULT_VERSION,
                load,
                Quantiles.exact(np.zeros(192)),
            )
        ],
    )
    return "parked"


def charging_session(first: float = 0, last: float = 6, **wanted: Any) -> NewSession:
    """Return a session of the car from so many hours after ``START`` on."""
    window = {"from": START + first * HOUR, "to": START + last * HOUR}
    return NewSession.model_validate(
        {"vehicle": "car", "arrival_soc": 0.4, "target_soc": 0.8} | wanted | window
    )


def store(connection: Connection, session: NewSession, now: datetime = START) -> StoredSession:
    return charging_sessions.add(connection, "parked", session, by="owner", now=now)


def complete(connection: Connection, hours: float = 0, **state: Any) -> PlanRequest:
    at = START + hours * HOUR
    return complete_request(
        connection,
        PlanRequest(site_id="parked", start=at, state=StateMessage.model_validate(state)),
        now=at,
    )


def plan(connection: Connection, hours: float = 0) -> PlanReply:
    at = START + hours * HOUR
    return plan_and_store(
        PlanRequest(site_id="parked", start=at), lambda: connection, now=at, solver=Solver()
    )


def soc_at(reply: PlanReply, instant: datetime) -> float:
    return next(
        slot.vehicles["car"].soc_end for slot in reply.slots if slot.start + SLOT == instant
    )


@settings(
    max_examples=draws(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(first=8, hours=5, soc=0.5657791969403375, more=6.103515625e-05)
@given(
    first=st.integers(0, 40),
    hours=st.integers(2, 30),
    soc=st.floats(0.1, 0.6),
    more=st.floats(0.0, 0.2),
)
def test_a_stored_sessions_target_is_reached_when_the_car_leaves(
    connection: Connection, parked: str, first: int, hours: int, soc: float, more: float
) -> None:
    # At most 0.2 of 60 kWh: 12 kWh, which five quarter-hours store; the shortest stay has eight.
    last = min(first + hours, 48)
    session = store(
        connection, charging_session(first, last, arrival_soc=soc, target_soc=soc + more)
    )
    reply = plan(connection)
    charging_sessions.remove(connection, parked, session.session_id, by="owner")
    assert reply.status != "compromised"
    # What would show as 0.0 % is not worth a quarter-hour of the charger's least power.
    assert soc_at(reply, START + last * HOUR) >= soc + more - 5e-4


def test_a_session_is_in_every_plan_until_it_is_taken_back(
    connection: Connection, parked: str
) -> None:
    stored = store(connection, charging_session())
    first = plan(connection)
    later = complete(connection, 1)
    assert [each.session_id for each in later.state.vehicles["car"].sessions] == [stored.session_id]
    # As full as the first plan expected it to be an hour later, not as it came.
    assert later.state.vehicles["car"].soc == first.slots[3].vehicles["car"].soc_end
    charging_sessions.remove(connection, parked, stored.session_id, by="owner")
    assert complete(connection, 1).state.vehicles["car"].sessions == []


# 1 February 2024 is a Thursday; Berlin is an hour ahead of UTC, so that the car is there from 18:00
# to 07:00.
def weekly(days: list[str], first: float = 5, last: float = 18, **wanted: Any) -> NewSession:
    return charging_session(first, last, days=days, **wanted)


def test_a_weekly_session_is_in_every_plan_on_its_days_until_it_is_taken_back(
    connection: Connection, parked: str
) -> None:
    stored = store(connection, weekly(["fri", "mon"]))
    (friday,) = complete(connection).state.vehicles["car"].sessions
    assert (friday.from_, friday.to, friday.session_id) == (
        START + 5 * HOUR,
        START + 18 * HOUR,
        stored.session_id,
    )
    assert soc_at(plan(connection), friday.to) >= 0.8 - 5e-4
    # The weekend is left out; half a year later it is the same clock in summer.
    assert [each.to for each in complete(connection, 20).state.vehicles["car"].sessions] == [
        START + (3 * 24 + 18) * HOUR
    ]
    noon = START + 3 * 24 * HOUR
    laid_out = lay_out_sessions([stored], BERLIN, first=noon, end=noon + 24 * HOUR)
    assert [(each.from_, each.to) for each in laid_out] == [(noon + 5 * HOUR, noon + 18 * HOUR)]
    summer = datetime(2024, 7, 4, 12, tzinfo=UTC)
    assert [
        each.to.astimezone(BERLIN).hour
        for each in lay_out_sessions([stored], BERLIN, first=summer, end=summer + 24 * HOUR)
    ] == [7]
    charging_sessions.remove(connection, parked, stored.session_id, by="owner")
    assert complete(connection).state.vehicles["car"].sessions == []


def test_a_single_session_takes_the_place_of_a_weekly_one_and_no_other(
    connection: Connection, parked: str
) -> None:
    every = store(connection, weekly(["thu", "fri", "sat"]))
    single = store(connection, charging_session(6, 20, target_soc=1.0))
    told = [
        (each.session_id, each.to)
        for each in complete(connection).state.vehicles["car"].sessions[:2]
    ]
    assert told == [(single.session_id, START + 20 * HOUR), (every.session_id, START + 42 * HOUR)]
    with pytest.raises(InvalidInputError, match="already has a session"):
        store(connection, weekly(["sat", "sun"], 0, 20))
    with pytest.raises(InvalidInputError) as refused:
        store(connection, weekly(["mon", "tue"], 24 * 2, 24 * 4))
    assert refused.value.reason == "planned-session-repeats-early"


def test_a_session_that_is_over_is_in_no_plan(connection: Connection, parked: str) -> None:
    store(connection, charging_session(0, 2))
    assert complete(connection, 2).state.vehicles == {}


def test_what_a_request_says_of_a_car_goes_before_what_is_stored(
    connection: Connection, parked: str
) -> None:
    store(connection, charging_session())
    assert complete(connection, vehicles={"car": {"soc": 0.9}}).state.vehicles["car"].sessions == []


def test_a_request_that_names_one_car_leaves_the_other_its_stored_session(
    connection: Connection, parked: str
) -> None:
    sites.save(connection, describe(vehicles=[CAR, CAR | {"name": "van"}]))
    store(connection, charging_session())
    told = complete(connection, vehicles={"van": {"soc": 0.9}}).state.vehicles
    assert (told["van"].soc, len(told["car"].sessions)) == (0.9, 1)


def test_a_session_that_has_begun_when_it_is_stored_starts_as_full_as_was_said(
    connection: Connection, parked: str
) -> None:
    plan(connection)
    store(connection, charging_session(-1, 6, arrival_soc=0.3))
    assert complete(connection, 0.5).state.vehicles["car"].soc == 0.3


def test_a_session_named_once_gives_way_to_one_that_is_stored_for_the_same_time(
    connection: Connection, parked: str
) -> None:
    once = {"from": START.isoformat(), "to": (START + 4 * HOUR).isoformat(), "target_soc": 0.5}
    told = PlanRequest.model_validate(
        {
            "site_id": parked,
            "start": START,
            "state": {"vehicles": {"car": {"soc": 0.4, "sessions": [once]}}},
        }
    )
    plan_and_store(told, lambda: connection, now=START, solver=Solver())
    assert len(complete(connection, 1).state.vehicles["car"].sessions) == 1
    stored = store(connection, charging_session(2, 8))
    assert [each.session_id for each in complete(connection, 1).state.vehicles["car"].sessions] == [
        stored.session_id
    ]
    assert plan(connection, 1).status == "optimal"


def test_a_site_that_changes_bounds_what_is_stored_and_is_planned_on(
    connection: Connection, parked: str
) -> None:
    store(connection, charging_session(target_soc=1.0, min_power_kw=11))
    sites.save(connection, describe(vehicles=[CAR | {"max_soc": 0.8, "charge_limit_kw": 3.7}]))
    assert plan(connection).slots
    sites.save(connection, describe(vehicles=[]))
    assert plan(connection).slots[0].vehicles == {}


SENSED = {"input_sensors": {"vehicle_soc": "sensor.car", "vehicle_connected": "binary_sensor.car"}}
CONTROL = {
    "vehicles": [
        {
            "vehicle": "car",
            "modes": {"charge": "on", "stop": "off"},
            "writes": [{"to": "switch.car", "value": "{mode}"}],
        }
    ]
}


def say(connection: Connection, *readings: tuple[float, float, float]) -> None:
    """Record by hours from ``START`` on how full the car is, per cent, and whether it is
    connected.
    """
    instants = np.array(
        [(START + hours * HOUR).replace(tzinfo=None) for hours, _, _ in readings], dtype="M8[us]"
    )
    keys = readings_of.register(
        connection, "parked", {"sensor.car": "%", "binary_sensor.car": None}
    )
    for sensor, values in (
        ("sensor.car", [each[1] for each in readings]),
        ("binary_sensor.car", [each[2] for each in readings]),
    ):
        readings_of.upsert(
            connection,
            np.full(len(readings), keys[sensor], dtype=np.int32),
            instants,
            np.array(values, dtype=float),
        )


def told(connection: Connection, hours: float = 0) -> tuple[float, dict[str, dict[str, Any]]]:
    """Return how full the car is in a plan of then, and its notes on cars."""
    request = complete(connection, hours)
    return request.state.vehicles["car"].soc, {
        each.code: each.figures for each in request.assumptions if each.code.startswith("vehicle_")
    }


def test_a_car_that_came_home_emptier_than_its_session_says_is_planned_from_what_it_says(
    connection: Connection, parked: str
) -> None:
    sites.save(connection, describe(**SENSED))
    store(connection, charging_session(-26, 6, arrival_soc=0.79))
    say(connection, (-26, 79, 1), (-16, 80, 0), (-2, 25, 1))
    reply = plan(connection)
    charged = sum(slot.vehicles["car"].charge_kwh for slot in reply.slots)
    # (0.80 - 0.25) x 60 kWh at nine tenths.
    assert charged == pytest.approx(36.67, abs=0.3)
    note = next(note for note in reply.notes if note.code == "vehicle_soc_read")
    assert note.figures == {"vehicle": "car", "soc": 0.25, "at": (START - 2 * HOUR).isoformat()}


def test_what_a_sensor_said_before_the_car_came_gives_way_to_what_its_owner_says(
    connection: Connection, parked: str
) -> None:
    sites.save(connection, describe(**SENSED))
    say(connection, (-5, 80, 0))
    store(connection, charging_session(-1, 6, arrival_soc=0.4))
    soc, notes = told(connection)
    assert soc == 0.4
    assert notes["vehicle_soc_said"] == {"vehicle": "car", "soc": 0.4}
    assert notes["vehicle_not_connected"] == {
        "vehicle": "car",
        "since": (START - 5 * HOUR).isoformat(),
    }


def test_where_the_charge_on_arrival_comes_from_is_said_of_every_car(
    connection: Connection, parked: str
) -> None:
    store(connection, charging_session(2, 6))
    assert told(connection)[1] == {"vehicle_soc_said": {"vehicle": "car", "soc": 0.4}}
    first = plan(connection)
    soc, notes = told(connection, 3)
    assert notes == {"vehicle_soc_expected": {"vehicle": "car", "soc": soc}}
    assert soc == first.slots[11].vehicles["car"].soc_end


def test_a_car_with_known_kilometres_is_planned_for_usual_nights_until_a_session_is_stored(
    connection: Connection, parked: str
) -> None:
    sites.save(connection, describe(vehicles=[CAR | {"km_per_year": 14_610}]))
    # 40 km a day at 18 kWh per 100 km from the charger, of which nine tenths are stored; it comes
    # at 18:00 of the site's clock.
    soc, notes = told(connection)
    assert notes["vehicle_usual"] == {
        "vehicle": "car",
        "need_kwh": 7.2,
        "comes": "18:00",
        "leaves": "07:00",
    }
    assert notes["vehicle_soc_assumed"] == {"vehicle": "car", "soc": pytest.approx(1 - 6.48 / 60)}
    assert (soc, soc_at(plan(connection), START + 18 * HOUR)) == (
        pytest.approx(1 - 6.48 / 60),
        pytest.approx(1.0, abs=5e-4),
    )
    store(connection, charging_session(2, 6))
    assert set(told(connection)[1]) == {"vehicle_soc_said"}


def test_a_session_may_leave_out_what_the_car_says_itself(
    connection: Connection, parked: str
) -> None:
    sites.save(connection, describe(**SENSED))
    with pytest.raises(InvalidInputError, match="on arrival is unknown"):
        store(connection, charging_session(arrival_soc=None))
    say(connection, (-1, 30, 1))
    store(connection, charging_session(arrival_soc=None))
    assert told(connection)[0] == 0.3


def test_what_luna_charged_since_a_car_said_how_full_it_is_counts(
    connection: Connection, parked: str
) -> None:
    sites.save(connection, describe(**SENSED, control=CONTROL))
    say(connection, (-1, 30, 1))
    store(connection, charging_session(0, 6, arrival_soc=None, min_power_kw=11))
    first = plan(connection)
    # The sensor is silent since: an hour later the car is as full as the plan makes it, which rests
    # on what it said.
    assert told(connection, 1)[0] == pytest.approx(first.slots[3].vehicles["car"].soc_end)
    assert first.slots[3].vehicles["car"].soc_end > 0.4
    say(connection, (0.9, 35, 1))
    assert told(connection, 1)[0] == pytest.approx(0.35)


@pytest.mark.parametrize(
    ("session", "field"),
    [
        (charging_session(vehicle="bus"), "vehicle"),
        (charging_session(-4, -1), "to"),
        (charging_session(0, 24 * 90), "to"),
        (charging_session(arrival_soc=None), "arrival_soc"),
        (charging_session(min_power_kw=50), "min_power_kw"),
        (charging_session(2, 3), "from"),
    ],
    ids=[
        "unknown vehicle",
        "over",
        "too long",
        "nobody knows how full",
        "too much power",
        "meets another",
    ],
)
def test_what_cannot_be_had_is_refused_by_its_field(
    connection: Connection, parked: str, session: NewSession, field: str
) -> None:
    store(connection, charging_session(1, 5))
    with pytest.raises(InvalidInputError) as refused:
        store(connection, session)
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_target_beyond_the_car_is_refused(connection: Connection, parked: str) -> None:
    sites.save(connection, describe(vehicles=[CAR | {"max_soc": 0.7}]))
    with pytest.raises(InvalidInputError) as refused:
        store(connection, charging_session())
    assert (refused.value.reason, refused.value.parameters) == (
        "soc-beyond",
        {"max_soc": 0.7, "name": "car"},
    )


def test_the_same_session_again_is_the_one_there_is(connection: Connection, parked: str) -> None:
    assert store(connection, charging_session()) == store(connection, charging_session())


def test_a_session_of_another_site_is_not_there(connection: Connection, parked: str) -> None:
    stored = store(connection, charging_session())
    sites.save(connection, describe(name="elsewhere"))
    with pytest.raises(NotFoundError):
        charging_sessions.remove(connection, "elsewhere", stored.session_id, by="owner")
    taken = charging_sessions.remove(connection, parked, stored.session_id, by="owner")
    assert (
        charging_sessions.remove(connection, parked, stored.session_id, by="somebody else") == taken
    )
    assert [each.removed_by for each in charging_sessions.read_history(connection, parked)] == [
        "owner"
    ]
