"""A day of the learning agent as a picture."""

from typing import Annotated

from fastapi import Path, Response
from pydantic_core import from_json

from luna.energy.timeline import Day
from luna.platform.database import agent_runs, sites
from services.api.gateway import CurrentGateway
from services.api.operation import Operation
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("agent")

DayPath = Annotated[Day, Path(description="a local day that was recorded whole")]
_SVG = {
    200: {
        "content": {"image/svg+xml": {"schema": {"type": "string"}}},
        "description": "The picture",
    }
}


@router.operation(
    "Draw a day as planner, agent and oracle lived it",
    Operation(
        "GET", "/v1/sites/{site_id}/agent/days/{day}/picture", "read", "agent plot", solves=True
    ),
    response_class=Response,
    responses=_SVG,
)
async def draw_agent_day(site_id: SitePath, day: DayPath, gateway: CurrentGateway) -> Response:
    """Return an SVG of three panels on common axes.

    Without the agent where none was trained before the week of the day.
    """
    request = await gateway.in_unit(
        lambda connection: agent_runs.choose_picture(
            connection, sites.load(connection, site_id), day
        )
    )
    picture = await gateway.ask(request, patience=request.patience)
    return Response(
        from_json(bytes(picture.body))["svg"],
        media_type="image/svg+xml",
        headers={"Cache-Control": "private, no-cache"},
    )
