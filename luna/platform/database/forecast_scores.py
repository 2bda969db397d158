"""Store forecast versions' scores in shadow and the cost of their errors, by local day of issue."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.platform.database import sites
from luna.platform.database.schema.forecasting import forecast_scores
from luna.platform.database.schema.plans import daily_scores

# The policies of a day planned from a version, and from perfect foresight.
POLICIES = ("mpc", "mpc_perfect")


@dataclass(frozen=True, slots=True)
class ForecastDayScore:
    """A version's scores on one series, over the forecasts of one local day.

    Energies in kWh per slot, None where no slot was counted.
    """

    day: date
    forecast_version: str
    series: str
    origins: int
    mae: float
    rmse: float
    pinball: float
    coverage_80: float | None


def shadow_system(version: str) -> str:
    """Return the system under which ``daily_scores`` holds days planned from a version."""
    return f"prod_shadow_forecast_{version}"


def upsert(connection: Connection, site_id: str, scores: Sequence[ForecastDayScore]) -> None:
    """Store scores; a day scored again takes the place of the first."""
    if not scores:
        return
    key = sites.key_of(connection, site_id)
    statement = insert(forecast_scores)
    changed = {
        name: statement.excluded[name]
        for name in ("origins", "mae", "rmse", "pinball", "coverage_80", "scored_at")
    }
    rows = [asdict(score) | {"site_key": key} for score in scores]
    connection.execute(
        statement.on_conflict_do_update(constraint=forecast_scores.primary_key, set_=changed), rows
    )


def read(connection: Connection, site_id: str, first: date, last: date) -> list[ForecastDayScore]:
    """Return all versions' scores of the days of issue from ``first`` to ``last``, in order."""
    table = forecast_scores.c
    columns = [table[name] for name in ForecastDayScore.__dataclass_fields__]
    query = (
        select(*columns)
        .where(table.site_key == sites.key_of(connection, site_id), table.day.between(first, last))
        .order_by(table.day, table.forecast_version, table.series)
    )
    return [ForecastDayScore(**row) for row in connection.execute(query).mappings()]


def last_day(connection: Connection, site_id: str) -> date | None:
    """Return the last scored day of issue, if there is one."""
    table = forecast_scores.c
    query = (
        select(table.day)
        .where(table.site_key == sites.key_of(connection, site_id))
        .order_by(table.day.desc())
        .limit(1)
    )
    return connection.scalar(query)


def read_regrets(
    connection: Connection, site_id: str, versions: Sequence[str], *, first: date, last: date
) -> Mapping[str, Mapping[date, float]]:
    """Return a version's extra cost over planning from perfect foresight, by version and day.

    What was left in the batteries counts; only known days are given.
    """
    names = {shadow_system(version): version for version in versions}
    planned = daily_scores.alias()
    perfect = daily_scores.alias()
    regret = (planned.c.cost - planned.c.stored_gain) - (perfect.c.cost - perfect.c.stored_gain)
    query = (
        select(planned.c.system_id, planned.c.day, regret)
        .join(
            perfect,
            (perfect.c.site_key == planned.c.site_key)
            & (perfect.c.system_id == planned.c.system_id)
            & (perfect.c.day == planned.c.day),
        )
        .where(
            planned.c.site_key == sites.key_of(connection, site_id),
            planned.c.system_id.in_(names),
            planned.c.day.between(first, last),
        )
        .where(planned.c.policy == POLICIES[0], perfect.c.policy == POLICIES[1])
    )
    regrets: dict[str, dict[date, float]] = {version: {} for version in versions}
    for system, day, value in connection.execute(query):
        regrets[names[system]][day] = value
    return regrets
