"""Plan a variant of a plan: same forecasts, same state, same horizon."""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import (
    BatteryState,
    OutlookMessage,
    PlanRequest,
    ScenariosMessage,
    Terminal,
)
from luna.contracts.variant import PlanVariantReply, Variant
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.document import change_site
from luna.words import Language, Numbers
from luna.words.alternatives import say_variant
from services.planner.devices import PLANNED_KINDS
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import SitePrices
from services.planner.reply.reply import answer
from services.planner.reply.slot_changes import compare_costs, list_changes, newly_missed
from services.planner.variants.adapted_site import scale_pv

# The state of charge of a new battery within its limits, as in replays.
NEW_SOC = 0.5
Prices = Callable[[Site], SitePrices]
# The fields of a plan's state that count for a tariff, by name.
Counted = Callable[[Site], Mapping[str, Mapping[str, float]]]


def plan_variant(
    inputs: PlanRequest,
    variant: Variant,
    *,
    export_kwh: float | None,
    prices: Prices,
    counted: Counted,
    solver: Solver,
) -> tuple[Plan, Plan, PlanRequest]:
    """Return a request's plan, the plan of its variant, and the variant's request.

    Args:
        inputs: the request of the plan.
        variant: the changes.
        export_kwh: energy to sell from the batteries when selling pays most.
        prices: returns the prices of a site's tariff, if the variant has another one.
        counted: returns what such a tariff's running periods had counted when the plan began.
        solver: plans both.

    Raises:
        InvalidInputError: the variant does not fit the site, or the batteries cannot sell as much.
    """
    changed = change_request(inputs, variant, prices=prices, counted=counted)
    before = decide(build_problem(inputs), solver)
    if export_kwh is not None:
        blocks = sell_at_peak(decide(build_problem(changed), solver), export_kwh)
        changed = changed.model_copy(update={"manual": [*changed.manual, *blocks]})
    return before, decide(build_problem(changed), solver), changed


def change_request(
    inputs: PlanRequest, variant: Variant, *, prices: Prices, counted: Counted
) -> PlanRequest:
    """Return the request with the variant's site, and outlook, state and terminal rule for it."""
    site = inputs.site
    outlook = inputs.outlook
    if site is None or outlook is None:
        raise refuse("stored-plan-lacks", field="plan_id", part="site")
    if variant.margin is not None:
        raise refuse("margin-of-plan", field="variant.margin", value=variant.margin)
    changed = change_site(site, variant.site, field="variant.site")
    timeline = build_problem(inputs).outlook.timeline
    outlook = _scale_pv(outlook, scale_pv(site, changed))
    options = inputs.options
    if changed.tariff != site.tariff:
        new_prices = prices(changed).ahead(timeline.start, timeline.whole())
        series: dict[str, Any] = {
            "import_price": new_prices.import_price.tolist(),
            "export_price": new_prices.export_price.tolist(),
            "scenarios": _at_expected_prices(outlook.scenarios),
        }
        outlook = outlook.model_copy(update=series)
        if options.terminal.kind == "value":
            options = options.model_copy(update={"terminal": Terminal()})
    if isinstance(options.terminal.value, dict):
        # A new battery's value is the mean of the others'.
        given = options.terminal.value
        mean = sum(given.values()) / len(given) if given else 0.0
        values = {battery.name: given.get(battery.name, mean) for battery in changed.batteries}
        terminal = options.terminal.model_copy(update={"value": values})
        options = options.model_copy(update={"terminal": terminal})
    states: dict[str, Any] = {"batteries": _list_battery_states(inputs, changed)}
    if changed.tariff != site.tariff:
        states |= counted(changed)
    for kind in PLANNED_KINDS:
        states_before = getattr(inputs.state, kind.section)
        kept = {
            device.name: states_before[device.name]
            for device in getattr(changed, kind.section)
            if device.name in states_before
        }
        states[kind.section] = kept | dict(
            kind.schedule_by_habit(changed, variant.habits, timeline)
        )
    update = {
        "site": changed,
        "outlook": outlook,
        "state": inputs.state.model_copy(update=states),
        "options": options,
    }
    return inputs.model_copy(update=update)


def _list_battery_states(inputs: PlanRequest, changed: Site) -> dict[str, BatteryState]:
    """Return the request's battery states, and those of new batteries."""
    states = {}
    for battery in changed.batteries:
        new_soc = battery.min_soc + NEW_SOC * (battery.max_soc - battery.min_soc)
        known = inputs.state.batteries.get(battery.name)
        states[battery.name] = known or BatteryState(soc=new_soc)
    return states


