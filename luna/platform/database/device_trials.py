"""Stores which devices a trial has moved as commanded.

A row per device and profile: as many as an owner tries, so none is ever aged out.
"""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, select
from sqlalchemy.dialects.postgresql import insert

from luna.energy.devices.commands import Via
from luna.platform.database.schema.plans import device_trials

_COLUMNS = device_trials.c


def remember(connection: Connection, via: Via, *, at: datetime) -> None:
    """Store that a trial moved a device as commanded."""
    row = _key(via) | {"tried_at": at}
    statement = insert(device_trials).values(row)
    connection.execute(
        statement.on_conflict_do_update(constraint="pk_device_trials", set_={"tried_at": at})
    )


def forget(connection: Connection, via: Via) -> None:
    """Remove a device's trial, since a later one went wrong."""
    connection.execute(delete(device_trials).where(_is_at(via)))


def find(connection: Connection, via: Via) -> datetime | None:
    """Return when a device was tried successfully, or None."""
    at = connection.scalar(select(_COLUMNS.tried_at).where(_is_at(via)))
    return None if at is None else at.astimezone(UTC)


def _key(via: Via) -> dict[str, str]:
    return {"device": via.address, "prefix": via.prefix or "", "profile": via.profile}


def _is_at(via: Via) -> ColumnElement[bool]:
    return and_(*(_COLUMNS[name] == value for name, value in _key(via).items()))
