"""What devices are told in the situations that owners know."""

import math
from dataclasses import replace
from datetime import date, timedelta

import pytest

from luna.energy.devices.battery import Mode as BatteryMode
from luna.energy.steering import (
    BatteryPower,
    BatteryTarget,
    LiveCommands,
    LiveLimits,
    LiveMeasurement,
    LoadTarget,
    LoopMemory,
    SlotTargets,
    SteeredBattery,
    SteeredDevices,
    SteeredLoad,
    SteeredVehicle,
    UnitMemory,
    VehiclePower,
    VehicleTarget,
    exceeds_limit,
    steer,
)

DAY = date(2026, 5, 15)
CAR = SteeredVehicle(phases=(1, 3))
DEVICES = SteeredDevices(
    batteries={"battery": SteeredBattery(10.0, 5.0, 5.0)},
    vehicles={"car": CAR},
    loads={"heater": SteeredLoad(2.0)},
    pv_kw=10.0,
)
FULL_POWER = VehicleTarget("power", power_kw=11.0, worth_price=0.3)


def measure(
    *,
    house_kw: float,
    pv_kw: float = 0.0,
    car_kw: float = 0.0,
    charge_kw: float = 0.0,
    soc: float = 0.5,
    heater_kw: float = 0.0,
) -> LiveMeasurement:
    """Return meters that agree with each other."""
    net_kw = house_kw - pv_kw + car_kw + charge_kw + heater_kw
    return LiveMeasurement(
        at_s=1_000.0,
        read_at_s=1_000.0,
        day=DAY,
        import_kw=max(net_kw, 0.0),
        export_kw=max(-net_kw, 0.0),
        pv_kw=pv_kw,
        house_kw=house_kw,
        batteries={"battery": BatteryPower(charge_kw, soc)},
        vehicles={"car": VehiclePower(car_kw)},
        loads_kw={"heater": heater_kw},
    )


def decide(
    targets: SlotTargets,
    measured: LiveMeasurement,
    limits: LiveLimits | None = None,
    *,
    devices: SteeredDevices = DEVICES,
    memory: LoopMemory | None = None,
) -> LiveCommands:
    """Return the commands of one cycle."""
    commands, _ = steer(
        targets,
        measured,
        memory or LoopMemory(),
        limits=limits or LiveLimits(),
        devices=devices,
    )
    return commands


def repeat(
    targets: SlotTargets, measured: LiveMeasurement, *, seconds: int, memory: LoopMemory
) -> tuple[LiveCommands, LoopMemory]:
    """Return the last commands of cycles that all measure the same."""
    commands = LiveCommands()
    for passed_s in range(0, seconds, 2):
        at_s = measured.at_s + passed_s
        now = replace(measured, at_s=at_s, read_at_s=at_s)
        commands, memory = steer(targets, now, memory, limits=LiveLimits(), devices=DEVICES)
    return commands, memory


def test_a_car_charges_with_what_the_roof_leaves() -> None:
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", worth_price=1.0)})
    commands, _ = repeat(
        targets, measure(house_kw=0.5, pv_kw=6.3), seconds=600, memory=LoopMemory()
    )
    # 5.8 kW are 8.4 A on three phases: 8 A, 5.52 kW.
    car = commands.vehicles["car"]
    assert (car.phases, car.current_a, car.reason) == (3, 8.0, "follows_surplus")


def wait_for_phases(measured: LiveMeasurement, memory: LoopMemory, *, phases: int) -> int:
    """Return the seconds of an unchanging sky until a car charges on so many phases."""
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", worth_price=1.0)})
    passed_s = 0
    while memory.units.get("car", UnitMemory()).phases < phases:
        assert passed_s < 3_600
        now = replace(measured, at_s=1_000.0 + passed_s)
        _, memory = repeat(targets, now, seconds=2, memory=memory)
        passed_s += 2
    return passed_s


def test_more_surplus_starts_a_car_sooner() -> None:
    much = measure(house_kw=0.5, pv_kw=8.0)
    little = measure(house_kw=0.5, pv_kw=2.5)
    soon_s = wait_for_phases(much, LoopMemory(), phases=1)
    assert soon_s < wait_for_phases(little, LoopMemory(), phases=1)


