"""Page of the learning agent: its way to control, savings, decisions and settings."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, get_args

from fastapi import Form, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection

from luna.contracts.agent import (
    AGENT_POLICIES,
    SHADOW_POLICIES,
    AgentCardRequest,
    DayPictureReply,
    DayPictureRequest,
    EvaluateAgentRequest,
    RunId,
    TrainAgentRequest,
)
from luna.contracts.agent_control import CONTROL_MODES, ControlMode
from luna.contracts.agent_standing import (
    AgentRun,
    AgentSettingsChange,
    ScorePeriod,
    ShadowPolicyType,
)
from luna.contracts.forecast_versions import CardReply
from luna.energy.site import Site
from luna.energy.timeline import Day, parse_zone
from luna.house import agent_service
from luna.house.capabilities.agent import choose_window
from luna.platform.database import agent_gates, agent_runs, agent_status, recorded_span, sites
from luna.platform.database.agent_scores import read_agent_scores
from luna.platform.database.agent_slots import read_agent_slots
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import submit_job
from luna.words.refusals import SpokenError
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.agent.view import AgentView, PictureView, StoredAgent
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

router = ResourceRouter(route_class=PageRoute)

PAGE = PAGES["agent"]
PERIODS: tuple[ScorePeriod, ...] = get_args(ScorePeriod)
SHADOW_TYPES = get_args(ShadowPolicyType)
MOST_RUNS = 5
MOST_GATES = 12
JobQuery = Annotated[str | None, Query(max_length=64, pattern=r"^[\w-]+$")]


@router.page("GET", "/ui/sites/{site_id}/agent", "read")
def show_agent(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    job: JobQuery = None,
    done: Annotated[bool, Query()] = False,
) -> Response:
    """Show the agent's status, and the actions that are possible."""
    return _show(request, gateway, site_id, caller, job=job, done=done)


@router.page("GET", "/ui/sites/{site_id}/agent/picture", "read", solves=True)
async def draw_day_part(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    day: Annotated[Day, Query()],
) -> Response:
    """Draw a day: as a part of the page, or, without a script, in the whole page."""

    def choose_picture(connection: Connection) -> DayPictureRequest:
        return agent_runs.choose_picture(connection, sites.load(connection, site_id), day)

    question = await gateway.in_unit(choose_picture)
    picture, refusal = await gateway.ask_or_refusal(
        question, DayPictureReply, patience=question.patience
    )
    if not request.headers.get("HX-Request"):
        show_page = partial(_show, request, gateway, site_id, caller)
        return await run_in_threadpool(show_page, day=day, reply=picture, refusal=refusal)
    stored = await run_in_threadpool(_read, gateway, site_id, request)
    view = AgentView(stored, numbers_of(request, stored.site), words_of(request, PAGE))
    picture_view = None if picture is None else PictureView(day, picture, view)
    return show_part(
        request,
        PAGE,
        "agent_picture.html.j2",
        site=stored.site,
        picture=picture_view,
        refusal=refusal,
    )


@router.page("GET", "/ui/sites/{site_id}/agent/runs/{run_id}", "read")
async def show_agent_run(
    site_id: SitePath, run_id: Annotated[RunId, Path()], request: Request, gateway: CurrentGateway
) -> Response:
    """Show the card of a training."""

    def load(connection: Connection) -> AgentRun:
        sites.load(connection, site_id)
        return agent_runs.load_run(connection, site_id, run_id)

    run = await gateway.in_unit(load)
    stored = await run_in_threadpool(_read, gateway, site_id, request)
    view = AgentView(stored, numbers_of(request, stored.site), words_of(request, PAGE))
    card_request = AgentCardRequest(site_id=site_id, kind=run.kind, run_id=run_id)
    card, refusal = await gateway.ask_or_refusal(card_request, CardReply)
    context: dict[str, Any] = {"site": stored.site, "run": run, "card": card, "view": view}
    context["refusal"] = refusal
    return await run_in_threadpool(show, request, PAGE, template="agent_run.html.j2", **context)


