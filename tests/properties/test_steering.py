"""Real-time control under anything: devices stay within their ranges and limits, and switches are
counted.
"""

import math
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.steering.controllers import Steering
from bench.steering.home import Delays, LivedHome, live_day
from bench.steering.profiles import SECONDS, HomeDay
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
    VehiclePower,
    VehicleTarget,
    steer,
)
from luna.energy.steering.rooms import read_flow
from luna.energy.steering.sharing import Allotment
from luna.energy.steering.state import UnitMemory
from luna.energy.steering.vehicle import VehicleIntent, command_vehicle
from tests.support.suite.depth import LONG, draws

DAY = date(2026, 5, 15)
DEVICES = SteeredDevices(
    batteries={"battery": SteeredBattery(10.0, 5.0, 4.0)},
    vehicles={"car": SteeredVehicle(phases=(1, 3)), "second": SteeredVehicle(circuit="garage")},
    loads={"heater": SteeredLoad(2.0)},
    pv_kw=10.0,
)
moderate = settings(max_examples=draws(80), deadline=None)

powers = st.floats(0, 15)
wild = st.one_of(st.floats(), powers)
limits_kw = st.one_of(st.just(math.inf), st.floats(0, 20))


def draw_targets(number: st.SearchStrategy[float]) -> st.SearchStrategy[SlotTargets]:
    battery = st.builds(
        BatteryTarget,
        mode=st.sampled_from(["self_consumption", "save", "supply", "hold", "charge", "export"]),
        power_kw=number,
        floor_soc=st.floats(0, 1),
        ceiling_soc=st.floats(0, 1),
        worth_price=st.floats(0, 1),
    )
    vehicle = st.builds(
        VehicleTarget,
        follow=st.sampled_from(["surplus", "surplus_floor", "power", "stop", "own"]),
        power_kw=number,
        worth_price=st.floats(0, 1),
        battery_support=st.booleans(),
        dip_price=st.floats(-1, 1),
    )
    load = st.builds(
        LoadTarget,
        follow=st.sampled_from(["on", "off", "surplus", "own"]),
        worth_price=st.floats(0, 1),
    )
    return st.builds(
        SlotTargets,
        batteries=st.fixed_dictionaries({"battery": battery}),
        vehicles=st.fixed_dictionaries({"car": vehicle, "second": vehicle}),
        loads=st.fixed_dictionaries({"heater": load}),
        pv_limit_kw=number,
        pv_export=st.booleans(),
        pv_possible_kw=number,
    )


def draw_limits(number: st.SearchStrategy[float]) -> st.SearchStrategy[LiveLimits]:
    return st.builds(
        LiveLimits,
        import_kw=number,
        export_kw=number,
        devices_import_kw=number,
        operator_import_kw=number,
        operator_export_kw=number,
        fuse_a=number,
        circuits_a=st.fixed_dictionaries({"garage": number}),
    )


@st.composite
def measurements(draw: st.DrawFn, number: st.SearchStrategy[float]) -> LiveMeasurement:
    return LiveMeasurement(
        at_s=0.0,
        read_at_s=0.0,
        day=DAY,
        import_kw=draw(number),
        export_kw=draw(number),
        pv_kw=draw(number),
        house_kw=draw(number),
        batteries={
            "battery": BatteryPower(
                draw(st.one_of(number, st.floats(-5, 5))), draw(st.floats(0, 1))
            )
        },
        vehicles={"car": VehiclePower(draw(number)), "second": VehiclePower(draw(number))},
        loads_kw={"heater": draw(number)},
        phase_a=draw(st.sampled_from([(), (5.0, 20.0, 1.0), (math.nan, 1.0, 2.0)])),
    )


def run_cycles(
    cycles: list[tuple[SlotTargets, LiveMeasurement, LiveLimits]], *, step_s: float
) -> list[LiveCommands]:
    memory = LoopMemory()
    commands = []
    for number, (targets, measured, limits) in enumerate(cycles):
        at_s = number * step_s
        now = replace(measured, at_s=at_s, read_at_s=at_s)
        command, memory = steer(targets, now, memory, limits=limits, devices=DEVICES)
        commands.append(command)
    return commands


