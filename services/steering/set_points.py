"""Turn the loop's commands into set-points of units."""

import math
from collections.abc import Mapping

from luna.contracts.control import BatterySetpoint, PvSetpoint, Setpoint, VehicleSetpoint
from luna.contracts.steering import DeviceTarget
from luna.drivers.control.units.pv import NAME as PV_NAME
from luna.energy.devices.switched import LoadSetpoint
from luna.energy.steering import (
    BatteryCommand,
    LiveCommands,
    LoadCommand,
    PvCommand,
    VehicleCommand,
)

# Modes of a battery with a power.
_POWERED = frozenset({"charge", "export"})


def compose_setpoints(
    devices: Mapping[str, DeviceTarget], commands: LiveCommands
) -> tuple[dict[str, Setpoint], str]:
    """Return the set-points of a unit's devices, and the reason of the first one."""
    setpoints: dict[str, Setpoint] = {}
    reasons = []
    for name, target in devices.items():
        setpoint, reason = _command_of(name, target.setpoint, commands)
        setpoints[name] = setpoint
        reasons.append(reason)
    return setpoints, reasons[0] if reasons else "as_planned"


def _command_of(name: str, planned: Setpoint, commands: LiveCommands) -> tuple[Setpoint, str]:
    if isinstance(planned, BatterySetpoint) and name in commands.batteries:
        command = commands.batteries[name]
        return _battery_setpoint(planned, command), command.reason
    # The loop knows no car that gives to the house.
    gives = isinstance(planned, VehicleSetpoint) and planned.mode == "give"
    if isinstance(planned, VehicleSetpoint) and not gives and name in commands.vehicles:
        return _vehicle_setpoint(commands.vehicles[name]), commands.vehicles[name].reason
    if isinstance(planned, LoadSetpoint) and name in commands.loads:
        return _load_setpoint(commands.loads[name]), commands.loads[name].reason
    if name == PV_NAME and isinstance(planned, PvSetpoint) and commands.pv is not None:
        return _pv_setpoint(planned, commands.pv), commands.pv.reason
    return planned, "as_planned"


def _battery_setpoint(planned: BatterySetpoint, command: BatteryCommand) -> BatterySetpoint:
    if command.mode in _POWERED:
        # The loop itself ends an exchange at its state of charge.
        return BatterySetpoint(mode=command.mode, power_kw=command.power_kw)
    return planned.model_copy(update={"mode": command.mode, "power_kw": None, "target_soc": None})


def _vehicle_setpoint(command: VehicleCommand) -> VehicleSetpoint:
    if command.mode != "charge":
        return VehicleSetpoint(mode=command.mode, charge_kw=0.0)
    phases = 1 if command.phases == 1 else 3
    return VehicleSetpoint(mode="charge", charge_kw=command.power_kw, phases=phases)


def _load_setpoint(command: LoadCommand) -> LoadSetpoint:
    return LoadSetpoint(mode=command.mode)


def _pv_setpoint(planned: PvSetpoint, command: PvCommand) -> PvSetpoint:
    if math.isfinite(command.limit_kw):
        return PvSetpoint(mode="limit", limit_kw=command.limit_kw)
    # An inverter that keeps from feeding in does so quicker than the loop.
    mode = "no_export" if planned.mode == "no_export" else "free"
    return PvSetpoint(mode=mode, limit_kw=None)
