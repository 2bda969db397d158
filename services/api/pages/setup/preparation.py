"""Jobs after set-up: inputs of the first plan, the plan, and further data.

State is in the jobs' rows alone, so any process can continue it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Literal

from luna.contracts.data import (
    BackfillRequest,
    FetchPricesRequest,
    FetchWeatherRequest,
    LoadFileRequest,
)
from luna.contracts.forecast import IssueRequest, RefreshForecastsRequest
from luna.contracts.job import DemoLoadRequest, Job
from luna.contracts.message import Request
from luna.contracts.plan import PlanOptions, PlanRequest
from luna.contracts.simulated_home import SimulatedHomeRequest
from luna.energy.policy import UNREACHED_RETRY
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.queue import Progress
from luna.platform.queue.jobs import submit_job
from luna.platform.settings import Settings
from luna.simulated_home.preparation import list_preparation
from luna.simulated_home.site import SITE_NAME
from luna.words import Language
from services.api.gateway import Gateway
from services.api.pages.job_part import find_progress

# History taken over from Home Assistant, whose recorder keeps readings for ten days by default and
# statistics for ever.
HISTORY = timedelta(days=30)
DEMO_HOUR = 14
PRICES = "prices"
PLAN = "plan"
Status = Literal["waiting", "running", "done", "failed", "not_begun"]
FinishedJobs = Mapping[str, Job]


@dataclass(frozen=True, slots=True)
class PreparationStage:
    """One job of a preparation; its label is ``stage_<name>``.

    ``after`` names the stages that have to end before it is submitted; the others go on if an
    ``optional`` one fails.
    """

    name: str
    request: Callable[[FinishedJobs], Request]
    after: Sequence[str] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class StageState:
    """The state of a stage.

    ``not_begun``: a stage before it has failed, so that it never runs.
    """

    name: str
    status: Status
    optional: bool = False
    job_id: str | None = None
    progress: Progress | None = None
    error: Mapping[str, Any] | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Preparation:
    """The state of all stages; ``jobs`` holds the successful ones by stage."""

    stages: Sequence[StageState]
    jobs: FinishedJobs

    @property
    def is_open(self) -> bool:
        """Whether a stage is running; a stage after a failed one never runs."""
        return any(stage.status == "running" for stage in self.stages)

    @property
    def plan(self) -> Mapping[str, Any] | None:
        """The first plan, which may be shown while other stages run; None until it is made."""
        return self.jobs[PLAN].reply if PLAN in self.jobs else None

    @property
    def failure(self) -> StageState | None:
        """The failed stage that stopped the preparation, None without one."""
        return next(
            (stage for stage in self.stages if stage.status == "failed" and not stage.optional),
            None,
        )


def advance(gateway: Gateway, stages: Sequence[PreparationStage], run: str) -> Preparation:
    """Submit the stages whose predecessors have ended; return the state of all.

    Args:
        gateway: for the database and the queue.
        stages: in an order in which each follows its predecessors.
        run: name of this preparation, part of the jobs' idempotency keys.

    Raises:
        UnavailableError: the database is away.
        InvalidInputError: a stage's request is refused.
    """
    states: list[StageState] = []
    finished: dict[str, Job] = {}
    ended: set[str] = set()
    stopped: set[str] = set()
    for stage in stages:
        if not stopped.isdisjoint(stage.after):
            stopped.add(stage.name)
            states.append(StageState(stage.name, "not_begun", stage.optional))
            continue
        if not ended.issuperset(stage.after):
            states.append(StageState(stage.name, "waiting", stage.optional))
            continue
        state, job = _look_at(gateway, stage, run, finished)
        states.append(state)
        if state.status == "done" and job is not None:
            finished[stage.name] = job
        if state.status == "done" or (state.status == "failed" and stage.optional):
            ended.add(stage.name)
        elif state.status == "failed":
            stopped.add(stage.name)
    return Preparation(states, finished)


def _look_at(
    gateway: Gateway, stage: PreparationStage, run: str, finished: FinishedJobs
) -> tuple[StageState, Job | None]:
    """Submit a stage's job if there is none; return its state and the finished job."""
    job = _submit_once(gateway, stage, run, finished)
    state = StageState(stage.name, "running", stage.optional, job.job_id)
    if job.status in {"queued", "running"}:
        return replace(state, progress=find_progress(gateway, job)), None
    failed = replace(state, status="failed")
    if job.status != "done":
        error = job.error or {"detail": job.status}
        return replace(failed, error=error, trace_id=job.trace_id), None
    reply = job.reply or {}
    if reply.get("reached") is False:
        unreached = refuse("nobody-reached", seconds=round(UNREACHED_RETRY.total_seconds()))
        return replace(failed, error=unreached.problem()), None
    # A job that fetched nothing counts as failed if outside services reported faults.
    parts = [*reply.get("markets", []), *reply.get("sites", [])]
    fetched = [part for part in parts if "faults" in part]
    faults = [*chain.from_iterable(part["faults"] for part in fetched)]
    if faults and not any(map(_has_new_values, fetched)):
        error = refuse("nothing-fetched", fault=faults[0]).problem()
        return replace(failed, error=error, trace_id=job.trace_id), None
    return replace(state, status="done"), job


