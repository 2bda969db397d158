"""Ask what would be otherwise."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from luna.contracts.plan import Language
from luna.contracts.why_not import Alternative, WhyNotReply, WhyNotRequest
from services.api.gateway import CurrentGateway

router = APIRouter(tags=["alternatives"])

PlanPath = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


class WhyNotQuestion(Alternative):
    """An alternative, and the language of the answer."""

    language: Language | None = None


@router.post("/plans/{plan_id}/why-not", response_model=WhyNotReply, summary="Say what an alternative to a plan would cost")
async def ask_why_not(plan_id: PlanPath, question: WhyNotQuestion, gateway: CurrentGateway) -> Response:
    """Hold to the alternative, plan the rest anew from the plan's own inputs, and return what it costs more and which slots change."""
    alternative = Alternative.model_validate(question.model_dump(exclude={"language"}))
    reply: WhyNotReply = await gateway.ask(WhyNotRequest(plan_id=plan_id, alternative=alternative, language=question.language))
    return Response(reply.model_dump_json(by_alias=True), media_type="application/json")
