"""The learning agent of a site: where it stands, what it would have saved, who decided, its trainings and plans, and what its owner wants of it."""

from datetime import date, datetime, timedelta
from typing import Annotated

from anyio import to_thread
from fastapi import Header, Path, Query, Request, Response
from pydantic import Field
from pydantic_core import from_json

from luna.contracts import PlanReply
from luna.contracts.agent import AgentCardRequest, AgentKind, DayPictureRequest, EvaluateAgentRequest, RunId, TrainAgentRequest
from luna.contracts.agent_control import AgentStatus, GateEntry, ShadowPlanSummary
from luna.contracts.agent_standing import AgentRun, AgentScores, AgentSettings, AgentSettingsChange, ScorePeriod, SlotDecision
from luna.contracts.forecast_versions import CardReply
from luna.contracts.job import Job
from luna.contracts.message import Message
from luna.energy.errors import NotFoundError, OutdatedError
from luna.energy.history import require_window
from luna.energy.instant import Day, Instant
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to, local_midnight, parse_zone
from luna.platform import agent_service
from luna.platform.capabilities.jobs import JobReply
from luna.platform.database import agent_gates, agent_plans, agent_runs, agent_status, sites
from luna.platform.database.agent_scores import read_agent_scores
from luna.platform.database.agent_slots import read_agent_slots
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, From, Limit, To, cut_page, read_instant_and_text, read_number
from luna.words import Language
from services.api.entity_tags import read_version, respond_tagged, version_tag
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.problems import document_errors
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("agent")

DAY, WEEK = timedelta(days=1), timedelta(days=7)
# A day is replayed with its week, and learned forecasts that were not issued then are issued first.
PICTURE_PATIENCE = timedelta(minutes=2)
RunPath = Annotated[RunId, Path(description="a training, as the list of them says it")]
DayPath = Annotated[Day, Path(description="a local day that was recorded whole")]
IfMatch = Annotated[str | None, Header(max_length=100, description='the site\'s version that is changed, as the ETag said: "3"; default: whatever it is')]
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description="ETags the caller has: 304 where one of them holds")]
_TAGGED = {"headers": {"ETag": {"description": "the site's version, for If-Match", "schema": {"type": "string"}}}}
_PLAN_TAG = {"headers": {"ETag": {"description": "names this plan", "schema": {"type": "string"}}}}
_SVG = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The picture"}}


class SlotList(Message):
    """Who decided the slots of a window, in order."""

    slots: Annotated[list[SlotDecision], Field(description="those in which anything was decided or planned")]
    cursor: Annotated[None, Field(description="always null: a window is one page")] = None


class RunList(Message):
    """Trainings of the agent, of each kind the one that learned from the most recent data first."""

    runs: Annotated[list[AgentRun], Field(description="of every kind that was asked for")]
    cursor: Annotated[None, Field(description="always null: `limit` counts by kind")] = None


class GateList(Message):
    """Decisions about the modes of control, the latest first; rows are only ever added."""

    gates: Annotated[list[GateEntry], Field(description="with the evidence that each rests on")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class ShadowPlanList(Message):
    """Plans of the agent, the newest first."""

    plans: Annotated[list[ShadowPlanSummary], Field(description="without their slots; each is read by its id")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class TrainingOrder(Message):
    """What an agent is to learn from."""

    kind: Annotated[AgentKind, Field(description="which agent")] = "value"
    until: Annotated[Instant | None, Field(description="nothing known from then on is learned from; default: now")] = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="the same seed and data give the same model")] = 0
    steps: Annotated[int, Field(ge=1_000, le=100_000_000, description="of reinforcement learning")] = 2_000_000


class EvaluationOrder(Message):
    """On which unseen days agents are measured."""

    days: Annotated[int, Field(ge=7, le=366, description="how many")] = 100
    to_day: Annotated[Day | None, Field(description="last local day, included; default: the last one recorded whole")] = None
    policies: Annotated[list[str], Field(max_length=16, description="default: all that were trained")] = []


