"""Page Forecasts: versions with errors, the active version, and explanations of values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from luna.contracts.forecast import ForecastVersion, IssueRequest, TrainRequest
from luna.contracts.forecast_explanation import ExplainReply, ExplainRequest
from luna.contracts.forecast_versions import (
    ForecastStatus,
    PromoteRequest,
    RollbackRequest,
    ShadowRecord,
    TrainingSummary,
    VersionDecision,
    VersionRecord,
)
from luna.contracts.forecast_view import view_explained
from luna.energy.policy import FORECAST_MAX_AGE
from luna.energy.site import Site
from luna.energy.timeline import SLOT, SLOTS_PER_HOUR, Instant, floor_to
from luna.house import learning_reset
from luna.platform.database import forecast_issues, forecast_status, forecasts, observations, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import submit_job
from luna.words import Numbers
from luna.words.charts.forecast import ForecastView, draw_forecast, say_notes
from luna.words.pages import PageWords
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.forecast_choices import describe_choice, describe_training
from services.api.pages.job_part import SitePath, find_progress, load_own
from services.api.pages.layout import (
    PAGES,
    PageRoute,
    Reader,
    numbers_of,
    show,
    show_part,
    words_of,
)
from services.api.routing import ResourceRouter

HOURS_AHEAD = 48
# Smaller contributions are invisible.
LEAST_KW = 0.005


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version's figures in words."""

    version: str
    name: str
    drives: bool
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class LastForecast:
    """The last issue of the active version, and the end of its horizon (None: it is empty)."""

    issued_at: datetime
    reach: datetime | None

    @property
    def hours(self) -> int:
        """The horizon in whole hours."""
        if self.reach is None:
            return 0
        return int((self.reach - floor_to(self.issued_at, SLOT)) / timedelta(hours=1))


