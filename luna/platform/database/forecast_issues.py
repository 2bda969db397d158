"""Issues of forecasts: what each rests on, and what widened it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select, tuple_

from luna.platform.database import copy, sites
from luna.platform.database.schema.forecasting import forecast_issues
from luna.platform.database.schema.sites import sites as site_table

Window = tuple[datetime | None, datetime | None]
# What was issued before is due in any case; no more of the table is looked at.
RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ForecastIssue:
    """One issue: a version at an instant.

    Args:
        stage: how much history it rests on: cold, profile, young or full.
        reasons: codes of ``luna.words.compromises`` that widened the bands.
        run_id: the training whose model spoke; None: none did.
        level: how the recent level was corrected, by series; None: nothing said so.
    """

    forecast_version: str
    issued_at: datetime
    stage: str
    reasons: tuple[str, ...] = ()
    run_id: str | None = None
    level: Mapping[str, Any] | None = None


# By the column of a row the type in which it is copied.
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
    """Store issues; one of the same version and instant takes the place of the first."""
    upsert_each(connection, {sites.key_of(connection, site_id): issues})


def upsert_each(connection: Connection, issues: Mapping[int, Sequence[ForecastIssue]]) -> None:
    """Store issues of many sites by their keys; see ``upsert``."""
    rows = [asdict(issue) | {"site_key": key, "reasons": list(issue.reasons)} for key, each in issues.items() for issue in each]
    copy.upsert_rows(connection, forecast_issues, _COPIED, rows, on_conflict="replace")


def read_all(connection: Connection, site_id: str, *, version: str, first: datetime, last: datetime) -> list[ForecastIssue]:
    """Return every issue of a version from ``first`` to ``last``, both included, in order."""
    table = forecast_issues.c
    columns = [table[name] for name in ForecastIssue.__dataclass_fields__]
    query = select(*columns).where(table.site_key == sites.key_of(connection, site_id), table.forecast_version == version, table.issued_at.between(first, last))
    return [_issue(row) for row in connection.execute(query.order_by(table.issued_at)).mappings()]


def read_reasons_each(connection: Connection, issued: Mapping[int, tuple[str, datetime]]) -> dict[int, tuple[str, ...]]:
    """Return the codes of what widened one issue of each site, named by version and instant, by the sites' keys; one that is not noted is left out."""
    table = forecast_issues.c
    issue_keys = [(key, version, at) for key, (version, at) in issued.items()]
    rows = connection.execute(select(table.site_key, table.reasons).where(tuple_(table.site_key, table.forecast_version, table.issued_at).in_(issue_keys)))
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
    """Return the issues of a site within ``issued`` (first instant, instant after the last; None: no bound), the newest first.

    Args:
        issued: when they were issued.
        version: of this version alone.
        after: instant and version of the issue behind which the list begins.
        limit: how many at most.

    Raises:
        NotFoundError: no such site.
    """
    table, (first, end) = forecast_issues.c, issued
    bounds = [
        *([] if first is None else [table.issued_at >= first]),
        *([] if end is None else [table.issued_at < end]),
        *([] if version is None else [table.forecast_version == version]),
        *([] if after is None else [tuple_(table.issued_at, table.forecast_version) < tuple_(*after)]),
    ]
    columns = [table[name] for name in ForecastIssue.__dataclass_fields__]
    query = select(*columns).where(table.site_key == sites.key_of(connection, site_id), *bounds)
    rows = connection.execute(query.order_by(table.issued_at.desc(), table.forecast_version.desc()).limit(limit))
    return [_issue(row) for row in rows.mappings()]


def last_issued_each(connection: Connection, keys: Collection[int], *, until: datetime) -> dict[int, dict[str, datetime]]:
    """Return when each version of each site, by its key, was issued last, at ``until`` or before."""
    table = forecast_issues.c
    query = select(table.site_key, table.forecast_version, func.max(table.issued_at)).where(
        table.site_key.in_(keys), table.issued_at <= until, table.issued_at > until - RECENT
    )
    issued: dict[int, dict[str, datetime]] = {key: {} for key in keys}
    for key, version, instant in connection.execute(query.group_by(table.site_key, table.forecast_version)):
        issued[key][version] = instant.astimezone(UTC)
    return issued


def last_of_each_site(connection: Connection) -> dict[str, datetime | None]:
    """Return, for each site, when any version of it was issued last; None where none ever was."""
    newest = select(func.max(forecast_issues.c.issued_at)).where(forecast_issues.c.site_key == site_table.c.site_key).scalar_subquery()
    rows = connection.execute(select(site_table.c.name, newest).order_by(site_table.c.name))
    return {name: instant and instant.astimezone(UTC) for name, instant in rows}


def _issue(row: RowMapping) -> ForecastIssue:
    return ForecastIssue(**(dict(row) | {"issued_at": row["issued_at"].astimezone(UTC), "reasons": tuple(row["reasons"])}))
