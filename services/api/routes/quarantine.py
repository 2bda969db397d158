"""Decide about rows that were refused."""

from typing import Annotated

from anyio import to_thread
from fastapi import Path, Response
from pydantic import Field

from luna.contracts.data import Cell, Resolution, ResolveReply, ResolveRequest
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.platform.database import quarantine
from luna.platform.database.engine import unit_of_work
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.json_body import CheckedRoute
from services.api.problems import document_errors
from services.api.routing import ResourceRouter, SitePath

router = ResourceRouter("quarantine", route_class=CheckedRoute)

# What PostgreSQL counts rows with.
RowId = Annotated[int, Path(ge=1, le=2**63 - 1, description="the row's number, as the list says it")]


class Correction(Message):
    """Values as they should have been."""

    values: Annotated[dict[str, Cell], Field(min_length=1, max_length=64, description="column → value; the others stay as received")]


@router.operation("Let a row in as it is", responses=document_errors(ConflictError), response_model=ResolveReply)
async def release_row(site_id: SitePath, quarantine_id: RowId, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Let the row in past the rule that refused it; every other rule holds. 409 where somebody decided already."""
    return await _resolve(gateway, site_id, quarantine_id, "released", by=caller.signature)


@router.operation("Let a row in with other values", responses=document_errors(ConflictError), response_model=ResolveReply)
async def correct_row(site_id: SitePath, quarantine_id: RowId, correction: Correction, gateway: CurrentGateway, *, caller: CurrentCaller) -> Response:
    """Let the row in with the values given; what was received is kept beside them. 409 where somebody decided already."""
    return await _resolve(gateway, site_id, quarantine_id, "corrected", values=correction.values, by=caller.signature)


@router.operation("Leave a row out for good", responses=document_errors(ConflictError), response_model=ResolveReply)
async def dismiss_row(site_id: SitePath, quarantine_id: RowId, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Leave the row out for good; it stays readable. 409 where somebody decided already."""
    return await _resolve(gateway, site_id, quarantine_id, "dismissed", by=caller.signature)


async def _resolve(gateway: Gateway, site_id: str, row: int, resolution: Resolution, *, by: str, values: dict[str, Cell] | None = None) -> Response:
    await to_thread.run_sync(_require_row, gateway, site_id, row)
    return await gateway.ask(ResolveRequest(quarantine_id=row, resolution=resolution, values=values or {}, by=by))


def _require_row(gateway: Gateway, site_id: str, row: int) -> None:
    with unit_of_work(gateway.database) as connection:
        quarantine.require_of_site(connection, site_id, row)
