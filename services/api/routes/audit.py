"""What was done, by whom, and how it ended; for admins."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.identity import AuditList
from luna.energy.instant import Instant
from luna.platform.database import audit
from luna.platform.paging import read_number, write_cursor
from services.api.identity.identity import CurrentIdentity
from services.api.json_body import CheckedRoute

router = APIRouter(route_class=CheckedRoute, prefix="/v1/audit", tags=["identity"])


class AuditQuestion(BaseModel):
    """Which entries a caller asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    user: Annotated[str | None, Field(max_length=64)] = None
    operation: Annotated[str | None, Field(max_length=64)] = None
    site_id: Annotated[str | None, Field(max_length=64)] = None
    from_: Annotated[Instant | None, Field(alias="from", description="the first instant that belongs to it")] = None
    to: Annotated[Instant | None, Field(description="the first that does not")] = None
    cursor: Annotated[str | None, Field(max_length=400, description="of the page before: what its cursor says; without it the first page")] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.get("", summary="Read the audit log")
async def list_audit(question: Annotated[AuditQuestion, Query()], identity: CurrentIdentity) -> AuditList:
    """Return what was done and what was refused, the latest first."""
    which = audit.AuditFilter(question.user, question.operation, question.site_id, question.from_, question.to)
    before = read_number(question.cursor)
    entries, following = await identity.write(lambda connection: audit.list_before(connection, which, before=before, limit=question.limit))
    return AuditList(entries=entries, cursor=None if following is None else write_cursor((following,)))
