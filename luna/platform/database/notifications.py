"""Stores notifications to owners, each event once, and their deliveries per target."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from luna.contracts.notification import DeliveryStatus, EventKind, MessageDelivery, Notification
from luna.platform.database import sites
from luna.platform.database.schema.notifications import notification_deliveries, notifications
from luna.platform.database.schema.sites import sites as site_table

# A delivery in progress for longer may have arrived, so it is never sent again.
SENDING_AT_MOST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class NewNotification:
    """An event of a site, in words; ``event_key`` identifies the event."""

    event: EventKind
    code: str
    event_key: str
    title: str
    text: str
    urgent: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A message that this process has claimed to send, for the ``tries``-th time."""

    notification_id: int
    target: str
    event: EventKind
    title: str
    text: str
    tries: int


def add(
    connection: Connection,
    site_id: str | None,
    new: NewNotification,
    *,
    targets: Iterable[tuple[str, str]],
    due_at: datetime,
) -> bool:
    """Store an event with a delivery to each target (digest and label).

    Return False, and store nothing, where it is known already.

    Without a site it is about the installation itself.

    Raises:
        NotFoundError: no such site.
    """
    names = ("event", "code", "event_key", "title", "text", "urgent", "expires_at")
    site_key = None if site_id is None else sites.key_of(connection, site_id)
    row = {"site_key": site_key} | {name: getattr(new, name) for name in names}
    # INSERT … ON CONFLICT consumes a sequence value even for existing rows, and most events are
    # known.
    if _is_stored(connection, site_key, new.code, new.event_key):
        return False
    key = connection.scalar(
        insert(notifications)
        .values(row)
        .on_conflict_do_nothing()
        .returning(notifications.c.notification_id)
    )
    rows = [
        {"notification_id": key, "target": target, "label": label, "due_at": due_at}
        for target, label in targets
    ]
    if key is not None and rows:
        connection.execute(insert(notification_deliveries), rows)
    return key is not None


def is_known(connection: Connection, code: str, event_key: str) -> bool:
    """Return whether an event of the installation itself is stored."""
    return _is_stored(connection, None, code, event_key)


def _is_stored(connection: Connection, site_key: int | None, code: str, event_key: str) -> bool:
    table = notifications
    query = select(table.c.notification_id).where(
        table.c.site_key.is_not_distinct_from(site_key),
        table.c.code == code,
        table.c.event_key == event_key,
    )
    return connection.scalar(query) is not None


def address_system_events(
    connection: Connection, targets: Iterable[tuple[str, str]], *, now: datetime
) -> None:
    """Address unsent events of the installation to these targets.

    A target is a digest and a label.

    Events from before there was a target go to the first one, as long as they are news.
    """
    table = notification_deliveries
    targets = list(targets)
    reaches = (table.c.status == "sent") | table.c.target.in_([target for target, _ in targets])
    same = table.c.notification_id == notifications.c.notification_id
    reached = select(table.c.target).where(same, reaches).exists()
    open_events = select(notifications.c.notification_id).where(
        notifications.c.event == "system", notifications.c.expires_at > now, ~reached
    )
    rows = []
    for key in connection.scalars(open_events):
        for target, label in targets:
            row = {"notification_id": key, "target": target, "label": label, "due_at": now}
            rows.append(row)
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def claim(
    connection: Connection, targets: Sequence[str], *, now: datetime, most: int
) -> list[DueDelivery]:
    """Claim the due deliveries at these targets for this process.

    First close expired ones and those in progress for too long.
    """
    table = notification_deliveries
    late = select(notifications.c.notification_id).where(notifications.c.expires_at <= now)
    connection.execute(
        table.update()
        .where(table.c.status == "waiting", table.c.notification_id.in_(late))
        .values(status="expired")
    )
    begun = (table.c.status == "sending") & (table.c.due_at <= now - SENDING_AT_MOST)
    # A fault of the installation is told twice rather than not at all.
    faults = select(notifications.c.notification_id).where(notifications.c.event == "system")
    again = begun & table.c.notification_id.in_(faults)
    connection.execute(table.update().where(again).values(status="waiting"))
    connection.execute(
        table.update()
        .where(begun)
        .values(status="unknown", error="begun, and nobody knows whether it arrived")
    )
    waiting = (table.c.status == "waiting") & (table.c.due_at <= now) & table.c.target.in_(targets)
    oldest = (
        select(table.c.notification_id, table.c.target)
        .where(waiting)
        .order_by(table.c.due_at, table.c.notification_id)
        .limit(most)
    )
    due = oldest.with_for_update(skip_locked=True).cte()
    same = (table.c.notification_id == due.c.notification_id) & (table.c.target == due.c.target)
    claim_rows = (
        table.update().where(same).values(status="sending", tries=table.c.tries + 1, due_at=now)
    )
    mine = connection.execute(
        claim_rows.returning(table.c.notification_id, table.c.target, table.c.tries)
    ).all()
    notification_ids = [row[0] for row in mine]
    query = select(notifications).where(notifications.c.notification_id.in_(notification_ids))
    words = {row.notification_id: row for row in connection.execute(query)}
    deliveries = []
    for key, target, tries in sorted(mine):
        message = words[key]
        deliveries.append(
            DueDelivery(key, target, message.event, message.title, message.text, tries)
        )
    return deliveries


def settle(
    connection: Connection,
    delivery: DueDelivery,
    status: DeliveryStatus,
    *,
    due_at: datetime,
    error: str | None = None,
) -> None:
    """Store the outcome of a claimed delivery."""
    table = notification_deliveries
    is_sending = (
        (table.c.notification_id == delivery.notification_id)
        & (table.c.target == delivery.target)
        & (table.c.status == "sending")
    )
    connection.execute(
        table.update().where(is_sending).values(status=status, due_at=due_at, error=error)
    )


def list_newest(
    connection: Connection,
    *,
    site_id: str | None = None,
    among: Collection[str] | None = None,
    below: int | None = None,
    limit: int,
) -> list[Notification]:
    """Return notifications, the latest first, of one site, of the sites ``among``, or of all.

    Below the id ``below``.

    Raises:
        NotFoundError: no such site.
    """
    query = select(notifications, site_table.c.name.label("site")).outerjoin(
        site_table, site_table.c.site_key == notifications.c.site_key
    )
    if site_id is not None:
        query = query.where(notifications.c.site_key == sites.key_of(connection, site_id))
    if among is not None:
        query = query.where(site_table.c.name.in_(among))
    if below is not None:
        query = query.where(notifications.c.notification_id < below)
    rows = (
        connection.execute(query.order_by(notifications.c.notification_id.desc()).limit(limit))
        .mappings()
        .all()
    )
    table = notification_deliveries
    deliveries: dict[int, list[MessageDelivery]] = {}
    numbers = [row["notification_id"] for row in rows]
    for row in connection.execute(
        select(table).where(table.c.notification_id.in_(numbers)).order_by(table.c.label)
    ).mappings():
        delivery = MessageDelivery(
            target=row["label"],
            status=row["status"],
            tries=row["tries"],
            due_at=row["due_at"],
            error=row["error"],
        )
        deliveries.setdefault(row["notification_id"], []).append(delivery)
    names = set(Notification.model_fields) - {"deliveries"}
    listed = []
    for row in rows:
        fields = {name: row[name] for name in names}
        fields["deliveries"] = deliveries.get(row["notification_id"], [])
        listed.append(Notification.model_validate(fields))
    return listed
