"""The simulated battery: energy is neither made nor lost without being counted, and limits hold
whatever it is told.
"""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from luna.drivers.simulated_battery import (
    WORDS,
    BatteryCharge,
    BatteryModel,
    Command,
    requested_power_kw,
    step_battery,
)
from luna.simulated_home.house import BATTERY_MODEL, HomeState, advance, measure
from tests.support.suite.depth import LONG

STEP_SECONDS = 5.0
MODEL = BatteryModel()


def run(wanted_kw: float, *, stored_kwh: float, seconds: float) -> list[BatteryCharge]:
    states = [BatteryCharge(stored_kwh)]
    for _ in range(int(seconds / STEP_SECONDS)):
        states.append(step_battery(MODEL, states[-1], wanted_kw, seconds=STEP_SECONDS)[0])
    return states


def test_energy_balances_and_limits_hold_whatever_it_is_told() -> None:
    chance = random.Random(7)
    state = HomeState(at=1_700_000_000.0, battery=BatteryCharge(stored_kwh=5.0))
    for _ in range(2_000 if LONG else 500):
        command = Command(
            chance.choice(WORDS),
            chance.uniform(0, 9),
            chance.choice([None, 0.2, 0.9]),
            chance.uniform(0, 0.5),
            chance.uniform(0.5, 1),
        )
        before = replace(state, command=command)
        state = advance(
            before,
            load_kw=chance.uniform(0, 4),
            pv_kw=chance.uniform(0, 6),
            seconds=chance.choice([1, 5, 60, 900]),
            seed=3,
        )
        assert (
            BATTERY_MODEL.min_soc * BATTERY_MODEL.capacity_kwh - 1e-9
            <= state.battery.stored_kwh
            <= BATTERY_MODEL.capacity_kwh + 1e-9
        )
        assert abs(state.battery.power_kw) <= BATTERY_MODEL.limit_kw
        assert state.lost_kwh >= before.lost_kwh - 1e-12
    moved = state.charge_kwh - state.discharge_kwh - state.lost_kwh
    assert moved == pytest.approx(state.battery.stored_kwh - 5.0, abs=1e-6)
    assert state.load_kwh + state.export_kwh + state.charge_kwh == pytest.approx(
        state.pv_kwh + state.import_kwh + state.discharge_kwh, abs=1e-6
    )


def test_a_round_trip_loses_about_a_tenth() -> None:
    up = run(2.5, stored_kwh=2.0, seconds=3600)
    down = run(-2.5, stored_kwh=up[-1].stored_kwh, seconds=3600)
    into = sum(each.power_kw for each in up)
    out = -sum(each.power_kw for each in down)
    efficiency = (
        out
        / into
        * (up[-1].stored_kwh - up[0].stored_kwh)
        / (down[0].stored_kwh - down[-1].stored_kwh)
    )
    # 1 − 0.1025/2.5 one way, 1 / (1 + 0.1025/2.5) the other.
    assert efficiency == pytest.approx(0.921, abs=0.003)


def test_it_takes_less_when_it_is_nearly_full_and_gives_less_when_it_is_nearly_empty() -> None:
    assert run(5.0, stored_kwh=5.0, seconds=60)[-1].power_kw == pytest.approx(5.0)
    assert run(5.0, stored_kwh=9.8, seconds=60)[-1].power_kw < 1.5
    assert run(-5.0, stored_kwh=1.1, seconds=60)[-1].power_kw > -1.5
    assert run(5.0, stored_kwh=5.0, seconds=3 * 3600)[-1].stored_kwh == pytest.approx(
        10.0, abs=0.01
    )


def test_power_rises_by_a_kilowatt_a_second() -> None:
    assert step_battery(MODEL, BatteryCharge(5.0), 5.0, seconds=2.0)[0].power_kw == pytest.approx(
        2.0
    )


@pytest.mark.parametrize(
    ("command", "surplus_kw", "expected_kw"),
    [
        (Command("self_use"), 1.0, 1.0),
        (Command("self_use"), -1.0, -1.0),
        (Command("self_use", floor_soc=0.6), -1.0, 0.0),
        (Command("no_discharge"), -1.0, 0.0),
        (Command("no_charge"), 1.0, 0.0),
        (Command("standby"), 1.0, 0.0),
        (Command("force_charge", 2.0, 0.9), -1.0, 2.0),
        (Command("force_charge", 2.0, 0.9), 1.0, 3.0),
        (Command("force_charge", 2.0, 0.4, ceiling_soc=0.4), -1.0, 0.0),
        (Command("force_discharge", 2.0, 0.2), -1.0, -3.0),
        (Command("force_discharge", 2.0, 0.6), -1.0, -1.0),
    ],
)
def test_each_mode_does_what_luna_means_by_it(
    command: Command, surplus_kw: float, expected_kw: float
) -> None:
    assert requested_power_kw(command, 0.5, surplus_kw) == expected_kw


def test_the_same_seed_lives_the_same_home_and_meters_never_fall() -> None:
    def live() -> list[dict[str, float]]:
        state = HomeState(at=1_700_000_000.0, battery=BatteryCharge(stored_kwh=5.0))
        said = []
        for _ in range(200):
            state = advance(state, load_kw=0.6, pv_kw=1.0, seconds=5, seed=11)
            said.append(measure(state, seed=11))
        return said

    said = live()
    assert said == live()
    assert all(
        later[name] >= earlier[name]
        for earlier, later in pairwise(said)
        for name in ("grid_import", "grid_export", "pv_energy")
    )


def test_a_battery_that_follows_the_house_leaves_tens_of_watts_at_the_grid_both_ways() -> None:
    state = HomeState(at=1_700_000_000.0, battery=BatteryCharge(stored_kwh=5.0))
    grid_w = []
    for _ in range(720):
        state = advance(state, load_kw=0.6, pv_kw=0.2, seconds=5, seed=11)
        grid_w.append(1000 * state.grid_kw)
    followed = grid_w[2:]
    assert 30 < max(followed) < 41
    assert -41 < min(followed) < -30
    # Over an hour what is bought and what is sold are both about ten watt-hours.
    assert state.import_kwh == pytest.approx(0.01, abs=0.004)
    assert state.export_kwh == pytest.approx(0.01, abs=0.004)
    # What rests does not follow.
    resting = advance(
        replace(state, command=Command("standby")), load_kw=0.6, pv_kw=0.2, seconds=5, seed=11
    )
    assert resting.battery.power_kw == 0.0
