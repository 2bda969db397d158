"""What a plan does with what it places, in the words of the outward interface."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from luna.contracts.plan import CompromiseReply, PlanRequest
from luna.contracts.plan.columns import Columns
from services.planner.devices import PLANNED_KINDS
from services.planner.devices.causes import DeviceReasons
from services.planner.dp.plan import Plan
from services.planner.problem.load_schedule import LoadSchedule
from services.planner.reply.compromises import name_compromise
from services.planner.reply.prices import view_prices


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
    reasons = DeviceReasons(view_prices(plan), plan.problem.paid.outlook)
    for each in plan.placement.loads:
        if explained := each.explain(reasons):
            yield each.demand.section, each.demand.name, explained


def missed_demands(plan: Plan, request: PlanRequest) -> list[CompromiseReply]:
    """Return what could not be held of what is placed; the missing energy at the horizon's dearest import price."""
    if plan.placement is None:
        return []
    zone, timeline = ZoneInfo(plan.problem.site.timezone), plan.problem.outlook.timeline
    dearest, language = max(float(plan.problem.paid.outlook.import_price.max()), 0.0), request.options.language
    lacking = [each for placed in plan.placement.loads for each in placed.missed(timeline, zone)]
    return [name_compromise(each.code, language, cost=each.missing_kwh * dearest, **each.figures) for each in lacking]
