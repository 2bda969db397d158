"""Alternatives to stored plans."""

from sqlalchemy import Connection

from luna.contracts.alternative import WhyNotReply, WhyNotRequest
from luna.platform.database import plans
from services.planner.alternatives.plan_alternative import plan_alternative
from services.planner.milp.solver import Solver


def plan_stored_alternative(
    connection: Connection, request: WhyNotRequest, *, solver: Solver
) -> WhyNotReply:
    """Return the cost of an alternative to a stored plan, from the plan's own inputs.

    Raises:
        NotFoundError: no such plan.
        InvalidInputError: the alternative lies outside the plan, names no device, or a limit
            forbids it.
    """
    inputs = plans.load_inputs(connection, request.plan_id)
    language = request.language or inputs.options.language
    reply = plan_alternative(inputs, request.alternative, solver=solver, language=language)
    return reply.model_copy(update={"plan_id": request.plan_id})
