"""A plan that misses a departure says the truth where the car cannot be charged in time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.fortnight.claims import HomeTruth, misses_departure
from bench.fortnight.ways import SlotLedger
from luna.drivers.simulated_battery import BatteryCharge
from luna.energy.timeline import SLOT, Timeline
from luna.simulated_home.car import CarState
from luna.simulated_home.house import HomeState

LEAVES = datetime(2027, 3, 15, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
WOKE_AT = LEAVES - timedelta(hours=4)


def truth_of(soc: float, *, is_home: bool = True, **slept: datetime | None) -> HomeTruth:
    car = CarState(50 * soc, is_home=is_home)
    state = HomeState(0.0, BatteryCharge(5.0), car=car)
    timeline = Timeline(LEAVES - 7 * HOUR, SLOT, 96)
    return HomeTruth(state, timeline, SlotLedger(state), {}, timeline.start, **slept)


def missed(name: str = "car", code: str = "vehicle") -> dict[str, Any]:
    return {"code": code, "figures": {"name": name, "wanted": 0.9, "by": LEAVES.isoformat()}}


@pytest.mark.parametrize(
    ("left", "soc", "is_true"),
    [
        (timedelta(minutes=34), 0.425, True),
        (timedelta(minutes=34), 0.85, False),
        (3 * HOUR, 0.425, False),
        (2 * HOUR, 0.425, True),
        (6 * HOUR, 0.89, False),
    ],
)
def test_a_shortfall_is_true_where_full_power_is_too_little(
    left: timedelta, soc: float, is_true: bool
) -> None:
    assert misses_departure(missed(), truth_of(soc), LEAVES - left) == is_true


def test_a_car_that_sleeps_or_was_not_tried_again_explains_it() -> None:
    asleep = truth_of(0.425, asleep_since=WOKE_AT - HOUR)
    assert misses_departure(missed(), asleep, WOKE_AT)
    woke = truth_of(0.425, asleep_since=WOKE_AT - HOUR, asleep_until=WOKE_AT)
    assert misses_departure(missed(), woke, WOKE_AT + HOUR)
    assert not misses_departure(missed(), truth_of(0.425), WOKE_AT)
    assert not misses_departure(
        missed(),
        truth_of(0.8, asleep_since=WOKE_AT - 2 * HOUR, asleep_until=WOKE_AT - HOUR),
        WOKE_AT + HOUR,
    )


def test_a_car_that_is_away_gets_nothing() -> None:
    assert misses_departure(missed(), truth_of(0.8, is_home=False), LEAVES - 6 * HOUR)


def test_nothing_else_is_explained() -> None:
    now = LEAVES - timedelta(minutes=34)
    assert not misses_departure(missed(name="other"), truth_of(0.425), now)
    assert not misses_departure(missed(code="reserve"), truth_of(0.425), now)
