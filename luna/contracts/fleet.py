"""Planning of many stored sites by one task, and its requests by the clock."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field

from luna.contracts.message import Message, Request, Schedule

SiteName = Annotated[str, Field(min_length=1, max_length=64)]
# A batch is one transaction and one process's work: no more than it does within a task's time.
MOST_SITES = 2000


class SiteFault(Message):
    """The reason that one site of a batch has no new plan; the others have theirs."""

    site_id: str
    error: Annotated[
        dict[str, Any],
        Field(description="problem document, as the site asked for alone would answer"),
    ]


class PlanSitesReply(Message):
    """The stored plans by site, and the faults of the other sites."""

    plans: dict[str, str]
    faults: list[SiteFault] = []
    open_gaps: Annotated[
        list[str],
        Field(description="the plans that may cost over 0.3 % or a cent too much"),
    ] = []


class PlanSitesRequest(Request):
    """Plan several stored sites from the slot that runs when this is done.

    A site is planned as if it were asked for alone.
    """

    task: ClassVar[str] = "planner.sites.plan"
    reply: ClassVar[type[Message]] = PlanSitesReply

    site_ids: Annotated[list[SiteName], Field(min_length=1, max_length=MOST_SITES)]


class RefreshPlansReply(Message):
    """The number of sites that were due, and the jobs that plan them."""

    sites: int
    jobs: list[str]


class RefreshPlansRequest(Request):
    """Have sites planned whose last plan grows old, in batches.

    Which sites, ``LUNA_PLAN_REFRESH`` says.
    """

    task: ClassVar[str] = "planner.sites.refresh"
    reply: ClassVar[type[Message]] = RefreshPlansReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=5), "plans", "time between two looks for sites to plan anew"
    )


class FollowChangesReply(Message):
    """The number of sites that had changed."""

    sites: int


class FollowChangesRequest(Request):
    """Have sites planned anew of which something has changed since their last plan.

    Which sites, ``LUNA_PLAN_REFRESH`` says.
    """

    task: ClassVar[str] = "planner.changes.follow"
    reply: ClassVar[type[Message]] = FollowChangesReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(seconds=3),
        "changes",
        "time between two looks for sites that changed",
        prompt=True,
    )
