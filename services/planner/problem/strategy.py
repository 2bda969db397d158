"""Rules of a site's strategy: what is going on sets parameters of a plan, reserves and options,
never what a battery does.

Each rule takes a request and returns it changed, with the parameters it set.
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
# Fewer days than this say little about what is extreme.
LEAST_DAYS = 10
# What a load that rests wants: nothing of a day, nothing for comfort, no longest rest, nothing
# beyond.
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
    """Return the request as its site's rules change it, and what they set.

    Not to be applied twice.
    """
    site = request.site
    outlook = request.outlook
    if site is None or site.strategy is None or outlook is None or request.start is None:
        return request, []
    applied: list[AppliedRule] = []
    for rule in (_vacation, _outage, _price_extremes, _safety_index):
        request, set_by_it = rule(request, site, outlook)
        applied += set_by_it
    return request, applied


def _vacation(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.vacation if site.strategy else None
    if rule is None or not request.surroundings.vacation:
        return request, []
    first, end = _span(request, outlook)
    why = _why("vacation", request, site)
    off = [load.name for load in site.loads if load.name in rule.loads_off]
    loads = [load.model_copy(update=_RESTING) if load.name in off else load for load in site.loads]
    reserve = Reserve(from_=first, to=end, soc=rule.reserve_soc)
    update = {
        "site": site.model_copy(update={"loads": loads}),
        "reserves": [*request.reserves, reserve],
    }
    applied = [
        AppliedRule(rule="vacation", parameter="reserve_soc", value=rule.reserve_soc, why=why)
    ]
    applied += [
        AppliedRule(
            rule="vacation", parameter=f"loads.{name}.energy_kwh_per_day", value=0.0, why=why
        )
        for name in off
    ]
    return request.model_copy(update=update), applied


def _outage(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.outage if site.strategy else None
    first, end = _span(request, outlook)
    ahead = [
        warning
        for warning in request.surroundings.warnings
        if warning.from_ < end and warning.to > first
    ]
    if rule is None or not ahead:
        return request, []
    reserves = [
        Reserve(from_=warning.from_, to=warning.to, soc=rule.reserve_soc) for warning in ahead
    ]
    applied = [
        AppliedRule(
            rule="outage",
            parameter="reserve_soc",
            value=rule.reserve_soc,
            why=_why("outage", request, site, first=warning.from_, last=warning.to),
        )
        for warning in ahead
    ]
    return request.model_copy(update={"reserves": [*request.reserves, *reserves]}), applied


def _price_extremes(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.price_extremes if site.strategy else None
    past = request.surroundings
    days = len(past.past_levels)
    if (
        rule is None
        or request.options.uncertainty == "point"
        or min(days, len(past.past_spreads)) < LEAST_DAYS
    ):
        return request, []
    prices = split_days(np.array(outlook.import_price), request.step)
    low, high = np.quantile(past.past_levels, [1 - rule.quantile, rule.quantile])
    wide = np.quantile(past.past_spreads, rule.quantile)
    extreme = [
        day
        for day, price in enumerate(prices)
        if not low <= price.mean() <= high or np.ptp(price) > wide
    ]
    if not extreme:
        return request, []
    first = _span(request, outlook)[0] + extreme[0] * DAY
    why = _why("price_extremes", request, site, first=first, share=rule.quantile, days=days)
    options = request.options.model_copy(update={"risk": rule.risk})
    return request.model_copy(update={"options": options}), [
        AppliedRule(rule="price_extremes", parameter="options.risk", value=rule.risk, why=why)
    ]


def _safety_index(request: PlanRequest, site: Site, outlook: OutlookMessage) -> Outcome:
    rule = site.strategy.s_index if site.strategy else None
    if rule is None or not site.batteries:
        return request, []
    load, pv = (
        split_days(np.array(series), request.step) for series in (outlook.load_kwh, outlook.pv_kwh)
    )
    factor, deficit, cold = safety_factor(
        rule, load, pv, temperature_c=request.surroundings.temperature_c
    )
    soc = margin_soc(site, factor, load, pv)
    reserves = margin_reserves(site, soc, _span(request, outlook))
    if not reserves:
        return request, []
    cold_figures = {} if request.surroundings.temperature_c is None else {"cold": cold}
    why = _why("s_index", request, site, factor=factor, share=deficit, **cold_figures)
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
    """Return the S-index, and what it is made of: the share of the load that the sun leaves, and
    how far the days ahead are on the way to the coldest.

    factor = base + pv_deficit_weight × mean over days of max(0, (load − PV) / load) +
    temperature_weight × (warm − temperature) / (warm − cold), the last within 0 and 1, the whole
    within 1 and ``most_factor``. An unknown temperature adds nothing.

    Args:
        rule: with the weights.
        load_kwh: expected load, a series for each day.
        pv_kwh: expected PV, in the same way.
        temperature_c: mean of the days ahead.
    """
    days = [(float(load.sum()), float(pv.sum())) for load, pv in zip(load_kwh, pv_kwh, strict=True)]
    deficit = float(np.mean([max(load - pv, 0.0) / load if load > 0 else 0.0 for load, pv in days]))
    span = max(rule.warm_c - rule.cold_c, 1.0)
    cold = (
        0.0
        if temperature_c is None
        else float(np.clip((rule.warm_c - temperature_c) / span, 0.0, 1.0))
    )
    factor = rule.base_factor + rule.pv_deficit_weight * deficit + rule.temperature_weight * cold
    return float(np.clip(factor, 1.0, rule.most_factor)), deficit, cold


def margin_soc(
    site: Site, factor: float, load_kwh: list[FloatArray], pv_kwh: list[FloatArray]
) -> dict[str, float]:
    """Return how full each battery should be at the end of a day: what a day may need beyond what
    is expected, shared by usable capacity.
    """
    short = sum(
        float(np.maximum(load - pv, 0.0).sum()) for load, pv in zip(load_kwh, pv_kwh, strict=True)
    ) / len(load_kwh)
    usable = sum(
        (battery.max_soc - battery.min_soc) * battery.capacity_kwh for battery in site.batteries
    )
    share = min((factor - 1.0) * short / usable, 1.0)
    return {
        battery.name: round(battery.min_soc + share * (battery.max_soc - battery.min_soc), 6)
        for battery in site.batteries
    }


def margin_reserves(
    site: Site, soc: Mapping[str, float], span: tuple[datetime, datetime]
) -> list[Reserve]:
    """Return what batteries should hold at each local midnight within a span: a clock time comes
    nearer, a horizon never does.
    """
    zone = ZoneInfo(site.timezone)
    midnights = []
    day = span[0].astimezone(zone).date() + DAY
    while (midnight := local_midnight(day, zone)) <= span[1]:
        midnights.append(midnight)
        day += DAY
    return [
        Reserve(from_=midnight, to=midnight + _MOMENT, soc=share, battery=name)
        for midnight in midnights
        for name, share in soc.items()
    ]


def split_days(series: FloatArray, step: timedelta) -> list[FloatArray]:
    """Return a series by days of 24 hours from its start.

    What is left beyond the last whole day counts to that.
    """
    per_day = DAY // step
    whole = max(series.size // per_day, 1)
    return np.split(series, [per_day * day for day in range(1, whole)])


def _span(request: PlanRequest, outlook: OutlookMessage) -> tuple[datetime, datetime]:
    assert request.start is not None  # noqa: S101  # the caller has looked
    first = (
        request.start
        if request.first_slot_minutes is None
        else floor_to(request.start, request.step)
    )
    return request.start, first + len(outlook.load_kwh) * request.step


def _why(rule: Rule, request: PlanRequest, site: Site, **figures: float | datetime) -> str:
    return say_rule(
        rule, Numbers(request.options.language, ZoneInfo(site.timezone), site.currency), **figures
    )
