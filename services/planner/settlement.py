"""Safe set-points and their flows, for many slots or sites side by side."""

from typing import Any

import numpy as np

from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot
from luna.energy.timeline import FloatArray
from services.planner.settlement_loop import (
    BatteryValues,
    FlowValues,
    SetPointValues,
    SlotInputs,
    settle_slots,
)


def settle(
    setpoint: SetPoint, stored_kwh: FloatArray, actuals: SlotActuals, *, limits: SiteLimits
) -> tuple[SetPoint, Flows]:
    """Return set-points after ``clamp``, and their flows by ``simulate_slot``.

    For one battery without an inverter of its own both run as one compiled loop. Source:
    docs/decisions/0113.

    Args:
        setpoint: as ``clamp`` takes it.
        stored_kwh: at the start of each slot, ``(batteries, slots)``; instead of slots of one site
            these may be sites in one slot.
        actuals: arrays of shape ``(slots,)``.
        limits: of the same site or sites.
    """
    if len(stored_kwh) == 1 and limits.inverters is None:
        return settle_one_battery(setpoint, stored_kwh, actuals, limits)
    safe = clamp(setpoint, stored_kwh, limits)
    return safe, simulate_slot(safe, stored_kwh, actuals, limits=limits)


def settle_one_battery(
    setpoint: SetPoint, stored_kwh: FloatArray, actuals: SlotActuals, limits: SiteLimits
) -> tuple[SetPoint, Flows]:
    """Return safe set-points and their flows by the compiled loop."""
    count = stored_kwh.shape[1]
    slots = SlotInputs(
        import_limit_kw=_fill_column(limits.import_limit_kw, count),
        export_limit_kw=_fill_column(limits.export_limit_kw, count),
        curtailable=_fill_column(limits.curtailable, count),
        stored_kwh=_fill_column(stored_kwh, count),
        load_kwh=_fill_column(actuals.load_kwh, count),
        pv_kwh=_fill_column(actuals.pv_kwh, count),
        hours=_fill_column(actuals.hours, count),
    )
    safe = SetPointValues(*np.empty((len(SetPointValues._fields), count)))
    flows = FlowValues(*np.empty((len(FlowValues._fields), count)))
    settle_slots(
        tuple(_list_batteries(limits.batteries, count)),
        tuple(_list_setpoints(setpoint, count)),
        tuple(slots),
        (tuple(safe), tuple(flows)),
    )
    clamped = SetPoint(
        mode=safe.mode[None].astype(np.int8),
        power_kw=safe.power_kw[None],
        target_soc=safe.target_soc[None],
        floor_soc=safe.floor_soc[None],
        ceiling_soc=safe.ceiling_soc[None],
        spill_soc=safe.spill_soc[None],
        curtailment=safe.curtailment.astype(np.int8),
        pv_limit_kw=safe.pv_limit_kw,
    )
    return clamped, Flows(
        charge_kwh=flows.charge_kwh[None],
        discharge_kwh=flows.discharge_kwh[None],
        stored_kwh=flows.stored_kwh[None],
        import_kwh=flows.import_kwh,
        export_kwh=flows.export_kwh,
        curtailed_kwh=flows.curtailed_kwh,
        excess_kwh=flows.excess_kwh,
    )


def load_kernels() -> None:
    """Load the compiled loop, or compile it the first time."""
    batteries = tuple(np.zeros((len(BatteryValues._fields), 1)))
    requested = tuple(np.zeros((len(SetPointValues._fields), 1)))
    slots = tuple(np.zeros((len(SlotInputs._fields), 1)))
    safe = tuple(np.zeros((len(SetPointValues._fields), 1)))
    flows = tuple(np.zeros((len(FlowValues._fields), 1)))
    settle_slots(batteries, requested, slots, (safe, flows))


def _list_batteries(battery: BatteryLimits, count: int) -> BatteryValues[FloatArray]:
    return BatteryValues(
        capacity_kwh=_fill_column(battery.capacity_kwh, count),
        min_soc=_fill_column(battery.min_soc, count),
        max_soc=_fill_column(battery.max_soc, count),
        charge_limit_kw=_fill_column(battery.charge_limit_kw, count),
        discharge_limit_kw=_fill_column(battery.discharge_limit_kw, count),
        charge_efficiency=_fill_column(battery.charge_efficiency, count),
        discharge_efficiency=_fill_column(battery.discharge_efficiency, count),
        min_charge_kw=_fill_column(battery.min_charge_kw, count),
        taper_from_soc=_fill_column(battery.taper_from_soc, count),
        taper_to_share=_fill_column(battery.taper_to_share, count),
        charge_from_grid=_fill_column(battery.charge_from_grid, count),
        discharge_to_grid=_fill_column(battery.discharge_to_grid, count),
    )


def _list_setpoints(setpoint: SetPoint, count: int) -> SetPointValues[FloatArray]:
    return SetPointValues(
        mode=_fill_column(setpoint.mode, count),
        power_kw=_fill_column(setpoint.power_kw, count),
        target_soc=_fill_column(setpoint.target_soc, count),
        floor_soc=_fill_column(setpoint.floor_soc, count),
        ceiling_soc=_fill_column(setpoint.ceiling_soc, count),
        spill_soc=_fill_column(setpoint.spill_soc, count),
        curtailment=_fill_column(setpoint.curtailment, count),
        pv_limit_kw=_fill_column(setpoint.pv_limit_kw, count),
    )


def _fill_column(values: Any, count: int) -> FloatArray:
    """Return a column of values ``(count,)`` or ``(1, count)``, or of one value for all."""
    column = np.empty(count)
    column[:] = values
    return column
