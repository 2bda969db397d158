"""Which version of the forecasts drives a site's planner: read it, promote one, roll back."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.forecast import ForecastVersion
from luna.contracts.forecast_versions import ActivationReply, ForecastStatus, PromoteRequest, RollbackRequest, RunId
from luna.database import forecast_status
from luna.database.engine import unit_of_work
from luna.errors import ConflictError
from luna.timeline import SystemClock
from services.api.gateway import CurrentGateway
from services.api.json_body import CheckedRoute
from services.api.problems import document_errors

router = APIRouter(route_class=CheckedRoute, prefix="/sites/{site}/forecast-versions", tags=["forecasts"])

SiteName = Annotated[str, Path(min_length=1, max_length=64)]


class Promotion(BaseModel):
    """What is to drive the planner from now on, and why."""

    model_config = ConfigDict(extra="forbid")

    forecast_version: ForecastVersion
    run_id: Annotated[RunId | None, Field(description="the training whose model speaks; default: the latest")] = None
    reason: Annotated[str, Field(min_length=1, max_length=512)] = "promoted by hand"


@router.get("", summary="Read which version drives the planner")
def read_versions(site: SiteName, gateway: CurrentGateway) -> ForecastStatus:
    """Return the active version and why, how all did in shadow over two and four weeks, the last decisions and trainings."""
    with unit_of_work(gateway.database) as connection:
        return forecast_status.read_status(connection, site, at=SystemClock().now())


@router.post("/promote", responses=document_errors(ConflictError), response_model=ActivationReply, summary="Let a version drive the planner")
async def promote(site: SiteName, promotion: Promotion, gateway: CurrentGateway) -> Response:
    """Let the version drive the planner from the next plan on. An owner's pin stands above it. 409 where Aurora was never trained."""
    return await gateway.ask(PromoteRequest(site_id=site, **promotion.model_dump()))


@router.post("/rollback", responses=document_errors(ConflictError), response_model=ActivationReply, summary="Go back to what drove the planner before")
async def roll_back(site: SiteName, gateway: CurrentGateway) -> Response:
    """Take back the last decision that stands. 409 where there is none."""
    return await gateway.ask(RollbackRequest(site_id=site))
