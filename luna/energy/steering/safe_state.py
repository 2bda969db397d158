"""Command devices while nothing is known of the connection."""

import math

from luna.energy.steering.devices import SteeredDevices, SteeredVehicle
from luna.energy.steering.rooms import find_export_limit, find_import_limit
from luna.energy.steering.state import (
    STALE_S,
    BatteryCommand,
    LiveCommands,
    LiveLimits,
    LiveMeasurement,
    LoadCommand,
    LoopMemory,
    PvCommand,
    SlotTargets,
    UnitMemory,
    VehicleCommand,
    VehicleTarget,
)
from luna.energy.steering.vehicle import OWN, remember_switch

_NEW = UnitMemory()
# No site's meter shows more: it is broken.
MOST_KW = 1e6


def is_readable(measured: LiveMeasurement) -> bool:
    """Return whether the meters' values are recent and numbers."""
    age_s = measured.at_s - measured.read_at_s
    # NaN compares as false.
    if not age_s <= STALE_S:
        return False
    powers = [measured.import_kw, measured.export_kw, measured.pv_kw]
    powers += [battery.charge_kw for battery in measured.batteries.values()]
    powers += [vehicle.kw for vehicle in measured.vehicles.values()]
    powers += measured.loads_kw.values()
    return all(abs(power_kw) <= MOST_KW for power_kw in powers)


def steer_blind(
    targets: SlotTargets,
    measured: LiveMeasurement,
    memory: LoopMemory,
    *,
    limits: LiveLimits,
    devices: SteeredDevices,
) -> tuple[LiveCommands, LoopMemory]:
    """Return the safe state: nothing that a limit could forbid, whatever the house does.

    Batteries follow their inverter's own meter. A car stops or charges with the least, as its
    owner chose; under a limit it stops where the least alone could pass that. PV gives no more
    than may be fed in with an idle house.
    """
    units = dict(memory.units)
    at_s = measured.at_s
    import_kw, _ = find_import_limit(limits)
    room_kw = min(import_kw, limits.devices_import_kw)
    vehicles: dict[str, VehicleCommand] = {}
    for name, device in devices.vehicles.items():
        target = targets.vehicles.get(name, VehicleTarget())
        unit = units.get(name, _NEW)
        command = _command_blind_vehicle(device, target, unit, room_kw)
        room_kw -= command.power_kw
        vehicles[name] = command
        units[name] = remember_switch(
            unit, command.mode, command.phases, command.power_kw, at_s=at_s
        )
    batteries: dict[str, BatteryCommand] = {}
    for name in devices.batteries:
        batteries[name] = BatteryCommand("self_consumption", 0.0, "meter_stale")
        units[name] = remember_switch(units.get(name, _NEW), "self_consumption", 0, 0.0, at_s=at_s)
    loads: dict[str, LoadCommand] = {}
    for name, load in devices.loads.items():
        load_target = targets.loads.get(name)
        unit = units.get(name, _NEW)
        if load_target is None or load_target.follow == "own":
            loads[name] = LoadCommand("own", "meter_stale")
            units[name] = remember_switch(unit, "own", 0, 0.0, at_s=at_s)
            continue
        is_on = load_target.follow == "on" and load.power_kw <= room_kw
        room_kw -= load.power_kw if is_on else 0.0
        loads[name] = LoadCommand("on" if is_on else "off", "meter_stale")
        command_kw = load.power_kw if is_on else 0.0
        units[name] = remember_switch(unit, loads[name].mode, int(is_on), command_kw, at_s=at_s)
    pv = None
    pv_limit_kw = math.inf
    if devices.pv_kw > 0.0:
        pv_limit_kw = find_export_limit(limits, pv_export=targets.pv_export)
        planned_kw = targets.pv_limit_kw
        # NaN compares as false: an unknown limit is none.
        if planned_kw < pv_limit_kw:
            pv_limit_kw = max(planned_kw, 0.0)
        if pv_limit_kw >= devices.pv_kw:
            pv_limit_kw = math.inf
        pv = PvCommand(pv_limit_kw, "meter_stale")
    # What was measured before counts no more.
    remembered = LoopMemory(at_s=at_s, day=memory.day, units=units, pv_limit_kw=pv_limit_kw)
    return LiveCommands(batteries, vehicles, loads, pv), remembered


def _command_blind_vehicle(
    device: SteeredVehicle, target: VehicleTarget, unit: UnitMemory, room_kw: float
) -> VehicleCommand:
    if target.follow == "own" and room_kw == math.inf:
        return OWN
    phases = min(device.phases)
    if unit.phases in device.phases:
        # It goes on as it does, for a relay wears.
        phases = unit.phases
    current_a = float(math.ceil(device.min_current_a))
    power_kw = device.power_kw(phases, current_a)
    keeps_on = device.stale == "least" and target.follow != "stop" and power_kw <= room_kw
    # Nothing starts blindly but what the plan wants at any cost, or its floor.
    keeps_on = keeps_on and (unit.phases > 0 or target.follow in ("power", "surplus_floor"))
    if not keeps_on:
        return VehicleCommand("stop", 0.0, 0, 0.0, "meter_stale")
    return VehicleCommand("charge", power_kw, phases, current_a, "meter_stale")
