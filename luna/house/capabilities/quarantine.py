"""Rows that were refused, and what was decided about them."""

from typing import Annotated

from pydantic import Field

from luna.contracts.data import Cell, QuarantinedRow, QuarantineFilter, Resolution, ResolveRequest
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, TerminalForm, capability
from luna.platform.database import quarantine
from luna.platform.paging import Cursor, Limit, cut_page, read_number
from luna.words import Numbers

_NOUN = "quarantine"
_PATH = "/v1/sites/{site_id}/quarantine"
Status = Annotated[QuarantineFilter, Field(description="open: nobody has decided yet")]
# Range of row numbers in PostgreSQL.
RowId = Annotated[int, Field(ge=1, le=2**63 - 1, description="the row's number, as in the list")]


class Correction(Message):
    """Values as they should have been."""

    values: Annotated[
        dict[str, Cell],
        Field(
            min_length=1, max_length=64, description="column → value; the others stay as received"
        ),
    ]


class QuarantineList(Message):
    """Refused rows, those refused last first."""

    rows: Annotated[
        list[QuarantinedRow],
        Field(description="with the reason, and what became of those that were decided about"),
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


def _show(row: QuarantinedRow, _: Numbers) -> list[str]:
    return [
        str(row.quarantine_id),
        row.kind,
        str(row.line),
        row.reason,
        ", ".join(f"{name}={cell}" for name, cell in row.raw.items()),
    ]


_NONE = "Nothing waits here: `--status` shows what was decided."


@capability(
    "GET",
    _PATH,
    noun=_NOUN,
    scope="read",
    command="data quarantine list",
    shown=ReplyTable(("id", "kind", "line", "reason", "row"), _show, "rows", none=_NONE),
)
def list_quarantine(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    status: Status = "open",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> QuarantineList:
    """List rows that were set aside.

    Return the rows with the reason, and the decisions about them.
    """
    rows = quarantine.list_rows(
        call.connection, site_id, status=status, limit=limit + 1, below=read_number(cursor)
    )
    page, following = cut_page(rows, limit=limit, key=lambda row: (row.quarantine_id,))
    return QuarantineList(rows=page, cursor=following)


_DECIDED = (
    "Row {row.quarantine_id} is {row.resolution}; {slots_changed} values of the past changed."
)


@capability(
    "POST",
    f"{_PATH}/{{quarantine_id}}/release",
    command="data quarantine release",
    noun=_NOUN,
    scope="data",
    shown=_DECIDED,
    terminal=TerminalForm(arguments=("quarantine_id",)),
    errors=(ConflictError,),
)
def release_row(call: CapabilityCall, site_id: SiteName, quarantine_id: RowId) -> ResolveRequest:
    """Accept a row as it is.

    Accept the row against the rule that set it aside; all other rules apply. 409 if somebody has
    decided already.
    """
    return _resolve(call, site_id, quarantine_id, "released")


@capability(
    "POST",
    f"{_PATH}/{{quarantine_id}}/correct",
    command="data quarantine correct",
    terminal=TerminalForm(options={"values": "value"}, arguments=("quarantine_id",)),
    noun=_NOUN,
    scope="data",
    shown=_DECIDED,
    errors=(ConflictError,),
)
def correct_row(
    call: CapabilityCall, site_id: SiteName, quarantine_id: RowId, correction: Correction
) -> ResolveRequest:
    """Accept a row with other values.

    Accept the row with the given values; the received ones are kept. 409 if somebody has decided
    already.
    """
    return _resolve(call, site_id, quarantine_id, "corrected", values=correction.values)


@capability(
    "POST",
    f"{_PATH}/{{quarantine_id}}/dismiss",
    command="data quarantine dismiss",
    noun=_NOUN,
    scope="data",
    shown=_DECIDED,
    terminal=TerminalForm(arguments=("quarantine_id",)),
    errors=(ConflictError,),
)
def dismiss_row(call: CapabilityCall, site_id: SiteName, quarantine_id: RowId) -> ResolveRequest:
    """Leave a row out for good.

    Leave the row out; it stays readable. 409 if somebody has decided already.
    """
    return _resolve(call, site_id, quarantine_id, "dismissed")


def _resolve(
    call: CapabilityCall,
    site_id: str,
    row: int,
    resolution: Resolution,
    *,
    values: dict[str, Cell] | None = None,
) -> ResolveRequest:
    quarantine.require_of_site(call.connection, site_id, row)
    return ResolveRequest(quarantine_id=row, resolution=resolution, values=values or {}, by=call.by)


CAPABILITIES = (
    list_quarantine,
    release_row,
    correct_row,
    dismiss_row,
)
