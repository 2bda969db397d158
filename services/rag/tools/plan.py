"""Tool: tells the plan in force, its costs and the flows of its batteries."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import numpy as np

from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import SlotReply
from luna.contracts.price_sentences import format_price_spans
from luna.contracts.site_tools import Chart, ToolSource
from luna.energy.timeline import FloatArray, Timeline
from luna.house.now import charge_of, discharge_of
from luna.platform.database import plans
from luna.words.devices import say_device
from luna.words.price_reasons import ReasonSentence
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, PeriodArguments, Tool, ToolContext
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.reading import Column, draw
from services.rag.tools.telling import Teller

# Less in a slot is rounding, no block of its own.
LITTLE_KWH = 0.005


class PlanArguments(PeriodArguments):
    """Arguments: days of the plan; without them, all that lies ahead."""

    usual_days: ClassVar[tuple[int, int]] = (0, 14)


def find_plan(context: ToolContext) -> PlanReply | None:
    """Return the plan in force, else the one issued last if it still looks ahead."""
    latest = plans.latest(context.connection, context.site.name, now=context.now)
    if latest is None or end_of(latest) <= context.now:
        return None
    return latest


def end_of(plan: PlanReply) -> datetime:
    """Return when a plan's last slot ends."""
    return plan.slots[-1].start + timedelta(minutes=plan.slot_minutes)


def plan_source(plan: PlanReply) -> ToolSource:
    """Return where a plan is read by hand."""
    return ToolSource(
        what=f"plan {plan.plan_id} of site {plan.site}", path=f"/v1/plans/{plan.plan_id}"
    )


