"""What a plan does with what it places, in the words of the outward interface."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.plan import CompromiseReply, PlanRequest
from luna.contracts.plan.columns import Columns
from luna.energy.timeline import FloatArray
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.causes import DeviceReasons, PriceView
from services.planner.dp.plan import Plan
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.reply.compromises import name_compromise
from services.planner.reply.slot_flows import NOTHING_KWH, find_peak_limit, find_peak_price

# A price below zero by less is shown as nothing.
_SAME_PRICE = 1e-4


def placed_columns(placement: LoadSchedule) -> dict[str, dict[str, Columns]]:
    """Return what is placed, by section and name, as columns of ``luna.contracts.plan.columns``."""
    columns: dict[str, dict[str, Columns]] = {kind.section: {} for kind in PLANNED_KINDS}
    for each in placement.loads:
        columns[each.demand.section][each.demand.name] = each.columns()
    return columns


def tell_placed(plan: Plan) -> Iterator[tuple[str, str, Columns]]:
    """Yield section, name and reasons of everything placed that has some."""
    if plan.placement is None or not plan.placement.loads:
        return
    reasons = DeviceReasons(_view_prices(plan), plan.problem.paid.outlook)
    for each in plan.placement.loads:
        if explained := each.explain(reasons):
            yield each.demand.section, each.demand.name, explained


def _view_prices(plan: Plan) -> PriceView:
    """Return what the slots of a plan look like to whoever thinks of using another: what a kWh more costs in each, whether a peak is at its limit."""
    paid, flows = plan.problem.paid.outlook, plan.flows
    importing, exporting = flows.import_kwh > NOTHING_KWH, flows.export_kwh > NOTHING_KWH
    spilled = flows.curtailed_kwh > NOTHING_KWH
    between = _balanced_price(plan)
    marginal = np.where(importing, paid.import_price, np.where(spilled, 0.0, np.where(exporting, paid.export_price, between)))
    given = flows.discharge_kwh.sum(axis=0) + (0.0 if plan.placement is None else plan.placement.give_kwh)
    costs = paid.export_price < -_SAME_PRICE
    sells = ~spilled & ~costs & (plan.problem.export_limit_kwh > flows.export_kwh + NOTHING_KWH)
    peak = find_peak_limit(plan)
    interval_hours = max((each.interval_minutes for each in plan.problem.site.tariff.peaks), default=0) / 60
    room = np.where(np.isfinite(peak), peak - flows.import_kwh, np.inf)
    return PriceView(
        marginal,
        importing | spilled | exporting,
        ~importing & (given <= NOTHING_KWH),
        np.where(sells, paid.export_price, np.nan),
        np.where(costs, -paid.export_price, np.nan),
        np.where(spilled, flows.curtailed_kwh, np.nan),
        room,
        peak,
        find_peak_price(plan),
        interval_hours,
    )


def _balanced_price(plan: Plan) -> FloatArray:
    """Return what a kWh more costs where the meter stands still: what the battery would have to give up for it."""
    paid = plan.problem.paid.outlook
    if not plan.problem.site.batteries:
        return paid.import_price
    worth = plan.energy_value[0] / plan.problem.site.batteries[0].discharge_efficiency
    # A battery outside its limits has no value of its own.
    worth = np.where(np.isfinite(worth), worth, paid.import_price)
    return np.asarray(np.clip(worth, np.minimum(paid.export_price, paid.import_price), paid.import_price))


def missed_demands(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return what could not be held of what is placed; the missing energy at the horizon's dearest import price."""
    if plan.placement is None:
        return []
    zone, timeline = ZoneInfo(plan.problem.site.timezone), plan.problem.outlook.timeline
    dearest, language = max(float(plan.problem.paid.outlook.import_price.max()), 0.0), request.options.language
    lacking = [each for placed in plan.placement.loads for each in placed.missed(timeline, zone)]
    return [name_compromise(each.code, language, cost=each.missing_kwh * dearest, **each.figures) for each in lacking]
