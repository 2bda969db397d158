"""A vehicle's stays at its charger, from its plug, its level and the charger's meter."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.charge_sensors import NO_READINGS, SensorSeries
from luna.energy.charger_stays import list_stays
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.energy_store import MeteredEnergy
from luna.energy.timeline import SLOT, Timeline

START = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAR = ElectricVehicle(name="car", capacity_kwh=60, charge_limit_kw=11)


def series(*readings: tuple[float, float]) -> SensorSeries:
    """Return readings at so many hours after ``START``."""
    instants = [(START + hours * HOUR).replace(tzinfo=None) for hours, _ in readings]
    values = np.array([value for _, value in readings])
    return np.array(instants, dtype="M8[us]"), values


# At home until seven, away until five in the afternoon, at home until seven.
WORKDAY = series((0, 1), (7, 0), (17, 1), (31, 0))


def test_a_stay_is_between_two_changes_of_the_plug() -> None:
    first, second = list_stays(CAR, WORKDAY, NO_READINGS, None)
    # Nobody saw it arrive.
    assert (first.arrival, first.departure) == (None, START + 7 * HOUR)
    assert (second.arrival, second.departure) == (START + 17 * HOUR, START + 31 * HOUR)


def test_a_sensor_that_is_on_while_the_car_is_away_tells_the_same_stays() -> None:
    inverted = (WORKDAY[0], 1 - WORKDAY[1])
    assert list_stays(CAR, inverted, NO_READINGS, None, unplugged=True) == list_stays(
        CAR, WORKDAY, NO_READINGS, None
    )


def test_a_cable_pulled_for_ten_minutes_is_no_departure() -> None:
    plugs = series((0, 0), (1, 1), (3, 0), (3 + 1 / 6, 1), (9, 0))
    (stay,) = list_stays(CAR, plugs, NO_READINGS, None)
    assert (stay.arrival, stay.departure) == (START + HOUR, START + 9 * HOUR)


def test_a_departure_within_an_outage_of_the_sensor_has_no_time() -> None:
    plugs = series((0, 0), (1, 1), (6, np.nan), (8, 0))
    (stay,) = list_stays(CAR, plugs, NO_READINGS, None)
    assert stay.departure is None


def test_the_way_took_what_lacks_at_the_next_arrival() -> None:
    socs = series((6.5, 0.8), (17.2, 0.65))
    first, _ = list_stays(CAR, WORKDAY, socs, None)
    # 0.15 of 60 kWh.
    assert first.needed_kwh == pytest.approx(9.0)
    assert first.leaving_soc == 0.8


def test_without_levels_the_meter_says_what_the_way_took() -> None:
    timeline = Timeline(START, SLOT, 4 * 48)
    counted = np.zeros(timeline.count)
    counted[18 * 4 : 20 * 4] = 1.25
    _, second = list_stays(CAR, WORKDAY, NO_READINGS, MeteredEnergy(timeline, counted))
    # 10 kWh from the grid, at nine tenths.
    assert second.needed_kwh == pytest.approx(9.0)


def test_a_meter_that_was_silent_for_hours_says_nothing() -> None:
    timeline = Timeline(START, SLOT, 4 * 48)
    counted = np.zeros(timeline.count)
    counted[18 * 4 : 22 * 4] = np.nan
    _, second = list_stays(CAR, WORKDAY, NO_READINGS, MeteredEnergy(timeline, counted))
    assert second.needed_kwh is None
