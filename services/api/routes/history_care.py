"""Whether the past of a site can be trusted: verdicts on days, gaps, repairs; quarter-hours built and read anew."""

import json
from datetime import date
from typing import Annotated

from fastapi import Query, Response
from pydantic import Field
from pydantic_core import to_json

from luna.contracts.data import BackfillRequest, DayQuality, JudgeQualityRequest
from luna.contracts.history_care import FindGapsRequest, FirstDay, LastDay, RepairRequest, SeriesGap, VerifyRequest
from luna.contracts.job import Job
from luna.contracts.message import Message
from luna.energy.history import require_window
from luna.energy.instant import Day, Instant
from luna.platform.capabilities.building import LONGEST, HistoryWindow
from luna.platform.capabilities.jobs import JobReply
from luna.platform.database import quality
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, Limit, cut_page, read_number, read_text, write_cursor
from services.api.gateway import CurrentGateway
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("history")

FromDay = Annotated[Day | None, Query(description="the first local day; usual: the first there is")]
ToDay = Annotated[Day | None, Query(description="the last local day, included; usual: the last there is")]


class QualityList(Message):
    """Days that were judged, in order; days that never were are left out."""

    days: Annotated[list[DayQuality], Field(description="each with its verdict and what speaks against it")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class GapList(Message):
    """Quarter-hours in a row in which a series that the site has is unknown."""

    gaps: Annotated[list[SeriesGap], Field(description="by series, then time")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class HistoryDays(Message):
    """The local days that are meant."""

    from_day: FirstDay
    to_day: LastDay


class RepairOrder(HistoryDays):
    """Which days to repair."""

    dry_run: Annotated[bool, Field(description="say what would be done and change nothing")] = False


@router.operation("List how far days can be trusted")
def read_quality(
    site_id: SitePath, gateway: CurrentGateway, *, from_day: FromDay = None, to_day: ToDay = None, limit: Limit = 100, cursor: Cursor = None
) -> QualityList:
    """Return the verdict on each local day: clean, mask_battery (nothing of the battery counts) or exclude (nothing does), and why."""
    after = read_text(cursor)
    with unit_of_work(gateway.database) as connection:
        found = quality.read(connection, site_id, from_day or date(1800, 1, 1), to_day or date(3000, 1, 1))
    page, following = cut_page([day for day in found if after is None or day.day.isoformat() > after], limit=limit, key=lambda day: (day.day.isoformat(),))
    return QualityList(days=page, cursor=following)


@router.operation("Judge days", status_code=202, response_model=JobReply)
def judge_quality(site_id: SitePath, days: HistoryDays, gateway: CurrentGateway, response: Response) -> Job:
    """Judge local days anew, as a job; what is excluded neither trains nor scores."""
    return submit_for_site(gateway, site_id, JudgeQualityRequest(site_id=site_id, from_day=days.from_day, to_day=days.to_day), response)


@router.operation("List gaps", response_model=GapList)
async def list_gaps(
    site_id: SitePath,
    gateway: CurrentGateway,
    *,
    first: Annotated[Instant, Query(alias="from", description="the first instant; without offset by the site's clock")],
    end: Annotated[Instant, Query(alias="to", description="the instant after the last")],
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Return the quarter-hours in a row in which a series that the site has is unknown."""
    require_window(first, end, longest=LONGEST)
    begin = read_number(cursor) or 0
    reply = await gateway.ask(FindGapsRequest(site_id=site_id, first=first, end=end))
    gaps = json.loads(bytes(reply.body))["gaps"][max(begin, 0) :]
    following = write_cursor((begin + limit,)) if len(gaps) > limit else None
    return Response(to_json({"gaps": gaps[:limit], "cursor": following}), media_type="application/json")


@router.operation("Repair the past", status_code=202, response_model=JobReply)
def repair_data(site_id: SitePath, order: RepairOrder, gateway: CurrentGateway, response: Response) -> Job:
    """Fill prices of zero that stand for missing ones, and short gaps in energies, as a job; each change is kept with what was before."""
    return submit_for_site(gateway, site_id, RepairRequest(site_id=site_id, **order.model_dump()), response)


@router.operation("Take over the past from Home Assistant", status_code=202, response_model=JobReply)
def backfill(site_id: SitePath, window: HistoryWindow, gateway: CurrentGateway, response: Response) -> Job:
    """Read what the site's sensors said out of Home Assistant and build the quarter-hours, as a job; interrupted, it goes on where it was."""
    require_window(window.from_, window.to, longest=LONGEST)
    return submit_for_site(gateway, site_id, BackfillRequest(site_id=site_id, first=window.from_, end=window.to), response)


@router.operation("Compare the past with Home Assistant", status_code=202, response_model=JobReply)
def verify_data(site_id: SitePath, days: HistoryDays, gateway: CurrentGateway, response: Response) -> Job:
    """Compare the stored quarter-hours with what Home Assistant counted, per local day, as a job."""
    return submit_for_site(gateway, site_id, VerifyRequest(site_id=site_id, from_day=days.from_day, to_day=days.to_day), response)