@router.page("POST", "/ui/sites/{site_id}/agent/train", "analyse")
def train_on_page(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Train the site's shadow policy, and lead back to the page with its progress."""
    policy_type = gateway.load_site(site_id).antares.shadow_policy_type
    kind = AGENT_POLICIES[SHADOW_POLICIES[policy_type]]
    job = submit_job(gateway.database, gateway.queue, TrainAgentRequest(site_id=site_id, kind=kind))
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", 303)


@router.page("POST", "/ui/sites/{site_id}/agent/evaluate", "analyse")
def evaluate_on_page(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Evaluate all trained policies on unseen days, and lead back to the page."""
    gateway.load_site(site_id)
    job = submit_job(gateway.database, gateway.queue, EvaluateAgentRequest(site_id=site_id))
    return RedirectResponse(f"{PAGE.address(site_id)}?job={job.job_id}", 303)


@router.page("POST", "/ui/sites/{site_id}/agent/policy", "configure", critical=True)
def choose_policy(
    site_id: SitePath,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    shadow_policy_type: Annotated[ShadowPolicyType, Form()],
) -> Response:
    """Choose the policy that plans in shadow."""
    return _change(
        gateway, site_id, AgentSettingsChange(shadow_policy_type=shadow_policy_type), caller
    )


@router.page("POST", "/ui/sites/{site_id}/agent/mode", "configure", critical=True)
def choose_mode(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    control_mode: Annotated[ControlMode, Form()],
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Change the mode of control; more than shadow has to be confirmed."""
    if control_mode != "shadow" and not sure:
        raise SpokenError(words_of(request, PAGE)("mode_unsure"), field="sure")
    return _change(gateway, site_id, AgentSettingsChange(control_mode=control_mode), caller)


@router.page("POST", "/ui/sites/{site_id}/agent/withdrawal", "operate")
def take_control_back(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Take control from the agent at once."""
    if not sure:
        raise SpokenError(words_of(request, PAGE)("withdraw_unsure"), field="sure")
    with unit_of_work(gateway.database) as connection:
        agent_service.withdraw(connection, site_id, by=caller.signature, now=gateway.clock.now())
    return RedirectResponse(f"{PAGE.address(site_id)}?done=true", 303)


def _change(
    gateway: Gateway, site_id: str, change: AgentSettingsChange, caller: Caller
) -> Response:
    with unit_of_work(gateway.database) as connection:
        agent_service.change_settings(
            connection, site_id, change, version=None, by=caller.signature, now=gateway.clock.now()
        )
    return RedirectResponse(f"{PAGE.address(site_id)}?done=true", 303)


def _show(
    request: Request,
    gateway: Gateway,
    site_id: str,
    caller: Caller,
    *,
    job: str | None = None,
    done: bool = False,
    **drawn: Any,
) -> Response:
    stored = _read(gateway, site_id, request)
    running = None
    if job is not None:
        with unit_of_work(gateway.database) as connection:
            running = load_own(connection, site_id, job)
    view = AgentView(stored, numbers_of(request, stored.site), words_of(request, PAGE))
    reply = drawn.get("reply")
    day = drawn.get("day") or stored.last_day
    picture = None
    if reply is not None and day is not None:
        picture = PictureView(day, reply, view)
    return show(
        request,
        PAGE,
        site=stored.site,
        stored=stored,
        view=view,
        modes=CONTROL_MODES,
        shadow_types=SHADOW_TYPES,
        day=day,
        picture=picture,
        refusal=drawn.get("refusal"),
        job=running,
        progress=None if running is None else find_progress(gateway, running),
        done=done,
        scopes=caller.scopes,
    )


def _read(gateway: Gateway, site_id: str, request: Request) -> StoredAgent:
    now = gateway.clock.now()
    language = Reader.of(request).language
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        window = choose_window(site, None, None, now=now)
        scores = {
            period: read_agent_scores(connection, site, period, now=now) for period in PERIODS
        }
        gates = agent_gates.list_newest(connection, site_id, limit=MOST_GATES)
        return StoredAgent(
            site=site,
            now=now,
            status=agent_status.read_status(connection, site, now=now, language=language),
            scores=scores,
            window=window,
            slots=read_agent_slots(connection, site, window),
            runs=agent_runs.list_runs(connection, site_id, limit=MOST_RUNS),
            gates=[entry for _, entry in gates],
            last_day=_find_last_day(connection, site, now),
        )


def _find_last_day(connection: Connection, site: Site, now: datetime) -> date | None:
    """Return the last past local day with records."""
    span = recorded_span.of_site(connection, site.name)
    if span is None:
        return None
    end = min(span[1], now).astimezone(parse_zone(site.timezone))
    return (end - timedelta(days=1)).date()
