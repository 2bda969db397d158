"""What a plan does with what it places, in the words of the outward interface."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply, PlanRequest
from luna.contracts.plan.columns import Columns
from luna.energy.timeline import FloatArray, Timeline
from luna.words import Language
from services.planner.devices import PLANNED_KINDS
from services.planner.dp.plan import Plan
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.vehicle_demand import VehicleDemand
from services.planner.reply.compromises import name_compromise

_NOTHING_KWH = 1e-4
# Of a departure's target: less shows as 0.0 %, and a charger's least power is dearer than what it would bring.
_NOTHING_SOC = 5e-4


def placed_kwh(plan: Plan) -> FloatArray:
    """Return what is used per slot by everything placed, less what vehicles give, shape ``(slots,)``."""
    return np.zeros(plan.problem.outlook.timeline.count) if plan.placement is None else plan.placement.placed_kwh


def placed_columns(placement: LoadSchedule) -> dict[str, dict[str, Columns]]:
    """Return what is placed, by section and name, as columns of ``luna.contracts.plan.columns``."""
    cars = zip(placement.demands.vehicles, placement.vehicle_kwh, placement.vehicle_give_kwh, strict=True)
    columns = {"vehicles": {demand.vehicle.name: _vehicle_columns(demand, charge, give) for demand, charge, give in cars}}
    columns |= {kind.section: {} for kind in PLANNED_KINDS}
    for each in placement.loads:
        columns[each.demand.section][each.demand.name] = each.columns()
    return columns


def _vehicle_columns(demand: VehicleDemand, charge_kwh: FloatArray, give_kwh: FloatArray) -> Columns:
    charger, power = demand.vehicle.charger, charge_kwh / np.maximum(demand.plugged_hours, _NOTHING_KWH)
    return {
        "charge_kwh": np.round(charge_kwh, 6).tolist(),
        "soc_end": np.round(demand.stored_after(charge_kwh, give_kwh) / demand.vehicle.capacity_kwh, 9).tolist(),
        "discharge_kwh": np.round(give_kwh, 6).tolist(),
        "phases": [charger.phases_at(each) if charger and each > 0 else None for each in power.tolist()],
    }


def missed_demands(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return what could not be held of what is placed; the missing energy at the horizon's dearest import price."""
    if plan.placement is None:
        return []
    language = request.options.language
    demands, placement = plan.placement.demands, plan.placement
    dearest = max(float(plan.problem.paid.outlook.import_price.max()), 0.0)
    missed = [
        each
        for demand, missing in zip(demands.vehicles, placement.vehicle_missing_kwh, strict=True)
        for each in _missed_departures(demand, missing, (dearest, language), zone=plan.problem.site.timezone)
    ]
    zone, timeline = ZoneInfo(plan.problem.site.timezone), plan.problem.outlook.timeline
    for demand, charge, give in zip(demands.vehicles, placement.vehicle_kwh, placement.vehicle_give_kwh, strict=True):
        missed += _missed_minimum(demand, demand.lack_least(charge, give), (dearest, language), zone=zone, timeline=timeline)
    lacking = [each for placed in placement.loads for each in placed.missed(timeline, zone)]
    return missed + [name_compromise(each.code, language, cost=each.missing_kwh * dearest, **each.figures) for each in lacking]


def _missed_minimum(
    demand: VehicleDemand, lacking_kwh: FloatArray, told: tuple[float, Language], *, zone: ZoneInfo, timeline: Timeline
) -> Iterator[CompromiseReply]:
    """Yield what each stay lacks of its minimum; of what is pinned its block tells."""
    (dearest, language), begins = told, list(timeline)
    lacking = np.where(demand.pinned, 0.0, lacking_kwh)
    least_kw = np.where(demand.pinned, 0.0, demand.least_charge_kwh / np.maximum(demand.plugged_hours, _NOTHING_KWH))
    for stay in demand.stays:
        missing = float(lacking[stay.first : stay.end].sum())
        if missing > _NOTHING_KWH:
            span = {"first": begins[stay.first].astimezone(zone), "last": stay.until.astimezone(zone)}
            figures = {"name": demand.vehicle.name, "kw": float(least_kw[stay.first : stay.end].max()), "kwh": missing} | span
            yield name_compromise("vehicle_minimum", language, cost=missing * dearest, **figures)


def _missed_departures(demand: VehicleDemand, missing_kwh: FloatArray, told: tuple[float, Language], *, zone: str) -> Iterator[CompromiseReply]:
    dearest, language = told
    for stay, missing in zip(demand.stays, missing_kwh.tolist(), strict=True):
        if missing > _NOTHING_SOC * demand.vehicle.capacity_kwh:
            figures = {"name": demand.vehicle.name, "wanted": stay.target_soc, "by": stay.until.astimezone(ZoneInfo(zone))}
            cost = missing / demand.vehicle.charge_efficiency * dearest
            yield name_compromise("vehicle", language, cost=cost, missing=missing / demand.vehicle.capacity_kwh, **figures)
