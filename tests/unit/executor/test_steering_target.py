"""What a plan means by a set-point: when a car follows surplus, and what a kWh is worth."""

from typing import Any

import pytest

from luna.contracts.control import BatterySetpoint, VehicleSetpoint
from luna.contracts.plan.reply import BatteryFlow, SlotReply, VehicleFlow
from luna.contracts.plan.state import VehicleSession
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT
from services.executor.steering_target import choose_target, find_session
from tests.support.control.executor import BATTERY, START
from tests.support.planning.plans import describe_plan

CAR = {"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}
CHARGE = VehicleSetpoint(mode="charge", charge_kw=4.0)
STOP = VehicleSetpoint(mode="stop", charge_kw=0.0)


def slots(
    *, charge_kwh: float = 1.0, discharge_kwh: float = 0.0, **flows: float
) -> list[SlotReply]:
    """Two slots of which the first has these flows; the second buys dearer."""
    plan = describe_plan("plan", START, [BatterySetpoint(mode="hold")] * 2)
    battery = BatteryFlow(charge_kwh=0.0, discharge_kwh=discharge_kwh, soc_end=0.5)
    changes: dict[str, Any] = {
        "vehicles": {"car": VehicleFlow(charge_kwh=charge_kwh, soc_end=0.5)},
        "batteries": {"battery": battery},
        "import_kwh": 0.0,
        "import_price": 0.2,
    }
    later = plan.slots[1].model_copy(update={"import_price": 0.4})
    return [plan.slots[0].model_copy(update=changes | flows), later]


def session(**wanted: Any) -> VehicleSession:
    return VehicleSession.model_validate(
        {"from": START, "to": START + 8 * SLOT, "target_soc": None} | wanted
    )


def follow(
    setpoint: VehicleSetpoint,
    planned: list[SlotReply],
    wanted: VehicleSession | None = None,
    **parts: Any,
) -> tuple[str, bool]:
    document = {
        "name": "home",
        "timezone": "UTC",
        "batteries": [BATTERY],
        "vehicles": [CAR | parts],
    }
    site = parse_site(document)
    target = choose_target("car", setpoint, planned, site, session=wanted)
    return target.follow, target.battery_support


def test_a_car_that_is_charged_without_buying_follows_the_surplus() -> None:
    assert follow(CHARGE, slots()) == ("surplus", False)


def test_a_car_for_which_something_is_bought_charges_as_planned() -> None:
    assert follow(CHARGE, slots(import_kwh=0.5)) == ("setpoint", False)


def test_the_battery_supports_a_car_only_where_the_plan_and_its_owner_say_so() -> None:
    assert follow(CHARGE, slots(discharge_kwh=0.5)) == ("setpoint", True)
    assert follow(CHARGE, slots(discharge_kwh=0.5), from_battery="never") == ("setpoint", False)


def test_a_car_that_is_to_stop_stops() -> None:
    assert follow(STOP, slots(charge_kwh=0.0)) == ("setpoint", False)


def test_an_owner_who_wants_pv_alone_gets_surplus_also_where_none_was_expected() -> None:
    assert follow(STOP, slots(charge_kwh=0.0), session()) == ("surplus", False)
    assert follow(CHARGE, slots(import_kwh=1.0), session(min_power_kw=1.4)) == (
        "surplus_floor",
        False,
    )


@pytest.mark.parametrize("wanted", [{"target_soc": 0.8}, {"limit_soc": 0.9}])
def test_an_owner_who_wants_more_gets_what_is_planned(wanted: dict[str, float]) -> None:
    assert follow(CHARGE, slots(import_kwh=1.0), session(**wanted)) == ("setpoint", False)


def test_a_car_is_worth_the_cheapest_slot_ahead_and_a_battery_what_the_plan_does_later() -> None:
    site = parse_site({"name": "home", "timezone": "UTC", "batteries": [BATTERY]})
    hold = BatterySetpoint(mode="hold")
    planned = [slot.model_copy(update={"export_kwh": 0.0}) for slot in slots(charge_kwh=0.0)]
    car = choose_target("car", CHARGE, planned, site, session=None)
    assert car.worth_price == 0.2
    # It is empty in the second slot, which buys at 0.40, and gives 0.95 of 0.95 kWh.
    battery = choose_target("battery", hold, planned, site, session=None)
    assert battery.worth_price == pytest.approx(0.361)
    fed_in = [planned[0].model_copy(update={"export_kwh": 0.5, "export_price": 0.08}), planned[1]]
    battery = choose_target("battery", hold, fed_in, site, session=None)
    assert battery.worth_price == 0.08


def test_a_dip_of_surplus_costs_the_slot_s_price_where_its_owner_lets_the_battery_bridge_it() -> (
    None
):
    site = parse_site({"name": "home", "timezone": "UTC", "vehicles": [CAR]})
    assert choose_target("car", CHARGE, slots(), site, session=None).dip_price == 0.2
    never = parse_site(
        {"name": "home", "timezone": "UTC", "vehicles": [CAR | {"from_battery": "never"}]}
    )
    assert choose_target("car", CHARGE, slots(), never, session=session()).dip_price is None


def test_a_session_holds_from_the_slot_in_which_it_begins_until_its_end() -> None:
    wanted = session()
    assert find_session([wanted], START - SLOT / 2) == wanted
    assert find_session([wanted], START - SLOT) is None
    assert find_session([wanted], START + 8 * SLOT) is None
