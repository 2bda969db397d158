"""Which plans of a site were issued."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.plan_questions import PlanSummary
from luna.platform.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.platform.database import plans
from luna.platform.paging import Cursor, From, Limit, To, cut_page, read_instant_and_text
from luna.words import Numbers, say_instant

SystemId = Annotated[
    str, Field(max_length=96, pattern=r"^[\w.-]+$", description="whose plans: prod drives devices, others are for comparison; request: of a request's own site")
]


class PlanList(Message):
    """Issued plans of a site, the newest first."""

    plans: Annotated[list[PlanSummary], Field(description="without their slots; each is read by its id")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


_WORDS = ("plan", "issued", "from", "to", "status")


def _show(plan: PlanSummary, numbers: Numbers) -> list[str]:
    instants = (say_instant(instant, numbers.zone) for instant in (plan.issued_at, plan.from_, plan.to))
    return [plan.plan_id, *instants, plan.status, Numbers("en", numbers.zone, plan.currency).money(plan.cost)]


@capability(
    "GET",
    "/v1/sites/{site_id}/plans",
    noun="plans",
    scope="read",
    command="plans list",
    shown=ReplyTable((*_WORDS, "cost"), _show, "plans", words=_WORDS, none="There is none: luna plan --site {site_id} makes one."),
)
def list_plans(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall, site_id: SiteName, *, first: From = None, end: To = None, system_id: SystemId = "prod", limit: Limit = 50, cursor: Cursor = None
) -> PlanList:
    """List the plans of a site.

    Return the plans issued within `from` and `to`, the newest first, with cost and status.
    """
    after = read_instant_and_text(cursor)
    rows = plans.list_newest(call.connection, site_id, issued=(first, end), system_id=system_id, after=after, limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.issued_at.isoformat(), row.plan_id))
    return PlanList(plans=page, cursor=following)


PLANS = (list_plans,)
