"""Say why a forecast is what it is."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.forecast import ForecastVersion
from luna.contracts.forecast_explanation import ExplainReply, ExplainRequest
from luna.contracts.message import Instant
from luna.errors import ConflictError
from luna.wording import Language
from services.api.gateway import CurrentGateway
from services.api.problems import document_errors
from services.api.site_clock import SiteClockRoute

router = APIRouter(route_class=SiteClockRoute, prefix="/forecasts", tags=["forecasts"])


class ForecastQuestion(BaseModel):
    """Which forecast a caller asks about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # PostgreSQL knows no text with a NUL.
    site: Annotated[str, Field(pattern=r"^[^\x00]+$", min_length=1, max_length=64)]
    at: Annotated[Instant, Field(description="the forecast that stood then: the last one issued in the 48 hours before")]
    slot: Annotated[Instant | None, Field(description="the quarter-hour that covers this instant; usual: all of them")] = None
    version: Annotated[ForecastVersion | None, Field(description="usual: what drives the planner; where that issued nothing, aurora_v1.0")] = None
    language: Language = "en"


@router.get("/explanation", responses=document_errors(ConflictError), response_model=ExplainReply, summary="Say why a forecast is what it is")
async def explain_forecast(question: Annotated[ForecastQuestion, Query()], gateway: CurrentGateway) -> Response:
    """Return what each reason adds to the usual, the mean of the last seven days, slot by slot, in figures and words."""
    request = ExplainRequest(site_id=question.site, at=question.at, slot=question.slot, forecast_version=question.version, language=question.language)
    return await gateway.ask(request)