def match_plan(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks for the plan, of the batteries above all."""
    other_subjects = (cues.NO_PLAN, cues.ABILITY, cues.SINCE, cues.NIGHTLY)
    if any(map(question.has, other_subjects)):
        return []
    if not question.has(cues.PLAN):
        asks_battery = (
            question.has(cues.BATTERY)
            and question.has(cues.BATTERY_QUESTION)
            and question.has(cues.BATTERY_ACTION)
        )
        if not asks_battery or question.is_generic() or question.has(cues.SINCE_WHEN):
            return []
    ahead = question.periods_ahead()
    if ahead:
        return [MatchedCall("plan", ahead[0].as_arguments())]
    if question.periods(forward=True):
        # Everything that it names is over.
        return []
    return [MatchedCall("plan")]


def tell_plan(context: ToolContext, arguments: PlanArguments) -> Findings:
    """Tell the costs of the plan in force, the flows of its batteries and their charge."""
    teller = Teller(context)
    plan = find_plan(context)
    if plan is None:
        return teller.miss("no_plan")
    window = arguments.period(context.today).timeline(context.zone)
    length = timedelta(minutes=plan.slot_minutes)
    coming = [slot for slot in plan.slots if slot.start + length > context.now]
    slots = [
        slot for slot in coming if slot.start < window.end and slot.start + length > window.start
    ]
    if not slots:
        return teller.miss(
            "plan_does_not_reach",
            (plan_source(plan),),
            until=teller.moment("plan_end", end_of(plan), day=True),
        )
    if len(slots) < len(coming):
        end = slots[-1].start + length
        teller.say(
            "plan_window",
            begin=teller.moment("window_from", slots[0].start, day=True),
            end=teller.end("window_to", end, begin=slots[0].start),
        )
    if not context.site.batteries and not slots[0].batteries:
        teller.say("no_battery")
    else:
        _tell_batteries(teller, slots, length)
    _tell_cost(teller, plan)
    _tell_price_versions(teller, plan)
    chart = _draw_plan(teller, slots, length)
    return teller.finish(chart=chart, sources=(plan_source(plan),))


def _tell_cost(teller: Teller, plan: PlanReply) -> None:
    total = plan.cost.total
    figures = {
        "issued": teller.moment("issued_at", plan.issued_at, day=True),
        "cost": teller.figure("plan_cost", total, "cost"),
        "end": teller.moment("plan_end", end_of(plan), day=True),
    }
    if total < 0:
        figures["earning"] = teller.figure("plan_earning", -total, "cost")
    teller.say("plan_earns" if total < 0 else "plan_cost", **figures)
    if plan.cost.self_sufficiency is not None:
        share = teller.figure("self_sufficiency", plan.cost.self_sufficiency, "share")
        teller.say("plan_self_sufficiency", share=share)


def _tell_price_versions(teller: Teller, plan: PlanReply) -> None:
    """Tell whose prices the plan uses until when."""

    def format_at(instant: datetime) -> str:
        return teller.moment("prices_until", instant, day=True)

    def format_market(market: str) -> str:
        return teller.name("market", market)

    sentences = format_price_spans(
        plan.price_spans, teller.numbers, format_at=format_at, format_market=format_market
    )
    for sentence in sentences:
        teller.write(ReasonSentence(sentence, ()))


def _draw_plan(teller: Teller, slots: Sequence[SlotReply], length: timedelta) -> Chart:
    timeline = Timeline(slots[0].start.astimezone(UTC), length, len(slots))
    charge = _array([charge_of(slot) for slot in slots])
    discharge = _array([discharge_of(slot) for slot in slots])
    import_price = _array([slot.import_price for slot in slots])
    columns: list[Column] = [
        ("charge", "kwh", "bar", charge, "sum"),
        ("discharge", "kwh", "bar", discharge, "sum"),
        ("import_price", "price", "step", import_price, "mean"),
    ]
    names = list(slots[0].batteries)
    if len(names) == 1:
        soc = _array([slot.batteries[names[0]].soc_end for slot in slots])
        columns.append(("soc", "soc", "line", soc, "mean"))
    return draw(teller, "chart_plan", timeline, columns)


def _tell_flows(
    teller: Teller,
    slots: Sequence[SlotReply],
    length: timedelta,
    *,
    battery: str | None,
    ending: str,
) -> None:
    """Tell a battery's charge and discharge in the slots.

    ``battery`` names one of several, ``ending`` keeps its figures apart.
    """
    battery_name = {}
    suffix = ""
    if battery is not None:
        battery_name = {"battery": say_device(battery, language=teller.numbers.language)}
        suffix = "_each"
    for name, flow in (("charge", charge_of), ("discharge", discharge_of)):
        values = [flow(slot) for slot in slots]
        total = teller.figure(f"{name}_kwh{ending}", sum(values), "kwh")
        flowing = [value > LITTLE_KWH for value in values]
        if not any(flowing):
            teller.say(f"plan_no_{name}{suffix}", **battery_name)
            continue
        # The first run of slots in which something flows.
        first = flowing.index(True)
        last = first
        while last + 1 < len(flowing) and flowing[last + 1]:
            last += 1
        run_kwh = sum(values[first : last + 1])
        begin = slots[first].start
        end = slots[last].start + length
        figures = {
            "begin": teller.moment(f"next_{name}_from{ending}", begin, day=True),
            "end": teller.end(f"next_{name}_to{ending}", end, begin=begin),
            "kwh": teller.figure(f"next_{name}_kwh{ending}", run_kwh, "kwh"),
        }
        teller.say(f"plan_{name}{suffix}", total=total, **figures, **battery_name)


def _tell_batteries(teller: Teller, slots: Sequence[SlotReply], length: timedelta) -> None:
    names = list(slots[0].batteries)
    if len(names) < 2:
        _tell_flows(teller, slots, length, battery=None, ending="")
    else:
        for number, name in enumerate(names, start=1):
            teller.device(f"battery_{number}", name)
            own_slots = []
            for slot in slots:
                if name in slot.batteries:
                    own = {"batteries": {name: slot.batteries[name]}}
                    own_slots.append(slot.model_copy(update=own))
            _tell_flows(teller, own_slots, length, battery=name, ending=f"_{number}")
    for number, (battery, last) in enumerate(slots[-1].batteries.items(), start=1):
        socs = [slot.batteries[battery].soc_end for slot in slots if battery in slot.batteries]
        figures = {
            "battery": teller.device(f"battery_{number}", battery),
            "low": teller.figure(f"lowest_soc_{number}", min(socs), "soc"),
            "high": teller.figure(f"highest_soc_{number}", max(socs), "soc"),
            "last": teller.figure(f"soc_end_{number}", last.soc_end, "soc"),
        }
        teller.say("plan_soc", **figures)


def _array(values: list[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)


TOOL = Tool(
    "plan",
    "The plan in force: what it costs, when it was made, what the batteries charge and "
    "discharge and when they do so next, and how full they will be."
    " Default: all of the plan that lies ahead.",
    PlanArguments,
    tell_plan,
)
