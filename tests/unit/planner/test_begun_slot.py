"""Of a slot that has begun only its end is still to come: at 00:50 the slot of 00:00 with ten
minutes left covers 00:50 to 01:00.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from luna.contracts.owner import ManualBlock, Reserve
from luna.contracts.plan.state import VehicleState
from luna.energy.clock_window import ClockWindow
from luna.energy.devices.appliance import DeferrableLoad, LoadState
from luna.energy.economics.prices import price_slots
from luna.energy.errors import InvalidInputError
from luna.energy.site import Tariff, parse_site
from luna.energy.timeline import Timeline
from luna.energy.windows import mark_slots
from services.planner.devices.appliance.cycle import read_cycle
from services.planner.devices.appliance.load import read_load
from services.planner.devices.appliance.shared import read_allowed
from services.planner.devices.vehicle.demand import read_vehicle
from services.planner.linear.schedules import read_rules
from services.planner.problem.build import build_problem, read_reserves
from services.planner.problem.owner_constraints import block_hours
from tests.support.planning.requests import make_request
from tests.support.suite.tables import each_row

MIDNIGHT = datetime(2024, 2, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ZONE = ZoneInfo("UTC")
LATE = Timeline(MIDNIGHT, timedelta(hours=1), 3, timedelta(minutes=10))
TENTH = pytest.approx(1 / 6)
SITE = parse_site(
    {
        "name": "home",
        "timezone": "UTC",
        "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
        "vehicles": [{"name": "car", "capacity_kwh": 40, "charge_limit_kw": 11}],
    }
)
WAYS = [
    ((50, 60), [TENTH, 0.0, 0.0]),
    ((0, 10), [0.0] * 3),
    ((0, 90), [TENTH, 0.5, 0.0]),
    ((55, 120), [pytest.approx(1 / 12), 1.0, 0.0]),
]


def at(minutes: float) -> datetime:
    return MIDNIGHT + minutes * MINUTE


def window(first: str, last: str) -> ClockWindow:
    return ClockWindow.model_validate({"from": first, "to": last})


@each_row(("span", "hours"), WAYS)
def test_block_holds_in_what_is_left_of_the_slot(span: tuple[int, int], hours: list[float]) -> None:
    block = ManualBlock.model_validate(
        {"device": "battery", "action": "hold", "from": at(span[0]), "to": at(span[1])}
    )
    assert block_hours(block, LATE).tolist() == hours


@each_row(("span", "hours"), WAYS)
def test_vehicle_is_plugged_in_in_what_is_left_of_the_slot(
    span: tuple[int, int], hours: list[float]
) -> None:
    state = VehicleState.model_validate(
        {"soc": 0.5, "sessions": [{"from": at(span[0]), "to": at(span[1]), "target_soc": 0.8}]}
    )
    assert read_vehicle(SITE.vehicles[0], state, LATE).plugged_hours.tolist() == hours


def test_vehicle_that_came_within_the_slot_before_now_has_arrived() -> None:
    state = VehicleState.model_validate(
        {
            "soc": 0.5,
            "sessions": [{"from": at(40), "to": at(120), "target_soc": 0.8, "arrival_soc": 0.2}],
        }
    )
    assert read_vehicle(SITE.vehicles[0], state, LATE).sessions[0].arrival_kwh == 20.0


@pytest.mark.parametrize(
    ("span", "held"),
    [((50, 60), [5.0, 0.0, 0.0]), ((0, 10), [0.0] * 3), ((50, 120), [5.0, 5.0, 0.0])],
)
def test_reserve_holds_at_the_end_of_what_is_left(span: tuple[int, int], held: list[float]) -> None:
    assert (
        read_reserves([Reserve(from_=at(span[0]), to=at(span[1]), soc=0.5)], SITE, LATE)[0].tolist()
        == held
    )


def test_block_that_ended_before_now_has_passed() -> None:
    blocks = [{"device": "battery", "action": "charge", "from": at(0), "to": at(10)}]
    request = make_request(
        SITE.model_dump(by_alias=True),
        {"import_price": [0.3] * 3},
        start=at(50),
        first_slot_minutes=10,
        manual=blocks,
    )
    with pytest.raises(InvalidInputError) as refused:
        build_problem(request)
    assert refused.value.reason == "time-passed"


@pytest.mark.parametrize(
    ("clock", "whole", "part"),
    [
        (("00:45", "02:00"), [True, True, False], [True, True, False]),
        (("00:55", "02:00"), [False, True, False], [True, True, False]),
        (("00:00", "00:30"), [False] * 3, [False] * 3),
    ],
)
def test_clock_window_is_asked_of_what_is_left(
    clock: tuple[str, str], whole: list[bool], part: list[bool]
) -> None:
    marked = [
        mark_slots([window(*clock)], LATE, ZONE, whole=each).tolist() for each in (True, False)
    ]
    assert marked == [whole, part]


def test_appliance_may_run_where_what_is_left_lies_in_its_window() -> None:
    load = DeferrableLoad.model_validate(
        {
            "name": "heater",
            "power_kw": 2,
            "energy_kwh_per_day": 4,
            "allowed": [{"from": "00:45", "to": "03:00"}],
        }
    )
    assert read_allowed(load, LATE, ZONE).tolist() == [1.0] * 3


def test_need_of_the_day_is_that_of_the_time_still_to_come() -> None:
    # 24 kWh a day are one an hour; 2 h 10 min of the day are ahead.
    load = DeferrableLoad.model_validate(
        {"name": "heater", "power_kw": 2, "energy_kwh_per_day": 24}
    )
    needs = read_load(load, LoadState(), LATE, zone=ZONE).needs
    assert [(need.first, need.end, need.need_kwh) for need in needs] == [
        (0, 3, pytest.approx(24 * 130 / 1440))
    ]


def test_comfort_window_that_began_within_the_slot_holds_in_what_is_left() -> None:
    # Of 4 kWh by 02:00 since 00:40, ten of 80 minutes have passed: 3.5 are due in slots 0 and 1.
    load = DeferrableLoad.model_validate(
        {
            "name": "heater",
            "power_kw": 5,
            "comfort": [{"from": "00:40", "to": "02:00", "energy_kwh": 4}],
        }
    )
    needs = [
        need
        for need in read_load(load, LoadState(), LATE, zone=ZONE).needs
        if isinstance(need.when, datetime)
    ]
    assert [(need.first, need.end, need.need_kwh) for need in needs] == [(0, 2, pytest.approx(3.5))]


def test_programme_may_begin_now() -> None:
    # Half an hour from 00:50 on: ten minutes in the first slot, twenty in the second.
    load = DeferrableLoad.model_validate(
        {"name": "washer", "power_kw": 2, "profile_kw": [2], "profile_minutes": 30}
    )
    demand = read_cycle(
        load, LoadState.model_validate({"runs": [{"from": at(50), "by": at(90)}]}), LATE, zone=ZONE
    )
    assert demand.runs[0].use_kwh.tolist() == [
        pytest.approx([1 / 3, 2 / 3, 0.0]),
        pytest.approx([0.0, 1.0, 0.0]),
    ]


def test_what_runs_on_for_half_an_hour_needs_the_second_slot_too() -> None:
    # 30 of 60 minutes are left, ten of them in the first slot.
    assert read_rules((1.0, 0.0, np.inf), (0.5, 0.0), LATE.hours).sessions == 2


@pytest.mark.parametrize(
    ("first", "price"), [("00:30", [0.4, 0.4, 0.4]), ("00:55", [0.2, 0.4, 0.4])]
)
def test_price_is_that_of_now(first: str, price: list[float]) -> None:
    rule: dict[str, Any] = {
        "kind": "time_of_use",
        "default": 0.2,
        "bands": [{"from": first, "to": "04:00", "price": 0.4}],
    }
    tariff = Tariff.model_validate({"import": rule, "export": {"kind": "fixed", "price": 0.0}})
    assert price_slots(tariff, LATE, zone=ZONE, spot={})[0].tolist() == price
