"""Propose weekly departures from recorded stays, and store what owners answer."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.charging_sessions import StoredSession, Weekday
from luna.contracts.departures import (
    AnsweredDeparture,
    DepartureAnswer,
    DepartureChanges,
    ProposedDeparture,
    compose_session,
    is_open,
    keep_other_days,
    propose_departure,
)
from luna.energy.charge_sensors import NO_READINGS, ChargeSensors, SensorSeries, sensors_of
from luna.energy.charger_stays import ChargerStay, leave_out_plugged, list_stays
from luna.energy.departure_habits import LONGEST_MEMORY, learn_departures
from luna.energy.energy_store import MeteredEnergy
from luna.energy.public_holidays import EPOCH, list_holidays
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.energy.units import UnitHistory
from luna.platform.database import (
    charging_sessions,
    observations,
    readings,
    recommendation_items,
    sensor_units,
    sites,
)
from luna.platform.database.schema.plans import departure_answers
from luna.platform.database.stored_rows import read_each
from luna.platform.site_country import country_of

# Answers that are read, of all vehicles of a site: more than anybody gives in a year.
MOST_ANSWERS = 200
# The stay before the first departure that counts.
BEFORE = timedelta(days=3)


def read_stays(
    connection: Connection, site: Site, *, until: datetime
) -> dict[str, list[ChargerStay]]:
    """Return the stays of a site's vehicles in a quarter of a year, by vehicle.

    Vehicles without a sensor of their plug are left out.
    """
    key = sites.key_of(connection, site.name)
    sensors = sensors_of(site, at=until)
    with_plug = {name: own for name, own in sensors.items() if own.connected is not None}
    if not with_plug:
        return {}
    first = floor_to(until - LONGEST_MEMORY - BEFORE, SLOT)
    series = _read_series(connection, key, with_plug, (first, until))
    plugs = {}
    for name, own in with_plug.items():
        if own.connected is not None:
            plugs[name] = series[own.connected]
    metered = _read_metered(connection, site, key, (first, until))
    stays = {}
    for vehicle in site.vehicles:
        name = vehicle.name
        if name not in plugs:
            continue
        own = with_plug[name]
        own_metered = metered
        # One meter counts all chargers: a slot is a vehicle's while no other one is plugged in.
        for neighbour in site.vehicles:
            if own_metered is None or neighbour.name == name:
                continue
            if neighbour.name not in plugs:
                own_metered = None
                continue
            own_metered = leave_out_plugged(
                own_metered,
                plugs[neighbour.name],
                unplugged=with_plug[neighbour.name].unplugged,
            )
        levels = series[own.soc] if own.soc else NO_READINGS
        stays[name] = list_stays(vehicle, plugs[name], levels, own_metered, unplugged=own.unplugged)
    return stays


def _read_series(
    connection: Connection,
    key: int,
    sensors: Mapping[str, ChargeSensors],
    span: tuple[datetime, datetime],
) -> dict[str, SensorSeries]:
    """Return plugs and levels by their sensors' names, levels as shares."""
    level_names = [own.soc for own in sensors.values() if own.soc]
    plug_names = [own.connected for own in sensors.values() if own.connected]
    names = list(dict.fromkeys([*plug_names, *level_names]))
    first, end = span
    all_series = readings.read_with_previous_each(
        connection, [(key, name) for name in names], first=first, end=end
    )
    series = dict(zip(names, all_series, strict=True))
    histories = sensor_units.read_named(connection, [(key, name) for name in level_names])
    for name in level_names:
        units = histories.get((key, name), UnitHistory())
        series[name] = charging_sessions.scale_levels(*series[name], units)
    return series


