"""The simulated home of the steering bench, its profiles, and the peers' rule."""

from datetime import date

import numpy as np
import pytest

from bench.steering import SEEDS, TUNING_SEEDS
from bench.steering.controllers import MeanSurplusRule
from bench.steering.home import live_day
from bench.steering.limited import LimitKind, dim
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


def measure(at_s: float, surplus_kw: float) -> LiveMeasurement:
    net_kw = -surplus_kw
    return LiveMeasurement(
        at_s=at_s,
        read_at_s=at_s,
        day=date(2026, 5, 15),
        import_kw=max(net_kw, 0.0),
        export_kw=max(-net_kw, 0.0),
        pv_kw=0.0,
        house_kw=0.0,
        vehicles={"car": VehiclePower(0.0)},
    )


def test_the_peers_rule_starts_after_a_minute_of_surplus() -> None:
    rule = MeanSurplusRule("car", SteeredVehicle(phases=(1, 3)))
    modes = [rule(measure(at_s, 3.0)).vehicles["car"].mode for at_s in range(0, 91, 30)]
    assert modes == ["stop", "stop", "charge", "charge"]
