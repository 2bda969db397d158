"""Short paths of operations whose form differs from that under /v1: they name the site in the query or the form. The others are aliases of theirs."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

from luna.contracts.data import QuarantineFilter, ResolveRequest
from luna.contracts.job import Job
from luna.platform.capabilities.forecasts import ExplanationQuestion
from luna.platform.capabilities.jobs import JobReply
from luna.platform.capabilities.quarantine import Correction, RowId
from luna.platform.database import quarantine
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway
from services.api.history_pages import DataQuestion
from services.api.json_body import CheckedRoute
from services.api.operation import Operation
from services.api.routes.series import answer_question
from services.api.routes.uploads import take_upload
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_FILE_BYTES

router = ResourceRouter(route_class=CheckedRoute)
by_clock = ResourceRouter()
OLDER = "answers as it did before its resource had an address"

SiteQuery = Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]


class SiteExplanationQuestion(ExplanationQuestion):
    """Which forecast of which site a caller asks about."""

    site: SiteQuery


@router.operation("Read a stored series", Operation("GET", "/data/query", "read", alone=OLDER), response_class=Response)
def query_data(question: Annotated[DataQuestion, Query()], gateway: CurrentGateway, request: Request) -> Response:
    return answer_question(question, gateway, request)


@router.operation("Load a file", Operation("POST", "/data/load", "data", alone=OLDER, most_bytes=MAX_FILE_BYTES), status_code=202, response_model=JobReply)
async def load_data(request: Request, gateway: CurrentGateway, response: Response) -> Job:
    return await take_upload(None, request, gateway, response)


@by_clock.operation("Say why a forecast is what it is", Operation("GET", "/forecasts/explanation", "read", solves=True, alone=OLDER))
async def explain_stored_forecast(question: Annotated[SiteExplanationQuestion, Query()], gateway: CurrentGateway) -> Response:
    return await gateway.ask(question.request(question.site))


@router.operation("List refused rows", Operation("GET", "/quarantine", "read", alone=OLDER))
def list_rows(
    gateway: CurrentGateway,
    *,
    site: SiteQuery,
    status: QuarantineFilter = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    below: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> dict[str, Any]:
    with unit_of_work(gateway.database) as connection:
        return {"rows": quarantine.list_rows(connection, site, status=status, limit=limit, below=below)}


@router.operation("Let a row in as it is", Operation("POST", "/quarantine/{quarantine_id}/release", "data", alone=OLDER))
async def release(quarantine_id: RowId, gateway: CurrentGateway) -> Response:
    return await gateway.ask(ResolveRequest(quarantine_id=quarantine_id, resolution="released"))


@router.operation("Let a row in with other values", Operation("POST", "/quarantine/{quarantine_id}/correct", "data", alone=OLDER))
async def correct(quarantine_id: RowId, correction: Correction, gateway: CurrentGateway) -> Response:
    return await gateway.ask(ResolveRequest(quarantine_id=quarantine_id, resolution="corrected", values=correction.values))


@router.operation("Leave a row out for good", Operation("POST", "/quarantine/{quarantine_id}/dismiss", "data", alone=OLDER))
async def dismiss(quarantine_id: RowId, gateway: CurrentGateway) -> Response:
    return await gateway.ask(ResolveRequest(quarantine_id=quarantine_id, resolution="dismissed"))
