"""Vehicles and loads that a variant adds, scheduled on recorded days by their own wishes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.optimize import linprog

from luna.contracts.variant import Habit
from luna.energy.devices.appliance import DeferrableLoad
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import SLOT, FloatArray, Timeline
from services.planner.devices.appliance.begin import AddedLoad
from services.planner.devices.vehicle.habit import AddedVehicle
from services.planner.variants.adapted_site import (
    DecidingPolicy,
    adapt,
    list_added,
    simulate_months,
)
from services.planner.variants.addition import Addition
from tests.support.planning.recorded_days import TARIFF, describe_home, live_under, record_days

FIRST = date(2024, 1, 31)
LAST = date(2024, 2, 1)
CAR: dict[str, Any] = {
    "name": "car",
    "capacity_kwh": 40,
    "min_charge_kw": 0,
    "charge_limit_kw": 4,
    "charge_efficiency": 1,
}
NIGHTS = Habit.model_validate({"from": "18:00", "to": "07:00", "energy_kwh_per_day": 6})
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = np.arange(96) / 4


def add(habits: dict[str, Habit], **devices: Any) -> Addition:
    bare = describe_home(batteries=[])
    site = describe_home(batteries=[], **devices)
    return Addition.of(site, list_added(bare, site), habits)


def add_car() -> Addition:
    return add({"car": NIGHTS}, vehicles=[CAR])


def sessions_of(habit: Habit) -> AddedVehicle:
    return AddedVehicle(ElectricVehicle.model_validate(CAR), habit, BERLIN)


def use(
    addition: Addition, first: date, last: date, drawn_kwh: dict[str, float] | None = None
) -> FloatArray:
    """Return what is used by the hour of the window."""
    world = live_under(record_days(first, last), addition.site, drawn_kwh)
    used = addition.schedule_on(world).use_kwh
    start = world.scene.foresight.timeline.index_of(world.scene.timeline.start)
    return np.asarray(used[start : start + world.scene.timeline.count].reshape(-1, 4).sum(axis=1))


def test_a_new_car_charges_what_its_days_take_when_that_is_cheapest() -> None:
    used = use(add_car(), FIRST, LAST)
    # At its charger from midnight to seven, cheap until six; what the first evening brings home is
    # charged in the second night.
    assert used.sum() == pytest.approx(2 * 6.0)
    assert used[:6].sum() == pytest.approx(6.0)
    assert used[24:30].sum() == pytest.approx(6.0)


def test_a_session_over_the_month_s_end_is_charged_once() -> None:
    addition = add_car()
    parts = np.concatenate([use(addition, FIRST, FIRST), use(addition, LAST, LAST)])
    # Which of the cheap hours it is makes no difference.
    assert parts.reshape(-1, 6).sum(axis=1) == pytest.approx(
        use(add_car(), FIRST, LAST).reshape(-1, 6).sum(axis=1)
    )


def test_a_new_tank_gets_its_energy_every_day() -> None:
    tank = {"name": "tank", "power_kw": 2, "energy_kwh_per_day": 4}
    used = use(add({}, loads=[tank]), FIRST, LAST)
    assert used.reshape(2, 24).sum(axis=1) == pytest.approx([4.0, 4.0])
    assert used.reshape(2, 24)[:, :6].sum() == pytest.approx(8.0)


def test_a_new_tank_waits_for_the_next_allowance_when_this_one_is_used_up() -> None:
    noon = {
        "kind": "allowance",
        "name": "from noon",
        "kwh_per_day": 27,
        "price": 0.1,
        "price_beyond": 0.4,
        "day_begins": "12:00",
    }
    tariff = {"import": {"kind": "components", "components": [noon]}}
    tank = {"name": "tank", "power_kw": 2, "energy_kwh_per_day": 4}
    used = use(add({}, loads=[tank], tariff=tariff), FIRST, LAST, {"from noon": 27.0})
    # On the first day nothing is left until noon. From then on the house takes 23 kWh until the
    # next noon and the tank the other four: on the second day nothing is left until noon either.
    assert used[12:14].sum() == pytest.approx(4.0)
    assert used[36:38].sum() == pytest.approx(4.0)
    assert used.sum() == pytest.approx(8.0)


@pytest.mark.parametrize("recorded", [False, True], ids=["one car", "beside a recorded car"])
def test_new_cars_pay_their_price_beyond_the_allowance_of_each_day(*, recorded: bool) -> None:
    own = {
        "name": "car tariff",
        "devices": "vehicles",
        "kwh_per_day": 4,
        "price": -0.05,
        "price_beyond": 0.02,
        "day_begins": "04:00",
    }
    tariff = TARIFF | {"devices": [own]}
    parts = []
    addition = add({"car": NIGHTS}, vehicles=[CAR], tariff=tariff)
    # Two days before the window's two: a recorded car draws 1.5 kWh in the hour before three.
    other_kwh = np.tile(np.where((HOUR >= 2) & (HOUR < 3), 0.375, 0.0), 4) * recorded
    # Two windows of a day each: the allowance from four o'clock goes on from one to the next.
    for day, first in ((FIRST, 0), (LAST, 96)):
        world = live_under(record_days(day, day), addition.site)
        added = addition.schedule_on(world, {"vehicles": other_kwh[first : first + 288]})
        start = world.scene.foresight.timeline.index_of(world.scene.timeline.start)
        parts.append((added.use_kwh[start : start + 96], added.device_cost))
    used = np.concatenate([use_kwh for use_kwh, _ in parts])
    # The days of the allowance: until four, from four to four, and from four on. The recorded car
    # alone stays within it.
    expected = 0.0
    for own_kwh, others in zip(
        np.split(used, [16, 96 + 16]), np.split(other_kwh[192:], [16, 96 + 16]), strict=True
    ):
        both_kwh = float((own_kwh + others).sum())
        within_kwh = min(both_kwh, 4.0)
        expected += within_kwh * -0.05 + (both_kwh - within_kwh) * 0.02
        expected -= float(others.sum()) * -0.05
    assert used.sum() == pytest.approx(12.0)
    assert sum(float(cost.sum()) for _, cost in parts) == pytest.approx(expected)
    billed, own_cost = bill_added(own)
    # All is drawn in cheap nights, with a price of its own or none.
    assert billed - own_cost == pytest.approx(bill_added(None)[0])


@pytest.mark.parametrize("day_begins", [4, 22])
def test_a_new_car_pays_as_little_day_by_day_as_with_all_nights_known(*, day_begins: int) -> None:
    # Two kWh of each allowance are cheap, and beyond it a cheap hour costs more than a dear one.
    own = {
        "name": "car tariff",
        "devices": "vehicles",
        "kwh_per_day": 2,
        "price": -0.05,
        "price_beyond": 0.3,
        "day_begins": f"{day_begins:02}:00",
    }
    addition = add({"car": NIGHTS}, vehicles=[CAR], tariff=TARIFF | {"devices": [own]})
    world = live_under(record_days(FIRST, LAST), addition.site)
    used = addition.schedule_on(world).use_kwh
    first = world.scene.foresight.timeline.index_of(world.scene.timeline.start)
    # The last plan, of the second afternoon, knows two days more: both know the same four nights.
    # An allowance that one night leaves is as good in the next, so that fewer would not compare.
    known = Timeline(world.scene.timeline.start, SLOT, (24 + 14 + 48) * 4)
    drawn_kwh = used[first : first + known.count]
    price = world.scene.prices.ahead(known.start, known).import_price
    hour = np.arange(known.count) / 4
    day = (hour - day_begins) // 24
    allowances = day == np.unique(day)[:, np.newaxis]
    begins = -6 + 24 * np.arange(4)[:, np.newaxis]
    nights = (hour >= begins) & (hour < begins + 13)
    found = linprog(
        np.concatenate([price - 0.05, price + 0.3]),
        A_ub=np.block(
            [[allowances, np.zeros(allowances.shape)], [np.eye(hour.size), np.eye(hour.size)]]
        ),
        b_ub=np.concatenate([np.full(len(allowances), 2.0), np.full(hour.size, 1.0)]),
        A_eq=np.block([nights, nights]),
        b_eq=np.full(4, 6.0),
    )
    counted_kwh = allowances @ drawn_kwh
    within_kwh = np.minimum(counted_kwh, 2.0)
    paid = float(drawn_kwh @ price - 0.05 * within_kwh.sum())
    paid += 0.3 * float((counted_kwh - within_kwh).sum())
    assert nights @ drawn_kwh == pytest.approx(np.full(4, 6.0))
    assert drawn_kwh.sum() == pytest.approx(4 * 6.0)
    assert paid == pytest.approx(found.fun)


def bill_added(own: dict[str, Any] | None) -> tuple[float, float]:
    """Return what imports cost with the car, and how much of it by its own price."""
    tariff = TARIFF | {"devices": [own] if own else []}
    addition = add({"car": NIGHTS}, vehicles=[CAR], tariff=tariff)
    recorded = record_days(FIRST, LAST)
    world = live_under(recorded, addition.site)
    added = addition.schedule_on(world)
    adapted = adapt(recorded, addition.site, world.scene.prices, drawn_kwh={}, added=added)
    flows = simulate_months([adapted], DecidingPolicy("self_consumption", 4), outlook="none")
    own_cost = float(np.sum(added.device_cost))
    return sum(day.import_cost for day in flows.days), own_cost


def test_another_price_for_a_recorded_car_is_asked_of_a_plan() -> None:
    own = {"name": "car tariff", "devices": "vehicles", "price": -0.05}
    before = describe_home(vehicles=[CAR])
    after = describe_home(vehicles=[CAR], tariff=TARIFF | {"devices": [own]})
    with pytest.raises(InvalidInputError) as refused:
        list_added(before, after)
    assert refused.value.reason == "not-from-recorded-days"


def test_sessions_follow_the_local_clock_over_its_change() -> None:
    timeline = Timeline(datetime(2024, 3, 30, 23, tzinfo=UTC), SLOT, 92)
    sessions = [
        session
        for session in sessions_of(NIGHTS).list_charging_sessions(timeline)
        if session[1] > timeline.start
    ]
    # Two nights touch the day on which the clock is put forward: twelve hours, then thirteen.
    assert [
        (end.astimezone(UTC) - begin.astimezone(UTC)) // timedelta(hours=1)
        for begin, end in sessions
    ] == [12, 13]


def test_weekdays_leave_the_weekend_out() -> None:
    weekdays = NIGHTS.model_copy(update={"days": "weekday"})
    timeline = Timeline(datetime(2024, 2, 2, tzinfo=UTC), SLOT, 4 * 96)
    # Thursday's, Friday's and Monday's evening; the second of February is a Friday.
    assert [begin.day for begin, _ in sessions_of(weekdays).list_charging_sessions(timeline)] == [
        1,
        2,
        5,
    ]


def test_a_day_longer_than_the_car_goes_is_refused() -> None:
    car = ElectricVehicle.model_validate(CAR | {"capacity_kwh": 5})
    with pytest.raises(InvalidInputError) as refused:
        AddedVehicle(car, NIGHTS, BERLIN).begin(
            Timeline(datetime(2024, 2, 2, tzinfo=UTC), SLOT, 96), None
        )
    assert (refused.value.reason, refused.value.parameters) == (
        "day-beyond-vehicle",
        {"holds_kwh": 5.0},
    )


@pytest.mark.parametrize(
    "habits",
    [pytest.param({}, id="none"), pytest.param({"car": NIGHTS, "bus": NIGHTS}, id="of another")],
)
def test_every_new_vehicle_needs_a_habit_and_no_other_has_one(habits: dict[str, Habit]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        add(habits, vehicles=[CAR])
    assert refused.value.reason == "habit-without-vehicle"


def test_what_runs_when_a_stretch_ends_goes_on_running_in_the_next() -> None:
    load = AddedLoad(
        DeferrableLoad.model_validate({"name": "tank", "power_kw": 2, "energy_kwh_per_day": 4}),
        BERLIN,
    )
    # From eleven in the evening to half past midnight, local time.
    lived = Timeline(datetime(2024, 2, 1, 22, tzinfo=UTC), SLOT, 6)
    flows = {
        "energy_kwh": [0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0],
        "on": [True, True, False, False, True, True, False, False],
    }
    left = load.end(flows, lived, None)
    # Two quarter-hours of the new day; what comes after the stretch is planned anew.
    assert (left.energy_today_kwh, left.on_hours, left.off_hours) == (1.0, 0.5, 0.0)
    assert load.begin(lived, left) == left
