"""Stored plans compared: fetch and compare."""

from sqlalchemy import Connection

from luna.contracts.plan_changes import PlanChangesReply, PlanChangesRequest
from luna.database import plans
from services.planner.comparing.attribution import compare_plans
from services.planner.model.solver import Solver
from services.planner.stored.expected_state import Issued


def compare_stored(connection: Connection, request: PlanChangesRequest, *, solver: Solver) -> PlanChangesReply:
    """Return what a stored plan changes beside the one before it.

    Raises:
        NotFoundError: no such plan, none before it, or inputs that were not kept.
        InvalidInputError: both plans have no slot in common.
    """
    before = request.before_id or plans.find_previous(connection, request.plan_id)
    earlier, later = (Issued(plans.load_inputs(connection, each), plans.load(connection, each)) for each in (before, request.plan_id))
    return compare_plans(earlier, later, solver=solver, language=request.language or later.request.options.language)