def test_phases_are_changed_later_where_a_long_day_may_need_the_change() -> None:
    unit = UnitMemory(
        mode="charge", command_kw=3.68, phases=1, last_phases=1, starts=1, phase_changes=1
    )
    memory = LoopMemory(at_s=998.0, day=DAY, units={"car": unit})
    measured = measure(house_kw=0.5, pv_kw=8.0, car_kw=3.68)
    in_the_morning = replace(measured, sun_left_h=11.0)
    in_the_evening = replace(measured, sun_left_h=4.0)
    waited_s = wait_for_phases(in_the_morning, memory, phases=3)
    assert wait_for_phases(in_the_evening, memory, phases=3) < waited_s


def test_the_first_start_of_a_day_comes_a_minute_after_much_surplus() -> None:
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", worth_price=1.0)})
    measured = measure(house_kw=0.5, pv_kw=6.5)
    commands, _ = repeat(targets, measured, seconds=66, memory=LoopMemory())
    assert commands.vehicles["car"].mode == "charge"


def test_a_car_that_began_by_itself_goes_to_one_phase_where_three_would_buy() -> None:
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", worth_price=1.0)})
    measured = measure(house_kw=0.5, pv_kw=2.5, car_kw=4.14)
    commands, _ = repeat(targets, measured, seconds=90, memory=LoopMemory())
    car = commands.vehicles["car"]
    assert (car.mode, car.phases) == ("charge", 1)


def test_the_days_first_start_takes_one_phase_where_three_would_buy() -> None:
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", worth_price=1.0)})
    yesterday = LoopMemory(units={"car": UnitMemory("stop", last_phases=3)})
    measured = measure(house_kw=0.5, pv_kw=4.4)
    commands, _ = repeat(targets, measured, seconds=120, memory=yesterday)
    car = commands.vehicles["car"]
    assert (car.mode, car.phases) == ("charge", 1)


def test_a_car_that_stopped_while_nobody_steered_is_not_taken_for_a_running_one() -> None:
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", worth_price=1.0)})
    units = {"car": UnitMemory("charge", 4.14, 3, 3, starts=2)}
    measured = measure(house_kw=0.5)
    commands, memory = repeat(targets, measured, seconds=4, memory=LoopMemory(day=DAY, units=units))
    assert commands.vehicles["car"].mode == "stop"
    assert memory.units["car"].starts == 2


def test_surplus_goes_first_to_whom_it_is_worth_most() -> None:
    measured = measure(house_kw=0.5, pv_kw=6.0)
    car = VehicleTarget("surplus", worth_price=0.2)
    before_car = {"battery": BatteryTarget(worth_price=0.3)}
    after_car = {"battery": BatteryTarget(worth_price=0.1)}
    phases = []
    for batteries in (before_car, after_car):
        targets = SlotTargets(batteries=batteries, vehicles={"car": car})
        # The battery takes all that is left: nothing is fed in.
        taking = replace(measured, export_kw=0.5, batteries={"battery": BatteryPower(5.0, 0.5)})
        taking = replace(taking, export_kw=0.2)
        commands, _ = repeat(targets, taking, seconds=900, memory=LoopMemory())
        phases.append(commands.vehicles["car"].phases)
    # 5.2 kW of surplus: 5 kW of it for a battery that counts more.
    assert phases == [0, 3]


def test_a_floor_is_kept_without_any_surplus() -> None:
    targets = SlotTargets(
        vehicles={"car": VehicleTarget("surplus_floor", power_kw=2.0, worth_price=0.2)}
    )
    car = decide(targets, measure(house_kw=0.5)).vehicles["car"]
    # 2 kW are 8.7 A on one phase.
    assert (car.mode, car.phases, car.reason) == ("charge", 1, "keeps_floor")
    assert car.current_a in (8.0, 9.0)


def test_a_battery_serves_the_house_and_leaves_out_the_car() -> None:
    targets = SlotTargets(vehicles={"car": FULL_POWER}, batteries={"battery": BatteryTarget()})
    commands = decide(targets, measure(house_kw=1.2, car_kw=11.0))
    battery = commands.batteries["battery"]
    assert (battery.mode, battery.reason) == ("export", "supports_no_car")
    assert battery.power_kw == pytest.approx(0.0)
    _, memory = repeat(targets, measure(house_kw=1.2, car_kw=11.0), seconds=60, memory=LoopMemory())
    # It has been ramped up to the house's 1.2 kW.
    assert memory.units["battery"].command_kw == pytest.approx(-1.2)


