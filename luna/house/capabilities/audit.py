"""Declare the list of what was done, by whom, and how it ended."""

from typing import Annotated

from pydantic import Field

from luna.contracts.identity import AuditEntry, AuditList
from luna.house.capability import CapabilityCall, ReplyTable, capability
from luna.platform.database import audit
from luna.platform.paging import Cursor, From, To, read_number, write_cursor
from luna.words import Numbers

OfUser = Annotated[str | None, Field(max_length=64, description="only this user's actions")]
OfOperation = Annotated[
    str | None, Field(max_length=64, description="only this operation, by its id")
]
OfSite = Annotated[str | None, Field(max_length=64, description="only actions on this site")]
Limit = Annotated[int, Field(ge=1, le=1000, description="most rows of a page")]

_HEADINGS = ("at (UTC)", "user", "by", "operation", "site", "status", "address", "request")


def _show(entry: AuditEntry, _: Numbers) -> list[str]:
    cells = (
        entry.user,
        entry.means,
        entry.operation,
        entry.site or "",
        str(entry.status),
        entry.address or "",
        entry.request_id,
    )
    return [f"{entry.at:%Y-%m-%d %H:%M:%S}", *cells]


@capability(
    "GET",
    "/v1/audit",
    noun="identity",
    scope="administer",
    command="audit list",
    shown=ReplyTable(
        _HEADINGS,
        _show,
        "entries",
        words=[heading for heading in _HEADINGS if heading != "status"],
        none="There are no actions yet.",
    ),
)
def list_audit(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall,
    *,
    user: OfUser = None,
    operation: OfOperation = None,
    site_id: OfSite = None,
    first: From = None,
    end: To = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> AuditList:
    """Read the audit log.

    Return all actions and refusals, newest first.
    """
    which = audit.AuditFilter(user, operation, site_id, first, end)
    entries, following = audit.list_before(
        call.connection, which, before=read_number(cursor), limit=limit
    )
    return AuditList(
        entries=entries, cursor=None if following is None else write_cursor((following,))
    )


CAPABILITIES = (list_audit,)
