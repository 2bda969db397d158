"""Ask for a plan; read one that was issued."""

from typing import Annotated

from fastapi import Path, Query, Response

from luna.contracts import PlanReply, PlanRequest
from luna.contracts.counterfactual import PlanId
from luna.contracts.plan import Language
from luna.contracts.plan_questions import ParetoReply, ParetoRequest, PlanChangesReply, PlanChangesRequest
from luna.database import plans
from luna.database.engine import unit_of_work
from luna.errors import ConflictError
from services.api.gateway import CurrentGateway
from services.api.problems import document_errors
from services.api.routing import ResourceRouter

router = ResourceRouter("plans")


@router.operation("Plan the coming days of a site", responses=document_errors(ConflictError), response_model=PlanReply)
async def make_plan(request: PlanRequest, gateway: CurrentGateway) -> Response:
    """Plan the site in the request from its outlook and state, or a stored site (`site_id`) from its own forecasts and prices."""
    return await gateway.ask(request)


@router.operation("Plan along what two aims cost each other", responses=document_errors(ConflictError), response_model=ParetoReply)
async def trace_pareto(request: ParetoRequest, gateway: CurrentGateway) -> Response:
    """Return plans of which none beats another in both figures, the weights that give each, and the knee."""
    return await gateway.ask(request)


@router.operation("Read an issued plan", response_model=PlanReply)
def read_plan(plan_id: Annotated[str, Path(max_length=64)], gateway: CurrentGateway) -> Response:
    """Return the plan as it was issued."""
    with unit_of_work(gateway.database) as connection:
        return _json(plans.load(connection, plan_id))


@router.operation("Say what a plan changes, and which input did it", responses=document_errors(ConflictError), response_model=PlanChangesReply)
async def compare_plan(
    plan_id: PlanId,
    gateway: CurrentGateway,
    before: Annotated[PlanId | None, Query(description="the plan to compare with; usual: the one issued before it for the same slots")] = None,
    language: Language | None = None,
) -> Response:
    """Put the inputs of the plan before back, one after the other, and plan anew each time: prices, forecasts, charge, cars, site, options."""
    return await gateway.ask(PlanChangesRequest(plan_id=plan_id, before_id=before, language=language))


def _json(reply: PlanReply) -> Response:
    # Already validated where it was made: once is enough for hundreds of slots.
    return Response(reply.model_dump_json(by_alias=True), media_type="application/json")
