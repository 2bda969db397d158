"""Ask for a plan; read one that was issued."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from luna.contracts import PlanReply, PlanRequest
from luna.database import plans
from luna.database.engine import unit_of_work
from services.api.gateway import CurrentGateway

router = APIRouter(tags=["plans"])


@router.post("/plan", response_model=PlanReply, summary="Plan the coming days of a site")
async def make_plan(request: PlanRequest, gateway: CurrentGateway) -> Response:
    """Plan the site in the request from its outlook and state, or a stored site (`site_id`) from its own forecasts and prices."""
    return _json(await gateway.ask(request))


@router.get("/plans/{plan_id}", response_model=PlanReply, summary="Read an issued plan")
def read_plan(plan_id: Annotated[str, Path(max_length=64)], gateway: CurrentGateway) -> Response:
    """Return the plan as it was issued."""
    with unit_of_work(gateway.database) as connection:
        return _json(plans.load(connection, plan_id))


def _json(reply: PlanReply) -> Response:
    # Already validated where it was made: once is enough for hundreds of slots.
    return Response(reply.model_dump_json(by_alias=True), media_type="application/json")
