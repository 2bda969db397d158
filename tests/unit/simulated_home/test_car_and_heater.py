"""The simulated car and the tank of hot water: energy is neither made nor lost without being
counted, and both keep their limits whatever they are told.
"""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from luna.drivers.simulated_battery import BatteryCharge
from luna.simulated_home.car import (
    CAR_MODEL,
    CHARGER_WORDS,
    CarState,
    ChargerCommand,
    set_charger,
    step_car,
    trip_of,
)
from luna.simulated_home.heater import HEATER_MODEL, HEATER_WORDS, HeaterState, step_heater
from luna.simulated_home.house import HomeState, advance
from luna.simulated_home.site import CAR, HEATER, ZONE, build_site, list_charging_sessions
from services.planner.service.inputs import list_included
from tests.support.suite.depth import LONG

# A Monday, 1 June 2026, 20:00 UTC: the car is at home until the next morning.
EVENING = datetime(2026, 6, 1, 20, tzinfo=UTC).timestamp()
DAYS = [date(2026, 1, 1) + timedelta(days=number) for number in range(364)]


def charge(command: ChargerCommand, *, soc: float, seconds: float = 5.0) -> CarState:
    return step_car(
        CarState(soc * CAR_MODEL.capacity_kwh, command=command), EVENING, seconds=seconds, seed=1
    )


def test_energy_balances_in_house_car_and_tank_whatever_they_are_told() -> None:
    chance = random.Random(7)
    first = state = HomeState(
        EVENING, BatteryCharge(5.0), car=CarState(20.0), heater=HeaterState(50.0)
    )
    for _ in range(2_000 if LONG else 800):
        assert state.car is not None
        assert state.heater is not None
        command = ChargerCommand(
            chance.choice(CHARGER_WORDS), chance.uniform(0, 20), chance.choice([1, 3])
        )
        heater = replace(state.heater, mode=chance.choice(HEATER_WORDS))
        state = replace(state, car=replace(state.car, command=command), heater=heater)
        state = advance(
            state,
            load_kw=chance.uniform(0, 4),
            pv_kw=chance.uniform(0, 6),
            seconds=chance.choice([1, 5, 60, 900]),
            seed=3,
        )
        assert state.car is not None
        assert state.heater is not None
        assert 0.0 <= state.car.power_kw <= CAR_MODEL.most_kw
        assert state.car.is_home or state.car.power_kw == 0.0
        assert 0.0 < state.car.soc <= CAR_MODEL.most_soc + 1e-9
        assert 0.0 <= state.heater.power_kw <= HEATER_MODEL.power_kw + 1e-9
        assert HEATER_MODEL.mains_c <= state.heater.water_c <= HEATER_MODEL.hot_c + 1e-9
    car = state.car
    heater = state.heater
    start = first.heater
    assert car is not None
    assert heater is not None
    assert start is not None
    assert car.driven_kwh > 10.0
    assert car.charge_kwh - car.driven_kwh - car.lost_kwh == pytest.approx(
        car.stored_kwh - 20.0, abs=1e-6
    )
    warmed = (heater.water_c - start.water_c) * HEATER_MODEL.capacity_kwh_per_k
    assert heater.used_kwh - heater.drawn_kwh - heater.lost_kwh == pytest.approx(warmed, abs=1e-6)
    used = state.load_kwh + car.charge_kwh + heater.used_kwh
    assert used + state.export_kwh + state.charge_kwh == pytest.approx(
        state.pv_kwh + state.import_kwh + state.discharge_kwh, abs=1e-6
    )


@pytest.mark.parametrize(
    ("command", "soc", "expected_kw"),
    [
        pytest.param(ChargerCommand(), 0.5, 11.04, id="by itself with all it has"),
        pytest.param(ChargerCommand("on", 10, 3), 0.5, 6.9, id="ten amperes on three phases"),
        pytest.param(ChargerCommand("on", 6, 1), 0.5, 1.38, id="the least current on one phase"),
        pytest.param(ChargerCommand("on", 5, 3), 0.5, 0.0, id="less than the least current"),
        pytest.param(ChargerCommand("on", 40, 3), 0.5, 11.04, id="never more than its most"),
        pytest.param(ChargerCommand("off"), 0.5, 0.0, id="off"),
        # Linear from 0.8 to full: three quarters are left at 0.85.
        pytest.param(ChargerCommand(), 0.85, 8.28, id="less above four fifths"),
        pytest.param(ChargerCommand(), 0.9, 0.0, id="nothing beyond what its owner set"),
    ],
)
def test_a_car_takes_what_it_is_offered_within_its_limits(
    command: ChargerCommand, soc: float, expected_kw: float
) -> None:
    assert charge(command, soc=soc).power_kw == pytest.approx(expected_kw)


