"""Forecasts of a site: what was issued, issue one, explain it, compare versions."""

from typing import Annotated

from fastapi import Response
from pydantic import Field

from luna.contracts.forecast import EvaluateRequest, ForecastVersion, IssueReply, IssueRequest
from luna.contracts.forecast_explanation import IssueScenariosReply, IssueScenariosRequest
from luna.contracts.job import Job
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.energy.instant import Day, Instant
from luna.platform.capabilities.jobs import JobReply
from luna.platform.clock import SystemClock
from services.api.gateway import CurrentGateway
from services.api.problems import document_errors
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("forecasts")


class ForecastOrder(Message):
    """What to issue."""

    at: Annotated[Instant | None, Field(description="when it is issued, nothing measured after it is used; default: now")] = None
    forecast_version: Annotated[ForecastVersion | None, Field(description="default: Aurora")] = None


class ScenarioOrder(Message):
    """Which scenarios to make."""

    at: Annotated[Instant | None, Field(description="beside the forecast issued last within the hour before; default: now")] = None
    count: Annotated[int, Field(ge=1, le=30, description="how many")] = 10
    forecast_version: Annotated[ForecastVersion | None, Field(description="default: what drives the site's planner")] = None


class Evaluation(Message):
    """Which versions to compare, and over which days."""

    from_day: Annotated[Day, Field(description="the first local day")]
    to_day: Annotated[Day, Field(description="the last local day, included")]
    versions: Annotated[list[ForecastVersion], Field(min_length=1, max_length=16, description="skill is against the first baseline named")] = [
        "aurora_v1.0",
        "baseline_like_days",
        "baseline_7_day_avg",
        "seasonal_naive",
    ]
    every_minutes: Annotated[int, Field(ge=15, le=1440, description="how often a forecast is issued, minutes")] = 360


@router.operation("Issue a forecast", status_code=201, responses=document_errors(ConflictError), response_model=IssueReply)
async def issue_forecast(site_id: SitePath, order: ForecastOrder, gateway: CurrentGateway) -> Response:
    """Issue and store a forecast of load and PV for 48 hours. Many at once are a job: `POST /v1/jobs` with `forecaster.forecast.issue`."""
    asked = IssueRequest(site_id=site_id, at=order.at or SystemClock().now(), forecast_version=order.forecast_version)
    return await gateway.ask(asked, status=201)


@router.operation("Make scenarios beside a forecast", status_code=201, responses=document_errors(ConflictError), response_model=IssueScenariosReply)
async def issue_scenarios(site_id: SitePath, order: ScenarioOrder, gateway: CurrentGateway) -> Response:
    """Make and store a few joint paths of load, PV and prices, as errors have gone over time before."""
    at = order.at or SystemClock().now()
    return await gateway.ask(IssueScenariosRequest(site_id=site_id, at=at, count=order.count, forecast_version=order.forecast_version), status=201)


@router.operation("Compare forecast versions with what happened", status_code=202, response_model=JobReply)
def evaluate_forecasts(site_id: SitePath, evaluation: Evaluation, gateway: CurrentGateway, response: Response) -> Job:
    """Score versions as a job, each forecast from nothing known after its issue; the job's reply holds the errors."""
    return submit_for_site(gateway, site_id, EvaluateRequest(site_id=site_id, **evaluation.model_dump()), response)
