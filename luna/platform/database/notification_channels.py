"""Store the channels by which messages go; only the sender reads their addresses."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.notification import EventKind, NewChannel, NotificationChannel
from luna.energy.refusals import refuse
from luna.platform.database.schema.notifications import notification_channels

# Each message goes to every channel that wants it.
MOST_CHANNELS = 20


@dataclass(frozen=True, slots=True)
class ChannelAddress:
    name: str
    address: str = field(repr=False)
    events: tuple[EventKind, ...]


def list_all(connection: Connection) -> list[NotificationChannel]:
    """Return the stored channels by name, without their addresses."""
    return [
        NotificationChannel(
            name=channel.name, kind=name_kind(channel.address), events=channel.events
        )
        for channel in list_addresses(connection)
    ]


def list_addresses(connection: Connection) -> list[ChannelAddress]:
    """Return the stored channels by name, with their addresses."""
    rows = connection.execute(select(notification_channels).order_by(notification_channels.c.name))
    return [ChannelAddress(row.name, row.address, tuple(row.events)) for row in rows]


def add(connection: Connection, channel: NewChannel) -> NotificationChannel:
    """Store a channel.

    Raises:
        ConflictError: one of that name is stored, or there are as many as may be.
    """
    if len(list_addresses(connection)) >= MOST_CHANNELS:
        raise refuse("too-many-channels", field="name", most=MOST_CHANNELS)
    address = channel.address.get_secret_value()
    row = {"name": channel.name, "address": address, "events": list(channel.events)}
    query = insert(notification_channels).values(row).on_conflict_do_nothing()
    if connection.scalar(query.returning(notification_channels.c.name)) is None:
        raise refuse("channel-exists", field="name", value=channel.name)
    return NotificationChannel(name=channel.name, kind=name_kind(address), events=channel.events)


def set_events(
    connection: Connection, name: str, events: tuple[EventKind, ...]
) -> NotificationChannel:
    """Store the kinds of messages of a channel.

    Raises:
        NotFoundError: no such channel.
    """
    table = notification_channels
    query = update(table).where(table.c.name == name).values(events=list(events))
    address = connection.scalar(query.returning(table.c.address))
    if address is None:
        raise refuse(
            "not-found",
            field="name",
            value=name,
            thing="channel",
            source="the list: luna notify channels",
        )
    return NotificationChannel(name=name, kind=name_kind(address), events=events)


def remove(connection: Connection, name: str) -> None:
    """Remove a channel.

    Raises:
        NotFoundError: no such channel.
    """
    table = notification_channels
    query = delete(table).where(table.c.name == name).returning(table.c.name)
    if connection.scalar(query) is None:
        raise refuse(
            "not-found",
            field="name",
            value=name,
            thing="channel",
            source="the list: luna notify channels",
        )


def name_kind(address: str) -> str:
    """Return the service that an address names, without anything that may be secret in it."""
    if address.lower().startswith("notify."):
        return address.lower()
    return address.partition("://")[0].lower()
