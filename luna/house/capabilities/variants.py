"""Declare variants: another site, tariff or device in a plan or on recorded days."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.plan_lines import format_note
from luna.contracts.variant import (
    PlanVariantRequest,
    Variant,
    VariantReply,
    WhatIfRequest,
    WhatIfState,
)
from luna.energy.errors import ConflictError
from luna.house.capabilities.alternatives import ALTERNATIVES, PLAN, NamedId, show_changed_plan
from luna.house.capability import CapabilityCall, RouteForm, TextTable, capability
from luna.house.what_if_questions import read_state, submit_what_if
from luna.words import Language, Numbers, say_policy


class VariantQuestion(Message):
    """Changes to a plan, and the language of the answer.

    ``export_kwh`` is to be sold from the batteries when selling pays most.
    """

    variant: Variant
    export_kwh: Annotated[float | None, Field(gt=0, le=10_000)] = None
    language: Language | None = None


@capability(
    "POST",
    f"{PLAN}/what-if",
    noun=ALTERNATIVES,
    scope="analyse",
    also=("what-if --plan",),
    shown=show_changed_plan,
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
    noun=ALTERNATIVES,
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
    noun=ALTERNATIVES,
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
    plan_variant,
    ask_what_if,
    read_what_if,
)
