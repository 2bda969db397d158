"""Tool: tells the plan's reason for a slot."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.plan import PlanReply
from luna.contracts.plan.reply import SlotReply
from luna.energy.reason import ReasonReply
from luna.energy.savings import LITTLE_MONEY
from luna.energy.timeline import Instant
from luna.house.now import charge_of, discharge_of
from luna.platform.database import plans
from luna.words import say_mode
from luna.words.retold_reasons import retell_limits, retell_reason
from services.rag.tools import cues
from services.rag.tools.battery_since import (
    CHARGING,
    DISCHARGING,
    LEAST_KWH,
    UNKNOWN,
    find_present,
)
from services.rag.tools.charging_sessions import CAR
from services.rag.tools.clock_phrases import find_instant
from services.rag.tools.declaration import Findings, Tool, ToolContext
from services.rag.tools.plan import find_plan, plan_source
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller

_DENIED = cues.any_of(r"nicht|kein\w*|not|no|nichts|nothing|isn't|doesn't")
_CHARGES = cues.any_of(r"laedt|lade|geladen|charg(?:e|es|ing|ed)")
_DISCHARGES = cues.any_of(r"entlaedt|entlade|entladen|discharg(?:e|es|ing|ed)")


class ReasonArguments(Message):
    """Arguments: the instant to explain."""

    at: Annotated[
        Instant | None,
        Field(
            description=(
                "an instant, or a time of the site's clock such as 2026-05-21 14:00; default: now"
            )
        ),
    ] = None
    premise: Annotated[
        Literal["charges", "discharges"] | None,
        Field(description="what whoever asks takes the battery to be doing now"),
    ] = None


def match_reason(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question for the reason of a battery's action, or of a run's time."""
    acts = question.has(cues.BATTERY) and question.has(cues.BATTERY_ACTION)
    at_a_time = (
        question.has(cues.RUNNING)
        and find_instant(question.text) is not None
        and not question.has(CAR)
    )
    if not question.has(cues.WHY) or not (acts or at_a_time) or question.has(cues.ABILITY):
        return []
    # Of batteries in general nothing is planned.
    if (
        re.search(r"\b(?:batteries|batterien|akkus|lithium\w*)\b", question.text)
        and not question.has(cues.OWN)
        and not question.periods()
    ):
        return []
    at = question.instant()
    if at is not None:
        return [MatchedCall("plan_reasons", {"at": at})]
    premise = _find_premise(question)
    return [MatchedCall("plan_reasons", {} if premise is None else {"premise": premise})]


def _find_premise(question: PlainQuestion) -> str | None:
    """Return the assumed action of the battery; None without one, or where it is denied."""
    if question.has(_DENIED):
        return None
    if question.has(_DISCHARGES):
        return "discharges"
    return "charges" if question.has(_CHARGES) else None


def _tell_premise(teller: Teller, context: ToolContext, premise: str, slot: SlotReply) -> None:
    """Correct what is taken for granted: by what was measured last, else by the plan."""
    expected = CHARGING if premise == "charges" else DISCHARGING
    state = find_present(context)
    if state == UNKNOWN:
        charges = charge_of(slot) > LEAST_KWH
        discharges = discharge_of(slot) > LEAST_KWH
        if charges:
            state = CHARGING
        elif discharges:
            state = DISCHARGING
    if state != expected:
        teller.say("not_charging" if premise == "charges" else "not_discharging")


def tell_reason(context: ToolContext, arguments: ReasonArguments) -> Findings:
    """Tell the planned mode at an instant, and its stored reason with its figures."""
    teller = Teller(context)
    at = arguments.at or context.now
    # A past instant is explained by the plan in force then, a coming one by that of now.
    if at >= context.now:
        plan = find_plan(context)
    else:
        plan = plans.read_due(context.connection, context.site.name, at)
    slot = None if plan is None else _find_slot(plan, at)
    if plan is None or slot is None:
        return teller.miss("no_plan_at", at=teller.moment("at", at, day=True))
    if arguments.premise is not None and arguments.at is None:
        _tell_premise(teller, context, arguments.premise, slot)
    mode = say_mode(slot.mode, language=context.numbers.language, of_battery=True)
    slot_end = slot.start + timedelta(minutes=plan.slot_minutes)
    begin = teller.moment("slot_from", slot.start, day=True)
    end = teller.moment("slot_to", slot_end, day=False)
    teller.say("reason_mode", begin=begin, end=end, mode=teller.name("mode", mode))
    sentence = retell_reason(slot.reason.model_dump(), slot.start, context.numbers)
    teller.say("reason", text=teller.name("reason", sentence))
    reason: ReasonReply = slot.reason
    for name, flow in (("charge", charge_of(slot)), ("discharge", discharge_of(slot))):
        if flow > 0:
            teller.say(f"reason_{name}", kwh=teller.figure(f"{name}_kwh", flow, "kwh"))
    teller.say("reason_price", price=teller.figure("import_price", slot.import_price, "price"))
    if reason.energy_value is not None:
        value = teller.figure("energy_value", reason.energy_value, "price")
        teller.say("reason_value", value=value)
    if reason.cost_of_opposite is not None:
        cost = teller.figure("cost_of_opposite", reason.cost_of_opposite, "cost")
        is_little = abs(reason.cost_of_opposite) < LITTLE_MONEY
        teller.say("reason_opposite_little" if is_little else "reason_opposite", cost=cost)
    limits = retell_limits(reason.binding, context.numbers)
    if limits:
        teller.say("reason_limits", limits=teller.name("limits", "; ".join(limits)))
    return teller.finish(sources=(plan_source(plan),))


def _find_slot(plan: PlanReply, at: datetime) -> SlotReply | None:
    length = timedelta(minutes=plan.slot_minutes)
    for slot in plan.slots:
        if slot.start <= at < slot.start + length:
            return slot
    return None


TOOL = Tool(
    "plan_reasons",
    "Why the plan does what it does at an instant (past, now or ahead): the battery's "
    "mode, the reason in words with its figures, what a stored kWh is"
    " worth there, what the opposite would cost, and the limits at work.",
    ReasonArguments,
    tell_reason,
)
