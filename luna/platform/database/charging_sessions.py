"""Store planned charging sessions, append-only, and read what vehicles' sensors reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.charging_sessions import (
    NewSession,
    StoredSession,
    check_session,
    lay_out_sessions,
)
from luna.contracts.plan.state import VehicleSession
from luna.energy.charge_sensors import (
    NO_READINGS,
    ChargeSensors,
    SeenCharge,
    SensorSeries,
    UntakenCharge,
    is_away,
    is_idle,
    judge_charge,
    judge_untaken,
    sensors_of,
)
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.energy_store import MeteredEnergy
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.steered_slots import mark_dimmed
from luna.energy.timeline import SLOT, FloatArray, InstantArray, Timeline, floor_to
from luna.energy.units import UnitHistory, distance_factor, level_factor
from luna.platform.database import (
    control,
    observations,
    operator_limits,
    plan_causes,
    plans,
    readings,
    sensor_units,
    sites,
)
from luna.platform.database.schema.plans import charging_sessions
from luna.platform.database.stored_rows import read_each, read_page

MOST_SESSIONS = 500
_PLAIN = set(VehicleSession.model_fields)
_OPTIONS = {
    "days",
    "target_soc",
    "limit_soc",
    "min_soc",
    "arrival_soc",
    "extra_value",
    "min_power_kw",
}
# A level that stands still is compared with the energy that the charger counted since, over a
# weekend at most.
LOOK_BACK = timedelta(days=2)


def add(
    connection: Connection, site_id: str, session: NewSession, *, by: str, now: datetime
) -> StoredSession:
    """Store a charging session; an identical one is returned instead.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the site's vehicle cannot follow it, or it overlaps another.
    """
    site = sites.load(connection, site_id)
    key = sites.key_of(connection, site_id)
    standing = [
        stored
        for stored in read_standing(connection, site_id, first=now)
        if stored.vehicle == session.vehicle
    ]
    for stored in standing:
        if _is_same(stored, session):
            return stored
    sensed: Mapping[str, SeenCharge] = {}
    if session.arrival_soc is None:
        sensed = read_charge_each(connection, {key: site}, until=now).get(key, {})
    check_session(
        session,
        site,
        standing,
        now=now,
        is_seen=session.vehicle in sensed and sensed[session.vehicle].soc is not None,
    )
    options = session.model_dump(mode="json", include=_OPTIONS)
    row = {
        "site_key": key,
        "vehicle": session.vehicle,
        "starts_at": session.from_,
        "ends_at": session.to,
        "wanted": options,
        "added_by": by,
    }
    added = connection.scalar(
        insert(charging_sessions).values(row).returning(charging_sessions.c.session_id)
    )
    plan_causes.note(connection, [key], "session")
    return _load(connection, site_id, charging_sessions.c.session_id == added)[0]


def remove(connection: Connection, site_id: str, session_id: int, *, by: str) -> StoredSession:
    """Remove a session; one that was removed before is returned unchanged.

    Raises:
        NotFoundError: the site has no such session.
    """
    is_session = charging_sessions.c.session_id == session_id
    if not _load(connection, site_id, is_session):
        raise refuse(
            "not-found",
            field="session_id",
            value=session_id,
            thing="planned-session",
            source=f"the list: luna session list --site {site_id}",
        )
    standing = is_session & charging_sessions.c.removed_at.is_(None)
    connection.execute(
        update(charging_sessions).where(standing).values(removed_by=by, removed_at=func.now())
    )
    plan_causes.note(connection, [sites.key_of(connection, site_id)], "session")
    return _load(connection, site_id, is_session)[0]


def read_standing(
    connection: Connection, site_id: str, *, first: datetime, end: datetime | None = None
) -> list[StoredSession]:
    """Return the sessions that end after ``first`` and begin before ``end``, by start.

    A repeating one never ends.
    """
    is_standing = _is_ahead(first)
    if end is not None:
        is_standing &= charging_sessions.c.starts_at < end
    return _load(connection, site_id, is_standing)


def _is_same(stored: StoredSession, session: NewSession) -> bool:
    compared = ("vehicle", "from_", "to", *_OPTIONS)
    return all(getattr(stored, name) == getattr(session, name) for name in compared)


def read_plain_each(
    connection: Connection, sites_by_key: Mapping[int, Site], *, first: datetime, end: datetime
) -> dict[int, dict[str, list[VehicleSession]]]:
    """Return many sites' sessions that end after ``first``, by site key and vehicle.

    They have the form of a plan's request.

    Args:
        connection: to the database.
        sites_by_key: the sites by their keys; sites without sessions are left out of the result.
        first: an instant.
        end: repeating sessions are expanded until then.
    """
    zones = {key: ZoneInfo(site.timezone) for key, site in sites_by_key.items() if site.vehicles}
    if not zones:
        return {}
    table = charging_sessions.c
    ahead = table.site_key.in_(zones) & _is_ahead(first)
    rows: dict[int, list[RowMapping]] = {}
    query = select(charging_sessions).where(ahead).order_by(table.starts_at, table.session_id)
    for row in connection.execute(query).mappings():
        rows.setdefault(row["site_key"], []).append(row)
    by_site: dict[int, dict[str, list[VehicleSession]]] = {}
    for key, site_rows in rows.items():
        sessions = read_each(site_rows[-MOST_SESSIONS:], _session)
        for session in lay_out_sessions(sessions, zones[key], first=first, end=end):
            plain = session.model_dump(by_alias=True, include=_PLAIN)
            by_vehicle = by_site.setdefault(key, {})
            by_vehicle.setdefault(session.vehicle, []).append(VehicleSession.model_validate(plain))
    return by_site


def read_history(connection: Connection, site_id: str) -> list[StoredSession]:
    """Return all sessions of a site by start, the latest ``MOST_SESSIONS``."""
    return _load(connection, site_id, charging_sessions.c.session_id > 0)


def _is_ahead(first: datetime) -> ColumnElement[bool]:
    table = charging_sessions.c
    repeats = table.wanted["days"][0].is_not(None)
    return ((table.ends_at > first) | repeats) & table.removed_at.is_(None)


def _load(connection: Connection, site_id: str, where: ColumnElement[bool]) -> list[StoredSession]:
    of_site = charging_sessions.c.site_key == sites.key_of(connection, site_id)
    latest = (
        select(charging_sessions)
        .where(of_site & where)
        .order_by(charging_sessions.c.starts_at.desc(), charging_sessions.c.session_id.desc())
    )
    return read_page(connection, latest, _session, limit=MOST_SESSIONS)[::-1]


def _session(row: Mapping[Any, Any]) -> StoredSession:
    names = ("session_id", "vehicle", "added_at", "added_by", "removed_at", "removed_by")
    session = {
        **row["wanted"],
        "from": row["starts_at"].astimezone(UTC),
        "to": row["ends_at"].astimezone(UTC),
    }
    return StoredSession.model_validate({name: row[name] for name in names} | session)


def read_charge_each(
    connection: Connection, sites_by_key: Mapping[int, Site], *, until: datetime
) -> dict[int, dict[str, SeenCharge]]:
    """Return the vehicles' states at an instant, by site key and vehicle.

    Vehicles without sensors are left out.
    """
    sensors: dict[tuple[int, str], ChargeSensors] = {}
    for key, site in sites_by_key.items():
        for name, vehicle_sensors in sensors_of(site, at=until).items():
            sensors[key, name] = vehicle_sensors
    named = []
    for (key, _), vehicle_sensors in sensors.items():
        for sensor in (vehicle_sensors.level, vehicle_sensors.connected):
            if sensor:
                named.append((key, sensor))
    sensor_names = list(dict.fromkeys(named))
    all_series = readings.read_with_previous_each(
        connection, sensor_names, first=until - LOOK_BACK, end=until
    )
    sensor_series = dict(zip(sensor_names, all_series, strict=True))
    histories = sensor_units.read_named(connection, sensor_names)
    plugs_each = {}
    for (key, name), vehicle_sensors in sensors.items():
        plugs_each[key, name] = NO_READINGS
        if vehicle_sensors.connected:
            plugs_each[key, name] = sensor_series[key, vehicle_sensors.connected]
    metered_each = _read_metered_each(connection, sites_by_key, list(sensors), until=until)
    charges: dict[int, dict[str, SeenCharge]] = {}
    for (key, name), vehicle_sensors in sensors.items():
        vehicles = sites_by_key[key].vehicles
        vehicle = next(vehicle for vehicle in vehicles if vehicle.name == name)
        level = vehicle_sensors.level
        socs = sensor_series[key, level] if level else NO_READINGS
        units = histories.get((key, level or ""), UnitHistory())
        if vehicle_sensors.distance:
            socs = scale_ranges(vehicle, *socs, units)
        else:
            socs = scale_levels(*socs, units)
        plugs = plugs_each[key, name]
        # One meter counts all chargers: its figure is a vehicle's if no other one is plugged in.
        neighbours = [(key, neighbour.name) for neighbour in vehicles if neighbour.name != name]
        are_away = _are_away(neighbours, sensors, plugs_each, (plugs, vehicle_sensors.unplugged))
        metered = metered_each.get(key) if are_away else None
        judged = judge_charge(
            vehicle, socs, plugs, until=until, unplugged=vehicle_sensors.unplugged, metered=metered
        )
        by_range = vehicle_sensors.distance is not None
        charges.setdefault(key, {})[name] = replace(judged, by_range=by_range)
    return charges


def _are_away(
    neighbours: Iterable[tuple[int, str]],
    sensors: Mapping[tuple[int, str], ChargeSensors],
    plugs_each: Mapping[tuple[int, str], SensorSeries],
    beside: tuple[SensorSeries, bool],
) -> bool:
    """Return whether all neighbours were away since a vehicle was plugged in, see ``is_away``."""
    for neighbour in neighbours:
        if neighbour not in sensors:
            return False
        unplugged = sensors[neighbour].unplugged
        if not is_away(plugs_each[neighbour], unplugged=unplugged, beside=beside):
            return False
    return True


def scale_levels(instants: InstantArray, values: FloatArray, units: UnitHistory) -> SensorSeries:
    """Return levels as shares, whatever unit their sensor had at the time."""
    factors = np.array([level_factor(unit) for unit in units.names])
    return instants, values * factors[units.places(instants)]


def scale_ranges(
    vehicle: ElectricVehicle, instants: InstantArray, values: FloatArray, units: UnitHistory
) -> SensorSeries:
    """Return the states of charge that ranges stand for; unknown without a known consumption."""
    factors = np.array([distance_factor(unit) for unit in units.names])
    soc_per_km = np.nan if vehicle.soc_per_km is None else vehicle.soc_per_km
    return instants, np.minimum(values * factors[units.places(instants)] * soc_per_km, 1.0)


def _read_metered_each(
    connection: Connection,
    sites_by_key: Mapping[int, Site],
    vehicles: Sequence[tuple[int, str]],
    *,
    until: datetime,
) -> dict[int, MeteredEnergy]:
    """Return what the chargers of sites counted, by the sites' keys.

    Sites without such a meter are left out.
    """
    start = floor_to(until - LOOK_BACK, SLOT)
    timeline = Timeline(start, SLOT, (floor_to(until, SLOT) - start) // SLOT)
    windows = {
        key: timeline for key, _ in vehicles if sites_by_key[key].input_sensors.vehicle_consumption
    }
    counted = observations.read_columns_each(connection, windows, names=("vehicle_kwh",))
    return {
        key: MeteredEnergy(timeline, columns["vehicle_kwh"]) for key, columns in counted.items()
    }


def find_untaken(
    connection: Connection,
    site: Site,
    sensed: Mapping[str, SeenCharge],
    *,
    now: datetime,
    issued_until: datetime,
) -> dict[str, UntakenCharge]:
    """Return the charge that vehicles were planned to take and did not, by their names.

    Args:
        connection: to the database.
        site: a stored one.
        sensed: its vehicles as their sensors have them.
        now: the instant of the question.
        issued_until: later plans do not count.
    """
    idle = {name: charge for name, charge in sensed.items() if is_idle(charge, now)}
    if not idle:
        return {}
    controlled = {vehicle.vehicle for vehicle in site.control.vehicles} if site.control else set()
    key = sites.key_of(connection, site.name)
    is_armed = control.load_each(connection, {key: site.name})[key].armed_at is not None
    untaken = {}
    for name, charge in idle.items():
        # A command that was not sent cannot have been followed.
        if charge.metered is None or (name in controlled and not is_armed):
            continue
        column = f"vehicles:{name}:charge_kwh"
        timeline = charge.metered.timeline
        issued = (timeline.start - LOOK_BACK, issued_until)
        planned = plans.read_latest(
            connection, site.name, timeline, columns=(column,), issued=issued
        )
        limits = operator_limits.list_between(connection, site.name, timeline.start, timeline.end)
        # What an operator did not allow was not refused.
        allowed_kwh = np.where(mark_dimmed(limits, timeline), np.nan, planned.columns[column])
        untaken_charge = judge_untaken(charge, allowed_kwh)
        if untaken_charge is not None:
            untaken[name] = untaken_charge
    return untaken
