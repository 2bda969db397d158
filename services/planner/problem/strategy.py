"""Apply the rules of a site's strategy: vacations, outages, prices and weather set parameters.

The parameters are a plan's reserves and options, never a battery's actions. Each rule takes a
request and returns it changed, with the parameters it set.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import AppliedRule, Reserve
from luna.contracts.plan import OutlookMessage, PlanRequest
from luna.energy.site import SafetyIndex, Site
from luna.energy.timeline import FloatArray, floor_to, local_midnight
from luna.words.notes import Rule, say_rule
from luna.words.numbers import Numbers

DAY = timedelta(days=1)
# Fewer days say little about extremes.
LEAST_DAYS = 10
# The declaration of a resting load: no daily energy, no comfort, no longest rest, no extra energy.
_RESTING = {
    "energy_kwh_per_day": 0.0,
    "comfort": [],
    "max_gap_hours": 168.0,
    "extra_value": None,
    "most_kwh_per_day": None,
}
_MOMENT = timedelta(minutes=1)
Outcome = tuple[PlanRequest, list[AppliedRule]]


def apply_strategy(request: PlanRequest) -> Outcome:
    """Return the request as changed by its site's rules, and the parameters that they set.

    Not to be applied twice.
    """
    site = request.site
    outlook = request.outlook
    if site is None or site.strategy is None or outlook is None or request.start is None:
        return request, []
    applied: list[AppliedRule] = []
    for rule in (_vacation, _outage, _price_extremes, _safety_index):
        request, applied_by_rule = rule(request, site, outlook)
        applied += applied_by_rule
    return request, applied


def _vacation(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.vacation if site.strategy else None
    if rule is None or not request.surroundings.vacation:
        return request, []
    first, end = _span(request, outlook)
    why = _why("vacation", request, site)
    applied = [
        AppliedRule(rule="vacation", parameter="reserve_soc", value=rule.reserve_soc, why=why)
    ]
    loads = []
    for load in site.loads:
        if load.name not in rule.loads_off:
            loads.append(load)
            continue
        loads.append(load.model_copy(update=_RESTING))
        parameter = f"loads.{load.name}.energy_kwh_per_day"
        applied.append(AppliedRule(rule="vacation", parameter=parameter, value=0.0, why=why))
    reserve = Reserve(from_=first, to=end, soc=rule.reserve_soc)
    update = {
        "site": site.model_copy(update={"loads": loads}),
        "reserves": [*request.reserves, reserve],
    }
    return request.model_copy(update=update), applied


def _outage(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.outage if site.strategy else None
    if rule is None:
        return request, []
    first, end = _span(request, outlook)
    reserves = []
    applied = []
    for warning in request.surroundings.warnings:
        if warning.from_ >= end or warning.to <= first:
            continue
        reserves.append(Reserve(from_=warning.from_, to=warning.to, soc=rule.reserve_soc))
        why = _why("outage", request, site, first=warning.from_, last=warning.to)
        applied.append(
            AppliedRule(rule="outage", parameter="reserve_soc", value=rule.reserve_soc, why=why)
        )
    if not reserves:
        return request, []
    return request.model_copy(update={"reserves": [*request.reserves, *reserves]}), applied


def _price_extremes(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.price_extremes if site.strategy else None
    past = request.surroundings
    days = len(past.past_levels)
    if rule is None or request.options.uncertainty == "point":
        return request, []
    if min(days, len(past.past_spreads)) < LEAST_DAYS:
        return request, []
    low, high = np.quantile(past.past_levels, [1 - rule.quantile, rule.quantile])
    widest = np.quantile(past.past_spreads, rule.quantile)
    prices_by_day = split_days(np.array(outlook.import_price), request.step)
    first_extreme = None
    for day, price in enumerate(prices_by_day):
        if not low <= price.mean() <= high or np.ptp(price) > widest:
            first_extreme = day
            break
    if first_extreme is None:
        return request, []
    start, _ = _span(request, outlook)
    why = _why(
        "price_extremes",
        request,
        site,
        first=start + first_extreme * DAY,
        share=rule.quantile,
        days=days,
    )
    options = request.options.model_copy(update={"risk": rule.risk})
    applied = AppliedRule(rule="price_extremes", parameter="options.risk", value=rule.risk, why=why)
    return request.model_copy(update={"options": options}), [applied]


def _safety_index(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.s_index if site.strategy else None
    if rule is None or not site.batteries:
        return request, []
    load = split_days(np.array(outlook.load_kwh), request.step)
    pv = split_days(np.array(outlook.pv_kwh), request.step)
    temperature_c = request.surroundings.temperature_c
    factor, deficit, cold = safety_factor(rule, load, pv, temperature_c=temperature_c)
    soc = margin_soc(site, factor, load, pv)
    reserves = margin_reserves(site, soc, _span(request, outlook))
    if not reserves:
        return request, []
    figures = {"factor": factor, "share": deficit}
    if temperature_c is not None:
        figures["cold"] = cold
    why = _why("s_index", request, site, **figures)
    applied = [
        AppliedRule(rule="s_index", parameter=f"midnight.{name}.soc", value=share, why=why)
        for name, share in soc.items()
    ]
    return request.model_copy(update={"reserves": [*request.reserves, *reserves]}), applied


def safety_factor(
    rule: SafetyIndex,
    load_kwh: list[FloatArray],
    pv_kwh: list[FloatArray],
    *,
    temperature_c: float | None,
) -> tuple[float, float, float]:
    """Return the S-index and its parts: the PV deficit and the cold.

    factor = base + pv_deficit_weight × mean over days of max(0, (load − PV) / load) +
    temperature_weight × (warm − temperature) / (warm − cold), the last within 0 and 1, the whole
    within 1 and ``most_factor``. An unknown temperature adds nothing.

    Args:
        rule: with the weights.
        load_kwh: expected load, a series for each day.
        pv_kwh: expected PV, in the same way.
        temperature_c: mean of the days ahead.
    """
    deficits = []
    for day_load, day_pv in zip(load_kwh, pv_kwh, strict=True):
        load = float(day_load.sum())
        pv = float(day_pv.sum())
        deficits.append(max(load - pv, 0.0) / load if load > 0 else 0.0)
    deficit = float(np.mean(deficits))
    cold = 0.0
    if temperature_c is not None:
        span_c = max(rule.warm_c - rule.cold_c, 1.0)
        cold = float(np.clip((rule.warm_c - temperature_c) / span_c, 0.0, 1.0))
    factor = rule.base_factor + rule.pv_deficit_weight * deficit + rule.temperature_weight * cold
    return float(np.clip(factor, 1.0, rule.most_factor)), deficit, cold


def margin_soc(
    site: Site, factor: float, load_kwh: list[FloatArray], pv_kwh: list[FloatArray]
) -> dict[str, float]:
    """Return the state of charge that each battery should have at the end of a day.

    It covers the energy that a day may need beyond the expected deficit, shared by usable capacity.
    """
    deficit_kwh = 0.0
    for load, pv in zip(load_kwh, pv_kwh, strict=True):
        deficit_kwh += float(np.maximum(load - pv, 0.0).sum())
    mean_deficit_kwh = deficit_kwh / len(load_kwh)
    usable_kwh = sum(
        (battery.max_soc - battery.min_soc) * battery.capacity_kwh for battery in site.batteries
    )
    share = min((factor - 1.0) * mean_deficit_kwh / usable_kwh, 1.0)
    socs = {}
    for battery in site.batteries:
        soc = battery.min_soc + share * (battery.max_soc - battery.min_soc)
        socs[battery.name] = round(soc, 6)
    return socs


def margin_reserves(
    site: Site, soc: Mapping[str, float], span: tuple[datetime, datetime]
) -> list[Reserve]:
    """Return the batteries' reserves at each local midnight within a span.

    Reserves are at a clock time, since that comes nearer; a horizon never does.
    """
    zone = ZoneInfo(site.timezone)
    begin, end = span
    reserves = []
    day = begin.astimezone(zone).date() + DAY
    midnight = local_midnight(day, zone)
    while midnight <= end:
        for name, share in soc.items():
            reserve = Reserve(from_=midnight, to=midnight + _MOMENT, soc=share, battery=name)
            reserves.append(reserve)
        day += DAY
        midnight = local_midnight(day, zone)
    return reserves


def split_days(series: FloatArray, step: timedelta) -> list[FloatArray]:
    """Return a series by days of 24 hours; a rest joins the last whole day."""
    per_day = DAY // step
    whole_days = max(series.size // per_day, 1)
    return np.split(series, [per_day * day for day in range(1, whole_days)])


def _span(request: PlanRequest, outlook: OutlookMessage) -> tuple[datetime, datetime]:
    """Return the start and the end of a plan."""
    assert request.start is not None  # noqa: S101  # checked by apply_strategy
    first = request.start
    if request.first_slot_minutes is not None:
        first = floor_to(request.start, request.step)
    return request.start, first + len(outlook.load_kwh) * request.step


def _why(rule: Rule, request: PlanRequest, site: Site, **figures: float | datetime) -> str:
    numbers = Numbers(request.options.language, ZoneInfo(site.timezone), site.currency)
    return say_rule(rule, numbers, **figures)
