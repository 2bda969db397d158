"""Look at rows that were refused, and decide about them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.data import Cell, QuarantinedRow, QuarantineFilter, ResolveReply, ResolveRequest
from luna.contracts.message import Message
from luna.database import quarantine
from luna.database.engine import unit_of_work
from luna.errors import ConflictError
from services.api.gateway import CurrentGateway
from services.api.json_body import CheckedRoute
from services.api.problems import document_errors

router = APIRouter(route_class=CheckedRoute, prefix="/quarantine", tags=["data"])

# What PostgreSQL counts rows with.
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class QuarantineList(Message):
    """Refused rows, those refused last first."""

    rows: list[QuarantinedRow]


class Correction(BaseModel):
    """Values as they should have been."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    values: Annotated[dict[str, Cell], Field(min_length=1, max_length=64, description="column → value; the others stay as received")]


@router.get("", summary="List refused rows")
def list_rows(
    gateway: CurrentGateway,
    *,
    site: Annotated[str, Query(min_length=1, max_length=64)],
    status: Annotated[QuarantineFilter, Query(description="open: nobody has decided yet")] = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    below: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="only rows with a lower number: go on where a list ended")] = None,
) -> QuarantineList:
    """Return refused rows with the reason, and what became of those that were decided about."""
    with unit_of_work(gateway.database) as connection:
        return QuarantineList(rows=quarantine.list_rows(connection, site, status=status, limit=limit, below=below))


@router.post("/{quarantine_id}/release", responses=document_errors(ConflictError), response_model=ResolveReply, summary="Let a row in as it is")
async def release(quarantine_id: RowId, gateway: CurrentGateway) -> Response:
    """Let the row in past the rule that refused it; every other rule holds. 409 where somebody decided already."""
    return await gateway.ask(ResolveRequest(quarantine_id=quarantine_id, resolution="released"))


@router.post("/{quarantine_id}/correct", responses=document_errors(ConflictError), response_model=ResolveReply, summary="Let a row in with other values")
async def correct(quarantine_id: RowId, correction: Correction, gateway: CurrentGateway) -> Response:
    """Let the row in with the values given; what was received is kept beside them. 409 where somebody decided already."""
    return await gateway.ask(ResolveRequest(quarantine_id=quarantine_id, resolution="corrected", values=correction.values))


@router.post("/{quarantine_id}/dismiss", responses=document_errors(ConflictError), response_model=ResolveReply, summary="Leave a row out for good")
async def dismiss(quarantine_id: RowId, gateway: CurrentGateway) -> Response:
    """Leave the row out for good; it stays readable. 409 where somebody decided already."""
    return await gateway.ask(ResolveRequest(quarantine_id=quarantine_id, resolution="dismissed"))