def drawn_cycles(
    number: st.SearchStrategy[float], limits: st.SearchStrategy[float]
) -> st.SearchStrategy[list[tuple[SlotTargets, LiveMeasurement, LiveLimits]]]:
    cycle = st.tuples(draw_targets(number), measurements(number), draw_limits(limits))
    return st.lists(cycle, min_size=1, max_size=12)


@moderate
@given(drawn_cycles(wild, wild), st.sampled_from([2.0, 60.0]))
def test_any_number_leads_to_commands_within_the_ranges_of_devices(
    cycles: list[tuple[SlotTargets, LiveMeasurement, LiveLimits]], step_s: float
) -> None:
    for commands in run_cycles(cycles, step_s=step_s):
        for name, vehicle in commands.vehicles.items():
            device = DEVICES.vehicles[name]
            if vehicle.mode != "charge":
                assert (vehicle.power_kw, vehicle.current_a) == (0.0, 0.0)
                continue
            assert vehicle.phases in device.phases
            assert vehicle.current_a == int(vehicle.current_a)
            assert 6.0 <= vehicle.current_a <= 16.0
            assert vehicle.power_kw == device.power_kw(vehicle.phases, vehicle.current_a)
        battery = commands.batteries["battery"]
        most_kw = {"charge": 5.0, "export": 4.0}.get(battery.mode, 0.0)
        assert 0.0 <= battery.power_kw <= most_kw
        assert commands.pv is not None
        assert commands.pv.limit_kw >= 0.0


@moderate
@given(drawn_cycles(powers, limits_kw))
def test_commands_draw_no_more_than_limits_leave(
    cycles: list[tuple[SlotTargets, LiveMeasurement, LiveLimits]],
) -> None:
    for (_, measured, limits), commands in zip(cycles, run_cycles(cycles, step_s=2.0), strict=True):
        flow = read_flow(measured)
        wanted_kw = sum(vehicle.power_kw for vehicle in commands.vehicles.values())
        wanted_kw += 2.0 if commands.loads["heater"].mode == "on" else 0.0
        battery = commands.batteries["battery"]
        # What may not be fed in is stored on top: that draws nothing from the grid.
        if battery.mode == "charge" and battery.reason != "export_cap":
            wanted_kw += battery.power_kw
        import_kw = min(limits.import_kw, limits.operator_import_kw)
        left_kw = import_kw - flow.drawn_kw + flow.discharge_kw
        assert wanted_kw <= max(left_kw, 0.0) + 1e-6
        own_kw = max(-flow.drawn_kw, 0.0) + flow.discharge_kw
        assert wanted_kw <= limits.devices_import_kw + own_kw + 1e-6
        second = commands.vehicles["second"]
        assert second.current_a <= limits.circuits_a["garage"]


@moderate
@given(
    st.lists(st.tuples(st.floats(-3, 12), st.integers(1, 120)), min_size=1, max_size=80),
    st.booleans(),
)
def test_a_day_sees_no_more_switches_than_allowed(
    spells: list[tuple[float, int]], supports: bool
) -> None:
    device = SteeredVehicle(phases=(1, 3), least_on_s=60, least_off_s=60)
    devices = SteeredDevices(vehicles={"car": device})
    targets = SlotTargets(vehicles={"car": VehicleTarget("surplus", battery_support=supports)})
    memory = LoopMemory()
    car_kw = 0.0
    at_s = 0.0
    phases = [0]
    for surplus_kw, cycles in spells:
        for _ in range(cycles):
            net_kw = car_kw - surplus_kw
            measured = LiveMeasurement(
                at_s,
                at_s,
                DAY,
                max(net_kw, 0.0),
                max(-net_kw, 0.0),
                0.0,
                0.0,
                vehicles={"car": VehiclePower(car_kw)},
            )
            commands, memory = steer(
                targets, measured, memory, limits=LiveLimits(), devices=devices
            )
            car_kw = commands.vehicles["car"].power_kw
            phases.append(commands.vehicles["car"].phases)
            at_s += 10.0
    starts = sum(before == 0 and now > 0 for before, now in pairwise(phases))
    running = [count for count in phases if count]
    changes = sum(before != now for before, now in pairwise(running))
    assert starts <= 6
    assert changes <= 4


CLOUDY_HOURS = 12 if LONG else 4


