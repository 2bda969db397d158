"""Stores the limits of grid operators, and what was done under them."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.operator_limits import NewLimit, StoredLimit, check_limit
from luna.energy.limit_outcome import LimitOutcome
from luna.energy.operator_limits import OperatorLimit
from luna.energy.refusals import refuse
from luna.platform.database import plan_causes, sites
from luna.platform.database.schema.plans import operator_limits
from luna.platform.database.stored_rows import read_each

MOST_LIMITS = 500
_COLUMNS = operator_limits.c
_COMPARED = ("end", "import_kw", "export_kw", "scope")


def store(
    connection: Connection, site_id: str, limit: NewLimit, *, source: str, now: datetime
) -> StoredLimit:
    """Store a limit and have the site planned anew; an identical one is returned instead.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the limit is over, too far ahead, or one too many.
    """
    key = sites.key_of(connection, site_id)
    check_limit(limit, now=now)
    # What began before it was received could not be followed.
    start = now if limit.start is None else max(limit.start, now)
    standing = _load(connection, key, _ends_after(now))
    for stored in standing:
        if _is_same(stored, limit, source=source, start=start):
            return stored
    if len(standing) >= MOST_LIMITS:
        raise refuse("too-many-limits", most=MOST_LIMITS)
    row: dict[str, Any] = {
        "site_key": key,
        "starts_at": _find_start(standing, limit, start),
        "ends_at": limit.end,
        "import_kw": limit.import_kw,
        "export_kw": limit.export_kw,
        "scope": limit.scope,
        "source": source,
    }
    if limit.limit_id is not None:
        row["limit_id"] = limit.limit_id
    statement = insert(operator_limits).values(row)
    changed = {name: statement.excluded[name] for name in row if name != "site_key"}
    limit_id = connection.scalar(
        statement.on_conflict_do_update(
            index_elements=["site_key", "limit_id"],
            set_=changed | {"acknowledged_at": None, "summary": None},
        ).returning(_COLUMNS.limit_id)
    )
    plan_causes.note(connection, [key], "limit")
    return _load(connection, key, _COLUMNS.limit_id == limit_id)[0]


def release(connection: Connection, site_id: str, limit_id: str, *, now: datetime) -> StoredLimit:
    """End a limit and have the site planned anew; one that is over is returned unchanged.

    Raises:
        NotFoundError: the site has no such limit.
    """
    key = sites.key_of(connection, site_id)
    is_limit = _COLUMNS.limit_id == limit_id
    if not _load(connection, key, is_limit):
        raise refuse(
            "not-found",
            field="limit_id",
            value=limit_id,
            thing="limit",
            source=f"the list: luna limits list --site {site_id}",
        )
    ended = connection.execute(
        update(operator_limits)
        .where(_COLUMNS.site_key == key, is_limit, _ends_after(now))
        # One that has not begun never holds.
        .values(ends_at=func.greatest(_COLUMNS.starts_at, now))
    )
    if ended.rowcount:
        plan_causes.note(connection, [key], "limit")
    return _load(connection, key, is_limit)[0]


def list_in_force(connection: Connection, site_id: str, at: datetime) -> list[OperatorLimit]:
    """Return the limits that hold at an instant, by start.

    Raises:
        NotFoundError: no such site.
    """
    key = sites.key_of(connection, site_id)
    holds = (_COLUMNS.starts_at <= at) & _ends_after(at)
    return [stored.as_limit() for stored in _load(connection, key, holds)]


def list_between(
    connection: Connection, site_id: str, since: datetime, until: datetime
) -> list[OperatorLimit]:
    """Return the limits that hold at any instant from ``since`` until before ``until``, by start.

    Raises:
        NotFoundError: no such site.
    """
    key = sites.key_of(connection, site_id)
    return list_between_each(connection, [key], since, until).get(key, [])


def list_between_each(
    connection: Connection, keys: Collection[int], since: datetime, until: datetime
) -> dict[int, list[OperatorLimit]]:
    """Return the limits of ``list_between`` by site key, without sites that have none."""
    within = _ends_after(since) & (_COLUMNS.starts_at < until)
    query = select(operator_limits).where(_COLUMNS.site_key.in_(keys), within)
    limits_by_key: dict[int, list[OperatorLimit]] = {}
    rows = connection.execute(query.order_by(_COLUMNS.starts_at, _COLUMNS.limit_id))
    for row in rows.mappings():
        limits_by_key.setdefault(row["site_key"], []).append(_read(row).as_limit())
    return limits_by_key


def read_standing(connection: Connection, site_id: str, *, now: datetime) -> list[StoredLimit]:
    """Return the limits in force and ahead, by start.

    Raises:
        NotFoundError: no such site.
    """
    return _load(connection, sites.key_of(connection, site_id), _ends_after(now))


def read_history(connection: Connection, site_id: str) -> list[StoredLimit]:
    """Return all limits of a site by start, the latest ``MOST_LIMITS``.

    Raises:
        NotFoundError: no such site.
    """
    return _load(connection, sites.key_of(connection, site_id))


def list_since(
    connection: Connection, site_id: str, since: datetime, *, now: datetime
) -> list[StoredLimit]:
    """Return the limits that held at any instant from ``since`` until ``now``, by start.

    Raises:
        NotFoundError: no such site.
    """
    key = sites.key_of(connection, site_id)
    has_begun = _COLUMNS.starts_at <= now
    return _load(connection, key, has_begun & _ends_after(since))


def acknowledge(connection: Connection, site_id: str, limit_id: str, *, at: datetime) -> None:
    """Store when a device first followed a limit; a later time changes nothing."""
    key = sites.key_of(connection, site_id)
    connection.execute(
        update(operator_limits)
        .where(
            _COLUMNS.site_key == key,
            _COLUMNS.limit_id == limit_id,
            _COLUMNS.acknowledged_at.is_(None),
        )
        .values(acknowledged_at=at)
    )


def list_unsettled(
    connection: Connection, site_id: str, ended_before: datetime
) -> list[StoredLimit]:
    """Return past limits without a stored outcome, by start."""
    key = sites.key_of(connection, site_id)
    is_over = _COLUMNS.ends_at.is_not(None) & (_COLUMNS.ends_at < ended_before)
    has_held = _COLUMNS.ends_at > _COLUMNS.starts_at
    return _load(connection, key, is_over & has_held & _COLUMNS.summary.is_(None))


def summarise(connection: Connection, site_id: str, limit_id: str, outcome: LimitOutcome) -> None:
    """Store what was measured and done under a limit."""
    key = sites.key_of(connection, site_id)
    connection.execute(
        update(operator_limits)
        .where(_COLUMNS.site_key == key, _COLUMNS.limit_id == limit_id)
        .values(summary=outcome.model_dump(mode="json"))
    )


def _find_start(standing: Sequence[StoredLimit], limit: NewLimit, start: datetime) -> datetime:
    """Return the start to store: a limit in force that changes keeps its own."""
    for stored in standing:
        if stored.limit_id == limit.limit_id:
            return min(stored.start, start) if limit.start is None else start
    return start


def _is_same(stored: StoredLimit, limit: NewLimit, *, source: str, start: datetime) -> bool:
    """Return whether a stored limit says all that a new one does."""
    if limit.limit_id is not None and stored.limit_id != limit.limit_id:
        return False
    covers = stored.start <= start and stored.source == source
    return covers and all(getattr(stored, name) == getattr(limit, name) for name in _COMPARED)


def _ends_after(instant: datetime) -> ColumnElement[bool]:
    """Return whether a limit holds at ``instant`` or later; one released before it began never."""
    last = func.greatest(_COLUMNS.starts_at, instant)
    return or_(_COLUMNS.ends_at.is_(None), _COLUMNS.ends_at > last)


def _load(
    connection: Connection, key: int, where: ColumnElement[bool] | None = None
) -> list[StoredLimit]:
    latest = (
        select(operator_limits)
        .where(_COLUMNS.site_key == key)
        .order_by(_COLUMNS.starts_at.desc(), _COLUMNS.limit_id.desc())
        .limit(MOST_LIMITS)
    )
    if where is not None:
        latest = latest.where(where)
    rows = connection.execute(latest).mappings().all()
    return [_read(row) for row in reversed(rows)]


def _read_outcome(row: RowMapping) -> LimitOutcome | None:
    summary = row["summary"]
    return None if summary is None else LimitOutcome.model_validate(summary)


def _read(row: RowMapping) -> StoredLimit:
    fields = {name: row[name] for name in StoredLimit.model_fields if name in row}
    # A limit holds whether or not this release can read what was done under it.
    outcomes = read_each([row], _read_outcome)
    fields["summary"] = outcomes[0] if outcomes else None
    instants = {"start": row["starts_at"], "end": row["ends_at"]}
    fields |= instants
    for name, value in fields.items():
        if isinstance(value, datetime):
            fields[name] = value.astimezone(UTC)
    return StoredLimit.model_validate(fields)
