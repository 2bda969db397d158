"""Find what the plan means each device to do now, from the executor's targets."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from luna.contracts.control import BatterySetpoint, PvSetpoint, VehicleSetpoint
from luna.contracts.steering import DeviceTarget, SteeringTarget
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.operator_limits import OperatorLimit, find_in_force
from luna.energy.site import Site
from luna.energy.steering import (
    BatteryTarget,
    LiveLimits,
    LoadTarget,
    SlotTargets,
    VehicleTarget,
)
from luna.energy.timeline import SLOT

# How long the last slot's thresholds go on to hold once a plan has ended.
THRESHOLDS_HOLD = timedelta(hours=1)


def find_devices(target: SteeringTarget, now: datetime) -> Mapping[str, DeviceTarget] | None:
    """Return what a unit's devices are to do now, None where no plan says it any more."""
    begun = [slot for slot in target.slots if slot.start <= now]
    # A clock that was put back finds no slot begun: the first one counts.
    slot = begun[-1] if begun else target.slots[0]
    if slot is target.slots[-1] and now >= slot.start + SLOT + THRESHOLDS_HOLD:
        return None
    return slot.devices


def compose_targets(devices: Iterable[Mapping[str, DeviceTarget]]) -> SlotTargets:
    """Return the targets of all units' devices together."""
    batteries = {}
    vehicles = {}
    loads = {}
    pv = PvSetpoint(mode="free", limit_kw=None)
    for unit_devices in devices:
        for name, target in unit_devices.items():
            setpoint = target.setpoint
            if isinstance(setpoint, BatterySetpoint):
                batteries[name] = _battery_target(setpoint, target)
            elif isinstance(setpoint, VehicleSetpoint):
                vehicles[name] = _vehicle_target(setpoint, target)
            elif isinstance(setpoint, LoadSetpoint):
                loads[name] = _load_target(setpoint, target)
            else:
                pv = setpoint
    limit_kw = math.inf
    if pv.mode == "off":
        limit_kw = 0.0
    if pv.mode == "limit" and pv.limit_kw is not None:
        limit_kw = pv.limit_kw
    return SlotTargets(
        batteries=batteries,
        vehicles=vehicles,
        loads=loads,
        pv_limit_kw=limit_kw,
        pv_export=pv.mode != "no_export",
    )


def _battery_target(setpoint: BatterySetpoint, target: DeviceTarget) -> BatteryTarget:
    return BatteryTarget(
        mode=setpoint.mode,
        power_kw=math.inf if setpoint.power_kw is None else setpoint.power_kw,
        target_soc=setpoint.target_soc,
        floor_soc=0.0 if setpoint.floor_soc is None else setpoint.floor_soc,
        ceiling_soc=1.0 if setpoint.ceiling_soc is None else setpoint.ceiling_soc,
        spill_soc=1.0 if setpoint.spill_soc is None else setpoint.spill_soc,
        worth_price=target.worth_price,
    )


def _vehicle_target(setpoint: VehicleSetpoint, target: DeviceTarget) -> VehicleTarget:
    # A car that gives to the house is commanded as planned: the loop has no such command.
    if setpoint.mode in {"own", "give"}:
        return VehicleTarget(follow="own")
    if target.follow == "setpoint":
        return VehicleTarget(
            follow="power" if setpoint.mode == "charge" and setpoint.charge_kw else "stop",
            power_kw=setpoint.charge_kw,
            worth_price=target.worth_price,
            battery_support=target.battery_support,
        )
    return VehicleTarget(
        follow=target.follow,
        power_kw=target.floor_kw,
        worth_price=target.worth_price,
        battery_support=target.battery_support,
        dip_price=-math.inf if target.dip_price is None else target.dip_price,
    )


def _load_target(setpoint: LoadSetpoint, target: DeviceTarget) -> LoadTarget:
    follow = setpoint.mode if target.follow == "setpoint" else "surplus"
    return LoadTarget(follow=follow, worth_price=target.worth_price)


def find_limits(site: Site, limits: Iterable[OperatorLimit], now: datetime) -> LiveLimits:
    """Return what limits a site now: its connection, its fuse and the grid operator."""
    in_force = find_in_force(limits, now)
    fuse_a = site.grid.main_fuse_a
    return LiveLimits(
        import_kw=site.grid.import_limit_kw,
        export_kw=site.feed_in_limit_kw,
        devices_import_kw=math.inf if in_force is None else in_force.devices_import_kw,
        operator_import_kw=math.inf if in_force is None else in_force.import_kw,
        operator_export_kw=math.inf if in_force is None else in_force.export_kw,
        fuse_a=math.inf if fuse_a is None else fuse_a,
        circuits_a={circuit.name: circuit.fuse_a for circuit in site.grid.circuits},
    )
