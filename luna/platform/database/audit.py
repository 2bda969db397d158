"""Stores the audit log: operations, users and outcomes.

Entries are appended, and deleted by age.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from luna.contracts.identity import AuditEntry
from luna.platform.database.schema.identity import audit_log

FORGET_AT_MOST = 50_000
# Without RETURNING: the entry's id is not needed.
_INSERT = insert(audit_log).inline()


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An operation that a user performed or was refused."""

    user_name: str
    means: str
    operation: str
    status: int
    request_id: str
    site: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Filter of entries; None matches all. ``first`` is included, ``end`` is not."""

    user: str | None = None
    operation: str | None = None
    site: str | None = None
    first: datetime | None = None
    end: datetime | None = None


def write(connection: Connection, record: AuditRecord) -> None:
    connection.execute(_INSERT, asdict(record))


def _entry(row: RowMapping) -> AuditEntry:
    fields = {"user" if name == "user_name" else name: value for name, value in row.items()}
    fields["at"] = row["at"].astimezone(UTC)
    return AuditEntry.model_validate(fields)


def list_before(
    connection: Connection, which: AuditFilter, *, before: int | None = None, limit: int = 100
) -> tuple[list[AuditEntry], int | None]:
    """Return entries, the latest first, and the cursor of the next page."""
    table = audit_log.c
    filters = (
        (table.user_name, which.user),
        (table.operation, which.operation),
        (table.site, which.site),
    )
    conditions = [column == value for column, value in filters if value is not None]
    if which.first is not None:
        conditions.append(table.at >= which.first)
    if which.end is not None:
        conditions.append(table.at < which.end)
    if before is not None:
        conditions.append(table.entry_id < before)
    query = select(audit_log).where(*conditions).order_by(table.entry_id.desc()).limit(limit + 1)
    rows = connection.execute(query).mappings().all()
    entries = [_entry(row) for row in rows]
    following = entries[limit - 1].entry_id if len(entries) > limit else None
    return entries[:limit], following


def forget_old(connection: Connection, *, age: timedelta) -> int:
    """Delete entries older than ``age`` by the database's clock, up to ``FORGET_AT_MOST`` per call.

    Return how many.
    """
    oldest = (
        select(audit_log.c.entry_id)
        .where(audit_log.c.at < func.now() - age)
        .order_by(audit_log.c.at)
        .limit(FORGET_AT_MOST)
    )
    return connection.execute(delete(audit_log).where(audit_log.c.entry_id.in_(oldest))).rowcount