@settings(max_examples=draws(8), deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([96, 396]),
    st.floats(0.5, 6.0),
    st.sampled_from([1, 3, 30]),
)
def test_the_writes_of_a_charger_last_a_cloudy_day(
    seed: int, budget: int, cloud_kw: float, cloud_cycles: int
) -> None:
    random = np.random.default_rng(seed)
    device = SteeredVehicle(phases=(1, 3))
    devices = SteeredDevices(vehicles={"car": device})
    memory = LoopMemory()
    left = budget
    written_a = 0.0
    car_kw = 0.0
    surplus_kw = 5.0
    changes = 0
    for cycle in range(CLOUDY_HOURS * 360):
        if cycle % cloud_cycles == 0:
            surplus_kw = 5.0 + random.normal(0.0, cloud_kw)
        must_stop = random.random() < 0.001
        net_kw = car_kw - surplus_kw
        measured = LiveMeasurement(
            10.0 * cycle,
            10.0 * cycle,
            DAY,
            max(net_kw, 0.0),
            max(-net_kw, 0.0),
            0.0,
            0.0,
            vehicles={"car": VehiclePower(car_kw, writes_left=left)},
        )
        target = VehicleTarget("stop" if must_stop else "surplus")
        commands, memory = steer(
            SlotTargets(vehicles={"car": target}),
            measured,
            memory,
            limits=LiveLimits(),
            devices=devices,
        )
        command = commands.vehicles["car"]
        if must_stop:
            assert command.mode == "stop"
        if command.mode == "charge" and command.current_a != written_a:
            written_a = command.current_a
            left -= 1
            changes += 1
        assert left >= 0
        car_kw = command.power_kw
    assert changes > 1


@given(st.floats(0, 400), st.integers(7, 16), st.integers(6, 15), st.floats(0, 600))
def test_no_limit_waits_for_the_writes_of_a_charger(
    left: float, before_a: int, limit_a: int, since_s: float
) -> None:
    device = SteeredVehicle(phases=(3,))
    before_kw = device.power_kw(3, before_a)
    unit = UnitMemory(mode="charge", command_kw=before_kw, phases=3, last_phases=3, changed_s=0.0)
    intent = VehicleIntent(3, before_kw, "follows_surplus", unit, follows=True)
    allotment = Allotment(device.power_kw(3, limit_a), "fuse_limit")
    command, _ = command_vehicle(device, intent, allotment, at_s=since_s, writes_left=left)
    assert command.current_a == min(before_a, limit_a)
    stopped = Allotment(0.0, "fuse_limit")
    command, _ = command_vehicle(device, intent, stopped, at_s=since_s, writes_left=left)
    assert command.mode == "stop"


@moderate
@given(
    st.integers(5, 10),
    st.floats(-4.5, 4.5),
    st.floats(-4.5, 4.5),
    st.sampled_from(["save", "supply", "self_consumption"]),
)
def test_a_slow_inverter_comes_to_rest_after_a_step(
    delay_s: int, before_kw: float, after_kw: float, mode: str
) -> None:
    battery = SteeredBattery(
        50.0,
        5.0,
        5.0,
        native_modes=frozenset({"charge", "export", "hold"}),
        delay_s=float(delay_s),
    )
    devices = SteeredDevices(batteries={"battery": battery})
    seconds = np.arange(SECONDS)
    drawn_kw = np.where(seconds < 60, before_kw, after_kw)
    day = HomeDay(np.maximum(drawn_kw, 0.0), np.maximum(-drawn_kw, 0.0), "clear")
    home = LivedHome(devices, 0.5, Delays(battery_command_s=delay_s))
    targets = SlotTargets(batteries={"battery": BatteryTarget(mode)})  # type: ignore[arg-type]
    lived = live_day(home, day, Steering(targets, devices), end=260)
    # Two minutes and more after the step nothing swings any more, and the mode's work is done.
    last_kw = lived.net_kw[-60:]
    assert float(last_kw.max() - last_kw.min()) <= 0.25
    stores = mode in ("save", "self_consumption")
    serves = mode in ("supply", "self_consumption")
    is_left = (after_kw > 0.0 and not serves) or (after_kw < 0.0 and not stores)
    expected_kw = after_kw if is_left else 0.0
    assert abs(float(last_kw.mean()) - expected_kw) <= 0.25