def test_charging_slowly_loses_more() -> None:
    fast, slow = (
        charge(ChargerCommand("on", current, phases), soc=0.3, seconds=60)
        for current, phases in ((16, 3), (6, 1))
    )
    # 0.15 kW and 5.5 %: of 11.04 kW 6.9 %, of 1.38 kW 16.4 %.
    assert fast.lost_kwh / fast.charge_kwh == pytest.approx(0.0686, abs=1e-3)
    assert slow.lost_kwh / slow.charge_kwh == pytest.approx(0.1637, abs=1e-3)


def test_it_ignores_what_it_does_not_understand() -> None:
    command = ChargerCommand("on", 8, 1)
    for name, text in (
        ("mode", "turbo"),
        ("phases", "2"),
        ("phases", "many"),
        ("current", ""),
        ("current", "nan"),
    ):
        assert set_charger(command, name, text) == command


def test_the_car_comes_and_goes_by_seed_and_day_alone_and_no_stay_that_is_planned_misses_it() -> (
    None
):
    trips = [trip_of(day, seed=5) for day in DAYS]
    trip_of.cache_clear()
    assert trips == [trip_of(day, seed=5) for day in DAYS]
    assert trips != [trip_of(day, seed=6) for day in DAYS]
    at_work = [trip for day, trip in zip(DAYS, trips, strict=True) if day.weekday() < 5]
    at_weekends = [
        trip
        for day, trip in zip(DAYS, trips, strict=True)
        if day.weekday() >= 5 and trip is not None
    ]
    assert None not in at_work
    assert 30 < len(at_weekends) < 74
    for day, trip in zip(DAYS, trips, strict=True):
        if trip is not None:
            leaves, returns = (
                datetime.fromtimestamp(each, ZONE) for each in (trip.leaves, trip.returns)
            )
            assert leaves.date() == returns.date() == day
            # No session lasts beyond its departure, nor begins after it is home.
            assert (leaves.hour, leaves.minute) >= ((7, 10) if day.weekday() < 5 else (10, 0))
            assert (returns.hour, returns.minute) >= ((16, 20) if day.weekday() < 5 else (12, 0))
            assert trip.driven_kwh(trip.returns) == pytest.approx(trip.used_kwh)
            assert (
                0.0
                < trip.driven_kwh((trip.leaves + trip.returns) / 2)
                == pytest.approx(trip.used_kwh / 2)
            )
    assert all(
        one.leaves > other.returns
        for other, one in pairwise(trip for trip in trips if trip is not None)
    )


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 26, 22, 55, tzinfo=UTC),
        datetime(2026, 3, 28, 23, 5, tzinfo=UTC),
        datetime(2026, 7, 31, 22, tzinfo=UTC),
    ],
)
def test_its_sessions_are_those_of_its_site_and_its_heater_is_counted_apart(now: datetime) -> None:
    site = build_site()
    sessions = list_charging_sessions(now)
    assert (
        {session.vehicle for session in sessions}
        == {CAR}
        == {vehicle.name for vehicle in site.vehicles}
    )
    assert sorted(day for session in sessions for day in session.days) == sorted(
        {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    )
    assert all(session.from_ < now and session.to > session.from_ for session in sessions)
    assert HEATER not in list_included(site)


def test_left_alone_the_tank_keeps_between_its_temperatures_and_off_it_grows_cold() -> None:
    def live(mode: str, days: int) -> list[HeaterState]:
        states = [HeaterState(mode=mode)]
        for minute in range(days * 24 * 60):
            states.append(step_heater(states[-1], EVENING + minute * 60, seconds=60, seed=2))
        return states

    by_itself = live("auto", 7)
    off = live("off", 3)
    # A draw of a minute takes a third of a kelvin at most.
    assert min(each.water_c for each in by_itself) > HEATER_MODEL.begins_c - 2.0
    assert by_itself[-1].short_kwh == 0.0
    assert 5.0 < by_itself[-1].used_kwh / 7 < 8.0
    assert off[-1].used_kwh == 0.0
    assert off[-1].short_kwh > 1.0
    assert off[-1].water_c < 30.0
