"""What is known of a site and whether it can be trusted: quality by day, gaps, refused rows, files."""

import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.contracts.data import JudgeQualityRequest, Kind, LoadFileRequest, Resolution, ResolveRequest
from luna.contracts.history_care import FindGapsRequest, GapsReply
from luna.energy.errors import LunaError
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to, local_midnight, parse_zone
from luna.platform.database import jobs, quality, quarantine, recorded_span, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import submit_job
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.data_view import DataView, Month, read_corrections
from services.api.pages.job_part import SitePath, find_progress, load_own
from services.api.pages.layout import PAGES, PageRoute, numbers_of, show, show_part, words_of
from services.api.routes.uploads import take_upload

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = PAGES["data"]
SHOWN_ROWS, SHOWN_LOADS = 20, 8
RowPath = Annotated[int, Path(ge=1, le=2**63 - 1)]
MonthQuery = Annotated[str | None, Query(pattern=r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$", description="usual: that of yesterday")]
UPLOAD_PATH = r"/ui/sites/[^/]+/data/uploads"


@router.get("/ui/sites/{site_id}/data")
def show_data(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    month: MonthQuery = None,
    decided: Annotated[str | None, Query(pattern=r"^(released|corrected|dismissed):\d{1,19}$")] = None,
    job: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None,
) -> Response:
    """Show a month's quality, refused rows and what was loaded."""
    return _show(request, gateway, site_id, month=month, decided=decided, job=job)


@router.get("/ui/sites/{site_id}/data/gaps")
async def show_gaps(site_id: SitePath, request: Request, gateway: CurrentGateway, month: MonthQuery = None) -> Response:
    """Show the gaps of a month: as the part that waits for them, or, without a script, in the whole page."""
    site = await run_in_threadpool(_load_site, gateway, site_id)
    now = gateway.clock.now()
    shown, zone = Month.of(month, site, now), parse_zone(site.timezone)
    # What is still to come is no gap, nor is the quarter-hour that has just ended: it is being built.
    first, end = local_midnight(shown.first, zone), min(local_midnight(shown.last + timedelta(days=1), zone), floor_to(now, SLOT) - SLOT)
    gaps, refusal = await _find_gaps(gateway, FindGapsRequest(site_id=site_id, first=first, end=end))
    if request.headers.get("HX-Request"):
        return show_part(request, PAGE, "data_gaps.html.j2", site=site, gaps=gaps, refusal=refusal)
    return await run_in_threadpool(lambda: _show(request, gateway, site_id, month=month, gaps=gaps, refusal=refusal))


@router.post("/ui/sites/{site_id}/data/quality")
def judge_month(site_id: SitePath, gateway: CurrentGateway, month: MonthQuery = None) -> Response:
    """Have the days of a month judged again."""
    shown = Month.of(month, _load_site(gateway, site_id), gateway.clock.now())
    job = submit_job(gateway.database, gateway.queue, JudgeQualityRequest(site_id=site_id, from_day=shown.first, to_day=shown.last))
    return RedirectResponse(f"{PAGE.address(site_id)}?month={shown.name}&job={job.job_id}", 303)


@router.post("/ui/sites/{site_id}/data/quarantine/{quarantine_id}/{resolution}")
async def decide_row(
    site_id: SitePath, quarantine_id: RowPath, resolution: Resolution, request: Request, *, gateway: CurrentGateway, caller: CurrentCaller
) -> Response:
    """Let a refused row in, as it is or with the form's values, or leave it out for good."""
    received = await run_in_threadpool(_read_row, gateway, site_id, quarantine_id)
    form = await request.form()
    values = read_corrections({name: str(value) for name, value in form.items()}, received) if resolution == "corrected" else {}
    await gateway.ask(ResolveRequest(quarantine_id=quarantine_id, resolution=resolution, values=values, by=caller.signature))
    return RedirectResponse(f"{PAGE.address(site_id)}?decided={resolution}:{quarantine_id}", 303)


@router.post("/ui/sites/{site_id}/data/uploads")
async def upload_file(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Take a file and lead to the page that shows what becomes of it."""
    job = await take_upload(site_id, request, gateway, Response())
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", HTTPStatus.SEE_OTHER.value)


async def _find_gaps(gateway: Gateway, request: FindGapsRequest) -> tuple[GapsReply | None, LunaError | None]:
    """Return the gaps, or why nobody can say: the rest of the page stands either way."""
    if request.end <= request.first:
        return GapsReply(site_id=request.site_id, gaps=[]), None
    try:
        answer = await gateway.ask(request)
    except LunaError as error:
        return None, error
    return GapsReply.model_validate_json(bytes(answer.body)), None


def _show(request: Request, gateway: Gateway, site_id: str, *, month: str | None, decided: str | None = None, job: str | None = None, **told: Any) -> Response:
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        site = sites.load(connection, site_id)
        shown = Month.of(month, site, now)
        running = None if job is None else load_own(connection, site_id, job)
        view = DataView(
            site=site,
            now=now,
            month=shown,
            verdicts={day.day: day for day in quality.read(connection, site_id, shown.first, shown.last)},
            span=recorded_span.of_site(connection, site_id),
            rows=quarantine.list_rows(connection, site_id, limit=SHOWN_ROWS),
            loads=jobs.list_of_site(connection, site_id, tasks=[LoadFileRequest.task], limit=SHOWN_LOADS),
            numbers=numbers_of(request, site),
            words=words_of(request, PAGE),
        )
    progress = None if running is None else find_progress(gateway, running)
    frame = {
        "marks": marks,
        "view": view,
        "kinds": get_args(Kind),
        "decided": _read_decided(decided),
        "job": running,
        "progress": progress,
        "shown_rows": SHOWN_ROWS,
    }
    return show(request, PAGE, site=site, **({"gaps": None, "refusal": None} | told | frame))


def _read_decided(text: str | None) -> tuple[str, str] | None:
    """Return what was just decided about which row."""
    found = re.fullmatch(r"(\w+):(\d+)", text or "")
    return None if found is None else (found[1], found[2])


def _load_site(gateway: Gateway, site_id: str) -> Site:
    with unit_of_work(gateway.database) as connection:
        return sites.load(connection, site_id)


def _read_row(gateway: Gateway, site_id: str, quarantine_id: int) -> Mapping[str, Any]:
    """Return a refused row of the site as it was received."""
    with unit_of_work(gateway.database) as connection:
        quarantine.require_of_site(connection, site_id, quarantine_id)
        return quarantine.hold(connection, quarantine_id)[1].raw
