"""Rows that were refused, and what was decided about them."""

from typing import Annotated

from pydantic import Field

from luna.contracts.data import QuarantinedRow, QuarantineFilter
from luna.contracts.message import Message
from luna.platform.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.platform.database import quarantine
from luna.platform.paging import Cursor, Limit, cut_page, read_number
from luna.words import Numbers

Status = Annotated[QuarantineFilter, Field(description="open: nobody has decided yet")]


class QuarantineList(Message):
    """Refused rows, those refused last first."""

    rows: Annotated[list[QuarantinedRow], Field(description="with the reason, and what became of those that were decided about")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _show(row: QuarantinedRow, _: Numbers) -> list[str]:
    return [str(row.quarantine_id), row.kind, str(row.line), row.reason, ", ".join(f"{name}={cell}" for name, cell in row.raw.items())]


_NONE = "Nothing waits here: `--status` shows what was decided."


@capability(
    "GET",
    "/v1/sites/{site_id}/quarantine",
    noun="quarantine",
    scope="read",
    command="data quarantine list",
    shown=ReplyTable(("id", "kind", "line", "reason", "row"), _show, "rows", none=_NONE),
)
def list_quarantine(call: CapabilityCall, site_id: SiteName, *, status: Status = "open", limit: Limit = 100, cursor: Cursor = None) -> QuarantineList:
    """List refused rows.

    Return refused rows with the reason, and what became of those that were decided about.
    """
    rows = quarantine.list_rows(call.connection, site_id, status=status, limit=limit + 1, below=read_number(cursor))
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.quarantine_id,))
    return QuarantineList(rows=page, cursor=following)


QUARANTINE = (list_quarantine,)