@router.operation("Read where the agent stands")
def read_agent(site_id: SitePath, gateway: CurrentGateway, language: Annotated[Language, Query(description="of the sentences")] = "en") -> AgentStatus:
    """Return what was trained, what its evidence says, how each mode of control stands, and what has to happen next."""
    with unit_of_work(gateway.database) as connection:
        return agent_status.read_status(connection, sites.load(connection, site_id), now=gateway.clock.now(), language=language)


@router.operation("Read what planner, agent and oracle cost")
def list_agent_scores(
    site_id: SitePath, gateway: CurrentGateway, period: Annotated[ScorePeriod, Query(description="until yesterday, by the site's clock")] = "month"
) -> AgentScores:
    """Return what each cost on the days that all of them were scored on, and by how much the agent was cheaper than the planner."""
    with unit_of_work(gateway.database) as connection:
        return read_agent_scores(connection, sites.load(connection, site_id), period, now=gateway.clock.now())


@router.operation("Say who decided each slot")
def list_agent_slots(site_id: SitePath, gateway: CurrentGateway, *, first: From = None, end: To = None) -> SlotList:
    """Return who decided what the batteries did in each slot and why, beside what both plans would have had them do; usual: today so far."""
    now = gateway.clock.now()
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        return SlotList(slots=read_agent_slots(connection, site, choose_window(site, first, end, now=now)))


@router.operation("List trainings of the agent")
def list_agent_runs(
    site_id: SitePath,
    gateway: CurrentGateway,
    kind: Annotated[AgentKind | None, Query(description="of this kind alone")] = None,
    *,
    limit: Annotated[int, Query(ge=1, le=100, description="of each kind")] = 20,
) -> RunList:
    """Return what was trained from when to when, whether it is in use, and how it did on days that it had not seen."""
    with unit_of_work(gateway.database) as connection:
        return RunList(runs=agent_runs.list_runs(connection, site_id, kinds=agent_runs.KINDS if kind is None else (kind,), limit=limit))


@router.operation("Read the card of a training of the agent", response_model=CardReply)
async def read_agent_run(site_id: SitePath, run_id: RunPath, gateway: CurrentGateway) -> Response:
    """Return what a model learned from, how good it was and what it is for, as facts and in Markdown."""
    run = await to_thread.run_sync(_load_run, gateway, site_id, run_id)
    return await gateway.ask(AgentCardRequest(site_id=site_id, kind=run.kind, run_id=run.run_id))


@router.operation("List decisions about what the agent may do")
def list_agent_gates(site_id: SitePath, gateway: CurrentGateway, *, limit: Limit = 50, cursor: Cursor = None) -> GateList:
    """Return the gatekeeper's and people's decisions with their evidence, the latest first."""
    with unit_of_work(gateway.database) as connection:
        rows = agent_gates.list_newest(connection, site_id, before=read_number(cursor), limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row[0],))
    return GateList(gates=[entry for _, entry in page], cursor=following)


@router.operation("List the agent's plans")
def list_agent_plans(
    site_id: SitePath, gateway: CurrentGateway, *, first: From = None, end: To = None, limit: Limit = 50, cursor: Cursor = None
) -> ShadowPlanList:
    """Return the plans that the agent made beside the planner's within `from` and `to`, the newest first, with the gatekeeper's verdict."""
    with unit_of_work(gateway.database) as connection:
        after = read_instant_and_text(cursor)
        rows = agent_plans.list_newest(connection, site_id, issued=(first, end), after=after, limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.issued_at.isoformat(), row.based_on))
    return ShadowPlanList(plans=page, cursor=following)


@router.operation("Read a plan of the agent", response_model=PlanReply, responses={200: _PLAN_TAG, 304: {"description": "As it was, by If-None-Match"}})
def read_agent_plan(
    site_id: SitePath,
    shadow_id: Annotated[str, Path(max_length=64, description="the plan's id, as the list of the agent's plans says it")],
    gateway: CurrentGateway,
    request: Request,
    *,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001 - documents the header
) -> Response:
    """Return a plan of the agent as it was stored; it drives devices only where the gatekeeper said so."""
    with unit_of_work(gateway.database) as connection:
        sites.key_of(connection, site_id)
        plan = agent_plans.load(connection, shadow_id)
    if plan.site != site_id:
        raise NotFoundError("no such plan of the agent", field="shadow_id", value=shadow_id, remedy="Take the plan_id from the list of the agent's plans.")
    return respond_tagged(request, plan.model_dump_json(by_alias=True).encode(), f'"{shadow_id}"')


