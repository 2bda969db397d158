"""Which version of the forecasts drives a site's planner: read it, train, promote one, roll back."""

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from luna.contracts.forecast import ForecastVersion, TrainRequest
from luna.contracts.forecast_versions import ActivationReply, CardReply, CardRequest, ForecastStatus, PromoteRequest, RollbackRequest, RunId
from luna.contracts.job import Job
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.energy.instant import Instant
from luna.platform.capabilities.jobs import JobReply
from luna.platform.clock import SystemClock
from luna.platform.database import forecast_status
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.problems import document_errors
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("forecasts")


class Promotion(Message):
    """What is to drive the planner from now on, and why."""

    forecast_version: ForecastVersion
    run_id: Annotated[RunId | None, Field(description="the training whose model speaks; default: the latest")] = None
    reason: Annotated[str, Field(min_length=1, max_length=512, description="kept with the decision")] = "promoted by hand"


class Training(Message):
    """What a model is to learn from."""

    until: Annotated[Instant | None, Field(description="nothing after this instant; default: all there is")] = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="the same seed and data give the same model")] = 0
    force: Annotated[bool, Field(description="use the new model also where it did worse than the one in use")] = False


@router.operation("Read which version drives the planner")
def read_forecast_versions(site_id: SitePath, gateway: CurrentGateway) -> ForecastStatus:
    """Return the active version and why, how all did in shadow over two and four weeks, the last decisions and trainings."""
    with unit_of_work(gateway.database) as connection:
        return forecast_status.read_status(connection, site_id, at=SystemClock().now())


@router.operation("Train a model on a site's history", status_code=202, response_model=JobReply)
def train_forecast(site_id: SitePath, training: Training, gateway: CurrentGateway, response: Response) -> Job:
    """Train as a job, whose reply says what was learned and whether the model is in use; until then the model before stays."""
    trigger = "force" if training.force else "hand"
    asked = TrainRequest(site_id=site_id, until=training.until, seed=training.seed, trigger=trigger)
    return submit_for_site(gateway, site_id, asked, response)


@router.operation("Read the card of a trained model", response_model=CardReply)
async def read_model_card(
    site_id: SitePath,
    gateway: CurrentGateway,
    run_id: Annotated[RunId | None, Query(description="a training of the site; default: the one whose model speaks now")] = None,
) -> Response:
    """Return what a model learned from, how good it was and what it is for, as facts and in Markdown."""
    return await gateway.ask(CardRequest(site_id=site_id, run_id=run_id))


@router.operation("Let a version drive the planner", responses=document_errors(ConflictError), response_model=ActivationReply)
async def promote_forecast(site_id: SitePath, promotion: Promotion, gateway: CurrentGateway) -> Response:
    """Let the version drive the planner from the next plan on. An owner's pin stands above it. 409 where Aurora was never trained."""
    asked: dict[str, Any] = promotion.model_dump()
    return await gateway.ask(PromoteRequest(site_id=site_id, **asked))


@router.operation("Go back to what drove the planner before", responses=document_errors(ConflictError), response_model=ActivationReply)
async def roll_back_forecast(site_id: SitePath, gateway: CurrentGateway) -> Response:
    """Take back the last decision that stands. 409 where there is none."""
    return await gateway.ask(RollbackRequest(site_id=site_id))
