"""When vehicles are at their chargers, as their owners said; nothing is ever changed, only added and taken back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.plan import VehicleSession
from luna.contracts.vehicle_session import NewSession, StoredSession
from luna.contracts.vehicle_sessions import check_session, lay_out_sessions
from luna.energy.refusals import refuse
from luna.platform.database import plan_causes, sites, vehicle_readings
from luna.platform.database.schema.plans import vehicle_sessions
from luna.platform.database.stored_rows import read_each, read_page

MOST_SESSIONS = 500
_PLAIN = set(VehicleSession.model_fields)
_WANTED = {"days", "target_soc", "limit_soc", "min_soc", "arrival_soc", "extra_value", "min_power_kw"}


def add(connection: Connection, site_id: str, session: NewSession, *, by: str, now: datetime) -> StoredSession:
    """Store a stay; one that stands already is returned as it is.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the site's vehicle cannot follow it, or it overlaps another.
    """
    site, key = sites.load(connection, site_id), sites.key_of(connection, site_id)
    standing = [each for each in read_standing(connection, site_id, first=now) if each.vehicle == session.vehicle]
    same = next((each for each in standing if _same(each, session)), None)
    if same is not None:
        return same
    seen = vehicle_readings.read_each(connection, {key: site}, until=now).get(key, {}) if session.arrival_soc is None else {}
    check_session(session, site, standing, now=now, is_seen=session.vehicle in seen and seen[session.vehicle].charge is not None)
    wanted = session.model_dump(mode="json", include=_WANTED)
    row = {"site_key": key, "vehicle": session.vehicle, "starts_at": session.from_, "ends_at": session.to, "wanted": wanted, "added_by": by}
    added = connection.scalar(insert(vehicle_sessions).values(row).returning(vehicle_sessions.c.session_id))
    plan_causes.note(connection, [key], "stay")
    return _load(connection, site_id, vehicle_sessions.c.session_id == added)[0]


def remove(connection: Connection, site_id: str, session_id: int, *, by: str) -> StoredSession:
    """Take a stay back; one that was taken back stays so since then.

    Raises:
        NotFoundError: the site has no such stay.
    """
    own = vehicle_sessions.c.session_id == session_id
    if not _load(connection, site_id, own):
        raise refuse("no-such-stay", field="session_id", value=session_id, site_id=site_id)
    standing = own & vehicle_sessions.c.removed_at.is_(None)
    connection.execute(update(vehicle_sessions).where(standing).values(removed_by=by, removed_at=func.now()))
    plan_causes.note(connection, [sites.key_of(connection, site_id)], "stay")
    return _load(connection, site_id, own)[0]


def read_standing(connection: Connection, site_id: str, *, first: datetime, end: datetime | None = None) -> list[StoredSession]:
    """Return the stays that are not over at ``first`` and begin before ``end``, in order of their beginning; one that repeats is never over."""
    ahead = _is_ahead(first)
    return _load(connection, site_id, ahead if end is None else ahead & (vehicle_sessions.c.starts_at < end))


def read_plain_each(connection: Connection, zones: Mapping[int, ZoneInfo], *, first: datetime, end: datetime) -> dict[int, dict[str, list[VehicleSession]]]:
    """Return the stays that are not over at ``first`` of many sites by their keys and vehicles, as a plan's request takes them.

    Args:
        connection: to the database.
        zones: of the sites, by their keys; one without stays is left out of what is returned.
        first: an instant.
        end: stays that repeat are laid out until then.
    """
    table = vehicle_sessions.c
    ahead = table.site_key.in_(zones) & _is_ahead(first)
    rows: dict[int, list[RowMapping]] = {}
    for row in connection.execute(select(vehicle_sessions).where(ahead).order_by(table.starts_at, table.session_id)).mappings():
        rows.setdefault(row["site_key"], []).append(row)
    found: dict[int, dict[str, list[VehicleSession]]] = {}
    for key, own in rows.items():
        for each in lay_out_sessions(read_each(own[-MOST_SESSIONS:], _session), zones[key], first=first, end=end):
            found.setdefault(key, {}).setdefault(each.vehicle, []).append(VehicleSession.model_validate(each.model_dump(by_alias=True, include=_PLAIN)))
    return found


def read_history(connection: Connection, site_id: str) -> list[StoredSession]:
    """Return every stay that was stored of a site, in order of their beginning, the latest ``MOST_SESSIONS``."""
    return _load(connection, site_id, vehicle_sessions.c.session_id > 0)


def _is_ahead(first: datetime) -> ColumnElement[bool]:
    table = vehicle_sessions.c
    repeats = table.wanted["days"][0].is_not(None)
    return ((table.ends_at > first) | repeats) & table.removed_at.is_(None)


def _load(connection: Connection, site_id: str, where: ColumnElement[bool]) -> list[StoredSession]:
    own = vehicle_sessions.c.site_key == sites.key_of(connection, site_id)
    latest = select(vehicle_sessions).where(own & where).order_by(vehicle_sessions.c.starts_at.desc(), vehicle_sessions.c.session_id.desc())
    return read_page(connection, latest, _session, limit=MOST_SESSIONS)[::-1]


def _session(row: Mapping[Any, Any]) -> StoredSession:
    names = ("session_id", "vehicle", "added_at", "added_by", "removed_at", "removed_by")
    return StoredSession.model_validate({name: row[name] for name in names} | _read_stay(row))


def _read_stay(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {**row["wanted"], "from": row["starts_at"].astimezone(UTC), "to": row["ends_at"].astimezone(UTC)}


def _same(one: NewSession, other: NewSession) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in {"vehicle", "from_", "to", *_WANTED})
