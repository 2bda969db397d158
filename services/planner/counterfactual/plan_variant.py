"""A stored plan planned again with something different: same forecasts, same state, same
horizon.
"""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.counterfactual import PlanVariantReply, Variant
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import BatteryState, OutlookMessage, PlanRequest, Terminal
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.site.document import change_site
from luna.words import Language, Numbers
from luna.words.alternatives import say_variant
from services.planner.counterfactual.adapted_site import scale_pv
from services.planner.counterfactual.slot_changes import compare_costs, list_changes
from services.planner.counterfactual.why_not import newly_missed
from services.planner.devices import PLANNED_KINDS
from services.planner.dp.plan import Plan
from services.planner.milp.solver import Solver
from services.planner.planner import decide
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import SitePrices
from services.planner.reply.reply import answer

# Where a battery is new: as in replays.
NEW_SOC = 0.5
Prices = Callable[[Site], SitePrices]


def plan_variant(
    inputs: PlanRequest,
    variant: Variant,
    *,
    export_kwh: float | None,
    prices: Prices,
    solver: Solver,
) -> tuple[Plan, Plan, PlanRequest]:
    """Return the plan of a request, the plan under a variant, and the request of that one.

    Args:
        inputs: what the plan was made from.
        variant: what is different.
        export_kwh: what is to be sold out of the batteries where selling pays most.
        prices: what is known of the prices of a site's tariff, asked where the variant has another.
        solver: plans both.

    Raises:
        InvalidInputError: the variant does not fit the site, or what is to be sold is more than the
            batteries can.
    """
    changed = change_request(inputs, variant, prices=prices)
    before = decide(build_problem(inputs), solver)
    if export_kwh is not None:
        blocks = sell_at_peak(decide(build_problem(changed), solver), export_kwh)
        changed = changed.model_copy(update={"manual": [*changed.manual, *blocks]})
    return before, decide(build_problem(changed), solver), changed


def change_request(inputs: PlanRequest, variant: Variant, *, prices: Prices) -> PlanRequest:
    """Return the request with what the variant changes of its site, and what follows from that for
    outlook, state and terminal rule.
    """
    site = inputs.site
    outlook = inputs.outlook
    if site is None or outlook is None:
        raise refuse("inputs-without-site", field="plan_id")
    if variant.margin is not None:
        raise refuse("margin-of-plan", field="variant.margin", value=variant.margin)
    changed = change_site(site, variant.site, field="variant.site")
    timeline = build_problem(inputs).outlook.timeline
    outlook = _scale(outlook, scale_pv(site, changed))
    options = inputs.options
    if changed.tariff != site.tariff:
        new_prices = prices(changed).ahead(timeline.start, timeline.whole())
        series = {
            "import_price": new_prices.import_price.tolist(),
            "export_price": new_prices.export_price.tolist(),
        }
        outlook = outlook.model_copy(update=series)
        if options.terminal.kind == "value":
            options = options.model_copy(update={"terminal": Terminal()})
    if isinstance(options.terminal.value, dict):
        # A new battery's value is the mean of the others'.
        given = options.terminal.value
        usual = sum(given.values()) / len(given) if given else 0.0
        values = {battery.name: given.get(battery.name, usual) for battery in changed.batteries}
        options = options.model_copy(
            update={"terminal": options.terminal.model_copy(update={"value": values})}
        )
    # Batteries keep their share, what has a habit stands as it is used to.
    usual_soc = {
        battery.name: battery.min_soc + NEW_SOC * (battery.max_soc - battery.min_soc)
        for battery in changed.batteries
    }
    states: dict[str, Any] = {
        "batteries": {
            name: inputs.state.batteries.get(name) or BatteryState(soc=soc)
            for name, soc in usual_soc.items()
        }
    }
    for kind in PLANNED_KINDS:
        before = getattr(inputs.state, kind.section)
        kept = {
            device.name: before[device.name]
            for device in getattr(changed, kind.section)
            if device.name in before
        }
        states[kind.section] = kept | dict(kind.place_by_habit(changed, variant.habits, timeline))
    update = {
        "site": changed,
        "outlook": outlook,
        "state": inputs.state.model_copy(update=states),
        "options": options,
    }
    return inputs.model_copy(update=update)


def _scale(outlook: OutlookMessage, factor: float) -> OutlookMessage:
    """Return the outlook with as much PV per kWp as was expected."""
    if factor == 1.0:
        return outlook
    names = [
        name
        for name in ("pv_kwh", "pv_p10_kwh", "pv_p90_kwh")
        if getattr(outlook, name) is not None
    ]
    scaled = {name: (np.array(getattr(outlook, name)) * factor).tolist() for name in names}
    courses = outlook.scenarios and outlook.scenarios.model_copy(
        update={"pv_kwh": outlook.scenarios.pv_kwh * factor}
    )
    return outlook.model_copy(update=scaled | {"scenarios": courses})


def sell_at_peak(plan: Plan, export_kwh: float) -> list[ManualBlock]:
    """Return the blocks in which the first battery that may sell does so, in the dearest slots
    first and equal ones early, until all is sold.

    Raises:
        InvalidInputError: no battery may sell, or not as much within the horizon.
    """
    problem = plan.problem
    seller = next((each for each in problem.site.batteries if each.discharge_to_grid), None)
    if seller is None:
        raise refuse("no-battery-sells", field="export_kwh", value=export_kwh)
    timeline = problem.outlook.timeline
    outlook = problem.outlook
    deficit = np.maximum(outlook.load_kwh - outlook.pv_kwh, 0.0)
    surplus = np.maximum(outlook.pv_kwh - outlook.load_kwh, 0.0)
    room = np.minimum(
        seller.discharge_limit_kw * timeline.hours - deficit, problem.export_limit_kwh - surplus
    )
    starts = list(timeline)
    remaining_kwh = export_kwh
    blocks = []
    for slot in np.argsort(-problem.at_tariff_prices.outlook.export_price, kind="stable").tolist():
        sold = min(float(room[slot]), remaining_kwh)
        if sold > 0:
            power = (sold + float(deficit[slot])) / float(timeline.hours[slot])
            span = {"from": starts[slot], "to": starts[slot] + timeline.step}
            blocks.append(
                ManualBlock.model_validate(
                    {"device": seller.name, "action": "discharge", "power_kw": power} | span
                )
            )
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
    """Return what the second plan costs more and where it differs."""
    start = before.problem.outlook.timeline.start
    site = before.problem.site
    reply, other = (
        answer(plan, request=request, issued_at=start)
        for plan, request in zip((before, after), requests, strict=True)
    )
    cost = compare_costs(reply, other, stored=_gain(before) - _gain(after))
    numbers = Numbers(language, ZoneInfo(site.timezone), site.currency)
    changes = list_changes(reply, other)
    return PlanVariantReply(
        plan_id=reply.plan_id,
        variant=name,
        before=reply.cost,
        after=other.cost,
        cost=cost,
        changes=changes,
        compromises=newly_missed(reply.compromises, other.compromises),
        text=say_variant(
            name, cost=cost.total, slots=len({each.start for each in changes}), numbers=numbers
        ),
        currency=site.currency,
        timezone=site.timezone,
        slot_minutes=reply.slot_minutes,
    )


def _gain(plan: Plan) -> float:
    """Return what the energy is worth that a plan gains in its batteries: a larger one begins with
    more, which is no gain.
    """
    problem = plan.problem.at_tariff_prices
    return float(
        (problem.terminal.value * (plan.flows.stored_kwh[:, -1] - problem.stored_kwh)).sum()
    )
