"""What is expected and by whom: versions with their errors, what drives and why, why a figure is what it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from luna.contracts.forecast import ForecastVersion, IssueRequest, TrainRequest
from luna.contracts.forecast_explanation import ExplainReply, ExplainRequest
from luna.contracts.forecast_versions import ForecastStatus, PromoteRequest, RollbackRequest
from luna.contracts.forecast_view import view_explained
from luna.energy.errors import LunaError
from luna.energy.instant import Instant
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast
from luna.energy.site import Site
from luna.platform import learning_reset
from luna.platform.database import forecast_issues, forecast_status, forecasts, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import submit_job
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.forecasts_view import ForecastsView, LastForecast, draw_explained
from services.api.pages.job_part import SitePath, find_progress, load_own
from services.api.pages.layout import PAGES, PageRoute, Reader, numbers_of, show, show_part, words_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = PAGES["forecasts"]
VersionQuery = Annotated[ForecastVersion | None, Query()]


@dataclass(frozen=True, slots=True)
class StoredForecasts:
    """What is stored of a site's forecasts: who drives, when that was issued last and how far it looks, what is forgotten today."""

    site: Site
    status: ForecastStatus
    last: LastForecast | None
    forgotten_until: datetime | None


@router.get("/ui/sites/{site_id}/forecasts")
def show_forecasts(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    done: Annotated[bool, Query(description="a decision was just made")] = False,
    job: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None,
) -> Response:
    """Show what drives the plan, how good all versions were, and what can be done."""
    return _show(request, gateway, site_id, done=done, job=job)


@router.get("/ui/sites/{site_id}/forecasts/chart")
async def show_forecast_chart(site_id: SitePath, request: Request, gateway: CurrentGateway, version: VersionQuery = None) -> Response:
    """Draw the forecast that stands, with its reasons: as the part that waits for it, or, without a script, in the whole page."""
    now = gateway.clock.now()
    language = Reader.of(request).language
    question = ExplainRequest(site_id=site_id, at=now, forecast_version=version, language=language)
    reply, refusal = await _explain(gateway, question)
    drawn = {} if reply is None else await run_in_threadpool(_draw, gateway, site_id, reply, request)
    if request.headers.get("HX-Request"):
        site = await run_in_threadpool(_load_site, gateway, site_id)
        return show_part(request, PAGE, "forecasts_chart.html.j2", site=site, **(NOTHING_DRAWN | {"refusal": refusal} | drawn))
    return await run_in_threadpool(lambda: _show(request, gateway, site_id, refusal=refusal, **drawn))


@router.get("/ui/sites/{site_id}/forecasts/explanation")
async def show_explanation(site_id: SitePath, request: Request, gateway: CurrentGateway, slot: Annotated[Instant, Query()]) -> Response:
    """Say why the figures of one quarter-hour are what they are."""
    question = ExplainRequest(site_id=site_id, at=gateway.clock.now(), slot=slot, language=Reader.of(request).language)
    reply, refusal = await _explain(gateway, question)
    told: dict[str, Any] = {"explained": None if reply is None else reply.slots[0], "refusal_of_slot": refusal}
    if request.headers.get("HX-Request"):
        site = await run_in_threadpool(_load_site, gateway, site_id)
        return show_part(request, PAGE, "forecasts_slot.html.j2", site=site, **told)
    return await run_in_threadpool(lambda: _show(request, gateway, site_id, slot=slot, **told))


@router.post("/ui/sites/{site_id}/forecasts/promote")
async def promote_version(site_id: SitePath, gateway: CurrentGateway, version: Annotated[ForecastVersion, Form()]) -> Response:
    """Let a version drive the planner from the next plan on."""
    await gateway.ask(PromoteRequest(site_id=site_id, forecast_version=version))
    return RedirectResponse(f"{PAGE.address(site_id)}?done=true", 303)


