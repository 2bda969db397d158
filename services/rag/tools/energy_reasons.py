"""Tells why a period cost more or less than usual: amounts, prices and the weather."""

from collections.abc import Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Literal

from luna.energy.account_statistics import CostCause, explain_cost, settle_trade
from luna.energy.timeline import SLOTS_PER_DAY
from services.rag.tools import energies
from services.rag.tools.declaration import DayPeriod, Findings, ToolContext
from services.rag.tools.energies import Energies
from services.rag.tools.reading import price_source
from services.rag.tools.telling import Teller

Premise = Literal["dear", "cheap"]
# What is usual is the mean of so many days before: four of each weekday.
USUAL_DAYS = 28
# Of fewer days nothing is usual.
LEAST_DAYS = 7
# Less is told as nothing, in currency.
LITTLE = 0.005


def tell_reasons(
    teller: Teller,
    context: ToolContext,
    period: DayPeriod,
    recorded: Energies,
    *,
    premise: Premise | None,
) -> Findings:
    """Tell a period's cost beside the usual one, its main cause, then all causes.

    A premise that is not true is corrected first.
    """
    sources = (price_source(context, recorded.timeline),)
    before = DayPeriod(period.first - timedelta(days=USUAL_DAYS), period.first - timedelta(days=1))
    reference = energies.read(context, before.timeline(context.zone))
    one = settle_trade(recorded.slots)
    usual_days = settle_trade(reference.slots)
    title = teller.period(period)
    if one is None:
        return teller.miss("cost_unknown_of", sources, period=title)
    cost = teller.figure("net_cost", one.cost, "cost")
    if usual_days is None or usual_days.days < LEAST_DAYS:
        return teller.miss("usual_unknown", sources, period=title, cost=cost)
    usual = usual_days.scaled(one.days)
    difference = one.cost - usual.cost
    is_dear = difference > 0
    code = "reasons_dearer" if is_dear else "reasons_cheaper"
    if premise == "dear" and not is_dear:
        code = "reasons_not_dear"
    elif premise == "cheap" and is_dear:
        code = "reasons_not_cheap"
    teller.say(
        code,
        period=title,
        cost=cost,
        difference=teller.figure("cost_difference", abs(difference), "cost"),
        usual=teller.figure("usual_cost", usual.cost, "cost"),
    )
    _tell_causes(teller, explain_cost(one, usual), is_dear=is_dear)
    _tell_weather(teller, recorded, reference)
    return teller.finish(sources=sources)


def _tell_causes(teller: Teller, causes: Sequence[CostCause], *, is_dear: bool) -> None:
    """Tell the causes with their money: the main one, those beside it, those against it."""
    sign = 1.0 if is_dear else -1.0
    ordered = sorted(causes, key=attrgetter("cost"), reverse=is_dear)
    code = "main_cause"
    for cause in ordered:
        if abs(cause.cost) < LITTLE:
            continue
        if cause.cost * sign < 0:
            code = "opposite_cause"
        direction = "more" if cause.change > 0 else "less"
        text = teller.phrase(f"cause_{cause.name}_{direction}")
        amount = teller.figure(f"cause_{cause.name}", abs(cause.cost), "cost")
        teller.say(code, cause=text, amount=amount)
        code = "other_cause"


def _tell_weather(teller: Teller, recorded: Energies, reference: Energies) -> None:
    """Tell by how much the sun gave more or less than usual, where it is measured."""
    if not recorded.coverage("pv") or not reference.coverage("pv"):
        return
    days = recorded.coverage("pv") * recorded.timeline.count / SLOTS_PER_DAY
    usual_days = reference.coverage("pv") * reference.timeline.count / SLOTS_PER_DAY
    difference = recorded.total("pv") - reference.total("pv") / usual_days * days
    amount = teller.figure("pv_difference", abs(difference), "kwh")
    teller.say("weather_sunny" if difference > 0 else "weather_dull", amount=amount)
