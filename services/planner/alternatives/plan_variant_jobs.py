"""Stored plans with something different: fetch and plan."""

from sqlalchemy import Connection

from luna.contracts.plan_variant import PlanVariantReply, PlanVariantRequest
from luna.database import plans
from luna.errors import InvalidInputError
from luna.site import OWN, Site
from luna.timeline import SLOT, Timeline
from services.planner.alternatives.plan_variant import describe_variant, plan_variant
from services.planner.knowledge import PriceKnowledge
from services.planner.model.solver import Solver
from services.planner.posing.problem import pose
from services.planner.stored.jobs import LOOK_BACK, read_prices


def plan_stored_variant(connection: Connection, request: PlanVariantRequest, *, solver: Solver) -> PlanVariantReply:
    """Return a stored plan beside the one under a variant.

    Raises:
        NotFoundError: no such plan, or its inputs were not kept.
        InvalidInputError: the variant does not fit the plan.
    """
    inputs = plans.load_inputs(connection, request.plan_id)
    timeline = pose(inputs).outlook.timeline.whole()

    def prices(site: Site) -> PriceKnowledge:
        if not site.tariff.price_series:
            return PriceKnowledge(site, timeline, {})
        if timeline.step != SLOT:
            named, remedy = site.tariff.price_series[0].removeprefix(OWN), "Plan in slots of 15 minutes."
            raise InvalidInputError("stored prices are those of quarter-hours", field="variant.site.tariff", value=named, remedy=remedy)
        return read_prices(connection, site, Timeline(timeline.start - LOOK_BACK, SLOT, LOOK_BACK // SLOT + timeline.count))

    before, after, changed = plan_variant(inputs, request.variant, export_kwh=request.export_kwh, prices=prices, solver=solver)
    language = request.language or inputs.options.language
    reply = describe_variant(before, after, requests=(inputs, changed), name=request.variant.name, language=language)
    return reply.model_copy(update={"plan_id": request.plan_id})