def _read_metered(
    connection: Connection, site: Site, key: int, span: tuple[datetime, datetime]
) -> MeteredEnergy | None:
    if not site.input_sensors.vehicle_consumption:
        return None
    first, end = span
    timeline = Timeline(first, SLOT, (floor_to(end, SLOT) - first) // SLOT)
    columns = observations.read_columns_each(connection, {key: timeline}, names=("vehicle_kwh",))
    if key not in columns:
        return None
    return MeteredEnergy(timeline, columns[key]["vehicle_kwh"])


def read_proposals(
    connection: Connection, site_id: str, *, now: datetime
) -> list[ProposedDeparture]:
    """Return the open departures of a site's vehicles.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    zone = ZoneInfo(site.timezone)
    all_stays = read_stays(connection, site, until=now)
    if not all_stays:
        return []
    standing = charging_sessions.read_standing(connection, site_id, first=now)
    answers = read_answers(connection, site_id)
    holidays = _list_holidays(site, now.astimezone(zone).date())
    proposals = []
    for vehicle in site.vehicles:
        own_answers = [answer for answer in answers if answer.vehicle == vehicle.name]
        own_standing = [session for session in standing if session.vehicle == vehicle.name]
        stays = all_stays.get(vehicle.name, [])
        for habit in learn_departures(stays, zone, until=now, holidays=holidays):
            if is_open(habit, own_answers, own_standing, zone):
                proposals.append(propose_departure(vehicle, habit, own_standing))
    return proposals


def _list_holidays(site: Site, today: date) -> set[date]:
    holidays: set[date] = set()
    for year in {today.year, (today - LONGEST_MEMORY).year}:
        days_since_epoch = list_holidays(country_of(site), site.region, year)
        holidays.update(EPOCH + timedelta(days=number) for number in days_since_epoch)
    return holidays


def read_answers(connection: Connection, site_id: str) -> list[AnsweredDeparture]:
    """Return the answers to a site's proposals, the latest first."""
    table = departure_answers.c
    query = (
        select(departure_answers)
        .where(table.site_key == sites.key_of(connection, site_id))
        .order_by(table.answer_id.desc())
        .limit(MOST_ANSWERS)
    )
    return read_each(connection.execute(query).mappings(), _answered)


def _answered(row: Mapping[Any, Any]) -> AnsweredDeparture:
    names = ("departure_id", "vehicle", "answer", "session_id", "answered_by", "answered_at")
    return AnsweredDeparture.model_validate({name: row[name] for name in names} | row["proposal"])


def accept(
    connection: Connection,
    site_id: str,
    departure_id: str,
    changes: DepartureChanges,
    *,
    by: str,
    now: datetime,
) -> StoredSession:
    """Store a proposed departure as a weekly session, with the owner's changes.

    It takes its days from the weekly sessions that the vehicle has.

    Raises:
        NotFoundError: no such site, or it is no longer proposed.
        InvalidInputError: the vehicle cannot follow the changes.
    """
    proposed = _find_proposed(connection, site_id, departure_id, now=now)
    zone = ZoneInfo(sites.load(connection, site_id).timezone)
    session = compose_session(proposed, changes, zone, now=now)
    _free_days(connection, site_id, proposed.vehicle, session.days, by=by, now=now)
    stored = charging_sessions.add(connection, site_id, session, by=by, now=now)
    _store(connection, site_id, proposed, "accepted", by=by, session_id=stored.session_id)
    _withdraw_item(connection, site_id, departure_id, now=now)
    return stored


def _free_days(
    connection: Connection,
    site_id: str,
    vehicle: str,
    days: Sequence[Weekday],
    *,
    by: str,
    now: datetime,
) -> None:
    """Take weekdays from the weekly sessions of a vehicle."""
    for standing in charging_sessions.read_standing(connection, site_id, first=now):
        if standing.vehicle != vehicle or not {*standing.days} & {*days}:
            continue
        charging_sessions.remove(connection, site_id, standing.session_id, by=by)
        rest = keep_other_days(standing, days)
        if rest is not None:
            charging_sessions.add(connection, site_id, rest, by=by, now=now)


def decline(
    connection: Connection, site_id: str, departure_id: str, *, by: str, now: datetime
) -> AnsweredDeparture:
    """Decline a proposed departure: it is not proposed again until it has changed.

    Raises:
        NotFoundError: no such site, or it is no longer proposed.
    """
    proposed = _find_proposed(connection, site_id, departure_id, now=now)
    _store(connection, site_id, proposed, "declined", by=by, session_id=None)
    _withdraw_item(connection, site_id, departure_id, now=now)
    return read_answers(connection, site_id)[0]


def _find_proposed(
    connection: Connection, site_id: str, departure_id: str, *, now: datetime
) -> ProposedDeparture:
    for proposed in read_proposals(connection, site_id, now=now):
        if proposed.departure_id == departure_id:
            return proposed
    raise refuse(
        "not-found",
        field="departure_id",
        value=departure_id,
        thing="departure",
        source=f"the list: luna car departures --site {site_id}",
    )


def _store(
    connection: Connection,
    site_id: str,
    proposed: ProposedDeparture,
    answer: DepartureAnswer,
    *,
    by: str,
    session_id: int | None,
) -> None:
    row = {
        "site_key": sites.key_of(connection, site_id),
        "departure_id": proposed.departure_id,
        "vehicle": proposed.vehicle,
        "proposal": proposed.model_dump(mode="json", include={"days", "leaves", "enough_kwh"}),
        "answer": answer,
        "session_id": session_id,
        "answered_by": by,
    }
    connection.execute(insert(departure_answers).values(row))


def _withdraw_item(
    connection: Connection, site_id: str, departure_id: str, *, now: datetime
) -> None:
    """Withdraw the recommendation of an answered departure."""
    key = sites.key_of(connection, site_id)
    recommendation_items.withdraw_departure(connection, departure_id, site_key=key, now=now)
