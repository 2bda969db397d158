"""Checking stored plans: fetch, check, count."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from luna.database import plans, sites
from services.planner.plan_check import Finding, check_reply


@dataclass(frozen=True, slots=True)
class CheckedPlans:
    """How many plans were checked, how many of them without the request they were made from, and what does not hold, by plan."""

    plans: int
    without_inputs: int
    broken: dict[str, list[Finding]]


def check_plans(connection: Connection, site_id: str, first: datetime, end: datetime) -> CheckedPlans:
    """Return what does not hold of the plans issued from ``first`` on, before ``end``.

    Raises:
        NotFoundError: no such site.
    """
    sites.load(connection, site_id)
    count, bare, broken = 0, 0, {}
    for reply, inputs in plans.read_issued(connection, site_id, first, end):
        count, bare = count + 1, bare + (inputs is None)
        if found := check_reply(reply, inputs):
            broken[reply.plan_id] = found
    return CheckedPlans(count, bare, broken)
