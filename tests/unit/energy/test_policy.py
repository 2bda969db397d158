"""Thresholds, and what is read from them for any state of charge."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.devices.battery import Battery
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Mode
from luna.energy.physics.safety import clamp
from luna.energy.policy import (
    HIGHEST_SOC,
    LOWEST_SOC,
    BatteryPolicy,
    PlanPolicy,
    SocThresholds,
    wants_plan,
)
from luna.energy.site import parse_site
from tests.support.suite.tables import each_row

BATTERY = Battery(
    name="battery",
    capacity_kwh=10,
    min_soc=0.1,
    max_soc=0.9,
    charge_limit_kw=5,
    discharge_limit_kw=4,
)
SELF = Mode.SELF_CONSUMPTION
SAVE = Mode.SAVE
SUPPLY = Mode.SUPPLY
HOLD = Mode.HOLD
CHARGE = Mode.CHARGE
EXPORT = Mode.EXPORT


def level(**changes: float) -> SocThresholds:
    """Thresholds of one slot that neither trade, store nor serve but for the changes."""
    nothing = {
        "buy": LOWEST_SOC,
        "store": LOWEST_SOC,
        "spill": 0.9,
        "serve": HIGHEST_SOC,
        "sell": HIGHEST_SOC,
    }
    return SocThresholds(**{name: np.array([value]) for name, value in (nothing | changes).items()})


def policy(
    begin: SocThresholds, keep: SocThresholds | None = None, *, no_pv: bool = False
) -> BatteryPolicy:
    return BatteryPolicy(
        BATTERY, keep or begin, begin, np.array([no_pv]), np.array([5.0]), np.array([4.0])
    )


def told(part: BatteryPolicy, soc: float, mode: Mode = SELF) -> Mode:
    return Mode(
        int(part.read(slice(0, 1), np.array([mode], dtype=np.int8), np.array([soc])).mode[0, 0])
    )


@each_row(
    ("soc", "expected"),
    [(0.2, CHARGE), (0.4, SAVE), (0.6, SELF), (0.75, SUPPLY), (0.85, EXPORT)],
    ids=["below buy", "below store", "above serve", "above store", "above sell"],
)
def test_each_threshold_has_its_mode(soc: float, expected: Mode) -> None:
    assert told(policy(level(buy=0.3, store=0.7, serve=0.5, sell=0.8)), soc) == expected


def test_between_thresholds_that_allow_nothing_a_battery_rests() -> None:
    assert told(policy(level()), 0.5) == HOLD


def test_limits_of_a_set_point_are_the_thresholds_within_what_the_battery_bears() -> None:
    setpoint = policy(level(buy=0.95, store=0.7, serve=0.5)).read(
        slice(0, 1), np.array([SELF], dtype=np.int8), np.array([0.2])
    )
    assert (
        setpoint.target_soc[0, 0],
        setpoint.ceiling_soc[0, 0],
        setpoint.floor_soc[0, 0],
        setpoint.power_kw[0, 0],
    ) == (0.9, 0.7, 0.5, 5.0)


def test_what_goes_on_ends_later_than_it_would_begin() -> None:
    part = policy(level(buy=0.3), level(buy=0.4))
    assert (told(part, 0.35, CHARGE), told(part, 0.35, SELF)) == (CHARGE, HOLD)


def test_what_cannot_happen_changes_no_mode() -> None:
    dark = policy(level(store=0.5, serve=0.1), level(store=0.5, serve=0.1), no_pv=True)
    # Neither stored without sun nor served when empty: what was is.
    assert (told(dark, 0.7, SELF), told(dark, 0.3, SUPPLY)) == (SELF, SUPPLY)
    assert told(policy(level(store=0.9, serve=0.5)), 0.1, SUPPLY) == SELF


def test_what_pays_at_any_state_of_charge_begins_when_it_could_not_act() -> None:
    assert told(policy(level(store=0.9, serve=0.1)), 0.9, HOLD) == SELF
    assert told(policy(level(store=0.9, serve=0.1)), 0.1, HOLD) == SELF


def test_at_night_nobody_begins_to_store_sun() -> None:
    assert told(policy(level(store=0.9, serve=0.1), no_pv=True), 0.5, HOLD) == SUPPLY


def test_the_house_alone_is_followed_whatever_the_state_and_the_mode_before() -> None:
    house = BatteryPolicy.follow_house(BATTERY, 1)
    assert {told(house, soc, mode) for soc in (0.0, 0.05, 0.1, 0.5, 0.9, 1.0) for mode in Mode} == {
        SELF
    }


@given(
    values=st.lists(st.floats(-2, 3), min_size=5, max_size=5),
    soc=st.floats(0, 1) | st.just(float("nan")),
    mode=st.sampled_from(list(Mode)),
    no_pv=st.booleans(),
)
def test_what_is_read_is_safe_as_it_stands(
    values: list[float], soc: float, mode: Mode, no_pv: bool
) -> None:
    part = policy(SocThresholds(*(np.array([value]) for value in values)).rounded(), no_pv=no_pv)
    limits = SiteLimits.of(
        parse_site({"name": "home", "timezone": "UTC", "batteries": [BATTERY.model_dump()]})
    )
    plan = PlanPolicy([part], np.zeros(1, dtype=np.int8), np.array([np.inf]))
    setpoint = plan.decide(0, np.array([[soc]]), np.array([[mode]], dtype=np.int8))
    safe = clamp(setpoint, np.array([[soc * 10]]), limits)
    for name in ("power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc"):
        assert getattr(safe, name) == pytest.approx(getattr(setpoint, name))


def test_slots_side_by_side_are_read_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    keep, begin = (
        SocThresholds(*np.sort(rng.uniform(-0.2, 1.2, (5, 40)), axis=0)) for _ in range(2)
    )
    part = BatteryPolicy(
        BATTERY, keep, begin, rng.random(40) < 0.4, np.full(40, 5.0), np.full(40, 4.0)
    )
    plan = PlanPolicy([part], np.zeros(40, dtype=np.int8), np.full(40, np.inf))
    soc = rng.uniform(0, 1, (1, 40))
    modes = rng.integers(0, 6, (1, 40)).astype(np.int8)
    together = plan.read(slice(None), soc, modes)
    alone = [
        plan.decide(slot, soc[:, slot : slot + 1], modes[:, slot : slot + 1]) for slot in range(40)
    ]
    assert together.mode[0].tolist() == [int(each.mode[0, 0]) for each in alone]
    assert together.target_soc[0].tolist() == [float(each.target_soc[0, 0]) for each in alone]


def test_a_plan_is_asked_for_when_it_is_old_or_the_battery_is_elsewhere() -> None:
    planned = np.array([[0.5]])
    hour = timedelta(hours=1)
    assert wants_plan(hour, planned, planned)
    assert wants_plan(timedelta(minutes=15), planned, np.array([[0.56]]))
    assert not wants_plan(timedelta(minutes=45), planned, np.array([[0.54]]))
    assert not wants_plan(timedelta(minutes=45), planned, np.array([[np.nan]]))


@pytest.mark.parametrize("planned", [0.55, 0.55 + 4e-10, 0.55 - 4e-10])
def test_rounding_of_a_message_asks_for_no_plan(planned: float) -> None:
    # A meter of steps of 5 % is often just 5 % off; messages carry nine digits.
    assert not wants_plan(timedelta(minutes=15), np.array([[planned]]), np.array([[0.5]]))
    assert wants_plan(timedelta(minutes=15), np.array([[planned]]), np.array([[0.45]]))
