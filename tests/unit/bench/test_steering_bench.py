"""The simulated home of the steering bench, its profiles, and the peers' rule."""

from datetime import date

import numpy as np
import pytest

from bench.steering import SEEDS, TUNING_SEEDS
from bench.steering.controllers import MeanSurplusRule
from bench.steering.home import live_day
from bench.steering.limited import LimitKind, dim, fuse_evening
from bench.steering.loop_costs import (
    NEED_KWH,
    HourlyPlan,
    UntilFull,
    count_dearer,
    follow_prices,
)
from bench.steering.profiles import SECONDS, HomeDay, draw_days
from bench.steering.surplus import describe_home, follow_surplus
from luna.energy.steering import LiveMeasurement, SteeredVehicle, VehiclePower


def test_a_seed_gives_the_same_days_again_and_another_gives_others() -> None:
    first = draw_days(7, 2, peak_kw=10.0)
    again = draw_days(7, 2, peak_kw=10.0)
    other = draw_days(8, 2, peak_kw=10.0)
    assert np.array_equal(first[1].pv_kw, again[1].pv_kw)
    assert np.array_equal(first[1].house_kw, again[1].house_kw)
    assert not np.array_equal(first[1].pv_kw, other[1].pv_kw)


def test_nothing_is_chosen_on_the_days_that_are_reported() -> None:
    assert not set(SEEDS) & set(TUNING_SEEDS)


def test_a_home_keeps_its_balance_in_every_second() -> None:
    home = describe_home(has_battery=True)
    day = draw_days(7, 1, peak_kw=10.0)[0]
    begin = 11 * 3600
    lived = live_day(home, day, follow_surplus(home), begin=begin, end=begin + 600)
    used_kw = day.house_kw[begin : begin + 600] + lived.car_kw + lived.battery_kw
    assert lived.car_kw.max() > 0.0
    assert lived.net_kw == pytest.approx(used_kw - lived.pv_kw)


def test_a_limit_holds_within_ten_seconds_in_a_steady_home() -> None:
    day = HomeDay(np.full(SECONDS, 0.5), np.zeros(SECONDS), "overcast")
    dimmed = dim(day, 12 * 3600, "devices")
    assert dimmed.settled_s <= 10
    assert dimmed.longest_over_s == 0
    # 4.2 kW leave the car its 6 A on three phases.
    assert not dimmed.stopped


@pytest.mark.parametrize("kind", ["devices", "connection"])
def test_a_limit_holds_soon_after_the_edge_of_a_fast_cloud(kind: LimitKind) -> None:
    begin = 12 * 3600
    cloud = begin + 639
    # 6.5 kW of sun go within eight seconds.
    seconds = np.arange(SECONDS)
    pv_kw = np.interp(seconds, [cloud, cloud + 8], [8.55, 2.05])
    day = HomeDay(np.full(SECONDS, 0.23), pv_kw, "mixed")
    dimmed = dim(day, begin, kind)
    assert dimmed.longest_over_s <= 5


def test_a_phase_that_oven_and_car_share_is_back_within_its_fuse_in_five_seconds() -> None:
    begin = 18 * 3600
    seconds = np.arange(SECONDS)
    # 1.5 kW on one phase leave the car 13 of its 16 A, 2.8 kW leave it 7 A.
    house_kw = np.where(seconds >= begin + 300, 2.8, 1.5)
    day = HomeDay(house_kw, np.zeros(SECONDS), "overcast")
    kept = fuse_evening(day, begin=begin, end=begin + 600)
    assert 0 < kept.longest_over_s <= 5
    assert kept.held_back_s == 600
    # The car was not stopped for it.
    assert kept.car_kwh * 6_000 / 3 / 230 > 7.0


def measure(at_s: float, surplus_kw: float, *, car_kw: float = 0.0) -> LiveMeasurement:
    net_kw = car_kw - surplus_kw
    return LiveMeasurement(
        at_s=at_s,
        read_at_s=at_s,
        day=date(2026, 5, 15),
        import_kw=max(net_kw, 0.0),
        export_kw=max(-net_kw, 0.0),
        pv_kw=0.0,
        house_kw=0.0,
        vehicles={"car": VehiclePower(car_kw)},
    )


def test_the_peers_rule_starts_after_a_minute_of_surplus() -> None:
    rule = MeanSurplusRule("car", SteeredVehicle(phases=(1, 3)))
    modes = [rule(measure(at_s, 3.0)).vehicles["car"].mode for at_s in range(0, 91, 30)]
    assert modes == ["stop", "stop", "charge", "charge"]


def test_a_plan_alone_follows_hours_and_stops_once_the_car_has_what_it_needs() -> None:
    # 6 kW are 8.7 A on three phases, 2 kW are 8.7 A on one.
    plan = HourlyPlan(SteeredVehicle(phases=(1, 3)), np.array([0.0, 2.0, 6.0, 1.0]))
    commands = [plan(measure(hour * 3_600.0, 0.0)).vehicles["car"] for hour in range(4)]
    assert [(command.phases, command.current_a) for command in commands] == [
        (0, 0.0),
        (1, 8.0),
        (3, 8.0),
        (0, 0.0),
    ]
    full = UntilFull(plan, charged_kwh=NEED_KWH - 0.001)
    assert full(measure(7_200.0, 6.0)).vehicles["car"].mode == "charge"
    assert full(measure(7_202.0, 6.0, car_kw=5.5)).vehicles["car"].mode == "stop"


def test_the_loop_waits_for_the_hours_of_a_plan_that_cover_the_need() -> None:
    home = describe_home(has_battery=False)
    device = home.devices.vehicles["car"]
    modes = {}
    for noon_kw in (6.0, 4.5):
        surplus_kw = np.zeros(24)
        surplus_kw[11:15] = noon_kw
        plan = HourlyPlan(device, surplus_kw)
        loop = follow_prices(home, plan, np.full(24, 0.3))
        for at_s in range(0, 1_800, 2):
            command = loop(measure(8 * 3_600.0 + at_s, 3.0)).vehicles["car"]
        modes[plan.covers_need()] = command.mode
    assert modes == {True: "stop", False: "charge"}


def test_a_day_that_is_dearer_with_the_loop_is_counted() -> None:
    dearer = {"tariff": "flat", "loop": 2.0, "plan": 1.9, "without_luna": 1.8}
    as_dear = {"tariff": "flat", "loop": 2.0, "plan": 2.0, "without_luna": 2.1}
    by_hours = dearer | {"tariff": "by_hours"}
    assert count_dearer([dearer, as_dear, by_hours]) == {
        "dearer_than_plan": 2,
        "dearer_than_without_luna": 1,
    }
