"""The safety layer, which clamps every proposed set-point.

Limits are those of batteries, connection and contract.
"""

import math
from collections.abc import Sequence

import numpy as np

from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import (
    HOLD,
    SAVE,
    SUPPLY,
    BoolArray,
    Curtailment,
    Mode,
    SetPoint,
    buys,
    sells,
)
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, bound

_LAST_MODE = int(max(Mode))
_LAST_CURTAILMENT = int(max(Curtailment))


def clamp(setpoint: SetPoint, stored_kwh: FloatArray, limits: SiteLimits) -> SetPoint:
    """Return the nearest safe set-point: the one safety layer, whoever proposed the set-point.

    Total: every float is accepted. An unknown mode becomes ``hold``; unknown power becomes 0; an
    unknown bound becomes the one that moves no energy; an unknown state of charge forbids any
    exchange. Contract limits (no charging from, no discharging to the grid) hold here too.

    Invariants: idempotent; no sequence of clamped set-points leaves the limits of battery and
    connection.
    """
    battery = limits.batteries
    is_finite = np.isfinite(stored_kwh)
    valid = (setpoint.mode >= 0) & (setpoint.mode <= _LAST_MODE) & is_finite
    mode = np.where(valid, setpoint.mode, HOLD)
    mode = np.where(buys(mode) & ~battery.charge_from_grid, SAVE, mode)
    mode = np.where(sells(mode) & ~battery.discharge_to_grid, SUPPLY, mode)
    charging = buys(mode)
    power_limit = np.where(charging, battery.charge_limit_kw, battery.discharge_limit_kw)
    # The bound that a battery cannot pass in the mode's direction: an unknown target moves no
    # energy.
    neutral_soc = np.where(charging, battery.min_soc, battery.max_soc)
    known_curtailment = (setpoint.curtailment >= 0) & (setpoint.curtailment <= _LAST_CURTAILMENT)
    may_curtail = limits.curtailable & known_curtailment
    curtailment = np.where(may_curtail, setpoint.curtailment, 0)
    known_power_kw = np.where(np.isnan(setpoint.power_kw), 0.0, setpoint.power_kw)
    may_limit_pv = limits.curtailable & ~np.isnan(setpoint.pv_limit_kw)
    pv_limit_kw = np.where(may_limit_pv, np.maximum(setpoint.pv_limit_kw, 0.0), np.inf)
    return SetPoint(
        mode=mode.astype(np.int8),
        power_kw=bound(known_power_kw, 0.0, power_limit),
        target_soc=_bounded(setpoint.target_soc, neutral_soc, battery),
        floor_soc=_bounded(setpoint.floor_soc, battery.max_soc, battery),
        ceiling_soc=_bounded(setpoint.ceiling_soc, battery.min_soc, battery),
        spill_soc=_bounded(setpoint.spill_soc, battery.min_soc, battery),
        curtailment=curtailment.astype(np.int8),
        pv_limit_kw=pv_limit_kw,
    )


def _bounded(soc: FloatArray, unknown: FloatArray, battery: BatteryLimits) -> FloatArray:
    return bound(np.where(np.isnan(soc), unknown, soc), battery.min_soc, battery.max_soc)


_SAME_KW = 1e-6


def find_corrected(raw: SetPoint, safe: SetPoint) -> BoolArray:
    """Return where the safety layer changed a battery's set-point.

    That is its mode, a finite power, or a NaN. The result has the shape of ``mode``.

    Infinite power and bounds outside the battery's limits mean "as far as it goes": narrowing them
    is no correction.
    """
    unknown = (
        np.isnan(raw.power_kw)
        | np.isnan(raw.target_soc)
        | np.isnan(raw.floor_soc)
        | np.isnan(raw.ceiling_soc)
        | np.isnan(raw.spill_soc)
    )
    beyond = np.isfinite(raw.power_kw) & (np.abs(raw.power_kw - safe.power_kw) > _SAME_KW)
    return np.asarray((raw.mode != safe.mode) | beyond | unknown)


_NOTHING_KW = 1e-6


def clamp_charging(
    power_kw: float, power_ranges: Sequence[tuple[float, float]], site: Site
) -> float:
    """Return the nearest power a charger may be set to, kW.

    It is 0, or one within its ranges and the import limit of the connection. Between two ranges it
    is the end of the lower one, below all of them the least there is. Total: NaN becomes 0.
    Invariants: idempotent.
    """
    carried = site.grid.import_limit_kw
    ranges = [(least, min(most, carried)) for least, most in power_ranges if least <= carried]
    if math.isnan(power_kw) or power_kw <= _NOTHING_KW or not ranges:
        return 0.0
    reached = [limits for limits in ranges if limits[0] <= power_kw]
    least, most = reached[-1] if reached else ranges[0]
    return min(max(power_kw, least), most)


def clamp_giving(power_kw: float, soc: float, *, min_soc: float, limit_kw: float) -> float:
    """Return the nearest power at which a car may discharge to the house, kW.

    0 at or below its least state of charge, or where that is unknown.
    """
    if math.isnan(power_kw) or not soc > min_soc:
        return 0.0
    return min(max(power_kw, 0.0), limit_kw)