def _submit_once(
    gateway: Gateway, stage: PreparationStage, run: str, finished: FinishedJobs
) -> Job:
    request = stage.request(finished)
    key = f"setup:{run}:{stage.name}"
    with unit_of_work(gateway.database) as connection:
        newest = jobs.find_newest(connection, task=request.task, key=key)
        if newest is not None:
            return jobs.load(connection, newest.job_id)
    return submit_job(gateway.database, gateway.queue, request, key=key)


def _has_new_values(part: Mapping[str, Any]) -> bool:
    return any(part.get(count, 0) for count in ("written", "added", "revised"))


def first_plan(
    site: Site,
    settings: Settings,
    upload: Mapping[str, str] | None,
    *,
    now: datetime,
    language: Language,
) -> list[PreparationStage]:
    """Return the stages of a site's first plan, and those that only later plans need.

    It does not wait for weather and measured days.

    Args:
        site: as stored.
        settings: whether outside services and a Home Assistant may be used.
        upload: an uploaded file, by field of its request; None without one.
        now: the end of the history.
        language: of the plan's sentences.
    """
    *fetched, forecast = fresh_inputs(site, settings)
    needed = [stage for stage in fetched if stage.name == PRICES]
    later = [replace(stage, after=[PLAN]) for stage in fetched if stage.name != PRICES]
    if upload:
        load = LoadFileRequest.model_validate({"site_id": site.name, **upload})
        needed.append(PreparationStage("file", _always(load)))
        forecast = replace(forecast, after=["file"])
    needed.append(forecast)
    request = PlanRequest(site_id=site.name, options=PlanOptions(language=language))
    plan = PreparationStage(PLAN, _always(request), after=[stage.name for stage in needed])
    if site.sensor_names and settings.home_assistant_url:
        history = BackfillRequest(site_id=site.name, first=now - HISTORY, end=now)
        later.append(PreparationStage("history", _always(history), after=[PLAN], optional=True))
    return [*needed, plan, *later]


def fresh_inputs(site: Site, settings: Settings) -> list[PreparationStage]:
    """Return the stages that refresh a plan's inputs; the last one issues the forecast.

    Prices and weather are fetched where outside services may be used.
    """
    stages: list[PreparationStage] = []
    if site.tariff.markets and settings.outside_services:
        stages.append(PreparationStage(PRICES, _always(FetchPricesRequest()), optional=True))
    if site.location is not None and settings.outside_services:
        # Without a site's name, as for prices: such a request repeats itself if no service is
        # reached.
        stages.append(PreparationStage("weather", _always(FetchWeatherRequest()), optional=True))
    refresh = RefreshForecastsRequest(site_id=site.name)
    return [*stages, PreparationStage("forecast", _always(refresh))]


def demo(language: Language) -> list[PreparationStage]:
    """Return the stages of the demo: a recorded year, and forecast and plan of a late day."""

    def request_plan(finished: FinishedJobs) -> PlanRequest:
        return PlanRequest(
            site_id=_demo_site(finished).name,
            start=_demo_start(finished),
            options=PlanOptions(language=language),
        )

    return [
        PreparationStage("demo", _always(DemoLoadRequest())),
        PreparationStage("forecast", _issue_for_demo, after=["demo"]),
        PreparationStage(PLAN, request_plan, after=["forecast"]),
    ]


def simulated_home(language: Language, *, now: datetime) -> list[PreparationStage]:
    """Return the stages of a simulated home with a plan.

    Its recent history comes last, and nothing waits for it.
    """
    (forecast, issue), *history = list_preparation(now).items()
    plan = PlanRequest(site_id=SITE_NAME, options=PlanOptions(language=language))
    stages = [
        PreparationStage(SITE_NAME, _always(SimulatedHomeRequest())),
        PreparationStage(forecast, _always(issue), after=[SITE_NAME], optional=True),
        PreparationStage(PLAN, _always(plan), after=[forecast]),
    ]
    for name, request in history:
        stages.append(PreparationStage(name, _always(request), after=[PLAN], optional=True))
    return stages


def _always(request: Request) -> Callable[[FinishedJobs], Request]:
    return lambda _: request


def _demo_site(finished: FinishedJobs) -> Site:
    return Site.model_validate((finished["demo"].reply or {})["sites"][0]["site"])


def _issue_for_demo(finished: FinishedJobs) -> IssueRequest:
    return IssueRequest(
        site_id=_demo_site(finished).name,
        at=_demo_start(finished),
        forecast_version=DEFAULT_VERSION,
    )


def _demo_start(finished: FinishedJobs) -> datetime:
    day = datetime.fromisoformat(str((finished["demo"].reply or {})["test_last_day"]))
    return day.replace(hour=DEMO_HOUR, tzinfo=parse_zone(_demo_site(finished).timezone))
