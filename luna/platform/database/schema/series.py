"""Everything over time.

The time column stands in each key, so that these tables can be hypertables.

The hot tables have no foreign keys: a check per row would halve the speed of bulk writes, and every
writer resolves the site first.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
)
from sqlalchemy import text as sa_text
from sqlalchemy.dialects.postgresql import JSONB

from luna.energy.observations import ESTIMABLE, SERIES
from luna.energy.outlook import SHARES
from luna.energy.site import SENSOR_ROLES
from luna.platform.database.schema.metadata import (
    document,
    instant,
    metadata,
    number,
    recorded,
    text,
)
from luna.platform.database.schema.sites import sites

_AFTER_SOC = ", ".join(
    name.removesuffix("_kwh").replace("_", " ") for name in ESTIMABLE[len(SERIES) :]
)

market_prices = Table(
    "market_prices",
    metadata,
    text("market", primary_key=True),
    instant("slot_start", primary_key=True),
    instant(
        "published_at", "revisions are kept, so that a replay sees what was known", primary_key=True
    ),
    number("price", "currency per kWh", nullable=False),
    text("currency", "ISO 4217"),
    comment="The price of a market in one quarter-hour, as published",
)

smart_meter_readings = Table(
    "smart_meter_readings",
    metadata,
    text("meter", primary_key=True),
    text("register", "OBIS code", primary_key=True),
    instant("instant", primary_key=True),
    number("value", "cumulative, as received", nullable=False),
    comment="A meter reading as received",
)

sensors = Table(
    "sensors",
    metadata,
    Column("sensor_key", Integer, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("name"),
    text(
        "unit",
        "of its readings, until sensor_units says another; empty: nobody said one",
        nullable=True,
    ),
    Index("uq_sensors_site_key_name", "site_key", "name", unique=True),
    comment="A source of readings at a site",
)

sensor_units = Table(
    "sensor_units",
    metadata,
    Column("sensor_key", ForeignKey(sensors.c.sensor_key, ondelete="CASCADE"), primary_key=True),
    instant("since", "the first reading in this unit", primary_key=True),
    text("unit"),
    comment="A change of the unit in which a sensor speaks",
)

energy_intervals = Table(
    "energy_intervals",
    metadata,
    Column("sensor_key", ForeignKey(sensors.c.sensor_key, ondelete="CASCADE"), primary_key=True),
    text("series", "the column of slot_observations that the sensor counts for", primary_key=True),
    instant("starts_at", "of the reading before", primary_key=True),
    instant("ends_at", "of the reading after"),
    number("energy_kwh", "below zero where the sensor is taken off", nullable=False),
    text("certainty", "counted: all of it; at_least: the counter began anew meanwhile"),
    CheckConstraint("certainty IN ('counted', 'at_least')", name="ck_energy_intervals_certainty"),
    CheckConstraint("ends_at > starts_at", name="ck_energy_intervals_span"),
    comment="What a counter counted between two readings that are too far apart to interpolate",
)

sensor_readings = Table(
    "sensor_readings",
    metadata,
    Column("sensor_key", Integer, primary_key=True, autoincrement=False),
    instant("instant", primary_key=True),
    number("value", nullable=False),
    comment="A raw value of a sensor",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", Integer, nullable=False),
    text("kind", "observations, prices, weather, carbon, readings"),
    text("source", "the file's SHA-256, or the name of a live source"),
    Column(
        "line",
        BigInteger,
        nullable=False,
        comment="line of the file, or sequence number of the live source",
    ),
    document("fault", "why: a code, and the parameters of its sentence"),
    document("raw", "the row as received"),
    recorded("received_at"),
    text(
        "resolution",
        "released, corrected or dismissed, by hand; empty: still in quarantine",
        nullable=True,
    ),
    document("corrected", "the row as corrected by hand", nullable=True),
    instant("resolved_at", nullable=True),
    text("resolved_by", nullable=True),
    Index("uq_quarantine_row", "site_key", "kind", "source", "line", unique=True),
    Index("ix_quarantine_newest", "site_key", "quarantine_id"),
    comment="A row that was refused, with the reason: nothing is dropped silently",
)

weather = Table(
    "weather",
    metadata,
    text("place", primary_key=True),
    instant("slot_start", primary_key=True),
    instant("issued_at", "measured values: the end of the slot", primary_key=True),
    number("temperature_c"),
    number("ghi_w_m2"),
    number("dhi_w_m2"),
    number("dni_w_m2"),
    number("wind_m_s"),
    number("cloud_fraction"),
    comment="Weather at a place in one quarter-hour, measured or forecast",
)

carbon_intensity = Table(
    "carbon_intensity",
    metadata,
    text("place", primary_key=True),
    instant("slot_start", primary_key=True),
    instant("issued_at", "measured values: the end of the slot", primary_key=True),
    number("carbon_g_per_kwh", nullable=False),
    comment="Carbon intensity of the grid in one quarter-hour, measured or forecast",
)

slot_observations = Table(
    "slot_observations",
    metadata,
    Column("site_key", Integer, primary_key=True, autoincrement=False),
    instant("slot_start", primary_key=True),
    number("load_kwh"),
    number("pv_kwh"),
    number("import_kwh"),
    number("export_kwh"),
    number("charge_kwh", "at the battery terminals"),
    number("discharge_kwh", "at the battery terminals"),
    number("soc", "fraction at the end of the slot"),
    number(
        "residual_kwh",
        "import + PV + discharge − export − charge − all consumption: what the meters "
        "leave unexplained",
    ),
    number(
        "beyond_house_kwh",
        "by how much meters of appliances count more than the house's: load_kwh would be "
        "below zero by so much",
    ),
    *(
        number(role.series, role.comment)
        for role in reversed([*SENSOR_ROLES.values()])
        if role.flow == "submetered" and role.series
    ),
    number("import_price", "what the site paid, currency per kWh"),
    number("export_price", "what the site earned, currency per kWh"),
    Column(
        "repaired",
        SmallInteger,
        nullable=False,
        server_default="0",
        comment="bit i: value i (load first, soc seventh) was repaired, not measured",
    ),
    text(
        "source", "where the values came from: file, home_assistant, mqtt, …", server_default="file"
    ),
    Column(
        "estimated",
        SmallInteger,
        nullable=False,
        server_default="0",
        comment=(
            f"bit i: value i (load first, soc seventh, then {_AFTER_SOC}) is filled to a "
            "meter's total"
        ),
    ),
    Index(
        "ix_slot_observations_estimated",
        "site_key",
        "slot_start",
        postgresql_where=sa_text("estimated > 0"),
    ),
    comment="What a site did in one quarter-hour; empty means unknown, never zero",
)

history_changes = Table(
    "history_changes",
    metadata,
    Column("change_id", BigInteger, Identity(always=True), primary_key=True),
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), nullable=False),
    text("series", "column of slot_observations, or market_prices:<market>"),
    instant("slot_start"),
    number("before"),
    number("after"),
    text("rule", "which rule or whose hand changed it"),
    recorded("changed_at"),
    Index("ix_history_changes_site_key_slot_start", "site_key", "slot_start"),
    comment="A change of a value of the past: what it was, what it became, why",
)

source_cursors = Table(
    "source_cursors",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    text("source", "home_assistant, mqtt, energy_charts, …", primary_key=True),
    text("series", "sensor, market or place", primary_key=True),
    instant("complete_until", "everything before this instant was taken over"),
    recorded("moved_at"),
    comment="How far a source has been read, so that reading goes on there",
)

_QUANTILES = ("kwh", *(f"{share}_kwh" for share in SHARES))

slot_forecasts = Table(
    "slot_forecasts",
    metadata,
    Column("site_key", Integer, primary_key=True, autoincrement=False),
    text("forecast_version", primary_key=True),
    instant("issued_at", primary_key=True),
    instant("slot_start", primary_key=True),
    *(number(f"load_{quantile}") for quantile in _QUANTILES),
    *(number(f"pv_{quantile}") for quantile in _QUANTILES),
    comment=(
        "What was expected of one quarter-hour; load_kwh and pv_kwh are means, the others quantiles"
    ),
)

data_quality_daily = Table(
    "data_quality_daily",
    metadata,
    Column("site_key", ForeignKey(sites.c.site_key, ondelete="CASCADE"), primary_key=True),
    Column("day", Date, primary_key=True, comment="local day of the site"),
    text("verdict"),
    Column("faults", JSONB, nullable=False, server_default="[]"),
    recorded("judged_at"),
    CheckConstraint(
        "verdict IN ('clean', 'mask_battery', 'exclude')", name="ck_data_quality_daily_verdict"
    ),
    comment="Whether a day may train and score",
)


# Series with a sum and with a mean, as the columns of a rollup have them.
SUMMED = ("load", "pv", "import", "export", "charge", "discharge")
AVERAGED = ("import_price", "export_price")


def _rollup_columns() -> list[Column[int] | Column[float]]:
    columns: list[Column[int] | Column[float]] = []
    for series in SUMMED:
        columns += [number(f"{series}_kwh"), _slot_count(series)]
    columns += [number("soc_last"), number("soc_mean"), _slot_count("soc")]
    for series in AVERAGED:
        columns += [number(series), _slot_count(series)]
    return columns


def _slot_count(series: str) -> Column[int]:
    """Return the column of the slots in which a series is known."""
    return Column(f"{series}_slots", BigInteger, nullable=False)


def _rollup(name: str, width: str) -> Table:
    return Table(
        name,
        metadata,
        Column("site_key", Integer, primary_key=True, autoincrement=False),
        instant("bucket", primary_key=True),
        Column("slots", BigInteger, nullable=False),
        *_rollup_columns(),
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
    comment=(
        "A day whose quarter-hours changed since the rollups were last brought up to date; "
        "rows are only added and deleted, so no writer waits for another"
    ),
)
