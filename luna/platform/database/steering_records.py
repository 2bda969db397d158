"""Store what steering had devices do, by quarter-hours."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.steering_records import SteeringRecord
from luna.platform.database import sites
from luna.platform.database.schema.plans import steering_records
from luna.platform.database.stored_rows import read_each

MOST_RECORDS = 5_000
_COLUMNS = steering_records.c


def store(connection: Connection, records: Sequence[SteeringRecord]) -> None:
    """Store records; those of removed sites are left out, and a second time changes nothing."""
    keys = sites.keys_of(connection, {record.site_id for record in records})
    rows = []
    for record in records:
        if record.site_id in keys:
            document = record.model_dump(mode="json")
            rows.append(
                {
                    "site_key": keys[record.site_id],
                    "begins_at": record.begins_at,
                    "ends_at": record.ends_at,
                    "device": record.device,
                    "mean_kw": record.mean_kw,
                    "least_kw": record.least_kw,
                    "most_kw": record.most_kw,
                    "moved_kwh": record.moved_kwh,
                    "reasons": document["reasons"],
                    "switches": document["switches"],
                }
            )
    if rows:
        connection.execute(insert(steering_records).on_conflict_do_nothing(), rows)


def read(
    connection: Connection,
    site_id: str,
    *,
    first: datetime,
    end: datetime,
    after: tuple[datetime, str] | None = None,
    limit: int = MOST_RECORDS,
) -> list[SteeringRecord]:
    """Return the records of ``first`` ≤ begin < ``end`` in order.

    Args:
        connection: an open transaction.
        site_id: whose they are.
        first: the first begin.
        end: before which they begin.
        after: begin and device of the last record of the page before; None: the first page.
        limit: the most of them.

    Raises:
        NotFoundError: no such site.
    """
    query = (
        select(steering_records)
        .where(
            _COLUMNS.site_key == sites.key_of(connection, site_id),
            _COLUMNS.begins_at >= first,
            _COLUMNS.begins_at < end,
        )
        .order_by(_COLUMNS.begins_at, _COLUMNS.device)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(_COLUMNS.begins_at, _COLUMNS.device) > after)

    def parse(row: RowMapping) -> SteeringRecord:
        fields = {name: row[name] for name in row if name in SteeringRecord.model_fields}
        fields |= {
            "site_id": site_id,
            "begins_at": row["begins_at"].astimezone(UTC),
            "ends_at": row["ends_at"].astimezone(UTC),
        }
        return SteeringRecord.model_validate(fields)

    return read_each(connection.execute(query).mappings(), parse)
