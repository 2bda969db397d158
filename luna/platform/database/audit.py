"""The audit log: operations, users and outcomes. Rows are added, and deleted when they are old."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select

from luna.contracts.identity import AuditEntry
from luna.platform.database.schema.identity import audit_log

FORGET_AT_MOST = 50_000
# Nobody asks for the number that an entry is given.
_INSERT = insert(audit_log).inline()


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What somebody did or was refused."""

    user_name: str
    means: str
    operation: str
    status: int
    request_id: str
    site: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list; a field that is None excludes nothing. ``first`` belongs to them, ``end`` does not."""

    user: str | None = None
    operation: str | None = None
    site: str | None = None
    first: datetime | None = None
    end: datetime | None = None


def write(connection: Connection, record: AuditRecord) -> None:
    """Add an entry."""
    connection.execute(_INSERT, asdict(record))


def list_before(connection: Connection, which: AuditFilter, *, before: int | None = None, limit: int = 100) -> tuple[list[AuditEntry], int | None]:
    """Return entries, the latest first, and where the list goes on."""
    table = audit_log.c
    filters = ((table.user_name, which.user), (table.operation, which.operation), (table.site, which.site))
    conditions = [column == value for column, value in filters if value is not None]
    conditions += [table.at >= which.first] if which.first is not None else []
    conditions += [table.at < which.end] if which.end is not None else []
    conditions += [table.entry_id < before] if before is not None else []
    rows = connection.execute(select(audit_log).where(*conditions).order_by(table.entry_id.desc()).limit(limit + 1)).mappings().all()
    entries = [
        AuditEntry.model_validate({"user" if name == "user_name" else name: value for name, value in row.items()} | {"at": row["at"].astimezone(UTC)})
        for row in rows
    ]
    return entries[:limit], entries[limit - 1].entry_id if len(entries) > limit else None


def forget_old(connection: Connection, *, age: timedelta) -> int:
    """Delete entries older than ``age`` by the database's own clock, which wrote them, and return how many; what one call leaves over goes in the next."""
    oldest = select(audit_log.c.entry_id).where(audit_log.c.at < func.now() - age).order_by(audit_log.c.at).limit(FORGET_AT_MOST)
    return connection.execute(delete(audit_log).where(audit_log.c.entry_id.in_(oldest))).rowcount
