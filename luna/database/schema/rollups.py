"""What sites did per hour and per day in UTC, kept beside the quarter-hours. Readers ask the views ``slot_observations_hourly`` and ``…_daily``.

Where TimescaleDB keeps the rollups, or its tables take no such triggers, these tables stay empty.
"""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, Table

from luna.database.schema.metadata import instant, metadata, number

# Series with a sum and with a mean, as the columns of a rollup have them; beside each stands how many slots it is known in.
SUMMED = ("load", "pv", "import", "export", "charge", "discharge")
AVERAGED = ("import_price", "export_price")


def _columns() -> list[Column[int] | Column[float]]:
    def known(series: str) -> Column[int]:
        return Column(f"{series}_slots", BigInteger, nullable=False)

    sums = [column for series in SUMMED for column in (number(f"{series}_kwh"), known(series))]
    means = [column for series in AVERAGED for column in (number(series), known(series))]
    return [*sums, number("soc_last"), number("soc_mean"), known("soc"), *means]


def _rollup(name: str, width: str) -> Table:
    return Table(
        name,
        metadata,
        Column("site_key", Integer, primary_key=True, autoincrement=False),
        instant("bucket", primary_key=True),
        Column("slots", BigInteger, nullable=False),
        *_columns(),
        comment=f"What a site did per {width} in UTC, but for the days that rollup_marks names",
    )


slot_observations_by_hour = _rollup("slot_observations_by_hour", "hour")
slot_observations_by_day = _rollup("slot_observations_by_day", "day")

rollup_marks = Table(
    "rollup_marks",
    metadata,
    Column("mark", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", Integer, nullable=False),
    instant("day", "its beginning in UTC"),
    Index("ix_rollup_marks_site_key_day", "site_key", "day"),
    comment="A day whose quarter-hours changed since the rollups were last brought up to date; rows are only added and deleted, so no writer waits for another",
)
