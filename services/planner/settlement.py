"""Safe set-points and their flows, for many slots or sites side by side."""

from collections.abc import Sequence

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
    slots = SlotInputs(*np.empty((len(SlotInputs._fields), count)))
    slots.import_limit_kw[:] = limits.import_limit_kw
    slots.export_limit_kw[:] = limits.export_limit_kw
    slots.curtailable[:] = limits.curtailable
    slots.stored_kwh[:] = stored_kwh
    slots.load_kwh[:] = actuals.load_kwh
    slots.pv_kwh[:] = actuals.pv_kwh
    slots.hours[:] = actuals.hours
    safe = SetPointValues(*np.empty((len(SetPointValues._fields), count)))
    flows = FlowValues(*np.empty((len(FlowValues._fields), count)))
    settle_slots(
        _fill_columns(limits.batteries, BatteryValues._fields, count),
        _fill_columns(setpoint, SetPointValues._fields, count),
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


def _fill_columns(
    source: BatteryLimits | SetPoint, names: Sequence[str], count: int
) -> tuple[FloatArray, ...]:
    """Return these fields as columns ``(count,)``; one value counts for all slots."""
    columns = np.empty((len(names), count))
    for place, name in enumerate(names):
        columns[place] = getattr(source, name)
    return tuple(columns)
