"""How full a plan counts a car whose sensor and charger do not agree, and what it says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection

from luna.contracts.charging_sessions import NewSession
from luna.contracts.operator_limits import NewLimit
from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.vehicle_levels import NewVehicleLevel, VehicleLevel
from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import (
    charging_sessions,
    forecasts,
    observations,
    operator_limits,
    sites,
    vehicle_levels,
)
from luna.platform.database import readings as stored_readings
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.milp.solver import Solver
from services.planner.service.plans import plan_and_store

START = datetime(2024, 2, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAR = {"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11, "charge_efficiency": 0.9}
SENSORS = {
    "total_load_consumption": "sensor.house",
    "vehicle_consumption": "sensor.wallbox",
    "vehicle_soc": "sensor.car",
    "vehicle_connected": "binary_sensor.car",
}
TWO_CARS = {
    "vehicles": [CAR, CAR | {"name": "van"}],
    "input_sensors": SENSORS
    | {
        "vehicle_soc": ["sensor.car", "sensor.van"],
        "vehicle_connected": ["binary_sensor.car", "binary_sensor.van"],
    },
}


def save(connection: Connection, **changes: Any) -> None:
    fields = {"name": "wallbox", "timezone": "UTC", "vehicles": [CAR], "input_sensors": SENSORS}
    tariff = {"import": {"kind": "fixed", "price": 0.3}}
    sites.save(connection, parse_site(fields | {"tariff": tariff} | changes))


@pytest.fixture
def wallbox(connection: Connection) -> None:
    """Store a site whose car has been plugged in for three hours, to leave at 80 % in five."""
    save(connection)
    issued = START - 3 * HOUR
    horizon = Timeline(issued, SLOT, 240)
    load = Quantiles.exact(np.full(240, 0.1))
    dark = Quantiles.exact(np.zeros(240))
    forecast = Forecast(horizon, issued, DEFAULT_VERSION, load, dark)
    forecasts.upsert(connection, "wallbox", [forecast])
    fields = {"vehicle": "car", "from": START - 3 * HOUR, "to": START + 5 * HOUR, "target_soc": 0.8}
    report(connection, "car", (-9, 30, 0), (-3, 30, 1))
    session = NewSession.model_validate(fields)
    charging_sessions.add(connection, "wallbox", session, by="tests", now=START - 3 * HOUR)


def report(connection: Connection, car: str, *readings: tuple[float, float, float]) -> None:
    """Record by hours from ``START`` on how full a car is, per cent, and whether it is plugged
    in.
    """
    instants = [(START + hours * HOUR).replace(tzinfo=None) for hours, _, _ in readings]
    units = {f"sensor.{car}": "%", f"binary_sensor.{car}": None}
    keys = stored_readings.register(connection, "wallbox", units)
    for place, sensor in enumerate(units, start=1):
        values = np.array([reading[place] for reading in readings], dtype=float)
        repeated = np.full(len(readings), keys[sensor], dtype=np.int32)
        stored_readings.upsert(connection, repeated, np.array(instants, dtype="M8[us]"), values)


def count(connection: Connection, kwh: float) -> None:
    """Record what the wallbox counted in each quarter-hour of the three hours."""
    starts = Timeline(START - 12 * HOUR, SLOT, 48).starts
    values = np.where(np.arange(48) >= 36, kwh, 0.0)
    observations.write(connection, "wallbox", starts, {"vehicle_kwh": values})


def plan(connection: Connection, hours: float = 0) -> PlanReply:
    at = START + hours * HOUR
    request = PlanRequest(site_id="wallbox", start=at)
    return plan_and_store(request, lambda: connection, now=at, solver=Solver())


def charged(reply: PlanReply) -> float:
    return sum(slot.vehicles["car"].charge_kwh for slot in reply.slots if "car" in slot.vehicles)


def notes(reply: PlanReply) -> dict[str, dict[str, Any]]:
    return {note.code: note.figures for note in reply.notes if note.code.startswith("vehicle_")}


@pytest.mark.usefixtures("wallbox")
def test_what_the_wallbox_counted_is_not_planned_again(connection: Connection) -> None:
    count(connection, 2.75)
    reply = plan(connection)
    # 0.5 % of 60 kWh at nine tenths, or the least that the charger can: 4.1 kW for a quarter-hour.
    assert charged(reply) <= 1.03
    figures = notes(reply)["vehicle_soc_stands_still"]
    assert (figures["soc"], figures["sensor_soc"], figures["metered_kwh"]) == (0.795, 0.3, 33.0)
    assert figures["since"] == (START - 9 * HOUR).isoformat()


@pytest.mark.usefixtures("wallbox")
def test_a_car_that_takes_nothing_is_named_once_it_was_planned_for_two_hours(
    connection: Connection,
) -> None:
    count(connection, 0.0)
    assert "vehicle_takes_nothing" not in notes(plan(connection, -3))
    # 50 % of 60 kWh at nine tenths.
    assert charged(plan(connection, -3)) == pytest.approx(33.33, abs=0.3)
    reply = plan(connection)
    figures = notes(reply)["vehicle_takes_nothing"]
    assert (figures["vehicle"], figures["since"]) == ("car", (START - 3 * HOUR).isoformat())
    assert figures["planned_kwh"] >= 8 * 2.75
    assert notes(reply)["vehicle_soc_read"]["soc"] == 0.3


@pytest.mark.usefixtures("wallbox")
def test_a_car_that_an_operator_dimmed_refused_nothing(connection: Connection) -> None:
    count(connection, 0.0)
    plan(connection, -3)
    # The plan was made before the limit came, and the limit left the car nothing.
    limit = NewLimit(end=START, import_kw=0, scope="devices")
    operator_limits.store(connection, "wallbox", limit, source="api", now=START - 2.5 * HOUR)
    assert "vehicle_takes_nothing" not in notes(plan(connection))


@pytest.mark.usefixtures("wallbox")
def test_of_two_cars_the_one_that_is_plugged_in_alone_took_what_was_counted(
    connection: Connection,
) -> None:
    save(connection, **TWO_CARS)
    report(connection, "van", (-9, 50, 0))
    count(connection, 2.75)
    assert notes(plan(connection))["vehicle_soc_stands_still"]["soc"] == 0.795
    # Both are: nobody knows which of them took it.
    report(connection, "van", (-2, 50, 1))
    assert notes(plan(connection))["vehicle_soc_read"]["soc"] == 0.3


@pytest.mark.usefixtures("wallbox")
@pytest.mark.parametrize(
    ("readings", "kwh", "codes"),
    [
        ([(-1, 90, 1), (-0.8, 30, 1)], 0.0, {"vehicle_soc_read"}),
        ([(-2, 30, 1), (-0.1, 90, 1)], 0.0, {"vehicle_soc_read", "vehicle_soc_doubted"}),
        ([(-2, 30, 1), (-0.5, 255, 1)], 0.0, {"vehicle_soc_out_of_range"}),
        ([(-2, 33, 1), (-1, 36, 1), (-0.1, 39, 1)], 2.75, {"vehicle_soc_against_meter"}),
        ([(-2, 46, 1), (-1, 62, 1), (-0.1, 78, 1)], 2.75, {"vehicle_soc_read"}),
    ],
    ids=["back", "jumps", "out of range", "creeps", "healthy"],
)
def test_a_plan_says_what_is_the_matter_with_a_sensor(
    connection: Connection, readings: list[tuple[float, float, float]], kwh: float, codes: set[str]
) -> None:
    count(connection, kwh)
    report(connection, "car", *readings)
    assert {*notes(plan(connection))} == codes


@pytest.mark.usefixtures("wallbox")
def test_what_was_counted_since_a_car_came_is_added_to_what_was_said_of_it(
    connection: Connection,
) -> None:
    meter = {"total_load_consumption": "sensor.house", "vehicle_consumption": "sensor.wallbox"}
    save(connection, input_sensors=meter)
    (before,) = charging_sessions.read_standing(connection, "wallbox", first=START)
    charging_sessions.remove(connection, "wallbox", before.session_id, by="tests")
    charging_session = {
        "from": START - 3 * HOUR,
        "to": START + 5 * HOUR,
        "target_soc": 0.8,
        "arrival_soc": 0.3,
    }
    session = NewSession.model_validate({"vehicle": "car"} | charging_session)
    charging_sessions.add(connection, "wallbox", session, by="tests", now=START - 3 * HOUR)
    assert notes(plan(connection))["vehicle_soc_said"]["soc"] == 0.3
    count(connection, 2.75)
    reply = plan(connection)
    figures = notes(reply)["vehicle_soc_counted"]
    assert (figures["soc"], figures["arrival_soc"], figures["metered_kwh"]) == (0.795, 0.3, 33.0)
    assert charged(reply) <= 1.03


BY_WORD = {"vehicle_consumption": "sensor.wallbox"}


def state(connection: Connection, hours: float, **level: float) -> VehicleLevel:
    """Say how full the car is, so many hours from ``START`` on."""
    stated = NewVehicleLevel.model_validate(level)
    now = START + hours * HOUR
    return vehicle_levels.store(connection, "wallbox", stated, by="anna", now=now)


def test_what_is_charged_after_the_owner_s_word_is_added_to_it(
    connection: Connection, wallbox: None
) -> None:
    save(connection, input_sensors=SENSORS | {"vehicle_soc": []})
    count(connection, 1.0)
    state(connection, -2, soc=0.4)
    reply = plan(connection)
    figures = notes(reply)["vehicle_soc_estimated"]
    # Two hours of 4 kW at nine tenths are 7.2 of 60 kWh.
    assert (figures["stated_soc"], figures["metered_kwh"]) == (0.4, 8.0)
    assert figures["soc"] == pytest.approx(0.52)
    # 0.28 of 60 kWh to the target of 80 %, at nine tenths.
    assert charged(reply) == pytest.approx(18.7, abs=0.3)


def test_a_need_is_missing_of_the_session_s_target(connection: Connection, wallbox: None) -> None:
    save(connection, input_sensors=BY_WORD)
    count(connection, 0.0)
    level = state(connection, 0, need_kwh=12)
    assert level.soc == pytest.approx(0.6)
    reply = plan(connection)
    assert notes(reply)["vehicle_soc_stated"]["soc"] == pytest.approx(0.6)
    assert charged(reply) == pytest.approx(13.3, abs=0.3)


def test_a_newer_reading_of_the_sensor_counts_more_than_the_owner_s_word(
    connection: Connection, wallbox: None
) -> None:
    count(connection, 0.0)
    state(connection, -2.5, soc=0.7)
    report(connection, "car", (-1, 31, 1))
    assert "vehicle_soc_read" in notes(plan(connection))


def test_the_owner_s_word_ends_when_the_car_leaves(connection: Connection, wallbox: None) -> None:
    save(connection, input_sensors=SENSORS | {"vehicle_soc": []})
    count(connection, 0.0)
    state(connection, -2.5, soc=0.7)
    now = START - HOUR
    (level,) = vehicle_levels.read_estimates(connection, "wallbox", now=now)
    assert (level.estimated_soc, level.stated_by) == (0.7, "anna")
    report(connection, "car", (-2, 0, 0), (-0.5, 0, 1))
    assert vehicle_levels.read_estimates(connection, "wallbox", now=START) == []


def test_a_car_needs_no_more_than_it_can_hold(connection: Connection, wallbox: None) -> None:
    with pytest.raises(InvalidInputError) as refused:
        state(connection, 0, need_kwh=49)
    # The session's target is 80 % of 60 kWh.
    assert "48 kWh" in str(refused.value)


def test_a_range_says_how_full_a_car_is_whose_consumption_is_known(
    connection: Connection,
) -> None:
    frugal = CAR | {"kwh_per_100_km": 20}
    sensors = {"vehicle_range": ["sensor.car_range", "sensor.van_range"]}
    save(connection, vehicles=[frugal, CAR | {"name": "van"}], input_sensors=sensors)
    keys = stored_readings.register(
        connection, "wallbox", {"sensor.car_range": "mi", "sensor.van_range": "km"}
    )
    read_at = np.array([(START - HOUR).replace(tzinfo=None)] * 2, dtype="M8[us]")
    stored_readings.upsert(
        connection, np.array([*keys.values()], dtype=np.int32), read_at, np.array([100.0, 160.0])
    )
    key = sites.key_of(connection, "wallbox")
    site = sites.load(connection, "wallbox")
    sensed = charging_sessions.read_charge_each(connection, {key: site}, until=START)[key]
    # 160.9 km at 20 kWh from the grid, nine tenths of it stored: 29.0 of 60 kWh.
    assert sensed["car"].soc == pytest.approx(0.483, abs=0.001)
    # What the van uses is assumed: its range is no state of charge.
    assert "van" not in sensed


def test_a_plan_says_that_a_level_follows_from_the_range(
    connection: Connection, wallbox: None
) -> None:
    ranged = {"vehicle_range": "sensor.car_range", "vehicle_connected": "binary_sensor.car"}
    save(connection, vehicles=[CAR | {"kwh_per_100_km": 20}], input_sensors=ranged)
    keys = stored_readings.register(connection, "wallbox", {"sensor.car_range": "km"})
    read_at = np.array([(START - HOUR).replace(tzinfo=None)], dtype="M8[us]")
    key = np.array([keys["sensor.car_range"]], dtype=np.int32)
    stored_readings.upsert(connection, key, read_at, np.array([200.0]))
    assert notes(plan(connection))["vehicle_soc_ranged"]["soc"] == pytest.approx(0.6)
