"""Forecasts of a site: what was issued, issue one, explain it, compare versions."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.forecast import EvaluateRequest, ForecastVersion, IssueReply, IssueRequest
from luna.contracts.forecast_explanation import ExplainReply, ExplainRequest, IssueScenariosReply, IssueScenariosRequest
from luna.contracts.job import Job
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.energy.instant import Day, Instant
from luna.platform.capabilities.jobs import JobReply
from luna.platform.clock import SystemClock
from luna.platform.database import forecast_issues
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, From, Limit, To, cut_page, read_instant_and_text
from luna.words import Language
from services.api.gateway import CurrentGateway
from services.api.problems import document_errors
from services.api.routes.jobs import submit_for_site
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("forecasts")

VersionQuery = Annotated[ForecastVersion | None, Query(description="of this version alone")]


class IssueSummary(Message):
    """An issue of forecasts of load and PV."""

    forecast_version: Annotated[str, Field(description="which version spoke")]
    issued_at: Annotated[Instant, Field(description="nothing measured after it was used")]
    stage: Annotated[str, Field(description="how much history it rests on: cold, profile, young or full")]
    reasons: Annotated[list[str], Field(description="codes of what widened its bands; empty: nothing")]
    run_id: Annotated[str | None, Field(description="the training whose model spoke; null: none did")]


class IssueList(Message):
    """Issues of a site's forecasts, the newest first."""

    forecasts: Annotated[list[IssueSummary], Field(description="their values are series: slot_forecasts:VERSION:COLUMN")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


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


class ExplanationQuestion(BaseModel):
    """Which forecast a caller asks about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Annotated[Instant, Field(description="the forecast that stood then: the last one issued in the 48 hours before")]
    slot: Annotated[Instant | None, Field(description="the quarter-hour that covers this instant; usual: all of them")] = None
    version: Annotated[ForecastVersion | None, Field(description="usual: what drives the planner; where that issued nothing, aurora_v1.0")] = None
    language: Annotated[Language, Field(description="of the sentences")] = "en"

    def request(self, site_id: str) -> ExplainRequest:
        """Return what is asked of the forecaster."""
        return ExplainRequest(site_id=site_id, at=self.at, slot=self.slot, forecast_version=self.version, language=self.language)


@router.operation("List the forecasts issued for a site")
def list_forecasts(  # noqa: PLR0913 - one per parameter of the query
    site_id: SitePath, gateway: CurrentGateway, *, first: From = None, end: To = None, version: VersionQuery = None, limit: Limit = 50, cursor: Cursor = None
) -> IssueList:
    """Return the issues within `from` and `to`, the newest first: what each rests on, and what widened it."""
    with unit_of_work(gateway.database) as connection:
        after = read_instant_and_text(cursor)
        rows = forecast_issues.list_newest(connection, site_id, issued=(first, end), version=version, after=after, limit=limit + 1)
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.issued_at.isoformat(), row.forecast_version))
    return IssueList(forecasts=[_summary(issue) for issue in page], cursor=following)


@router.operation("Issue a forecast", status_code=201, responses=document_errors(ConflictError), response_model=IssueReply)
async def issue_forecast(site_id: SitePath, order: ForecastOrder, gateway: CurrentGateway) -> Response:
    """Issue and store a forecast of load and PV for 48 hours. Many at once are a job: `POST /v1/jobs` with `forecaster.forecast.issue`."""
    asked = IssueRequest(site_id=site_id, at=order.at or SystemClock().now(), forecast_version=order.forecast_version)
    return await gateway.ask(asked, status=201)


@router.operation("Say why a forecast is what it is", responses=document_errors(ConflictError), response_model=ExplainReply)
async def explain_forecast(site_id: SitePath, question: Annotated[ExplanationQuestion, Query()], gateway: CurrentGateway) -> Response:
    """Return what each reason adds to the usual, the mean of the last seven days, slot by slot, in figures and words."""
    return await gateway.ask(question.request(site_id))


@router.operation("Make scenarios beside a forecast", status_code=201, responses=document_errors(ConflictError), response_model=IssueScenariosReply)
async def issue_scenarios(site_id: SitePath, order: ScenarioOrder, gateway: CurrentGateway) -> Response:
    """Make and store a few joint paths of load, PV and prices, as errors have gone over time before."""
    at = order.at or SystemClock().now()
    return await gateway.ask(IssueScenariosRequest(site_id=site_id, at=at, count=order.count, forecast_version=order.forecast_version), status=201)


@router.operation("Compare forecast versions with what happened", status_code=202, response_model=JobReply)
def evaluate_forecasts(site_id: SitePath, evaluation: Evaluation, gateway: CurrentGateway, response: Response) -> Job:
    """Score versions as a job, each forecast from nothing known after its issue; the job's reply holds the errors."""
    return submit_for_site(gateway, site_id, EvaluateRequest(site_id=site_id, **evaluation.model_dump()), response)


def _summary(issue: forecast_issues.ForecastIssue) -> IssueSummary:
    reasons = list(issue.reasons)
    return IssueSummary(forecast_version=issue.forecast_version, issued_at=issue.issued_at, stage=issue.stage, reasons=reasons, run_id=issue.run_id)
