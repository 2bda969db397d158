"""Batteries' set-points as the safety layer allows them. Pure.

They are in the words that inverters know, before they are sent and before they are shown.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from luna.contracts.control import BatterySetpoint
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.policy import DIGITS
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.energy.timeline import FloatArray

# Behaviour of an inverter without any commands.
OWN = BatterySetpoint(mode="self_consumption")
_WORDS = {mode.word: mode for mode in Mode}


def make_safe(
    site: Site, requested: Mapping[str, BatterySetpoint], soc: Mapping[str, float]
) -> dict[str, BatterySetpoint]:
    """Return the set-points as the safety layer allows them.

    ``soc`` is how full the batteries were measured to be; NaN or absent: unknown.

    Invariants: idempotent; a battery of unknown state of charge holds.
    """
    batteries = [battery for battery in site.batteries if battery.name in requested]
    limits = replace(SiteLimits.of(site), batteries=BatteryLimits.of(batteries))
    stored = np.array(
        [[soc.get(battery.name, np.nan) * battery.capacity_kwh] for battery in batteries]
    ).reshape(-1, 1)
    setpoint = to_arrays([requested[battery.name] for battery in batteries])
    # An inverter that is told to trade knows its own power and no connection: it takes and gives no
    # more than that carries, and serves the house where it may give nothing.
    sells = setpoint.mode == Mode.EXPORT
    carried_kw = np.where(
        sells,
        limits.export_limit_kw,
        np.where(setpoint.mode == Mode.CHARGE, limits.import_limit_kw, np.inf),
    )
    mode = np.where(sells & (carried_kw <= 0), Mode.SUPPLY, setpoint.mode).astype(np.int8)
    safe = clamp(
        replace(setpoint, mode=mode, power_kw=np.fmin(setpoint.power_kw, carried_kw)),
        stored,
        limits,
    )
    return {battery.name: describe_setpoint(safe, index) for index, battery in enumerate(batteries)}


def to_supported_modes(
    site: Site,
    requested: Mapping[str, BatterySetpoint],
    soc: Mapping[str, float],
    *,
    control: Control,
) -> dict[str, BatterySetpoint]:
    """Return safe set-points in modes that the inverters know.

    Where one does not know a mode, it consumes its own.
    """
    supported = {battery.battery: battery.known_modes for battery in control.batteries}
    safe = make_safe(site, requested, soc)
    commands = {}
    for name, setpoint in safe.items():
        # Every inverter knows these two: luna.energy.devices.battery.NEEDED_MODES.
        commands[name] = setpoint if setpoint.mode in supported[name] else OWN
    return make_safe(site, commands, soc)


def to_arrays(setpoints: list[BatterySetpoint]) -> SetPoint:
    """Return set-points of one site's batteries as physics takes them.

    Null is what battery and connection bear.
    """

    def column(values: list[float | None], unbounded: FloatArray) -> FloatArray:
        numbers = [np.nan if value is None else value for value in values]
        given = np.array(numbers, dtype=float).reshape(-1, 1)
        return np.asarray(np.where(np.isnan(given), unbounded, given))

    mode = np.array([_WORDS[setpoint.mode] for setpoint in setpoints], dtype=np.int8).reshape(-1, 1)
    up = np.full(mode.shape, np.inf)
    down = np.full(mode.shape, -np.inf)
    no_target = np.where(mode == Mode.EXPORT, down, up)
    return SetPoint(
        mode=mode,
        power_kw=column([setpoint.power_kw for setpoint in setpoints], up),
        target_soc=column([setpoint.target_soc for setpoint in setpoints], no_target),
        floor_soc=column([setpoint.floor_soc for setpoint in setpoints], down),
        ceiling_soc=column([setpoint.ceiling_soc for setpoint in setpoints], up),
        spill_soc=column([setpoint.spill_soc for setpoint in setpoints], up),
        curtailment=np.zeros(1, dtype=np.int8),
        pv_limit_kw=np.full(1, np.inf),
    )


def describe_setpoint(safe: SetPoint, index: int) -> BatterySetpoint:
    """Return what one battery is told, in the outward words."""
    setpoint: dict[str, Any] = {"mode": Mode(int(safe.mode[index, 0])).word}
    for name in BatterySetpoint.model_fields:
        if name != "mode":
            setpoint[name] = round(float(getattr(safe, name)[index, 0]), DIGITS)
    return BatterySetpoint.model_validate(setpoint)
