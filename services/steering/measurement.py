"""Read what the loop measures from a site's live flow and the commands in force."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from luna.contracts.live_flow import LiveFlow
from luna.energy.steering import (
    BatteryPower,
    LiveCommands,
    LiveMeasurement,
    SteeredDevices,
    VehiclePower,
)

VEHICLE_SERIES = "vehicle_kwh"
WATTS = 1000.0
# A device without a meter takes its command's power where the house uses most of that.
_LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, its seconds on a clock that never goes back, its local day, and the sun left."""

    now: datetime
    at_s: float
    day: date
    sun_left_h: float = math.nan


def measure(
    flow: LiveFlow | None,
    devices: SteeredDevices,
    commands: LiveCommands | None,
    *,
    socs: Mapping[str, float],
    writes_left: Mapping[str, float],
    moment: Moment,
) -> LiveMeasurement:
    """Return what a site's meters read, a stale measurement where there is no flow.

    Args:
        flow: the last one that came.
        devices: that are controlled.
        commands: in force; a device without a meter takes their power where the house may.
        socs: that the devices report themselves, for batteries without a sensor.
        writes_left: how often chargers' currents may still be changed today, where that is counted.
        moment: of the measurement.
    """
    if flow is None:
        return LiveMeasurement(
            at_s=moment.at_s,
            read_at_s=-math.inf,
            day=moment.day,
            import_kw=0.0,
            export_kw=0.0,
            pv_kw=0.0,
            house_kw=0.0,
            batteries={
                name: BatteryPower(0.0, socs.get(name, math.nan)) for name in devices.batteries
            },
        )
    # A flow from before the clock was put back is not fresh either.
    age_s = abs((moment.now - flow.at).total_seconds())
    house_kw = flow.load_kw
    vehicles, unmetered_kw = _read_vehicles(flow, devices, commands, house_kw)
    for name, left in writes_left.items():
        if name in vehicles:
            vehicles[name] = replace(vehicles[name], writes_left=left)
    house_kw -= unmetered_kw
    loads_kw = _read_loads(devices, commands, house_kw)
    house_kw -= sum(loads_kw.values())
    return LiveMeasurement(
        at_s=moment.at_s,
        read_at_s=moment.at_s - age_s,
        day=moment.day,
        import_kw=flow.import_kw,
        export_kw=flow.export_kw,
        pv_kw=flow.pv_kw,
        house_kw=max(house_kw, 0.0),
        batteries=_read_batteries(flow, devices, socs),
        vehicles=vehicles,
        loads_kw=loads_kw,
        phase_a=tuple(phase_kw * WATTS / devices.voltage_v for phase_kw in flow.phases_kw),
        sun_left_h=moment.sun_left_h,
    )


def _read_batteries(
    flow: LiveFlow, devices: SteeredDevices, socs: Mapping[str, float]
) -> dict[str, BatteryPower]:
    """Return each controlled battery's power; their sum is shared by capacity."""
    total_kwh = sum(battery.capacity_kwh for battery in devices.batteries.values())
    powers = {}
    for name, battery in devices.batteries.items():
        shared_kw = (flow.charge_kw - flow.discharge_kw) * battery.capacity_kwh / total_kwh
        soc = flow.battery_socs.get(name, flow.soc)
        powers[name] = BatteryPower(
            charge_kw=flow.batteries_kw.get(name, shared_kw),
            soc=socs.get(name, math.nan) if soc is None else soc,
        )
    return powers


def _read_vehicles(
    flow: LiveFlow, devices: SteeredDevices, commands: LiveCommands | None, house_kw: float
) -> tuple[dict[str, VehiclePower], float]:
    """Return the power of each vehicle, and how much of it the house's load contains."""
    commanded_kw = {}
    for name in devices.vehicles:
        command = None if commands is None else commands.vehicles.get(name)
        commanded_kw[name] = 0.0 if command is None else command.power_kw
    total_kw = sum(commanded_kw.values())
    metered_kw = flow.submetered_kw.get(VEHICLE_SERIES)
    if metered_kw is None:
        taken_kw = total_kw if house_kw >= _LEAST_SHARE * total_kw else 0.0
        taken_kw = min(taken_kw, house_kw)
    else:
        taken_kw = metered_kw
    powers = {}
    for name, power_kw in commanded_kw.items():
        share = power_kw / total_kw if total_kw else 1 / len(commanded_kw)
        powers[name] = VehiclePower(kw=taken_kw * share)
    return powers, taken_kw if metered_kw is None else 0.0


def _read_loads(
    devices: SteeredDevices, commands: LiveCommands | None, house_kw: float
) -> Mapping[str, float]:
    """Return the power of the loads that are on, as far as the house uses so much."""
    powers = {}
    left_kw = house_kw
    for name, load in devices.loads.items():
        command = None if commands is None else commands.loads.get(name)
        is_on = command is not None and command.mode == "on"
        takes = is_on and left_kw >= _LEAST_SHARE * load.power_kw
        powers[name] = min(load.power_kw, left_kw) if takes else 0.0
        left_kw -= powers[name]
    return powers