def test_a_battery_supports_a_car_where_the_plan_says_so() -> None:
    targets = SlotTargets(
        vehicles={"car": replace(FULL_POWER, battery_support=True)},
        batteries={"battery": BatteryTarget()},
    )
    battery = decide(targets, measure(house_kw=1.2, car_kw=11.0)).batteries["battery"]
    assert (battery.mode, battery.reason) == ("self_consumption", "as_planned")


@pytest.mark.parametrize(
    ("dip_price", "mode", "served"),
    [
        # A kWh of the battery is worth 0.20 stored, 0.22 given, and 0.27 with its wear.
        (0.28, "self_consumption", True),
        (0.26, "self_consumption", False),
        (-math.inf, "self_consumption", False),
        # The plan keeps it for later.
        (0.28, "save", False),
    ],
)
def test_a_battery_bridges_a_dip_for_a_car_where_its_kwh_is_worth_less(
    dip_price: float, mode: BatteryMode, served: bool
) -> None:
    battery = replace(DEVICES.batteries["battery"], round_trip=0.9, cycle_price=0.05)
    devices = replace(DEVICES, batteries={"battery": battery})
    targets = SlotTargets(
        vehicles={"car": VehicleTarget("surplus", worth_price=0.3, dip_price=dip_price)},
        batteries={"battery": BatteryTarget(mode, worth_price=0.2)},
    )
    measured = measure(house_kw=0.5, pv_kw=3.0, car_kw=4.14)
    command = decide(targets, measured, devices=devices).batteries["battery"]
    assert (command.mode in ("self_consumption", "supply")) is served
    # One that is charged as planned does not follow surplus.
    as_planned = replace(targets.vehicles["car"], follow="power", power_kw=4.14)
    targets = replace(targets, vehicles={"car": as_planned})
    command = decide(targets, measured, devices=devices).batteries["battery"]
    assert command.mode == "save"


@pytest.mark.parametrize(("dip_price", "mode"), [(0.3, "charge"), (-math.inf, "stop")])
def test_a_car_on_its_last_start_runs_on_through_a_dip_that_a_battery_bridges(
    dip_price: float, mode: str
) -> None:
    targets = SlotTargets(
        vehicles={"car": VehicleTarget("surplus", worth_price=0.3, dip_price=dip_price)},
        batteries={"battery": BatteryTarget(worth_price=0.08)},
    )
    last = UnitMemory(mode="charge", command_kw=1.38, phases=1, last_phases=1, starts=6)
    memory = LoopMemory(at_s=998.0, day=DAY, units={"car": last})
    measured = measure(house_kw=0.5, pv_kw=0.8, car_kw=1.38)
    commands, _ = repeat(targets, measured, seconds=3_600, memory=memory)
    assert commands.vehicles["car"].mode == mode


def test_devices_are_dimmed_in_watts_before_one_is_switched_off() -> None:
    targets = SlotTargets(
        vehicles={"car": FULL_POWER},
        loads={"heater": LoadTarget("on", worth_price=0.2)},
        batteries={"battery": BatteryTarget("charge", worth_price=0.1)},
    )
    measured = measure(house_kw=1.0, car_kw=11.04, heater_kw=2.0, charge_kw=5.0)
    commands = decide(targets, measured, LiveLimits(devices_import_kw=7.0))
    # 99 % of 7 kW: 2 kW for the heater, 4.93 kW for the car (7 A), nothing for the battery.
    assert commands.loads["heater"].mode == "on"
    assert commands.vehicles["car"].current_a == 6.0
    assert commands.vehicles["car"].reason == "operator_limit"
    assert commands.batteries["battery"].power_kw == 0.0


