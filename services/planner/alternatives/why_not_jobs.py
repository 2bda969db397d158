"""Alternatives to stored plans: fetch and ask."""

from sqlalchemy import Connection

from luna.contracts.why_not import WhyNotReply, WhyNotRequest
from luna.database import plans
from services.planner.alternatives.why_not import ask_why_not
from services.planner.model.solver import Solver


def ask_stored(connection: Connection, request: WhyNotRequest, *, solver: Solver) -> WhyNotReply:
    """Return what an alternative to a stored plan costs, from the plan's own inputs.

    Raises:
        NotFoundError: no such plan, or its inputs were not kept.
        InvalidInputError: the alternative lies outside the plan, names no device, or a limit forbids it.
    """
    inputs = plans.load_inputs(connection, request.plan_id)
    reply = ask_why_not(inputs, request.alternative, solver=solver, language=request.language or inputs.options.language)
    return reply.model_copy(update={"plan_id": request.plan_id})
