"""Describe what steering does with each device, from its live state."""

from collections.abc import Iterator

from luna.contracts.control import BatterySetpoint, PvSetpoint, Setpoint, VehicleSetpoint
from luna.contracts.live_steering import LiveSteering
from luna.contracts.steering import SteeredUnitState
from luna.energy.site.main_fuses import VOLTAGE_V
from luna.words import Numbers
from luna.words.steering import SteeredAction, format_stale, format_steered


def list_actions(unit: SteeredUnitState) -> Iterator[SteeredAction]:
    """Yield what each device of a unit does."""
    code = unit.reason
    if unit.silent:
        code = "silent"
    elif not unit.followed:
        code = "not_followed"
    for name, setpoint in unit.commands.items():
        yield SteeredAction(
            device=name,
            mode=setpoint.mode,
            code=code,
            power_kw=find_power_kw(setpoint),
            current_a=_find_current_a(setpoint),
            of_battery=isinstance(setpoint, BatterySetpoint),
        )


def find_power_kw(setpoint: Setpoint) -> float | None:
    """Return the power that a set-point commands, None where its mode has none."""
    if isinstance(setpoint, BatterySetpoint):
        return setpoint.power_kw if setpoint.mode in {"charge", "export"} else None
    if isinstance(setpoint, VehicleSetpoint):
        powers = {"charge": setpoint.charge_kw, "give": setpoint.give_kw}
        return powers.get(setpoint.mode)
    if isinstance(setpoint, PvSetpoint):
        return setpoint.limit_kw if setpoint.mode == "limit" else None
    return None


def _find_current_a(setpoint: Setpoint) -> float | None:
    """Return the current of each phase that a charger is held to, None where unknown."""
    if not isinstance(setpoint, VehicleSetpoint):
        return None
    if setpoint.mode != "charge" or setpoint.phases is None:
        return None
    return setpoint.charge_kw * 1000.0 / (VOLTAGE_V * setpoint.phases)


def format_steering(live: LiveSteering, numbers: Numbers) -> list[str]:
    """Return a line per steered device; one for all while the meters are silent."""
    if live.stale:
        return [format_stale(numbers.language)]
    lines = []
    for unit in live.units.values():
        lines += format_unit(unit, numbers)
    return lines


def format_unit(unit: SteeredUnitState, numbers: Numbers) -> list[str]:
    """Return a line per device of a unit."""
    return [format_steered(action, numbers) for action in list_actions(unit)]
