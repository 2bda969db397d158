"""From the value of stored energy, or from planned flows, to the mode with its limits that a battery follows."""

from collections.abc import Sequence

import numpy as np

from luna.physics import IntArray, Mode, SetPoint
from luna.site import Battery
from luna.timeline import FloatArray
from services.planner.model.ways import PlannedFlows
from services.planner.value.energy_value import Thresholds

# Stored energies this close are the same.
_SAME_KWH = 1e-7


def read_modes(
    thresholds: Thresholds, stored_kwh: FloatArray, battery: Battery, *, curtailment: IntArray, pv_limit_kw: FloatArray | float = np.inf
) -> SetPoint:
    """Return what one battery follows when a slot begins with ``stored_kwh``.

    Between the thresholds, a full battery counts as storing and an empty one as serving: the mode then follows the house instead of
    flickering with the last watt-hour.

    Args:
        thresholds: of the same slots, kWh above the reserve.
        stored_kwh: at the start of each slot, kWh above the reserve, shape ``(slots,)``.
        battery: of the site.
        curtailment: how PV is held back, shape ``(slots,)``.
        pv_limit_kw: what PV may produce, where a plan lets the battery displace it.
    """
    usable_kwh = (battery.max_soc - battery.min_soc) * battery.capacity_kwh
    stores = (stored_kwh < thresholds.store_kwh - _SAME_KWH) | (thresholds.store_kwh >= usable_kwh - _SAME_KWH)
    serves = (stored_kwh > thresholds.serve_kwh + _SAME_KWH) | (thresholds.serve_kwh <= _SAME_KWH)
    mode = np.where(serves, np.where(stores, Mode.SELF_CONSUMPTION, Mode.SUPPLY), np.where(stores, Mode.SAVE, Mode.HOLD))
    charges, exports = stored_kwh < thresholds.buy_kwh - _SAME_KWH, stored_kwh > thresholds.sell_kwh + _SAME_KWH
    mode = np.where(charges, Mode.CHARGE, np.where(exports, Mode.EXPORT, mode))
    target_kwh = np.where(charges, thresholds.buy_kwh, thresholds.sell_kwh)

    def soc(level_kwh: FloatArray) -> FloatArray:
        return np.asarray(np.clip(battery.min_soc + level_kwh / battery.capacity_kwh, battery.min_soc, battery.max_soc))[None, :]

    return SetPoint(
        mode=mode.astype(np.int8)[None, :],
        power_kw=np.where(charges, battery.charge_limit_kw, battery.discharge_limit_kw)[None, :],
        target_soc=soc(target_kwh),
        floor_soc=soc(thresholds.serve_kwh),
        ceiling_soc=soc(thresholds.store_kwh),
        spill_soc=soc(thresholds.spill_kwh),
        curtailment=curtailment,
        pv_limit_kw=np.broadcast_to(np.asarray(pv_limit_kw, dtype=float), curtailment.shape),
    )


def join_batteries(parts: Sequence[SetPoint]) -> SetPoint:
    """Return the set-points of single batteries as one site's, in order; PV is held back as the first says."""
    site = {name: getattr(parts[0], name) for name in ("curtailment", "pv_limit_kw")}
    batteries = {name: np.concatenate([getattr(part, name) for part in parts]) for name in SetPoint.__slots__ if name not in site}
    return SetPoint(**batteries, **site)


def follow_flows(flows: PlannedFlows, batteries: list[Battery], *, net_load_kwh: FloatArray, pv_limit_kw: FloatArray, hours: FloatArray) -> SetPoint:
    """Return modes that make planned flows happen: every bound is the planned state of charge at the end of the slot.

    Args:
        flows: of a solved model.
        batteries: of the site.
        net_load_kwh: load minus PV in use, shape ``(slots,)``.
        pv_limit_kw: what PV may produce, shape ``(slots,)``.
        hours: length of each slot, shape ``(slots,)``.
    """
    capacity = np.array([battery.capacity_kwh for battery in batteries]).reshape(-1, 1)
    end_soc = flows.stored_kwh / capacity
    charging, discharging = flows.charge_kwh > _SAME_KWH, flows.discharge_kwh > _SAME_KWH
    bought = _beyond_house(_through_meter(flows), np.maximum(-net_load_kwh, 0.0), [battery.charge_from_grid for battery in batteries])
    sold = _beyond_house(flows.discharge_kwh, np.maximum(net_load_kwh, 0.0), [battery.discharge_to_grid for battery in batteries])
    mode = np.full(end_soc.shape, Mode.HOLD)
    mode = np.where(charging, np.where(bought > _SAME_KWH, Mode.CHARGE, Mode.SAVE), mode)
    mode = np.where(discharging, np.where(sold > _SAME_KWH, Mode.EXPORT, Mode.SUPPLY), mode)
    limit = np.array([[battery.charge_limit_kw, battery.discharge_limit_kw] for battery in batteries]).reshape(-1, 2)
    limits = np.array([[battery.min_soc, battery.max_soc] for battery in batteries]).reshape(-1, 2)
    # The safety layer knows no target outside the limits: on the way back to them, power ends the exchange.
    outside = (end_soc < limits[:, :1]) | (end_soc > limits[:, 1:])
    return SetPoint(
        mode=mode.astype(np.int8),
        power_kw=np.where(outside, (bought + sold) / hours, np.where(charging, limit[:, :1], limit[:, 1:])),
        target_soc=end_soc,
        floor_soc=end_soc,
        ceiling_soc=end_soc,
        spill_soc=end_soc,
        curtailment=np.zeros(pv_limit_kw.shape, dtype=np.int8),
        pv_limit_kw=pv_limit_kw,
    )


def _through_meter(flows: PlannedFlows) -> FloatArray:
    """Return what batteries charge, without what they take from PV on their own side of an inverter."""
    return flows.charge_kwh - flows.direct_kwh if flows.direct_kwh.size else flows.charge_kwh


def _beyond_house(energy_kwh: FloatArray, house_kwh: FloatArray, may_trade: list[bool]) -> FloatArray:
    """Return what of each battery's energy the house neither gives nor takes: it is first with those that may not trade, then in order."""
    order = np.argsort(may_trade, kind="stable")
    total = np.cumsum(energy_kwh[order], axis=0)
    beyond = np.empty_like(energy_kwh)
    beyond[order] = np.clip(total - house_kwh, 0.0, energy_kwh[order])
    return beyond
