"""Vehicles and appliances of a plan in the words of the outward interface: what each slot gives them, and what they miss."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply, PlanRequest
from luna.timeline import FloatArray, Timeline
from luna.wording import Language
from services.planner.answer.appliance_reply import appliance_flows, missed_appliances
from services.planner.answer.compromise import name_compromise
from services.planner.answer.heat_reply import heat_flows, missed_comfort
from services.planner.placing.wishes import VehicleWish
from services.planner.plan import Plan

_NOTHING_KWH = 1e-4
Fields = dict[str, Any]


def placed_kwh(plan: Plan) -> FloatArray:
    """Return what vehicles and appliances use per slot, less what vehicles give, shape ``(slots,)``."""
    return np.zeros(plan.problem.outlook.timeline.count) if plan.placement is None else plan.placement.placed_kwh


def placed_flows(plan: Plan) -> list[Fields]:
    """Return the fields ``vehicles`` and ``loads`` of every slot."""
    slots: list[Fields] = [{"vehicles": {}, "loads": {}, "heat_pumps": {}} for _ in range(plan.problem.outlook.timeline.count)]
    if plan.placement is None:
        return slots
    wishes = plan.placement.wishes
    for wish, charge, give in zip(wishes.vehicles, plan.placement.vehicle_kwh, plan.placement.vehicle_give_kwh, strict=True):
        for into, flow in zip(slots, _vehicle_flows(wish, charge, give), strict=True):
            into["vehicles"][wish.vehicle.name] = flow
    for name, flows in appliance_flows(plan.placement).items():
        for into, flow in zip(slots, flows, strict=True):
            into["loads"][name] = flow
    for name, flows in heat_flows(plan.placement).items():
        for into, flow in zip(slots, flows, strict=True):
            into["heat_pumps"][name] = flow
    return slots


def _vehicle_flows(wish: VehicleWish, charge_kwh: FloatArray, give_kwh: FloatArray) -> list[Fields]:
    soc = wish.stored_after(charge_kwh, give_kwh) / wish.vehicle.capacity_kwh
    energies = (np.round(each, 6).tolist() for each in (charge_kwh, give_kwh))
    power = charge_kwh / np.maximum(wish.plugged_hours, _NOTHING_KWH)
    phases = [wish.vehicle.charger.phases_at(each) if wish.vehicle.charger and each > 0 else None for each in power.tolist()]
    columns = zip(*energies, np.round(soc, 9).tolist(), phases, strict=True)
    return [{"charge_kwh": charge, "discharge_kwh": give, "soc_end": end, "phases": count} for charge, give, end, count in columns]


def missed_wishes(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return what vehicles and appliances lack; the missing energy at the horizon's dearest import price."""
    language = request.options.language
    included = [name_compromise("load_included", language, name=name) for name in (request.outlook.load_includes if request.outlook else [])]
    if plan.placement is None:
        return included
    wishes, placement = plan.placement.wishes, plan.placement
    dearest = max(float(plan.problem.paid.outlook.import_price.max()), 0.0)
    missed = included + [
        each
        for wish, missing in zip(wishes.vehicles, placement.vehicle_missing_kwh, strict=True)
        for each in _missed_departures(wish, missing, (dearest, language), zone=plan.problem.site.timezone)
    ]
    zone, timeline = ZoneInfo(plan.problem.site.timezone), plan.problem.outlook.timeline
    for wish, charge, give in zip(wishes.vehicles, placement.vehicle_kwh, placement.vehicle_give_kwh, strict=True):
        missed += _missed_minimum(wish, wish.lack_least(charge, give), (dearest, language), zone=zone, timeline=timeline)
    missed += missed_appliances(placement, (dearest, language), zone=zone)
    return [*missed, *missed_comfort(placement, timeline, (dearest, language), zone=zone)]


def _missed_minimum(
    wish: VehicleWish, lacking_kwh: FloatArray, told: tuple[float, Language], *, zone: ZoneInfo, timeline: Timeline
) -> Iterator[CompromiseReply]:
    """Yield what each stay lacks of its minimum; of what is pinned its block tells."""
    (dearest, language), begins = told, list(timeline)
    lacking = np.where(wish.pinned, 0.0, lacking_kwh)
    least_kw = np.where(wish.pinned, 0.0, wish.least_charge_kwh / np.maximum(wish.plugged_hours, _NOTHING_KWH))
    for stay in wish.stays:
        missing = float(lacking[stay.first : stay.end].sum())
        if missing > _NOTHING_KWH:
            span = {"first": begins[stay.first].astimezone(zone), "last": stay.until.astimezone(zone)}
            figures = {"name": wish.vehicle.name, "kw": float(least_kw[stay.first : stay.end].max()), "kwh": missing} | span
            yield name_compromise("vehicle_minimum", language, cost=missing * dearest, **figures)


def _missed_departures(wish: VehicleWish, missing_kwh: FloatArray, told: tuple[float, Language], *, zone: str) -> Iterator[CompromiseReply]:
    dearest, language = told
    for stay, missing in zip(wish.stays, missing_kwh.tolist(), strict=True):
        if missing > _NOTHING_KWH:
            figures = {"name": wish.vehicle.name, "wanted": stay.target_soc, "by": stay.until.astimezone(ZoneInfo(zone))}
            cost = missing / wish.vehicle.charge_efficiency * dearest
            yield name_compromise("vehicle", language, cost=cost, missing=missing / wish.vehicle.capacity_kwh, **figures)
