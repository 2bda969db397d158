"""Declare questions about another decision of a plan, or another site on recorded days."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from luna.contracts.counterfactual import (
    Alternative,
    PlanVariantReply,
    PlanVariantRequest,
    Variant,
    VariantReply,
    WhatIfRequest,
    WhatIfState,
    WhyNotReply,
    WhyNotRequest,
    list_runs,
)
from luna.contracts.message import Message
from luna.contracts.plan_lines import format_note
from luna.energy.errors import ConflictError
from luna.platform.capability import CapabilityCall, RouteForm, TextTable, capability
from luna.platform.what_if_questions import read_state, submit_what_if
from luna.words import Language, Numbers, say_mode, say_policy

_NOUN = "alternatives"
_PLAN = "/v1/plans/{plan_id}"
NamedId = Annotated[str, Field(max_length=64, pattern=r"^[\w-]+$")]


class WhyNotQuestion(Alternative):
    """An alternative, and the language of the answer."""

    language: Language | None = None


class VariantQuestion(Message):
    """Changes to a plan, and the language of the answer.

    ``export_kwh`` is to be sold from the batteries when selling pays most.
    """

    variant: Variant
    export_kwh: Annotated[float | None, Field(gt=0, le=10_000)] = None
    language: Language | None = None


_COSTS = ("import", "export", "wear", "peak", "stored", "total")
_CHANGES = ("from", "to", "device", "planned", "instead")


def _show_outcome(
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
    f"{_PLAN}/why-not",
    noun=_NOUN,
    scope="analyse",
    also=("why-not",),
    shown=_show_outcome,
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


@capability(
    "POST",
    f"{_PLAN}/what-if",
    noun=_NOUN,
    scope="analyse",
    also=("what-if --plan",),
    shown=_show_outcome,
    errors=(ConflictError,),
    solves=True,
)
def plan_variant(
    _: CapabilityCall, plan_id: NamedId, question: VariantQuestion
) -> PlanVariantRequest:
    """Plan a plan again with a change.

    Return the costs of both plans and the slots that change. Forecasts and state stay the same;
    tariff or devices differ.
    """
    return PlanVariantRequest(
        plan_id=plan_id,
        variant=question.variant,
        export_kwh=question.export_kwh,
        language=question.language,
    )


_MONTHS = ("month", "bill", "import", "export", "peak", "wear", "kWh in", "kWh out")


def _show_question(state: WhatIfState, numbers: Numbers) -> Iterator[str | TextTable]:
    reply = state.reply
    if reply is None:
        rows = []
        for variant in state.variants:
            status = "done" if variant.done else variant.status
            detail = (variant.error or {}).get("detail", "")
            rows.append((variant.name, status, variant.job_id or "–", detail))
        headings = ("variant", "status", "job", "error")
        title = f"Question {state.what_if_id}: {state.status}"
        yield TextTable(headings, rows, words=headings[1:], title=title)
        return
    numbers = replace(numbers, currency=reply.currency)
    yield from map(format_note, reply.notes)
    for answer in (reply.baseline, *reply.variants):
        policy = say_policy(reply.policy, language=numbers.language)
        title = (
            f"{answer.name}, {reply.site}, {reply.from_day} to {reply.to_day}; {policy} from "
            f"{reply.outlook}"
        )
        yield TextTable(_MONTHS, [*_list_months(answer, numbers)], title=title)
        yield f"{answer.text}\n"
    yield f"Question {reply.what_if_id}"


def _list_months(variant: VariantReply, numbers: Numbers) -> Iterator[list[str]]:
    for month in variant.months:
        costs = (month.bill, month.import_, month.export, month.peak, month.wear)
        money = [numbers.money(cost) for cost in costs]
        yield [
            month.month,
            *money,
            numbers.number(month.import_kwh),
            numbers.number(month.export_kwh),
        ]
    whole = [
        numbers.money(variant.bill),
        "",
        "",
        "",
        numbers.money(variant.wear),
        numbers.number(variant.import_kwh),
        numbers.number(variant.export_kwh),
    ]
    yield ["all", *whole]
    # Energy left in the batteries was paid for and not used up: it is taken off once, here.
    yield ["end charge", numbers.money(-variant.stored_gain), *[""] * 6]
    yield ["together", numbers.money(variant.total), *[""] * 6]


@capability(
    "POST",
    "/v1/what-ifs",
    noun=_NOUN,
    scope="analyse",
    also=("what-if",),
    shown=_show_question,
    status=202,
    route=RouteForm(location="/v1/what-ifs/{what_if_id}"),
    solves=True,
)
def ask_what_if(call: CapabilityCall, question: WhatIfRequest) -> WhatIfState:
    """Compare with other equipment, tariffs or rules.

    Replay the site's recorded days as it is and under each variant, a job for each. Read the answer
    with `GET /v1/what-ifs/{what_if_id}`.
    """
    return submit_what_if(call.database(), call.queue(), question, now=call.now)


@capability(
    "GET",
    "/v1/what-ifs/{what_if_id}",
    noun=_NOUN,
    scope="read",
    also=("what-if --id",),
    shown=_show_question,
)
def read_what_if(call: CapabilityCall, what_if_id: NamedId) -> WhatIfState:
    """Read the result of a comparison.

    Return the progress of its replays and, once all are done, months, savings, intervals and
    payback.
    """
    return read_state(call.connection, what_if_id)


CAPABILITIES = (
    ask_why_not,
    plan_variant,
    ask_what_if,
    read_what_if,
)
