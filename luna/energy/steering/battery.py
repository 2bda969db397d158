"""Command a battery: its inverter's own control, corrected where that breaks a rule."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from luna.energy.devices.battery import Mode as BatteryMode
from luna.energy.steering.devices import SteeredBattery
from luna.energy.steering.state import (
    BatteryCommand,
    BatteryPower,
    BatteryTarget,
    SteeringReason,
    UnitMemory,
)
from luna.energy.steering.vehicle import remember_switch

# A forced power changes by no less, and by no more than this share of the battery's a second.
DEAD_BAND_KW = 0.1
RAMP_PER_S = 0.25
# A bound of the state of charge that was reached is left again at this distance.
SOC_BAND = 0.01

STORING: frozenset[BatteryMode] = frozenset({"self_consumption", "save", "charge"})
SERVING: frozenset[BatteryMode] = frozenset({"self_consumption", "supply", "export"})
WITHOUT_STORING: Mapping[BatteryMode, BatteryMode] = {"self_consumption": "supply", "save": "hold"}
WITHOUT_SERVING: Mapping[BatteryMode, BatteryMode] = {"self_consumption": "save", "supply": "hold"}


@dataclass(frozen=True, slots=True)
class CycleTime:
    """The time of a cycle, and since the one before."""

    at_s: float
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class BatteryRoom:
    """Power at the connection as a battery finds it, kW.

    ``rest_kw`` is what all else draws (negative: what it leaves over), ``cars_kw`` the part of it
    of cars that it does not support. ``import_kw`` and ``export_kw`` are the connection's limits,
    ``allotted_kw`` what limits leave it to charge from the grid; ``lowered_kw`` is what devices
    were just told to draw less.
    """

    rest_kw: float
    cars_kw: float
    import_kw: float
    export_kw: float
    allotted_kw: float
    import_reason: SteeringReason
    lowered_kw: float = 0.0


def bound_mode(
    device: SteeredBattery, target: BatteryTarget, power: BatteryPower, unit: UnitMemory
) -> tuple[BatteryMode, SteeringReason]:
    """Return the target's mode without what the state of charge or the contract forbids."""
    mode = target.mode
    soc = power.soc
    if math.isnan(soc):
        if mode in ("charge", "export"):
            return "hold", "unknown_soc"
        return mode, "as_planned"
    if mode == "charge" and not device.charge_from_grid:
        mode = "save"
    if mode == "export" and not device.discharge_to_grid:
        mode = "supply"
    target_soc = target.target_soc
    if mode == "charge" and target_soc is not None:
        band = 0.0 if unit.mode == "charge" else SOC_BAND
        mode = "save" if soc >= target_soc - band else mode
    if mode == "export":
        band = 0.0 if unit.mode == "export" else SOC_BAND
        floor_soc = max(target_soc or 0.0, device.min_soc)
        mode = "supply" if soc <= floor_soc + band else mode
    band = 0.0 if unit.mode in STORING else SOC_BAND
    if soc >= min(target.ceiling_soc, 1.0) - band and target.ceiling_soc < device.max_soc:
        mode = WITHOUT_STORING.get(mode, mode)
    band = 0.0 if unit.mode in SERVING else SOC_BAND
    if soc <= target.floor_soc + band and target.floor_soc > device.min_soc:
        mode = WITHOUT_SERVING.get(mode, mode)
    return mode, "as_planned"


def wanted_charge_kw(
    device: SteeredBattery, target: BatteryTarget, mode: BatteryMode, rest_kw: float
) -> float:
    """Return what a battery would charge with by command: surplus, and the plan's draw."""
    if mode != "charge":
        return 0.0
    return min(device.charge_limit_kw, max(-rest_kw, 0.0) + max(target.power_kw, 0.0))


def command_battery(
    device: SteeredBattery,
    target: BatteryTarget,
    power: BatteryPower,
    unit: UnitMemory,
    *,
    room: BatteryRoom,
    time: CycleTime,
) -> tuple[BatteryCommand, UnitMemory]:
    """Return a battery's command: the target's mode, unless a limit or a car needs a power."""
    mode, reason = bound_mode(device, target, power, unit)
    command = _meet_target(device, target, BatteryCommand(mode, 0.0, reason), room)
    command = _leave_out_cars(device, command, room)
    command = _keep_limits(device, target.spill_soc, command, power.soc, room=room)
    command = _carry_out(device, command, room)
    return _ramp(device, command, power, unit, most_kw=room.allotted_kw, time=time)


def _meet_target(
    device: SteeredBattery,
    target: BatteryTarget,
    planned: BatteryCommand,
    room: BatteryRoom,
) -> BatteryCommand:
    mode = planned.mode
    reason = planned.reason
    if mode == "charge":
        wanted_kw = wanted_charge_kw(device, target, mode, room.rest_kw)
        if room.allotted_kw < wanted_kw:
            return BatteryCommand("charge", max(room.allotted_kw, 0.0), room.import_reason)
        return BatteryCommand("charge", wanted_kw, reason)
    if mode == "export":
        served_kw = room.rest_kw - room.cars_kw
        wanted_kw = max(served_kw, 0.0) + max(target.power_kw, 0.0)
        # rest - power >= -export limit
        allowed_kw = room.rest_kw + room.export_kw
        if allowed_kw < min(wanted_kw, device.discharge_limit_kw):
            return BatteryCommand("export", max(allowed_kw, 0.0), "export_cap")
        return BatteryCommand("export", min(wanted_kw, device.discharge_limit_kw), reason)
    return planned


