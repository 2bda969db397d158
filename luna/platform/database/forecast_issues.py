"""Store a row per forecast issue.

The amount of history behind it, the causes that widened its bands, and its model.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, tuple_

from luna.platform.database import copy, sites
from luna.platform.database.schema.forecasting import forecast_issues
from luna.platform.database.schema.sites import sites as site_table

Window = tuple[datetime | None, datetime | None]
# An older issue is due anyway; limits the rows to read.
RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ForecastIssue:
    """A forecast issue: a version at an instant.

    Args:
        stage: the amount of history: cold, profile, young or full.
        reasons: codes of ``luna.words.compromises`` that widened the bands.
        run_id: the training of its model; None: no trained model.
        level: correction of the recent level by series; None: not recorded.
    """

    forecast_version: str
    issued_at: datetime
    stage: str
    reasons: tuple[str, ...] = ()
    run_id: str | None = None
    level: Mapping[str, Any] | None = None


# PostgreSQL type of each column for COPY.
_COPIED = {
    "forecast_version": "text",
    "issued_at": "timestamptz",
    "stage": "text",
    "reasons": "text[]",
    "run_id": "text",
    "level": "jsonb",
    "site_key": "int4",
}


def upsert(connection: Connection, site_id: str, issues: Sequence[ForecastIssue]) -> None:
    """Store issues; one of the same version and instant is replaced."""
    upsert_each(connection, {sites.key_of(connection, site_id): issues})


def upsert_each(connection: Connection, issues: Mapping[int, Sequence[ForecastIssue]]) -> None:
    """Store issues of many sites by their keys; see ``upsert``."""
    rows = []
    for key, site_issues in issues.items():
        for issue in site_issues:
            row = asdict(issue) | {"site_key": key, "reasons": list(issue.reasons)}
            rows.append(row)
    copy.upsert_rows(connection, forecast_issues, _COPIED, rows, on_conflict="replace")


def read_all(
    connection: Connection, site_id: str, *, version: str, first: datetime, last: datetime
) -> list[ForecastIssue]:
    """Return the issues of a version from ``first`` to ``last``, both included, in order."""
    table = forecast_issues.c
    columns = [table[name] for name in ForecastIssue.__dataclass_fields__]
    query = select(*columns).where(
        table.site_key == sites.key_of(connection, site_id),
        table.forecast_version == version,
        table.issued_at.between(first, last),
    )
    return [_issue(row) for row in connection.execute(query.order_by(table.issued_at)).mappings()]


def read_reasons_each(
    connection: Connection, issued: Mapping[int, tuple[str, datetime]]
) -> dict[int, tuple[str, ...]]:
    """Return the reasons of one issue (version, instant) of each site by the sites' keys.

    Issues that are not stored are left out.
    """
    table = forecast_issues.c
    issue_keys = [(key, version, at) for key, (version, at) in issued.items()]
    rows = connection.execute(
        select(table.site_key, table.reasons).where(
            tuple_(table.site_key, table.forecast_version, table.issued_at).in_(issue_keys)
        )
    )
    return {key: tuple(reasons) for key, reasons in rows}


def list_newest(
    connection: Connection,
    site_id: str,
    *,
    issued: Window = (None, None),
    version: str | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[ForecastIssue]:
    """Return the issues of a site, the newest first.

    Args:
        issued: first instant of issue and the one after the last; None: unbounded.
        version: of this version alone.
        after: the cursor: instant and version of the last issue of the previous page.
        limit: how many at most.

    Raises:
        NotFoundError: no such site.
    """
    table = forecast_issues.c
    first, end = issued
    bounds = []
    if first is not None:
        bounds.append(table.issued_at >= first)
    if end is not None:
        bounds.append(table.issued_at < end)
    if version is not None:
        bounds.append(table.forecast_version == version)
    if after is not None:
        bounds.append(tuple_(table.issued_at, table.forecast_version) < tuple_(*after))
    columns = [table[name] for name in ForecastIssue.__dataclass_fields__]
    query = select(*columns).where(table.site_key == sites.key_of(connection, site_id), *bounds)
    rows = connection.execute(
        query.order_by(table.issued_at.desc(), table.forecast_version.desc()).limit(limit)
    )
    return [_issue(row) for row in rows.mappings()]


def last_issued_each(
    connection: Connection, keys: Collection[int], *, until: datetime
) -> dict[int, dict[str, datetime]]:
    """Return the last issue of each version within the day up to ``until``, by site key."""
    table = forecast_issues.c
    query = (
        select(table.site_key, table.forecast_version, func.max(table.issued_at))
        .where(table.site_key.in_(keys), table.issued_at <= until, table.issued_at > until - RECENT)
        .group_by(table.site_key, table.forecast_version)
    )
    issued: dict[int, dict[str, datetime]] = {key: {} for key in keys}
    for key, version, instant in connection.execute(query):
        issued[key][version] = instant.astimezone(UTC)
    return issued


def last_of_each_site(connection: Connection) -> dict[str, datetime | None]:
    """Return the last issue of any version for each site, None without any."""
    newest = (
        select(func.max(forecast_issues.c.issued_at))
        .where(forecast_issues.c.site_key == site_table.c.site_key)
        .scalar_subquery()
    )
    rows = connection.execute(select(site_table.c.name, newest).order_by(site_table.c.name))
    return {name: instant and instant.astimezone(UTC) for name, instant in rows}


def _issue(row: RowMapping) -> ForecastIssue:
    return ForecastIssue(
        **(
            dict(row)
            | {"issued_at": row["issued_at"].astimezone(UTC), "reasons": tuple(row["reasons"])}
        )
    )