@router.post("/ui/sites/{site_id}/forecasts/rollback")
async def roll_back_version(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Take the last decision back that stands."""
    await gateway.ask(RollbackRequest(site_id=site_id))
    return RedirectResponse(f"{PAGE.address(site_id)}?done=true", 303)


@router.post("/ui/sites/{site_id}/forecasts/train")
def retrain_model(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Train anew, whatever the test of the new model says."""
    _load_site(gateway, site_id)
    job = submit_job(gateway.database, gateway.queue, TrainRequest(site_id=site_id, trigger="force"))
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", 303)


@router.post("/ui/sites/{site_id}/forecasts/reset")
def forget_today(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Let today's forecasts start afresh, and issue one that does."""
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        learning_reset.reset_today(connection, site_id, now=now)
    return _issue(gateway, site_id, now + timedelta(seconds=1))


@router.post("/ui/sites/{site_id}/forecasts/issue")
def issue_now(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Issue a forecast of the version that drives."""
    return _issue(gateway, site_id, gateway.clock.now())


def _issue(gateway: Gateway, site_id: str, at: datetime) -> Response:
    with unit_of_work(gateway.database) as connection:
        version = forecast_status.read_status(connection, site_id, at=at).active_forecast_version
    job = submit_job(gateway.database, gateway.queue, IssueRequest(site_id=site_id, at=at, forecast_version=version))
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", 303)


NOTHING_DRAWN: dict[str, Any] = {"charts": [], "notes": [], "refusal": None}


def _show(
    request: Request, gateway: Gateway, site_id: str, *, done: bool = False, job: str | None = None, slot: datetime | None = None, **told: Any
) -> Response:
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        stored = _read(connection, site_id, now)
        running = None if job is None else load_own(connection, site_id, job)
    view = ForecastsView(stored.status, stored.last, now, slot, numbers_of(request, stored.site), words_of(request, PAGE))
    progress = None if running is None else find_progress(gateway, running)
    frame = {"marks": marks, "view": view, "stored": stored, "done": done, "job": running, "progress": progress}
    return show(request, PAGE, site=stored.site, **(NOTHING_DRAWN | {"explained": None, "refusal_of_slot": None} | told | frame))


def _read(connection: Connection, site_id: str, now: datetime) -> StoredForecasts:
    site = sites.load(connection, site_id)
    status = forecast_status.read_status(connection, site_id, at=now)
    forgotten = learning_reset.find_forgotten(connection, site, now)
    return StoredForecasts(site, status, _find_last(connection, site_id, status.active_forecast_version, now), forgotten and forgotten[1])


def _find_last(connection: Connection, site_id: str, version: str, now: datetime) -> LastForecast | None:
    until = now + timedelta(microseconds=1)
    issues = forecast_issues.list_newest(connection, site_id, issued=(None, until), version=version, limit=1)
    return next(
        (LastForecast(issue.issued_at, forecasts.find_reach(connection, site_id, version=version, issued_at=issue.issued_at)) for issue in issues), None
    )


async def _explain(gateway: Gateway, question: ExplainRequest) -> tuple[ExplainReply | None, LunaError | None]:
    """Return the explanation, or why there is none: the rest of the page stands either way."""
    try:
        answer = await gateway.ask(question)
    except LunaError as error:
        return None, error
    return ExplainReply.model_validate_json(bytes(answer.body)), None


def _draw(gateway: Gateway, site_id: str, reply: ExplainReply, request: Request) -> dict[str, Any]:
    """Return the drawings of an explained forecast, and the notes below them."""
    site, forecast, happened = _read_forecast(gateway, site_id, reply)
    view = view_explained(site, reply, forecast, happened, numbers=numbers_of(request, site))
    return draw_explained(view, label=words_of(request, PAGE)("chart_label"))


def _read_forecast(gateway: Gateway, site_id: str, reply: ExplainReply) -> tuple[Site, Forecast, Observations]:
    with unit_of_work(gateway.database) as connection:
        (forecast,) = forecasts.read_all(connection, site_id, version=reply.forecast_version, first=reply.issued_at, last=reply.issued_at)
        return sites.load(connection, site_id), forecast, observations.read(connection, site_id, forecast.timeline)


def _load_site(gateway: Gateway, site_id: str) -> Site:
    with unit_of_work(gateway.database) as connection:
        return sites.load(connection, site_id)
