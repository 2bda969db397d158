"""Routes that make plans and read issued ones."""

from anyio import to_thread
from fastapi import Request, Response

from luna.contracts import PlanReply, PlanRequest
from luna.contracts.forecast import IssueRequest
from luna.contracts.plan_questions import ParetoReply, ParetoRequest
from luna.energy.errors import ConflictError
from luna.house.capabilities import plans as declared
from luna.house.capabilities.plans import IssuedPlan, SystemId
from luna.house.missing_forecasts import find_missing_forecast
from luna.platform.clock import SystemClock
from luna.platform.database import plans
from luna.platform.database.engine import unit_of_work
from services.api.entity_tags import IfNoneMatch, respond_tagged
from services.api.gateway import CurrentGateway, Gateway
from services.api.operation import Operation, describe_declared
from services.api.problems import document_errors
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("plans")

_TAGGED = {
    200: {"headers": {"ETag": {"description": "names this plan", "schema": {"type": "string"}}}},
    304: {"description": "As it was, by If-None-Match"},
}


@router.operation(
    "Plan the coming days of a site",
    Operation("POST", "/v1/plans", "operate", "plan", solves=True, aliases=("/plan",)),
    responses=document_errors(ConflictError),
    response_model=PlanReply,
)
async def make_plan(
    request: PlanRequest, gateway: CurrentGateway, http_request: Request
) -> Response:
    """Plan the site in the request, or a stored one.

    A site in the request is planned from its outlook and state, a stored one (`site_id`) from its
    own forecasts and prices.

    Where a stored site has no fresh forecast of the start, that is issued first.
    """
    if request.site_id is not None and request.site is None:
        missing = await to_thread.run_sync(_find_missing_forecast, gateway, request)
        if missing is not None:
            await gateway.ask(missing)
    return await gateway.ask(request, http_request=http_request)


def _find_missing_forecast(gateway: Gateway, request: PlanRequest) -> IssueRequest | None:
    with unit_of_work(gateway.database) as connection:
        missing = find_missing_forecast(connection, request, now=SystemClock().now())
    # Without a live forecaster the planner reports the missing forecast at once; waiting for one
    # would take until the time-out.
    if missing is not None and gateway.queue.is_served(IssueRequest, interactive=True):
        return missing
    return None


@router.operation(
    "Plan along what two aims cost each other",
    Operation("POST", "/v1/plans/pareto", "analyse", "plan", solves=True),
    responses=document_errors(ConflictError),
    response_model=ParetoReply,
)
async def trace_pareto(request: ParetoRequest, gateway: CurrentGateway) -> Response:
    """Return plans of which none beats another in both figures.

    The weights that give each are returned as well, and the knee.
    """
    return await gateway.ask(request)


@router.operation(
    "Read a site's newest plan",
    describe_declared(declared.read_latest_plan),
    response_model=PlanReply,
    responses=_TAGGED,
)
async def read_latest_plan(
    site_id: SitePath,
    gateway: CurrentGateway,
    request: Request,
    *,
    system_id: SystemId = "prod",
    if_none_match: IfNoneMatch = None,  # noqa: ARG001 - documents the header
) -> Response:
    """Return the plan that holds now, else the one issued last, as it was issued.

    Its ETag names it, so that who has it already is told so.
    """
    plan = await gateway.latest_plans.read((site_id, system_id))
    return respond_tagged(request, plan.text, f'"{plan.plan_id}"', packed=plan.packed)


@router.operation(
    "Read an issued plan",
    describe_declared(declared.read_plan),
    response_model=PlanReply,
    responses=_TAGGED,
)
def read_plan(
    plan_id: IssuedPlan,
    gateway: CurrentGateway,
    request: Request,
    *,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001 - documents the header
) -> Response:
    """Return the plan as it was issued."""
    with unit_of_work(gateway.database) as connection:
        # Sent as stored: the planner validated it.
        return respond_tagged(
            request, plans.read_text(connection, plan_id).encode(), f'"{plan_id}"'
        )