def test_own_production_may_be_used_on_top_of_the_operators_limit() -> None:
    targets = SlotTargets(vehicles={"car": FULL_POWER})
    limits = LiveLimits(devices_import_kw=4.2)
    without = decide(targets, measure(house_kw=1.0, car_kw=11.04), limits).vehicles["car"]
    with_pv = decide(targets, measure(house_kw=1.0, pv_kw=4.0, car_kw=11.04), limits)
    # 4.158 kW are 6 A; with 3 kW of surplus 7.158 kW are 10 A.
    assert (without.current_a, with_pv.vehicles["car"].current_a) == (6.0, 10.0)


def test_the_strictest_of_all_limits_counts() -> None:
    targets = SlotTargets(vehicles={"car": FULL_POWER})
    measured = measure(house_kw=1.0, car_kw=11.04)
    limits = LiveLimits(import_kw=9.0, operator_import_kw=7.0, devices_import_kw=8.0, fuse_a=63.0)
    car = decide(targets, measured, limits).vehicles["car"]
    # 6.93 kW less 1 kW of the house: 8 A.
    assert (car.current_a, car.reason) == (8.0, "operator_limit")
    car = decide(targets, measured, replace(limits, import_kw=6.0)).vehicles["car"]
    assert (car.current_a, car.reason) == (7.0, "connection_limit")


def test_the_fullest_phase_holds_the_car_back() -> None:
    targets = SlotTargets(vehicles={"car": FULL_POWER})
    measured = replace(measure(house_kw=3.0, car_kw=11.04), phase_a=(29.0, 17.0, 16.0))
    car = decide(targets, measured, LiveLimits(fuse_a=25.0)).vehicles["car"]
    # Phase 1 has 13 A besides the car's 16 A: 24.75 A leave 11 A.
    assert (car.phases, car.current_a, car.reason) == (3, 11.0, "fuse_limit")


def test_chargers_share_the_fuse_of_their_circuit() -> None:
    first = SteeredVehicle(circuit="garage")
    devices = SteeredDevices(vehicles={"first": first, "second": first})
    targets = SlotTargets(
        vehicles={"first": FULL_POWER, "second": replace(FULL_POWER, worth_price=0.1)}
    )
    measured = replace(
        measure(house_kw=0.5),
        vehicles={"first": VehiclePower(0.0), "second": VehiclePower(0.0)},
    )
    limits = LiveLimits(circuits_a={"garage": 20.0})
    cars = decide(targets, measured, limits, devices=devices).vehicles
    # Both get their 6 A, and the one that counts more the rest.
    assert (cars["first"].current_a, cars["second"].current_a) == (14.0, 6.0)
    assert cars["second"].reason == "fuse_limit"


def test_a_car_of_its_own_control_is_dimmed_as_well() -> None:
    measured = measure(house_kw=0.5, car_kw=11.04)
    free = decide(SlotTargets(), measured).vehicles["car"]
    dimmed = decide(SlotTargets(), measured, LiveLimits(devices_import_kw=4.2)).vehicles["car"]
    assert (free.mode, dimmed.mode, dimmed.current_a) == ("own", "charge", 6.0)


def test_a_battery_supplies_what_the_connection_may_not() -> None:
    targets = SlotTargets(batteries={"battery": BatteryTarget("hold")})
    battery = decide(targets, measure(house_kw=6.0), LiveLimits(import_kw=4.0)).batteries["battery"]
    assert (battery.mode, battery.reason) == ("export", "connection_limit")
    assert battery.power_kw == pytest.approx(2.0)


def test_what_may_not_be_fed_in_is_stored_before_pv_is_held_back() -> None:
    targets = SlotTargets(batteries={"battery": BatteryTarget("hold")})
    commands = decide(targets, measure(house_kw=0.5, pv_kw=8.0), LiveLimits(export_kw=5.0))
    battery = commands.batteries["battery"]
    assert (battery.mode, battery.reason) == ("charge", "export_cap")
    assert battery.power_kw == pytest.approx(2.5)
    assert commands.pv is not None
    # 5 kW and the house's half, less the 30 W that it keeps.
    assert commands.pv.limit_kw == pytest.approx(5.47)


def test_pv_is_free_where_no_cap_holds() -> None:
    commands = decide(SlotTargets(), measure(house_kw=0.5, pv_kw=8.0))
    assert commands.pv is not None
    assert commands.pv.limit_kw == math.inf