def _at_expected_prices(scenarios: ScenariosMessage | None) -> ScenariosMessage | None:
    """Return scenarios without prices of their own: another tariff follows other markets."""
    if scenarios is None:
        return None
    return scenarios.model_copy(update={"import_change": None, "export_change": None})


def _scale_pv(outlook: OutlookMessage, factor: float) -> OutlookMessage:
    if factor == 1.0:
        return outlook
    changes: dict[str, Any] = {"scenarios": outlook.scenarios}
    for name in ("pv_kwh", "pv_p10_kwh", "pv_p90_kwh"):
        series = getattr(outlook, name)
        if series is not None:
            changes[name] = (np.array(series) * factor).tolist()
    if outlook.scenarios:
        scaled = {"pv_kwh": outlook.scenarios.pv_kwh * factor}
        changes["scenarios"] = outlook.scenarios.model_copy(update=scaled)
    return outlook.model_copy(update=changes)


def sell_at_peak(plan: Plan, export_kwh: float) -> list[ManualBlock]:
    """Return blocks in which the first battery that may sell sells all of the energy.

    The dearest slots come first, and the earliest of equally dear ones.

    Raises:
        InvalidInputError: no battery may sell, or not as much within the horizon.
    """
    problem = plan.problem
    sellers = [battery for battery in problem.site.batteries if battery.discharge_to_grid]
    if not sellers:
        raise refuse("no-battery-sells", field="export_kwh", value=export_kwh)
    seller = sellers[0]
    outlook = problem.outlook
    timeline = outlook.timeline
    deficit = np.maximum(outlook.load_kwh - outlook.pv_kwh, 0.0)
    surplus = np.maximum(outlook.pv_kwh - outlook.load_kwh, 0.0)
    most_given = seller.discharge_limit_kw * timeline.hours
    room = np.minimum(most_given - deficit, problem.export_limit_kwh - surplus)
    export_price = problem.at_tariff_prices.outlook.export_price
    starts = list(timeline)
    remaining_kwh = export_kwh
    blocks = []
    for slot in np.argsort(-export_price, kind="stable").tolist():
        sold = min(float(room[slot]), remaining_kwh)
        if sold > 0:
            block = {
                "device": seller.name,
                "action": "discharge",
                "power_kw": (sold + float(deficit[slot])) / float(timeline.hours[slot]),
                "from": starts[slot],
                "to": starts[slot] + timeline.step,
            }
            blocks.append(ManualBlock.model_validate(block))
            remaining_kwh -= sold
    if remaining_kwh > 0:
        most = export_kwh - remaining_kwh
        raise refuse("sale-beyond", field="export_kwh", value=export_kwh, most=most)
    return blocks


def describe_variant(
    before: Plan,
    after: Plan,
    *,
    requests: tuple[PlanRequest, PlanRequest],
    name: str,
    language: Language,
) -> PlanVariantReply:
    """Return the additional cost of the second plan and the slots in which it differs."""
    start = before.problem.outlook.timeline.start
    site = before.problem.site
    request_before, request_after = requests
    reply_before = answer(before, request=request_before, issued_at=start)
    reply_after = answer(after, request=request_after, issued_at=start)
    stored = _stored_gain(before) - _stored_gain(after)
    cost = compare_costs(reply_before, reply_after, stored=stored)
    changes = list_changes(reply_before, reply_after)
    text = say_variant(
        name,
        cost=cost.total,
        slots=len({change.start for change in changes}),
        numbers=Numbers(language, ZoneInfo(site.timezone), site.currency),
    )
    return PlanVariantReply(
        plan_id=reply_before.plan_id,
        variant=name,
        before=reply_before.cost,
        after=reply_after.cost,
        cost=cost,
        changes=changes,
        compromises=newly_missed(reply_before.compromises, reply_after.compromises),
        text=text,
        currency=site.currency,
        timezone=site.timezone,
        slot_minutes=reply_before.slot_minutes,
    )


def _stored_gain(plan: Plan) -> float:
    """Return the value of the energy that a plan gains in its batteries.

    A larger battery begins with more energy, which is no gain.
    """
    problem = plan.problem.at_tariff_prices
    gained_kwh = plan.flows.stored_kwh[:, -1] - problem.stored_kwh
    return float((problem.terminal.value * gained_kwh).sum())
