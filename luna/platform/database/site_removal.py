"""Take a site with everything of it out of the database, in one transaction."""

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select, text

from luna.energy.devices.battery import BATTERIES
from luna.energy.refusals import refuse
from luna.energy.site import OWN_EXPORT, OWN_IMPORT
from luna.platform.database import (
    control,
    documents,
    recommendations,
    rollups,
    sites,
    timescale,
    weather_places,
)
from luna.platform.database.prices import stored_name
from luna.platform.database.schema.forecasting import forecast_issues, forecast_scenarios
from luna.platform.database.schema.metadata import metadata
from luna.platform.database.schema.plans import control_log, plan_history, training_runs, what_ifs
from luna.platform.database.schema.series import (
    carbon_intensity,
    market_prices,
    quarantine,
    rollup_marks,
    sensor_readings,
    sensors,
    slot_forecasts,
    slot_observations,
    weather,
)
from luna.platform.database.schema.sites import sites as site_table
from luna.platform.database.schema.work import OPEN, jobs

# They name the site by its key without referring to it, because a check per row would halve the
# speed of bulk writes; all others go with the site's own row.
_BY_KEY = (
    slot_observations,
    slot_forecasts,
    forecast_issues,
    forecast_scenarios,
    quarantine,
    control_log,
)


def _require_released(connection: Connection, site_id: str) -> None:
    """Refuse an armed site, and one with devices that are not handed back yet."""
    if control.load(connection, site_id).armed_at is not None:
        raise refuse("site-armed", field="site_id", value=site_id, site_id=site_id)
    for device in (BATTERIES, *control.list_commanded(connection, site_id)):
        decision = control.load(connection, site_id, device).decision
        if decision is None:
            continue
        if decision.source != "released" or not decision.settled:
            raise refuse("devices-handed-back", field="site_id", value=site_id)


def remove(connection: Connection, site_id: str, *, armed: bool = False) -> list[str]:
    """Delete a site with all its measurements, forecasts, plans, decisions and orders.

    Return the keys of its objects: models and documents.

    Prices of markets stay, for they are no site's. The caller removes the objects once this is
    committed.

    Args:
        connection: of the transaction.
        site_id: which.
        armed: also where its devices follow Luna: those of a simulated home go with it.

    Raises:
        NotFoundError: no such site.
        ConflictError: it is armed, or work for it is under way.
    """
    key = sites.key_of(connection, site_id)
    connection.execute(
        select(site_table.c.site_key).where(site_table.c.site_key == key).with_for_update()
    )
    if not armed:
        _require_released(connection, site_id)
    open_jobs = list_open_jobs(connection, site_id)
    if open_jobs:
        raise refuse("site-jobs-open", field="site_id", value=site_id, job=open_jobs[0])
    artefacts = connection.scalars(
        select(training_runs.c.artefact_key).where(
            training_runs.c.site_key == key, training_runs.c.artefact_key.is_not(None)
        )
    ).all()
    own_sensors = select(sensors.c.sensor_key).where(sensors.c.site_key == key)
    _delete(connection, sensor_readings, sensor_readings.c.sensor_key.in_(own_sensors))
    for table in _BY_KEY:
        _delete(connection, table, table.c.site_key == key)
    recommendations.forget_site(connection, key)
    # Writers mark the days they change, so the marks go last. TimescaleDB's own rollups stay:
    # nothing reads a removed key there.
    rolled_up: list[Table] = []
    if timescale.keeps_rollups(connection):
        rolled_up = [*(metadata.tables[name] for name in rollups.TABLES.values()), rollup_marks]
    for table in rolled_up:
        _delete(connection, table, table.c.site_key == key)
    _delete_by_name(connection, site_id)
    objects = _remove_documents(connection, site_id)
    _delete(connection, site_table, site_table.c.site_key == key)
    return [artefact for artefact in artefacts if artefact] + objects


def _delete_by_name(connection: Connection, site_id: str) -> None:
    """Delete the rows that refer to the site by its name."""
    _delete(connection, jobs, _of_site(connection, site_id))
    _delete(connection, what_ifs, what_ifs.c.request["site_id"].astext == site_id)
    _delete(connection, plan_history, plan_history.c.site == site_id)
    own_series = [stored_name(site_id, side) for side in (OWN_IMPORT, OWN_EXPORT)]
    _delete(connection, market_prices, market_prices.c.market.in_(own_series))
    _delete(connection, carbon_intensity, carbon_intensity.c.place == site_id)
    _delete(connection, weather, weather_places.is_of(weather.c.place, site_id))


def _remove_documents(connection: Connection, site_id: str) -> list[str]:
    """Delete the site's documents, and return the keys of their objects."""
    removed = documents.remove_of_site(connection, site_id)
    objects: list[str] = []
    for sha256, keys in removed.items():
        # Bytes that another document needs stay.
        if not documents.is_needed(connection, sha256):
            objects += keys
    return objects


def list_open_jobs(connection: Connection, site_id: str) -> list[str]:
    """Return the jobs of a site that wait or run."""
    return list(
        connection.scalars(select(jobs.c.job_id).where(_of_site(connection, site_id), text(OPEN)))
    )


def _of_site(connection: Connection, site_id: str) -> ColumnElement[bool]:
    questions = connection.scalars(
        select(what_ifs.c.what_if_id).where(what_ifs.c.request["site_id"].astext == site_id)
    ).all()
    return or_(
        jobs.c.request["site_id"].astext == site_id,
        jobs.c.request["what_if_id"].astext.in_(questions),
    )


def _delete(connection: Connection, table: Table, where: ColumnElement[bool]) -> None:
    connection.execute(delete(table).where(where))