@router.operation("Draw a day as planner, agent and oracle lived it", response_class=Response, responses=_SVG)
async def draw_agent_day(site_id: SitePath, day: DayPath, gateway: CurrentGateway) -> Response:
    """Return an SVG of three panels on common axes; without the agent where none was trained before the week of the day."""
    picture = await gateway.ask(await to_thread.run_sync(_choose_picture, gateway, site_id, day), patience=PICTURE_PATIENCE)
    return Response(from_json(bytes(picture.body))["svg"], media_type="image/svg+xml", headers={"Cache-Control": "private, no-cache"})


@router.operation("Train the agent on a site's history", status_code=202, response_model=JobReply)
def train_agent(site_id: SitePath, order: TrainingOrder, gateway: CurrentGateway, response: Response) -> Job:
    """Train as a job, whose reply says what was learned and whether the model is in use; until then the one before stays."""
    return submit_for_site(gateway, site_id, TrainAgentRequest(site_id=site_id, **dict(order)), response)


@router.operation("Measure trained agents on unseen days", status_code=202, response_model=JobReply)
def evaluate_agent(site_id: SitePath, order: EvaluationOrder, gateway: CurrentGateway, response: Response) -> Job:
    """Measure as a job what was trained beside planner, plain rules and oracle, on days that none of it has seen."""
    return submit_for_site(gateway, site_id, EvaluateAgentRequest(site_id=site_id, **dict(order)), response)


@router.operation("Say what the agent is to be, and what it may do", response_model=AgentSettings, responses={200: _TAGGED, **document_errors(OutdatedError)})
def change_agent(
    site_id: SitePath, asked: AgentSettingsChange, gateway: CurrentGateway, request: Request, *, caller: CurrentCaller, if_match: IfMatch = None
) -> Response:
    """Store it as the site's next version. A mode holds once it is offered; naming one that was withdrawn gives it back. 412 where the site changed since."""
    version = None if if_match is None else read_version(request)
    with unit_of_work(gateway.database) as connection:
        site, changed = agent_service.change_settings(connection, site_id, asked, version=version, by=caller.signature, now=gateway.clock.now())
    document = agent_service.read_settings(site).model_dump_json()
    return Response(document, headers={"ETag": version_tag(changed)}, media_type="application/json")


@router.operation("Take control from the agent")
def withdraw_agent(site_id: SitePath, gateway: CurrentGateway, caller: CurrentCaller) -> GateList:
    """Take every mode of control away at once; the planner decides from the next look on. Only a person gives it back: `PUT …/agent/settings`."""
    with unit_of_work(gateway.database) as connection:
        return GateList(gates=agent_service.withdraw(connection, site_id, by=caller.signature, now=gateway.clock.now()), cursor=None)


def choose_window(site: Site, first: datetime | None, end: datetime | None, *, now: datetime) -> Timeline:
    """Return the slots from ``first`` (usual: the site's midnight) to ``end`` (usual: a day later, not after the slot that is now).

    Raises:
        InvalidInputError: none, or more than a week.
    """
    zone = parse_zone(site.timezone)
    begin = floor_to(first, SLOT) if first is not None else local_midnight(now.astimezone(zone).date(), zone)
    last = end if end is not None else min(begin + DAY, floor_to(now, SLOT) + SLOT)
    require_window(begin, last, longest=WEEK)
    return Timeline(begin, SLOT, -((begin - last) // SLOT))


def _load_run(gateway: Gateway, site_id: str, run_id: str) -> AgentRun:
    with unit_of_work(gateway.database) as connection:
        return agent_runs.load_run(connection, site_id, run_id)


def _choose_picture(gateway: Gateway, site_id: str, day: date) -> DayPictureRequest:
    with unit_of_work(gateway.database) as connection:
        return agent_runs.choose_picture(connection, sites.load(connection, site_id), day)
