"""Ask what would be otherwise."""

from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from luna.contracts.counterfactual import Alternative, PlanVariantReply, PlanVariantRequest, Variant, WhatIfRequest, WhatIfState, WhyNotReply, WhyNotRequest
from luna.contracts.message import Message
from luna.contracts.plan import Language
from luna.energy.errors import ConflictError
from luna.platform.clock import SystemClock
from luna.platform.database.engine import unit_of_work
from luna.platform.what_if_questions import read_state, submit_what_if
from services.api.gateway import CurrentGateway
from services.api.problems import document_errors
from services.api.routing import ResourceRouter

router = ResourceRouter("alternatives")

PlanPath = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


class WhyNotQuestion(Alternative):
    """An alternative, and the language of the answer."""

    language: Language | None = None


@router.operation("Say what an alternative to a plan would cost", responses=document_errors(ConflictError), response_model=WhyNotReply)
async def ask_why_not(plan_id: PlanPath, question: WhyNotQuestion, gateway: CurrentGateway) -> Response:
    """Hold to the alternative, plan the rest anew from the plan's own inputs, and return what it costs more and which slots change."""
    alternative = Alternative.model_validate(question.model_dump(exclude={"language"}))
    return await gateway.ask(WhyNotRequest(plan_id=plan_id, alternative=alternative, language=question.language))


class VariantQuestion(Message):
    """What is different, and the language of the answer; ``export_kwh`` is to be sold from the batteries when selling pays most."""

    variant: Variant
    export_kwh: Annotated[float | None, Field(gt=0, le=10_000)] = None
    language: Language | None = None


@router.operation("Plan a plan again with something different", responses=document_errors(ConflictError), response_model=PlanVariantReply)
async def plan_variant(plan_id: PlanPath, question: VariantQuestion, gateway: CurrentGateway) -> Response:
    """Return both plans' costs and the slots that change: same forecasts, same state, another tariff or other devices."""
    asked = PlanVariantRequest(plan_id=plan_id, variant=question.variant, export_kwh=question.export_kwh, language=question.language)
    return await gateway.ask(asked)


@router.operation("Ask what other equipment, tariffs or rules would have cost", status_code=202)
def ask_what_if(question: WhatIfRequest, gateway: CurrentGateway, response: Response) -> WhatIfState:
    """Replay the site's recorded days as it is and under each variant, a job for each; the answer is read with `GET /v1/what-ifs/{what_if_id}`."""
    state = submit_what_if(gateway.database, gateway.queue, question, now=SystemClock().now())
    response.headers["Location"] = f"/v1/what-ifs/{state.what_if_id}"
    return state


@router.operation("Read what came of a question")
def read_what_if(what_if_id: Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")], gateway: CurrentGateway) -> WhatIfState:
    """Return how its replays stand and, once all are done, months, savings, intervals and payback."""
    with unit_of_work(gateway.database) as connection:
        return read_state(connection, what_if_id)
