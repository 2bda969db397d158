"""Columns of the timeline from the slots of plans: powers, state of charge, decisions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from luna.energy.devices import FLOW_KINDS
from luna.energy.devices.battery import Battery
from luna.energy.site import Site
from luna.energy.timeline import FloatArray
from luna.words import Numbers
from luna.words.retold_reasons import retell_limits, retell_reason
from services.api.timeline.document import Decisions
from services.api.timeline.plan_parts import PlanPart

Column = list[Any]


def power(
    parts: Sequence[PlanPart | None],
    energy: str,
    *,
    kind: str | None = None,
    device: str | None = None,
) -> FloatArray:
    """Return the mean power of each slot in kW, NaN without a plan.

    It is that of the slot's field ``energy`` (kWh), or of one or all devices of a ``kind``.
    """
    powers = []
    for part in parts:
        mean_kw = np.nan
        if part and part.slots:
            energies = [_energy_of(slot, energy, kind, device) for slot in part.slots]
            if None not in energies:
                mean_kw = sum(energies) / part.hours
        powers.append(mean_kw)
    return np.array(powers, dtype=np.float64)


def _energy_of(slot: dict[str, Any], energy: str, kind: str | None, device: str | None) -> Any:
    if kind is None:
        return slot.get(energy)
    flows = slot.get(kind, {})
    if device is None:
        return sum(flow.get(energy, 0.0) for flow in flows.values())
    return flows.get(device, {}).get(energy)


def ends(parts: Sequence[PlanPart | None], kind: str, device: str) -> FloatArray:
    """Return a device's state of charge at the end of each slot, NaN without a plan."""
    return _last_values(parts, kind, device, "soc_end")


def _last_values(
    parts: Sequence[PlanPart | None], kind: str, device: str, field: str
) -> FloatArray:
    """Return a field of a device's flow at the end of each slot, NaN where it is missing."""
    values = []
    for part in parts:
        flow = part.last.get(kind, {}).get(device, {}) if part else {}
        values.append(flow.get(field))
    return np.array(values, dtype=np.float64)


def mean_soc(parts: Sequence[PlanPart | None], site: Site) -> FloatArray:
    """Return the state of charge of all batteries at the end of each slot, by capacity.

    NaN without a plan or battery.
    """
    if not site.batteries:
        return np.full(len(parts), np.nan)
    socs = [ends(parts, "batteries", battery.name) for battery in site.batteries]
    weights = [battery.capacity_kwh for battery in site.batteries]
    return np.average(socs, axis=0, weights=weights)


def target_soc(parts: Sequence[PlanPart | None], site: Site) -> FloatArray:
    """Return the target state of charge of all batteries, weighted by capacity.

    It is that of charging from or discharging to the grid; NaN in slots without either.

    Of several batteries, those without a target in a slot count with their state of charge at its
    end.
    """
    if not site.batteries:
        return np.full(len(parts), np.nan)
    targets = []
    levels = []
    for battery in site.batteries:
        targets.append(_last_values(parts, "batteries", battery.name, "target_soc"))
        levels.append(_last_values(parts, "batteries", battery.name, "soc_end"))
    lacks_target = np.isnan(targets)
    aimed = np.where(lacks_target, levels, targets)
    weights = [battery.capacity_kwh for battery in site.batteries]
    together = np.average(aimed, axis=0, weights=weights)
    return np.where(lacks_target.all(axis=0), np.nan, together)


def planned_flows(parts: Sequence[PlanPart | None]) -> dict[str, FloatArray]:
    """Return the planned mean powers of each slot in kW.

    ``pv_kw`` is before curtailment, ``curtailed_kw`` the part of it that is curtailed.
    """
    names = ("load", "pv", "curtailed", "import", "export")
    flows = {f"{name}_kw": power(parts, f"{name}_kwh") for name in names}
    for kind in FLOW_KINDS:
        for energy, column in kind.plan.flows.items():
            flows[column] = power(parts, energy, kind=kind.section)
    return flows


def bands(parts: Sequence[PlanPart | None]) -> dict[str, FloatArray]:
    """Return the P10 and P90 of forecast load and PV in kW.

    NaN where a plan's forecast has none.
    """
    names = ("load_p10", "load_p90", "pv_p10", "pv_p90")
    return {f"{name}_kw": power(parts, f"{name}_kwh") for name in names}


def device_columns(parts: Sequence[PlanPart | None], site: Site) -> list[dict[str, Any]]:
    """Return the planned power of every device in kW, negative when it discharges.

    Devices that store energy have their state of charge as well.
    """
    columns: list[dict[str, Any]] = []
    for kind in FLOW_KINDS:
        for device in kind.of(site):
            name = device.name
            inflow, *outflows = [
                power(parts, energy, kind=kind.section, device=name) for energy in kind.plan.flows
            ]
            power_kw = inflow - sum(outflows)
            column = {"name": name, "kind": kind.section, "power_kw": power_kw}
            if kind.capacity_kwh:
                column["capacity_kwh"] = kind.capacity_kwh(device)
                column["soc"] = ends(parts, kind.section, name)
            columns.append(column)
    return columns


def decisions(
    parts: Sequence[PlanPart | None], starts: Iterable[datetime], site: Site, numbers: Numbers
) -> dict[str, Column]:
    """Return the decision of each slot with its reason, None without a plan.

    Sentences in the reader's language.
    """
    rows: list[dict[str, Any] | None] = []
    for part, start in zip(parts, starts, strict=True):
        rows.append(None if part is None else _describe_decision(part, start, site, numbers))
    # ``decided_by`` does not come from plans; build_timeline adds it.
    columns: dict[str, Column] = {}
    for name in Decisions.model_fields:
        if name != "decided_by":
            columns[name] = [None if row is None else row[name] for row in rows]
    return columns


def _describe_decision(
    part: PlanPart, start: datetime, site: Site, numbers: Numbers
) -> dict[str, Any]:
    slot = part.first
    reason = slot["reason"]
    complete = {"short": "", "figures": {}} | reason
    energy_value = reason.get("energy_value")
    battery = _find_battery(site, reason.get("device"))
    keep_from, keep_to = _worth_keeping(energy_value, battery)
    return {
        "plan_id": part.plan_id,
        "mode": slot["mode"],
        "code": reason["code"],
        "text": retell_reason(complete, start, numbers),
        "short": retell_reason(complete, start, numbers, short=True),
        "energy_value": energy_value,
        "keep_from_price": keep_from,
        "keep_to_price": keep_to,
        "cost_of_opposite": reason.get("cost_of_opposite"),
        "binding": retell_limits(reason.get("binding", []), numbers),
        "price_rank": reason.get("price_rank"),
        "price_count": reason.get("price_count"),
        "manual": slot.get("manual", []),
        "figures": complete["figures"],
    }


def _find_battery(site: Site, name: str | None) -> Battery | None:
    """Return the battery of that name, else the first one, if any."""
    for battery in site.batteries:
        if battery.name == name:
            return battery
    return site.batteries[0] if site.batteries else None


def _worth_keeping(
    value: float | None, battery: Battery | None
) -> tuple[float | None, float | None]:
    """Return the break-even prices of stored energy for buying and for discharging.

    Buying pays below the first, discharging above the second.

    Source: docs/decisions/0004, the break-even prices of ``luna.energy.economics.costs.break_even``
    solved for the price.
    """
    if value is None or battery is None:
        return None, None
    buy_below = value * battery.charge_efficiency - battery.wear_price
    discharge_above = value / battery.discharge_efficiency + battery.wear_price
    return buy_below, discharge_above
