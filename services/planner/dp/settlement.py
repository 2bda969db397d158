"""What set-points come to: they pass the safety layer, and physics says what happens, all slots side by side."""

from dataclasses import fields
from operator import attrgetter
from typing import Any

import numpy as np

from luna.energy.physics import BatteryLimits, Flows, SetPoint, SiteLimits, SlotActuals, clamp, simulate_slot
from luna.energy.timeline import FloatArray
from services.planner.dp.settlement_loop import settle_slots

_read_battery, _read_setpoint = (attrgetter(*(each.name for each in fields(model))) for model in (BatteryLimits, SetPoint))
# Rows of inputs, and of results: those of a set-point, of flows, and a mask of the slots where the results do not hold.
_INPUTS, _MADE = 27, 16


def settle(setpoint: SetPoint, stored_kwh: FloatArray, actuals: SlotActuals, *, limits: SiteLimits) -> tuple[SetPoint, Flows]:
    """Return what ``clamp`` lets through of set-points, and what ``simulate_slot`` makes of it.

    For one battery without an inverter of its own both are one compiled loop, recorded of the two themselves. Source: docs/decisions/0086.

    Args:
        setpoint: of slots side by side, as ``clamp`` takes it.
        stored_kwh: at the start of each slot, ``(batteries, slots)``.
        actuals: of each slot, arrays of shape ``(slots,)``.
        limits: of the same site.
    """
    if len(stored_kwh) == 1 and limits.inverters is None:
        made = _run_loop(list_inputs(setpoint, stored_kwh, actuals, limits), stored_kwh.shape[1])
        if not made[-1].any():
            safe = SetPoint(
                mode=made[:1].astype(np.int8),
                power_kw=made[1:2],
                target_soc=made[2:3],
                floor_soc=made[3:4],
                ceiling_soc=made[4:5],
                spill_soc=made[5:6],
                curtailment=made[6].astype(np.int8),
                pv_limit_kw=made[7],
            )
            return safe, Flows(made[8:9], made[9:10], made[10:11], made[11], made[12], made[13], made[14])
    safe = clamp(setpoint, stored_kwh, limits)
    return safe, simulate_slot(safe, stored_kwh, actuals, limits=limits)


def list_inputs(setpoint: SetPoint, stored_kwh: FloatArray, actuals: SlotActuals, limits: SiteLimits) -> list[Any]:
    """Return the inputs of the loop, row by row: ``(slots,)``, ``(1, slots)``, or the same single number for all slots."""
    site = limits.import_limit_kw, limits.export_limit_kw, limits.curtailable
    return [*_read_battery(limits.batteries), *_read_setpoint(setpoint), *site, stored_kwh, actuals.load_kwh, actuals.pv_kwh, actuals.hours]


def load_kernels() -> None:
    """Load the compiled loop, or compile it the first time."""
    _run_loop([0.0] * _INPUTS, 1)


def _run_loop(rows: list[Any], slots: int) -> FloatArray:
    inputs, made = np.empty((_INPUTS, slots)), np.empty((_MADE, slots))
    for row, values in enumerate(rows):
        inputs[row] = values
    settle_slots(inputs, made)
    return made
