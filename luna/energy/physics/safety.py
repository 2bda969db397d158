"""The safety layer: whatever is proposed, what leaves it is safe."""

import math
from collections.abc import Sequence

import numpy as np

from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import HOLD, SAVE, SUPPLY, BoolArray, Curtailment, Mode, SetPoint, buys, sells
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, bound

_LAST_MODE, _LAST_CURTAILMENT = int(max(Mode)), int(max(Curtailment))


def clamp(setpoint: SetPoint, stored_kwh: FloatArray, limits: SiteLimits) -> SetPoint:
    """Return the nearest safe set-point: the one safety layer, whoever proposed the set-point.

    Total: every float is accepted. An unknown mode becomes ``hold``; unknown power becomes 0; an unknown bound becomes the one that moves
    no energy; an unknown state of charge forbids any exchange. Contract limits (no charging from, no discharging to the grid) hold here too.

    Invariants: idempotent; no sequence of clamped set-points leaves the limits of battery and connection.
    """
    battery = limits.batteries
    is_finite = np.isfinite(stored_kwh)
    valid = (setpoint.mode >= 0) & (setpoint.mode <= _LAST_MODE) & is_finite
    mode = np.where(valid, setpoint.mode, HOLD)
    mode = np.where(buys(mode) & ~battery.charge_from_grid, SAVE, mode)
    mode = np.where(sells(mode) & ~battery.discharge_to_grid, SUPPLY, mode)
    charging = buys(mode)
    power_limit = np.where(charging, battery.charge_limit_kw, battery.discharge_limit_kw)
    still = np.where(charging, battery.min_soc, battery.max_soc)
    curtailment = np.where(limits.curtailable & (setpoint.curtailment >= 0) & (setpoint.curtailment <= _LAST_CURTAILMENT), setpoint.curtailment, 0)
    return SetPoint(
        mode=mode.astype(np.int8),
        power_kw=bound(np.where(np.isnan(setpoint.power_kw), 0.0, setpoint.power_kw), 0.0, power_limit),
        target_soc=_bounded(setpoint.target_soc, still, battery),
        floor_soc=_bounded(setpoint.floor_soc, battery.max_soc, battery),
        ceiling_soc=_bounded(setpoint.ceiling_soc, battery.min_soc, battery),
        spill_soc=_bounded(setpoint.spill_soc, battery.min_soc, battery),
        curtailment=curtailment.astype(np.int8),
        pv_limit_kw=np.where(limits.curtailable & ~np.isnan(setpoint.pv_limit_kw), np.maximum(setpoint.pv_limit_kw, 0.0), np.inf),
    )


_SAME_KW = 1e-6


def find_corrected(asked: SetPoint, safe: SetPoint) -> BoolArray:
    """Return where the safety layer changed what was asked of a battery, of the shape of ``mode``: its mode, its power, or a value that is no number.

    Power and bounds without a limit of their own ask for no more than there is, so narrowing them changes nothing.
    """
    unknown = np.isnan(asked.power_kw) | np.isnan(asked.target_soc) | np.isnan(asked.floor_soc) | np.isnan(asked.ceiling_soc) | np.isnan(asked.spill_soc)
    beyond = np.isfinite(asked.power_kw) & (np.abs(asked.power_kw - safe.power_kw) > _SAME_KW)
    return np.asarray((asked.mode != safe.mode) | beyond | unknown)


def _bounded(soc: FloatArray, unknown: FloatArray, battery: BatteryLimits) -> FloatArray:
    return bound(np.where(np.isnan(soc), unknown, soc), battery.min_soc, battery.max_soc)


_NOTHING_KW = 1e-6


def clamp_charging(power_kw: float, power_ranges: Sequence[tuple[float, float]], site: Site) -> float:
    """Return the nearest power that a charger may be told, kW: none, or one within its ranges that is not beyond what the connection carries.

    Between two ranges it is the end of the lower one, below all of them the least there is. Total: an unknown power is none. Invariants: idempotent.
    """
    carried = site.grid.import_limit_kw
    ranges = [(least, min(most, carried)) for least, most in power_ranges if least <= carried]
    if math.isnan(power_kw) or power_kw <= _NOTHING_KW or not ranges:
        return 0.0
    least, most = ([each for each in ranges if each[0] <= power_kw] or ranges[:1])[-1]
    return min(max(power_kw, least), most)


def clamp_giving(power_kw: float, soc: float, *, min_soc: float, limit_kw: float) -> float:
    """Return the nearest power that a car may give to the house, kW; none where it holds no more than it keeps, or nobody knows what it holds."""
    if math.isnan(power_kw) or not soc > min_soc:
        return 0.0
    return min(max(power_kw, 0.0), limit_kw)