@pytest.mark.parametrize(("stale", "current_a"), [("off", 0.0), ("least", 6.0)])
def test_a_stale_meter_leads_to_the_safe_state(stale: str, current_a: float) -> None:
    car = replace(CAR, stale=stale)  # type: ignore[arg-type]
    devices = replace(DEVICES, vehicles={"car": car})
    targets = SlotTargets(
        vehicles={"car": FULL_POWER}, batteries={"battery": BatteryTarget("export")}
    )
    measured = replace(measure(house_kw=0.5, car_kw=11.04), at_s=1_015.5)
    commands = decide(targets, measured, LiveLimits(export_kw=6.0), devices=devices)
    assert commands.vehicles["car"].current_a == current_a
    assert commands.batteries["battery"].mode == "self_consumption"
    assert commands.pv is not None
    assert commands.pv.limit_kw == 6.0
    reasons = {commands.vehicles["car"].reason, commands.batteries["battery"].reason}
    assert reasons == {"meter_stale"}
    assert decide(targets, replace(measured, at_s=1_014.5)).vehicles["car"].reason == "as_planned"


def test_a_new_day_allows_starts_again() -> None:
    unit = UnitMemory(starts=6, last_phases=3)
    memory = LoopMemory(at_s=998.0, day=DAY, units={"car": unit})
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", worth_price=1.0)})
    measured = measure(house_kw=0.5, pv_kw=8.0)
    same, _ = repeat(targets, measured, seconds=900, memory=memory)
    assert (same.vehicles["car"].mode, same.vehicles["car"].reason) == ("stop", "rests")
    tomorrow = replace(measured, day=DAY + timedelta(days=1))
    later, _ = repeat(targets, tomorrow, seconds=900, memory=memory)
    assert later.vehicles["car"].mode == "charge"


def test_a_heater_runs_while_the_roof_covers_it() -> None:
    targets = SlotTargets(loads={"heater": LoadTarget("surplus", worth_price=0.1)})
    covered, _ = repeat(targets, measure(house_kw=0.5, pv_kw=4.0), seconds=900, memory=LoopMemory())
    bare, _ = repeat(targets, measure(house_kw=0.5, pv_kw=1.0), seconds=900, memory=LoopMemory())
    assert (covered.loads["heater"].mode, bare.loads["heater"].mode) == ("on", "off")


def test_nothing_trades_with_a_battery_of_unknown_state_of_charge() -> None:
    targets = SlotTargets(batteries={"battery": BatteryTarget("charge")})
    battery = decide(targets, measure(house_kw=0.5, soc=math.nan)).batteries["battery"]
    assert (battery.mode, battery.reason) == ("hold", "unknown_soc")


LIMITS_ABOVE = {
    "the connection's import": (LiveLimits(import_kw=6.0), measure(house_kw=7.0)),
    "the operator's import": (LiveLimits(operator_import_kw=6.0), measure(house_kw=7.0)),
    "the export": (LiveLimits(export_kw=5.0), measure(house_kw=0.5, pv_kw=6.0)),
    "the devices' import": (
        LiveLimits(devices_import_kw=4.2),
        measure(house_kw=2.0, car_kw=5.0),
    ),
    "a fuse": (LiveLimits(fuse_a=35.0), replace(measure(house_kw=9.0), phase_a=(37.0, 0.0, 2.0))),
}
LIMITS_KEPT = {
    "no limit": (LiveLimits(), measure(house_kw=70.0)),
    "rounding": (LiveLimits(import_kw=6.0), measure(house_kw=6.1)),
    # 2 kW of the house, and 1 kW that the battery gives on top of 4.2 kW.
    "own production on top": (
        LiveLimits(devices_import_kw=4.2),
        measure(house_kw=2.0, car_kw=5.0, charge_kw=-1.0),
    ),
    "a fuse": (LiveLimits(fuse_a=35.0), replace(measure(house_kw=9.0), phase_a=(34.0, -35.0))),
}


def test_what_is_clearly_above_a_limit_is_noticed_and_nothing_else() -> None:
    above = {name for name, case in LIMITS_ABOVE.items() if exceeds_limit(*case)}
    assert above == set(LIMITS_ABOVE)
    assert not [name for name, case in LIMITS_KEPT.items() if exceeds_limit(*case)]