@dataclass(frozen=True)
class ForecastsView:
    """The active version, the age of its forecast, and the errors of all versions."""

    status: ForecastStatus
    last: LastForecast | None
    now: datetime
    chosen: datetime | None
    numbers: Numbers
    words: PageWords

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        version = self.status.active_forecast_version
        key = f"headline_{version}"
        return self.words(key if self.words.knows(key) else "headline", version=version)

    @property
    def stale(self) -> bool:
        """Whether the last forecast is too old to plan from."""
        return self.last is not None and self.now - self.last.issued_at > FORECAST_MAX_AGE

    @property
    def partial_hours(self) -> int | None:
        """The horizon in hours if it is shorter than a plan's, else None.

        None also without a forecast.
        """
        if self.last is None or self.last.reach is None or self.last.hours >= HOURS_AHEAD - 1:
            return None
        return self.last.hours

    @property
    def freshness(self) -> str:
        """Age and horizon of the active forecast in words, "" without one."""
        if self.last is None:
            return ""
        issued = self.last.issued_at
        age = self.now - issued
        if self.stale:
            hours = int(age / timedelta(hours=1))
            return self.words("stale", hours=hours, at=self.numbers.moment(issued))
        minutes = int(age / timedelta(minutes=1))
        at = self.numbers.clock(issued)
        return self.words("fresh", minutes=minutes, at=at, hours=self.last.hours)

    @property
    def shadow(self) -> ShadowRecord | None:
        """The scores of all versions over the longest span."""
        return self.status.shadow[-1] if self.status.shadow else None

    def rows(self) -> list[VersionRow]:
        """Return the scored versions, the active one first."""
        active = self.status.active_forecast_version
        records = self.shadow.versions if self.shadow else {}
        names = sorted(records)
        if active in names:
            names.remove(active)
            names.insert(0, active)
        rows = []
        for name in names:
            cells = self._list_cells(records[name])
            rows.append(VersionRow(name, self.say_version(name), name == active, cells))
        return rows

    def _list_cells(self, record: VersionRecord) -> list[str]:
        """Return a version's errors of load and PV, coverage, regret and number of days."""
        errors = []
        coverages = []
        for name in ("load_kwh", "pv_kwh"):
            series = record.series.get(name)
            mae_kw = None if series is None else series.mae * SLOTS_PER_HOUR
            errors.append(self.numbers.power(mae_kw, decimals=2))
            if series is not None and series.coverage_80 is not None:
                coverages.append(self.numbers.share(series.coverage_80))
        days = max((series.days for series in record.series.values()), default=0)
        return [
            *errors,
            " · ".join(coverages) or "–",
            self.numbers.money(record.regret_per_day),
            str(days),
        ]

    @property
    def times(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """The next hours by local day, as (instant, clock time, whether it is chosen)."""
        first = floor_to(self.now, SLOT)
        instants = [first + timedelta(hours=hour) for hour in range(HOURS_AHEAD)]
        if self.chosen is not None and self.chosen not in instants:
            instants.append(self.chosen)
        days: dict[str, list[tuple[str, str, bool]]] = {}
        for instant in sorted(instants):
            local = instant.astimezone(self.numbers.zone)
            time_choice = (local.isoformat(), self.numbers.clock(instant), instant == self.chosen)
            days.setdefault(self.numbers.day(instant), []).append(time_choice)
        return list(days.items())

    def say_version(self, version: str) -> str:
        """Return a version's name for the reader, else its id."""
        return _say_version(version, self.words)

    def describe_choice(self, decision: VersionDecision) -> str:
        """Return why a forecast was put into use."""
        return describe_choice(decision, self.words, self.numbers)

    def describe_training(self, run: TrainingSummary) -> str:
        """Return why a trained model is used, or not."""
        return describe_training(run, self.words, self.numbers)


def _say_version(version: str, words: PageWords) -> str:
    key = f"version_{version}"
    return words(key) if words.knows(key) else version


def draw_explained(view: ForecastView, *, label: str) -> dict[str, Any]:
    """Draw a forecast, wide and narrow; return the drawings and the notes below them."""
    charts = []
    for frame, width in (("wide", 976), ("narrow", 358)):
        chart, height = draw_forecast(view, narrow=frame == "narrow")
        size = (frame, width, f"{height:.1f}", label)
        charts.append(
            Markup(
                '<svg class="chart forecast {}" viewBox="0 0 {} {}" role="img" '
                'aria-label="{}">{}</svg>'
            ).format(*size, chart)
        )
    return {"charts": charts, "notes": say_notes(view)}


router = ResourceRouter(route_class=PageRoute)

PAGE = PAGES["forecasts"]
VersionQuery = Annotated[ForecastVersion | None, Query()]


@dataclass(frozen=True, slots=True)
class StoredForecasts:
    """The stored state of a site's forecasts.

    ``last``: of the active version; ``forgotten_until``: the end of a reset of learning.
    """

    site: Site
    status: ForecastStatus
    last: LastForecast | None
    forgotten_until: datetime | None


@router.page("GET", "/ui/sites/{site_id}/forecasts", "read")
def show_forecasts(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    *,
    done: Annotated[bool, Query(description="a decision was just made")] = False,
    job: Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")] = None,
) -> Response:
    """Show the active version, the errors of all versions, and the possible actions."""
    return _show(request, gateway, site_id, done=done, job=job)


@router.page("GET", "/ui/sites/{site_id}/forecasts/chart", "read")
async def show_forecast_chart(
    site_id: SitePath, request: Request, gateway: CurrentGateway, version: VersionQuery = None
) -> Response:
    """Draw the current forecast with its reasons, in the whole page if there is no script."""
    now = gateway.clock.now()
    language = Reader.of(request).language
    question = ExplainRequest(site_id=site_id, at=now, forecast_version=version, language=language)
    reply, refusal = await gateway.ask_or_refusal(question, ExplainReply)
    drawn: dict[str, Any] = {"refusal": refusal}
    if reply is not None:
        drawn |= await run_in_threadpool(_draw, gateway, site_id, reply, request)
    if not request.headers.get("HX-Request"):
        return await run_in_threadpool(partial(_show, request, gateway, site_id, **drawn))
    site = await run_in_threadpool(gateway.load_site, site_id)
    context = NOTHING_DRAWN | drawn
    return show_part(request, PAGE, "forecasts_chart.html.j2", site=site, **context)


@router.page("GET", "/ui/sites/{site_id}/forecasts/explanation", "read")
async def show_explanation(
    site_id: SitePath, request: Request, gateway: CurrentGateway, slot: Annotated[Instant, Query()]
) -> Response:
    """Explain the figures of one quarter-hour."""
    question = ExplainRequest(
        site_id=site_id, at=gateway.clock.now(), slot=slot, language=Reader.of(request).language
    )
    reply, refusal = await gateway.ask_or_refusal(question, ExplainReply)
    context: dict[str, Any] = {
        "explained": None if reply is None else reply.slots[0],
        "refusal_of_slot": refusal,
    }
    if not request.headers.get("HX-Request"):
        show_page = partial(_show, request, gateway, site_id, slot=slot, **context)
        return await run_in_threadpool(show_page)
    site = await run_in_threadpool(gateway.load_site, site_id)
    return show_part(request, PAGE, "forecasts_slot.html.j2", site=site, **context)


@router.page("POST", "/ui/sites/{site_id}/forecasts/promote", "operate")
async def promote_version(
    site_id: SitePath, gateway: CurrentGateway, version: Annotated[ForecastVersion, Form()]
) -> Response:
    """Let a version drive the planner from the next plan on."""
    await gateway.ask(PromoteRequest(site_id=site_id, forecast_version=version))
    return RedirectResponse(f"{PAGE.address(site_id)}?done=true", 303)


@router.page("POST", "/ui/sites/{site_id}/forecasts/rollback", "operate")
async def roll_back_version(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Take back the last decision in force."""
    await gateway.ask(RollbackRequest(site_id=site_id))
    return RedirectResponse(f"{PAGE.address(site_id)}?done=true", 303)


@router.page("POST", "/ui/sites/{site_id}/forecasts/train", "analyse")
def retrain_model(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Train anew, whatever the test of the new model says."""
    gateway.load_site(site_id)
    job = submit_job(
        gateway.database, gateway.queue, TrainRequest(site_id=site_id, trigger="force")
    )
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", 303)


@router.page("POST", "/ui/sites/{site_id}/forecasts/reset", "operate")
def forget_today(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Let today's forecasts start afresh, and issue one that does."""
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        learning_reset.reset_today(connection, site_id, now=now)
    return _issue(gateway, site_id, now + timedelta(seconds=1))


@router.page("POST", "/ui/sites/{site_id}/forecasts/issue", "operate")
def issue_now(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Issue a forecast of the version that drives."""
    return _issue(gateway, site_id, gateway.clock.now())


def _issue(gateway: Gateway, site_id: str, at: datetime) -> Response:
    with unit_of_work(gateway.database) as connection:
        version = forecast_status.read_status(connection, site_id, at=at).active_forecast_version
    job = submit_job(
        gateway.database,
        gateway.queue,
        IssueRequest(site_id=site_id, at=at, forecast_version=version),
    )
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", 303)


NOTHING_DRAWN: dict[str, Any] = {"charts": [], "notes": [], "refusal": None}


def _show(
    request: Request,
    gateway: Gateway,
    site_id: str,
    *,
    done: bool = False,
    job: str | None = None,
    slot: datetime | None = None,
    **context: Any,
) -> Response:
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        site = sites.load(connection, site_id)
        status = forecast_status.read_status(connection, site_id, at=now)
        forgotten = learning_reset.find_forgotten(connection, site, now)
        version = status.active_forecast_version
        until = now + timedelta(microseconds=1)
        issues = forecast_issues.list_newest(
            connection, site_id, issued=(None, until), version=version, limit=1
        )
        last = None
        for issue in issues:
            reach = forecasts.find_reach(
                connection, site_id, version=version, issued_at=issue.issued_at
            )
            last = LastForecast(issue.issued_at, reach)
        stored = StoredForecasts(site, status, last, forgotten and forgotten[1])
        running = None if job is None else load_own(connection, site_id, job)
    view = ForecastsView(
        status=stored.status,
        last=stored.last,
        now=now,
        chosen=slot,
        numbers=numbers_of(request, stored.site),
        words=words_of(request, PAGE),
    )
    progress = None if running is None else find_progress(gateway, running)
    frame = {
        "marks": marks,
        "view": view,
        "stored": stored,
        "done": done,
        "job": running,
        "progress": progress,
    }
    return show(
        request,
        PAGE,
        site=stored.site,
        **(NOTHING_DRAWN | {"explained": None, "refusal_of_slot": None} | context | frame),
    )


def _draw(gateway: Gateway, site_id: str, reply: ExplainReply, request: Request) -> dict[str, Any]:
    """Draw an explained forecast; return the drawings and the notes below them."""
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        (forecast,) = forecasts.read_all(
            connection,
            site_id,
            version=reply.forecast_version,
            first=reply.issued_at,
            last=reply.issued_at,
        )
        happened = observations.read(connection, site_id, forecast.timeline)
    words = words_of(request, PAGE)
    view = view_explained(site, reply, forecast, happened, numbers=numbers_of(request, site))
    named = replace(view, version=_say_version(view.version, words))
    return draw_explained(named, label=words("chart_label"))
