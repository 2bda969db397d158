"""What a plan does with vehicles, appliances and heat pumps, in the words of the outward interface."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply, PlanRequest
from luna.contracts.plan.columns import Columns
from luna.energy.devices import DeferrableLoad
from luna.energy.timeline import FloatArray, Timeline
from luna.words import Language
from services.planner.dp.plan import Plan
from services.planner.problem.demands import CycleDemand, HeatDemand, LoadDemand
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.problem.vehicle_demand import VehicleDemand
from services.planner.reply.compromises import name_compromise

_NOTHING_KWH = 1e-4
# Of a departure's target: less shows as 0.0 %, and a charger's least power is dearer than what it would bring.
_NOTHING_SOC = 5e-4


def missed_appliances(placement: LoadSchedule, told: tuple[float, Language], *, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    """Yield what appliances and programmes lack; missing energy at the dearest price, in a language (``told``)."""
    for demand, missing, too_long in zip(placement.demands.loads, placement.load_missing_kwh, placement.off_too_long, strict=True):
        yield from _missed_needs(demand, missing, *told)
        if too_long > _NOTHING_KWH:
            yield name_compromise("load_gap", told[1], name=demand.load.name, hours=demand.load.max_gap_hours, count=round(too_long))
    for programme, missed in zip(placement.demands.programmes, placement.programmes.missed, strict=True):
        yield from _missed_runs(programme, missed, told, zone=zone)


def _missed_needs(demand: LoadDemand, missing_kwh: FloatArray, dearest: float, language: Language) -> Iterator[CompromiseReply]:
    for need, missing in zip(demand.needs, missing_kwh.tolist(), strict=True):
        if missing > _NOTHING_KWH:
            code = "load_by" if isinstance(need.when, datetime) else "load_day"
            figures = {"name": demand.load.name, "wanted": need.need_kwh, "by": need.when, "kwh": missing} | _limits(demand.load)
            yield name_compromise(code, language, cost=missing * dearest, **figures)


def _missed_runs(demand: CycleDemand, missed: FloatArray, told: tuple[float, Language], *, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    dearest, language = told
    for run, share in zip(demand.runs, missed.tolist(), strict=True):
        if share > 0 and not run.open:
            figures = {"name": demand.load.name, "by": run.by.astimezone(zone)} | _limits(demand.load)
            yield name_compromise("load_run", language, cost=demand.energy_kwh * dearest, **figures)


def _limits(load: DeferrableLoad) -> dict[str, Any]:
    """Return what keeps an appliance from running whenever it would: the rules of ``luna.words.compromises`` that hold, with their price."""
    holding = {"allowed": load.allowed or load.forbidden, "price_limit": load.price_limit is not None, "surplus_only": load.surplus_only}
    rules = [name for name, holds in holding.items() if holds]
    return ({"rules": rules} if rules else {}) | ({} if load.price_limit is None else {"price": load.price_limit})


_NOTHING_K = 0.01


def missed_comfort(placement: LoadSchedule, timeline: Timeline, told: tuple[float, Language], *, zone: ZoneInfo) -> Iterator[CompromiseReply]:
    """Yield where a store is too cold or too warm, the lack of heat at the dearest price, and what was assumed of it, in a language (``told``)."""
    dearest, language = told
    for demand, used in zip(placement.demands.heat_pumps, placement.heat_kwh, strict=True):
        temperature = demand.temperature_c(used)
        kwh = demand.pump.store.capacity_kwh_per_k / float(demand.cop.mean())
        for code, bound, missed in (("heat_least", demand.least_c, demand.least_c - temperature), ("heat_most", demand.most_c, temperature - demand.most_c)):
            worst = int(missed.argmax())
            if missed[worst] > _NOTHING_K:
                figures = {
                    "name": demand.pump.name,
                    "wanted": float(bound[worst]),
                    "worst": list(timeline)[worst].astimezone(zone),
                    "kelvin": float(missed[worst]),
                }
                cost = float(missed[worst]) * kwh * dearest if code == "heat_least" else 0.0
                yield name_compromise(code, language, cost=cost, **figures | _start(demand, worst))
        for code, celsius in demand.assumed:
            yield name_compromise(code, language, name=demand.pump.name, celsius=celsius)


def _start(demand: HeatDemand, worst: int) -> dict[str, float]:
    outside = not demand.least_c[0] <= demand.start_c <= demand.pump.store.max_c
    return {"outside_c": demand.start_c} if outside and worst < demand.cop.size // 2 else {}


def placed_kwh(plan: Plan) -> FloatArray:
    """Return what vehicles and appliances use per slot, less what vehicles give, shape ``(slots,)``."""
    return np.zeros(plan.problem.outlook.timeline.count) if plan.placement is None else plan.placement.placed_kwh


def placed_columns(placement: LoadSchedule) -> dict[str, dict[str, Columns]]:
    """Return what vehicles, appliances with programmes, and heat pumps do, by kind and name, as columns of ``luna.contracts.plan.columns``."""
    demands = placement.demands
    cars = zip(demands.vehicles, placement.vehicle_kwh, placement.vehicle_give_kwh, strict=True)
    named = [*(demand.load.name for demand in demands.loads), *(demand.load.name for demand in demands.programmes)]
    # Rounding leaves a minus before some zeros; adding nothing takes it away.
    used = (np.round(np.concatenate([placement.load_kwh, placement.programmes.use_kwh]), 6) + 0.0).tolist()
    return {
        "vehicles": {demand.vehicle.name: _vehicle_columns(demand, charge, give) for demand, charge, give in cars},
        "loads": {name: {"energy_kwh": energies, "on": [energy > 0 for energy in energies]} for name, energies in zip(named, used, strict=True)},
        "heat_pumps": {demand.pump.name: _heat_columns(demand, used) for demand, used in zip(demands.heat_pumps, placement.heat_kwh, strict=True)},
    }


def _vehicle_columns(demand: VehicleDemand, charge_kwh: FloatArray, give_kwh: FloatArray) -> Columns:
    charger, power = demand.vehicle.charger, charge_kwh / np.maximum(demand.plugged_hours, _NOTHING_KWH)
    return {
        "charge_kwh": np.round(charge_kwh, 6).tolist(),
        "soc_end": np.round(demand.stored_after(charge_kwh, give_kwh) / demand.vehicle.capacity_kwh, 9).tolist(),
        "discharge_kwh": np.round(give_kwh, 6).tolist(),
        "phases": [charger.phases_at(each) if charger and each > 0 else None for each in power.tolist()],
    }


def _heat_columns(demand: HeatDemand, used_kwh: FloatArray) -> Columns:
    columns = {"energy_kwh": used_kwh, "heat_kwh": used_kwh * demand.cop, "temperature_c": demand.temperature_c(used_kwh)}
    rounded = {name: np.round(values, 6).tolist() for name, values in columns.items()}
    return rounded | {"on": [energy > 0 for energy in rounded["energy_kwh"]]}


def missed_demands(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return what vehicles and appliances lack; the missing energy at the horizon's dearest import price."""
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
    missed += missed_appliances(placement, (dearest, language), zone=zone)
    return [*missed, *missed_comfort(placement, timeline, (dearest, language), zone=zone)]


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
