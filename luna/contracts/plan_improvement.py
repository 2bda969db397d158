"""Longer searches for plans whose gap is open, in the background."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.fleet import MOST_SITES
from luna.contracts.message import Message, Request
from luna.contracts.plan import PlanId

# ``improved``: a better plan took its place; ``narrowed``: it states a smaller gap; ``unchanged``:
# the search found neither; ``superseded``: it is not in force, or its first slot is over;
# ``postponed``: plans that sites wait for went first, or the time for all searches was over.
SearchOutcome = Literal["improved", "narrowed", "unchanged", "superseded", "postponed"]


class SearchPlansReply(Message):
    """The outcome for each plan."""

    outcomes: dict[str, SearchOutcome]


class SearchPlansRequest(Request):
    """Search further for better plans than stored ones, or prove that there is none.

    A better one takes the place of a plan that is still in force. ``LUNA_PLAN_SEARCH_LIMIT`` bounds
    all searches of the request together.
    """

    task: ClassVar[str] = "planner.plans.search"
    reply: ClassVar[type[Message]] = SearchPlansReply

    plan_ids: Annotated[list[PlanId], Field(min_length=1, max_length=MOST_SITES)]
