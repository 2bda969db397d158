"""Declare alternatives: another action in slots of one plan, and its cost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from luna.contracts.alternative import Alternative, WhyNotReply, WhyNotRequest
from luna.contracts.slot_changes import list_runs
from luna.contracts.variant import PlanVariantReply
from luna.energy.errors import ConflictError
from luna.house.capability import CapabilityCall, TextTable, capability
from luna.words import Language, Numbers, say_mode

# The heading of alternatives and variants in the documentation.
ALTERNATIVES = "alternatives"
PLAN = "/v1/plans/{plan_id}"
NamedId = Annotated[str, Field(max_length=64, pattern=r"^[\w-]+$")]
_COSTS = ("import", "export", "wear", "peak", "stored", "total")
_CHANGES = ("from", "to", "device", "planned", "instead")


class WhyNotQuestion(Alternative):
    """An alternative, and the language of the answer."""

    language: Language | None = None


def show_changed_plan(
    reply: WhyNotReply | PlanVariantReply, numbers: Numbers
) -> Iterator[str | TextTable]:
    """Yield what is paid more, by its parts, and what changes.

    Equal slots in a row are one line; what is no more than rounding is left out.
    """
    numbers = replace(numbers, zone=ZoneInfo(reply.timezone), currency=reply.currency)
    yield reply.text
    parts = reply.cost.model_dump(by_alias=True)
    costs = [numbers.money(parts[name], signed=True) for name in _COSTS]
    yield TextTable(("more", *_COSTS), [["", *costs]])
    rows = []
    for run in list_runs(reply.changes, timedelta(minutes=reply.slot_minutes)):
        if not run.shows:
            continue
        row = [f"{numbers.weekday(at)} {numbers.clock(at)}" for at in (run.first, run.end)]
        row.append(run.device)
        for side in (run.before, run.after):
            mode = say_mode(side.mode, language=numbers.language)
            row.append(f"{mode} {numbers.energy(side.energy_kwh)}")
        rows.append(row)
    if rows:
        yield TextTable(_CHANGES, rows, words=_CHANGES[2:])
    else:
        yield "Nothing else changes."
    if isinstance(reply, WhyNotReply):
        yield from (f"Limit at work: {limit}" for limit in reply.binding)


@capability(
    "POST",
    f"{PLAN}/why-not",
    noun=ALTERNATIVES,
    scope="analyse",
    also=("why-not",),
    shown=show_changed_plan,
    errors=(ConflictError,),
    solves=True,
)
def ask_why_not(_: CapabilityCall, plan_id: NamedId, question: WhyNotQuestion) -> WhyNotRequest:
    """Show the cost of an alternative to a plan.

    Fix the alternative, plan the rest again from the plan's own inputs, and return the extra cost
    and the slots that change.
    """
    alternative = Alternative.model_validate(question.model_dump(exclude={"language"}))
    return WhyNotRequest(plan_id=plan_id, alternative=alternative, language=question.language)


CAPABILITIES = (ask_why_not,)
