"""The learning agent of a site: what answers with a tag or a picture."""

from datetime import date, timedelta
from typing import Annotated

from anyio import to_thread
from fastapi import Header, Path, Request, Response
from pydantic_core import from_json

from luna.contracts import PlanReply
from luna.contracts.agent import DayPictureRequest
from luna.contracts.agent_standing import AgentSettings, AgentSettingsChange
from luna.energy.errors import OutdatedError
from luna.energy.instant import Day
from luna.energy.refusals import refuse
from luna.platform import agent_service
from luna.platform.database import agent_plans, agent_runs, sites
from luna.platform.database.engine import unit_of_work
from services.api.entity_tags import read_version, respond_tagged, version_tag
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.problems import document_errors
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("agent")

# A day is replayed with its week, and learned forecasts that were not issued then are issued first.
PICTURE_PATIENCE = timedelta(minutes=2)
DayPath = Annotated[Day, Path(description="a local day that was recorded whole")]
IfMatch = Annotated[str | None, Header(max_length=100, description='the site\'s version that is changed, as the ETag said: "3"; default: whatever it is')]
IfNoneMatch = Annotated[str | None, Header(max_length=1000, description="ETags the caller has: 304 where one of them holds")]
_TAGGED = {"headers": {"ETag": {"description": "the site's version, for If-Match", "schema": {"type": "string"}}}}
_PLAN_TAG = {"headers": {"ETag": {"description": "names this plan", "schema": {"type": "string"}}}}
_SVG = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The picture"}}


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
        raise refuse("no-such-agent-plan", field="shadow_id", value=shadow_id)
    return respond_tagged(request, plan.model_dump_json(by_alias=True).encode(), f'"{shadow_id}"')


@router.operation("Draw a day as planner, agent and oracle lived it", response_class=Response, responses=_SVG)
async def draw_agent_day(site_id: SitePath, day: DayPath, gateway: CurrentGateway) -> Response:
    """Return an SVG of three panels on common axes; without the agent where none was trained before the week of the day."""
    picture = await gateway.ask(await to_thread.run_sync(_choose_picture, gateway, site_id, day), patience=PICTURE_PATIENCE)
    return Response(from_json(bytes(picture.body))["svg"], media_type="image/svg+xml", headers={"Cache-Control": "private, no-cache"})


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


def _choose_picture(gateway: Gateway, site_id: str, day: date) -> DayPictureRequest:
    with unit_of_work(gateway.database) as connection:
        return agent_runs.choose_picture(connection, sites.load(connection, site_id), day)
