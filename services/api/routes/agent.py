"""A day of the learning agent as a picture."""

from datetime import date, timedelta
from typing import Annotated

from anyio import to_thread
from fastapi import Path, Response
from pydantic_core import from_json

from luna.contracts.agent import DayPictureRequest
from luna.energy.instant import Day
from luna.platform.database import agent_runs, sites
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway, Gateway
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("agent")

# A day is replayed with its week, and learned forecasts that were not issued then are issued first.
PICTURE_PATIENCE = timedelta(minutes=2)
DayPath = Annotated[Day, Path(description="a local day that was recorded whole")]
_SVG = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "The picture"}}


@router.operation("Draw a day as planner, agent and oracle lived it", response_class=Response, responses=_SVG)
async def draw_agent_day(site_id: SitePath, day: DayPath, gateway: CurrentGateway) -> Response:
    """Return an SVG of three panels on common axes; without the agent where none was trained before the week of the day."""
    picture = await gateway.ask(await to_thread.run_sync(_choose_picture, gateway, site_id, day), patience=PICTURE_PATIENCE)
    return Response(from_json(bytes(picture.body))["svg"], media_type="image/svg+xml", headers={"Cache-Control": "private, no-cache"})


def _choose_picture(gateway: Gateway, site_id: str, day: date) -> DayPictureRequest:
    with unit_of_work(gateway.database) as connection:
        return agent_runs.choose_picture(connection, sites.load(connection, site_id), day)
