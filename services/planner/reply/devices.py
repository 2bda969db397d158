"""Flexible loads of a plan in the reply's form."""

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
from services.planner.reply.notes import name_compromise
from services.planner.reply.slot_flows import NOTHING_KWH, find_peak_limit, find_peak_price

# A price below zero by less is shown as nothing.
_SAME_PRICE = 1e-4


def placed_columns(placement: LoadSchedule) -> dict[str, dict[str, Columns]]:
    """Return flexible loads, by section and name, as columns of ``luna.contracts.plan.columns``."""
    columns: dict[str, dict[str, Columns]] = {kind.section: {} for kind in PLANNED_KINDS}
    for each in placement.loads:
        columns[each.demand.section][each.demand.name] = each.columns()
    return columns


def tell_placed(plan: Plan) -> Iterator[tuple[str, str, Columns]]:
    """Yield section, name and reasons of everything placed that has some."""
    if plan.placement is None or not plan.placement.loads:
        return
    reasons = DeviceReasons(_view_prices(plan), plan.problem.at_tariff_prices.outlook)
    for each in plan.placement.loads:
        if explained := each.explain(reasons):
            yield each.demand.section, each.demand.name, explained


def _view_prices(plan: Plan) -> PriceView:
    """Return the prices of a plan's slots for further use: marginal price, and room under the peak."""
    tariff, flows = plan.problem.at_tariff_prices.outlook, plan.flows
    importing, exporting = flows.import_kwh > NOTHING_KWH, flows.export_kwh > NOTHING_KWH
    spilled = flows.curtailed_kwh > NOTHING_KWH
    between = _balanced_price(plan)
    marginal = np.where(importing, tariff.import_price, np.where(spilled, 0.0, np.where(exporting, tariff.export_price, between)))
    supplied_kwh = flows.discharge_kwh.sum(axis=0) + (0.0 if plan.placement is None else plan.placement.give_kwh)
    costs = tariff.export_price < -_SAME_PRICE
    sells = ~spilled & ~costs & (plan.problem.export_limit_kwh > flows.export_kwh + NOTHING_KWH)
    peak = find_peak_limit(plan)
    interval_hours = max((each.interval_minutes for each in plan.problem.site.tariff.peaks), default=0) / 60
    room = np.where(np.isfinite(peak), peak - flows.import_kwh, np.inf)
    return PriceView(
        marginal,
        importing | spilled | exporting,
        ~importing & (supplied_kwh <= NOTHING_KWH),
        np.where(sells, tariff.export_price, np.nan),
        np.where(costs, -tariff.export_price, np.nan),
        np.where(spilled, flows.curtailed_kwh, np.nan),
        room,
        peak,
        find_peak_price(plan),
        interval_hours,
    )


def _balanced_price(plan: Plan) -> FloatArray:
    """Return what a kWh more costs where the meter stands still: what the battery would have to give up for it."""
    tariff = plan.problem.at_tariff_prices.outlook
    if not plan.problem.site.batteries:
        return tariff.import_price
    worth = plan.energy_value[0] / plan.problem.site.batteries[0].discharge_efficiency
    # A battery outside its limits has no value of its own.
    worth = np.where(np.isfinite(worth), worth, tariff.import_price)
    return np.asarray(np.clip(worth, np.minimum(tariff.export_price, tariff.import_price), tariff.import_price))


def missed_demands(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return the missed demands of flexible loads; missing energy at the horizon's dearest import price."""
    if plan.placement is None:
        return []
    zone, timeline = ZoneInfo(plan.problem.site.timezone), plan.problem.outlook.timeline
    dearest, language = max(float(plan.problem.at_tariff_prices.outlook.import_price.max()), 0.0), request.options.language
    missed = [each for placed in plan.placement.loads for each in placed.missed(timeline, zone)]
    return [name_compromise(each.code, language, cost=each.missing_kwh * dearest, **each.figures) for each in missed]
