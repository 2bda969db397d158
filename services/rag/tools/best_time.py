"""Tool: tells when a thing that is started by hand costs least, such as a washing machine."""

from datetime import timedelta
from typing import Annotated

import numpy as np
from pydantic import Field

from luna.contracts.device_runs import SlotSources, list_switched_runs
from luna.contracts.message import Message
from luna.contracts.plan import PlanReply
from luna.house.now import DeviceUse, basis_until
from luna.house.statements import state_use
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, Tool, ToolContext
from services.rag.tools.plan import find_plan, plan_source
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller

# Later is not today any more.
SOON = timedelta(hours=24)
# Less is no reason to wait, currency per kWh.
_SAME_PRICE = 0.005


class BestTimeArguments(Message):
    """Arguments: the length of the run."""

    hours: Annotated[
        float, Field(ge=0.25, le=12, description="how long it runs; usual: two hours")
    ] = 2.0


def match_best_time(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks when something is best started by hand."""
    asks_when = (
        question.has(cues.STARTED_BY_HAND)
        and question.has(cues.STARTED_BY_HAND_QUESTION)
        and not question.has(cues.WHY)
    )
    if not asks_when or question.has(cues.GOODS):
        return []
    periods = question.periods()
    if periods and all(period.ahead(question.today) is None for period in periods):
        return []
    return [MatchedCall("best_time")]


def tell_best_time(context: ToolContext, arguments: BestTimeArguments) -> Findings:
    """Tell the cheapest time of the next day by the plan, and the runs that the plan switches."""
    teller = Teller(context)
    plan = find_plan(context)
    if plan is None:
        return teller.miss("no_plan")
    slots = []
    for place, slot in enumerate(plan.slots):
        if context.now < slot.start + _step(plan) and slot.start < context.now + SOON:
            slots.append(place)
    length = max(round(timedelta(hours=arguments.hours) / _step(plan)), 1)
    if len(slots) < length:
        return teller.miss("no_plan")
    exported = np.array([slot.export_kwh for slot in plan.slots])
    price = SlotSources.of(plan).price_more(exported)[slots]
    means = np.convolve(price, np.full(length, 1 / length), mode="valid")
    best = int(np.flatnonzero(means <= means.min() + 1e-9)[0])
    if means[0] <= means[best] + _SAME_PRICE:
        best = 0
    first = plan.slots[slots[best]]
    last = plan.slots[slots[best + length - 1]]
    figures = {
        "end": teller.end("best_to", last.start + _step(plan), begin=first.start),
        "price": teller.figure("best_price", float(means[best]), "price"),
    }
    if best:
        now = teller.figure("price_now", float(means[0]), "price")
        teller.say(
            "best_time", begin=teller.moment("best_from", first.start, day=True), now=now, **figures
        )
    else:
        teller.say("best_time_now", **figures)
    switched_runs = list_switched_runs(plan, context.site, context.now)
    for number, (name, use, run) in enumerate(switched_runs, start=1):
        if run is not None:
            device_use = DeviceUse(name, use, run, basis_until(plan, run.end))
            teller.state(state_use(device_use, context.numbers), number, "load_")
    return teller.finish(sources=(plan_source(plan),))


def _step(plan: PlanReply) -> timedelta:
    return timedelta(minutes=plan.slot_minutes)


TOOL = Tool(
    "best_time",
    "When within the next day something that is started by hand, such as a washing "
    "machine, a dishwasher or an oven, costs least, and when what"
    " the plan starts itself runs.",
    BestTimeArguments,
    tell_best_time,
)