def _leave_out_cars(
    device: SteeredBattery, command: BatteryCommand, room: BatteryRoom
) -> BatteryCommand:
    """Return a command by which the battery serves the house, and no car that it must not."""
    if room.cars_kw <= DEAD_BAND_KW or command.mode not in WITHOUT_SERVING:
        return command
    served_kw = room.rest_kw - room.cars_kw
    if served_kw <= 0.0:
        mode = WITHOUT_SERVING[command.mode]
        return BatteryCommand(mode, 0.0, "supports_no_car")
    power_kw = min(served_kw, device.discharge_limit_kw)
    return BatteryCommand("export", power_kw, "supports_no_car")


def _keep_limits(
    device: SteeredBattery,
    spill_soc: float,
    command: BatteryCommand,
    soc: float,
    *,
    room: BatteryRoom,
) -> BatteryCommand:
    """Return a command that stores what may not be fed in, and serves what may not be imported."""
    excess_kw = -room.rest_kw - room.export_kw
    stores = command.mode in STORING
    # NaN compares as false: a battery of unknown state of charge is left alone.
    if excess_kw > 0.0 and not stores and soc < min(spill_soc, device.max_soc):
        return BatteryCommand("charge", min(excess_kw, device.charge_limit_kw), "export_cap")
    # Cars and loads are lowered first.
    missing_kw = room.rest_kw - room.lowered_kw - room.import_kw
    serves_all = command.mode in ("self_consumption", "supply")
    if missing_kw <= 0.0 or serves_all or not soc > device.min_soc:
        return command
    if command.mode == "export" and command.power_kw >= missing_kw:
        return command
    power_kw = min(missing_kw, device.discharge_limit_kw)
    return BatteryCommand("export", power_kw, room.import_reason)


def _carry_out(
    device: SteeredBattery, command: BatteryCommand, room: BatteryRoom
) -> BatteryCommand:
    """Return the command in modes that the inverter has, by powers where it has no own control."""
    known = device.native_modes
    mode = command.mode
    if mode in known:
        return command
    if mode in ("charge", "export"):
        near: BatteryMode = "save" if mode == "charge" else "supply"
        own: BatteryMode = near if near in known else "self_consumption"
        return BatteryCommand(own, 0.0, command.reason)
    if not {"charge", "export"} <= known:
        return BatteryCommand("self_consumption", 0.0, command.reason)
    surplus_kw = -room.rest_kw
    if surplus_kw > 0.0 and mode in STORING:
        return BatteryCommand("charge", min(surplus_kw, device.charge_limit_kw), command.reason)
    if surplus_kw < 0.0 and mode in SERVING:
        power_kw = min(-surplus_kw, device.discharge_limit_kw)
        return BatteryCommand("export", power_kw, command.reason)
    return BatteryCommand("hold", 0.0, command.reason)


def _ramp(
    device: SteeredBattery,
    command: BatteryCommand,
    power: BatteryPower,
    unit: UnitMemory,
    *,
    most_kw: float,
    time: CycleTime,
) -> tuple[BatteryCommand, UnitMemory]:
    """Return a forced power with dead band and ramp, and not changed before it was followed.

    ``most_kw`` is the most that it may charge with, at once.
    """
    signed_kw = _signed(command.mode, command.power_kw)
    is_forced = command.mode in ("charge", "export")
    was_forced = unit.mode in ("charge", "export")
    is_urgent = command.reason in (
        "connection_limit",
        "operator_limit",
        "fuse_limit",
        "export_cap",
    )
    if is_forced and not is_urgent:
        change_kw = signed_kw - (unit.command_kw if was_forced else power.charge_kw)
        waits = was_forced and not unit.is_settled
        if waits or (was_forced and abs(change_kw) < DEAD_BAND_KW):
            change_kw = 0.0
        step_kw = (
            RAMP_PER_S * time.elapsed_s * max(device.charge_limit_kw, device.discharge_limit_kw)
        )
        change_kw = min(max(change_kw, -step_kw), step_kw)
        signed_kw = (unit.command_kw if was_forced else power.charge_kw) + change_kw
        signed_kw = min(max(signed_kw, -device.discharge_limit_kw), device.charge_limit_kw)
        # On the way from charging to serving as well.
        signed_kw = min(signed_kw, max(most_kw, 0.0))
        mode = command.mode
        if signed_kw != 0.0:
            mode = "charge" if signed_kw > 0.0 else "export"
        command = BatteryCommand(mode, abs(signed_kw), command.reason)
    return command, remember_switch(unit, command.mode, 0, signed_kw, at_s=time.at_s)


def _signed(mode: BatteryMode, power_kw: float) -> float:
    return -power_kw if mode == "export" else power_kw
