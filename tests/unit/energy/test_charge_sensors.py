"""What a car says of itself: how full it is, and whether it is at its charger."""

from datetime import UTC, datetime, timedelta

import numpy as np

from luna.energy.charge_sensors import ChargeSensors, SensorSeries, judge_charge, sensors_of
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.site import parse_site
from tests.support.suite.tables import each_row

NOW = datetime(2024, 2, 1, 12, tzinfo=UTC)
CAR = ElectricVehicle(capacity_kwh=60)
NAN = float("nan")


def said(*readings: tuple[float, float]) -> SensorSeries:
    """Return values by the minutes before ``NOW`` at which they were said."""
    instants = [(NOW - timedelta(minutes=minutes)).replace(tzinfo=None) for minutes, _ in readings]
    return np.array(instants, dtype="M8[us]"), np.array([value for _, value in readings])


@each_row(
    ("socs", "plugs", "found"),
    [
        ([(120, 0.8), (60, 0.25)], [(60, 1)], (0.25, True)),
        # What it said on the road does not speak against what it says when it is back.
        ([(31, 0.8), (2, 0.25)], [(600, 0), (30, 1)], (0.25, True)),
        # Connected all the time it cannot have lost that much.
        ([(31, 0.8), (2, 0.25)], [(600, 1)], (0.8, True)),
        ([(31, 0.8), (16, 0.25)], [(600, 1)], (0.25, True)),
        ([(31, 0.8), (16, 0.25), (1, NAN)], [(600, 1)], (0.8, True)),
        ([(60, 0.5)], [(60, 0)], (0.5, False)),
        ([(60, 0.5), (50, 25.0)], [(60, NAN)], (0.5, None)),
        ([], [], (None, None)),
    ],
)
def test_a_car_is_as_full_as_it_says_where_that_can_be(
    socs: list[tuple[float, float]],
    plugs: list[tuple[float, float]],
    found: tuple[float | None, bool | None],
) -> None:
    seen = judge_charge(CAR, said(*socs), said(*plugs), until=NOW)
    assert (seen.charge and seen.charge.soc, seen.connected) == found


def test_it_is_connected_since_it_first_said_so_without_a_break() -> None:
    seen = judge_charge(
        CAR, said(), said((90, 1), (60, 0), (30, NAN), (20, 1), (10, NAN), (5, 1)), until=NOW
    )
    assert (seen.connected, seen.since) == (True, NOW - timedelta(minutes=20))
    assert judge_charge(CAR, said(), said((5, 1)), until=NOW, unplugged=True).connected is False


def test_sensors_belong_to_vehicles_in_order() -> None:
    cars = [{"name": name, "capacity_kwh": 60} for name in ("car", "van", "old")]
    sensors = {
        "vehicle_soc": ["sensor.car", "sensor.van"],
        "vehicle_connected": ["-binary_sensor.car_away"],
    }
    site = parse_site(
        {"name": "home", "timezone": "UTC", "vehicles": cars, "input_sensors": sensors}
    )
    assert sensors_of(site, at=NOW) == {
        "car": ChargeSensors("sensor.car", "binary_sensor.car_away", unplugged=True),
        "van": ChargeSensors("sensor.van", None),
    }
