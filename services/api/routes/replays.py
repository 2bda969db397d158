"""Replay recorded days under several policies, and read what each cost."""

from datetime import date
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field

from luna.contracts.agent import choose_replay
from luna.contracts.job import Job
from luna.contracts.message import Message
from luna.contracts.replay import DayScore, ReplayQuestion, ReplayRequest
from luna.energy.errors import InvalidInputError
from luna.energy.instant import Day
from luna.platform.capabilities.jobs import JobReply
from luna.platform.database import scores
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, Limit, cut_page, read_text
from services.api.gateway import CurrentGateway
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("replays")


class ScoreList(Message):
    """What policies cost, by local day, then policy."""

    scores: Annotated[list[DayScore], Field(description="one per day and policy")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


@router.operation("Replay recorded days", status_code=202, response_model=JobReply)
def start_replay(site_id: SitePath, question: ReplayQuestion, gateway: CurrentGateway, response: Response) -> Job:
    """Replay as a job: forecasts as issued then, prices as published then, the oracle with hindsight. Interrupted, it goes on where it was.

    Forecasts that were not issued then are issued first, from nothing that was known later.
    """
    return submit_for_site(gateway, site_id, choose_replay(ReplayRequest(site_id=site_id, **dict(question))), response)


@router.operation("List what policies cost")
def list_scores(  # noqa: PLR0913 - one per parameter of the query
    site_id: SitePath,
    gateway: CurrentGateway,
    *,
    system_id: Annotated[str, Query(max_length=96, pattern=r"^[\w.-]+$", description="the replays whose scores are read")] = "simulation",
    from_day: Annotated[Day | None, Query(description="the first local day; usual: the first there is")] = None,
    to_day: Annotated[Day | None, Query(description="the last local day, included; usual: the last there is")] = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> ScoreList:
    """Return what each policy cost on each local day, as replays stored it."""
    with unit_of_work(gateway.database) as connection:
        rows = scores.list_days(connection, site_id, system_id=system_id, days=(from_day, to_day), after=_read_key(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (f"{row.day.isoformat()} {row.policy}",))
    return ScoreList(scores=page, cursor=following)


def _read_key(cursor: str | None) -> tuple[str, str] | None:
    text = read_text(cursor)
    if text is None:
        return None
    day, _, policy = text.partition(" ")
    try:
        return date.fromisoformat(day).isoformat(), policy
    except ValueError as exc:
        remedy = "Ask on with the cursor of the page before, or without one."
        raise InvalidInputError("is no cursor of this list", field="cursor", value=cursor, remedy=remedy) from exc
