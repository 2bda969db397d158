"""Finds what owners should know and sends it: each event once, later where it is night, again where it was not taken, and never in doubt."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter
from sqlalchemy import Engine

from luna.contracts.notification import NotifyReply, NotifyTestReply, TargetReply
from luna.energy.errors import LunaError
from luna.energy.timeline import local_instant, parse_zone
from luna.platform.database import notifications, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.task_context import isolate
from luna.platform.retry import RetryPolicy
from luna.platform.settings import Settings
from luna.words import Numbers
from luna.words.messages import say_message
from services.notifier.events import find_events
from services.notifier.targets import Target, for_event

# Whoever does not take a message within half a day has something else to do.
RETRY = RetryPolicy(first=timedelta(minutes=5), growth=3.0, longest=timedelta(hours=4), tries=6)
MOST_AT_ONCE = 100
NEVER = "off"
MESSAGES = Counter("luna_notifier_messages_total", "Messages to owners, by what became of a try: sent, failed.", ["outcome"])

log = structlog.get_logger("luna.notifier")


def notify(database: Engine, targets: Sequence[Target], settings: Settings, *, now: datetime) -> NotifyReply:
    """Store the new events of every site and send the due ones; a fault of one site, or one target, delays no other."""
    with unit_of_work(database) as connection:
        names = sites.names(connection)
    event_count = sum(isolate(lambda name=name: _find(database, name, targets, settings, now=now), _skip) for name in names)  # type: ignore[misc]
    with unit_of_work(database) as connection:
        due = notifications.claim(connection, [target.name for target in targets], now=now, most=MOST_AT_ONCE)
    own = {target.name: target for target in targets}
    sent = 0
    for delivery in due:
        # This process has claimed it; where it dies on the way, nobody sends it again, for it may have arrived.
        error = _send(own[delivery.target], delivery.title, delivery.text)
        sent += error is None
        MESSAGES.labels("sent" if error is None else "failed").inc()
        with unit_of_work(database) as connection:
            if error is None:
                notifications.settle(connection, delivery, "sent", due_at=now)
            elif RETRY.gives_up(delivery.tries):
                notifications.settle(connection, delivery, "failed", due_at=now, error=error)
            else:
                notifications.settle(connection, delivery, "waiting", due_at=now + RETRY.pause(delivery.tries), error=error)
    return NotifyReply(events=event_count, sent=sent, failed=len(due) - sent)


def send_test(targets: Sequence[Target], settings: Settings) -> NotifyTestReply:
    """Send a test message to every target, and return what became of each."""
    words = say_message("test", {}, site="", numbers=Numbers(settings.message_language, ZoneInfo("UTC"), "EUR"))
    replies = []
    for target in targets:
        error = _send(target, words.title, words.text)
        replies.append(TargetReply(target=target.label, events=list(target.events), sent=error is None, error=error))
    return NotifyTestReply(targets=replies)


def quiet_until(now: datetime, hours: str, zone: ZoneInfo) -> datetime | None:
    """Return when quiet hours such as ``22:00-07:00`` of a zone end, None where ``now`` is in none."""
    if hours == NEVER:
        return None
    first, last = hours.split("-")
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        end = local_instant(day + timedelta(days=first > last), last, zone)
        if local_instant(day, first, zone) <= now < end:
            return end
    return None


def _find(database: Engine, site_id: str, targets: Sequence[Target], settings: Settings, *, now: datetime) -> int:
    with unit_of_work(database) as connection:
        site = sites.load(connection, site_id)
        numbers = Numbers(settings.message_language, parse_zone(site.timezone), site.currency)
        morning = quiet_until(now, settings.notify_quiet_hours, numbers.zone) or now
        events = find_events(connection, site, numbers=numbers, plan_max_age=settings.plan_max_age, now=now)
        return sum(
            notifications.add(connection, site_id, event, targets=for_event(targets, event.event), due_at=now if event.urgent else morning) for event in events
        )


def _skip(error: Exception) -> int:
    log.warning("what is the matter with a site cannot be found out", error=str(error))
    return 0


def _send(target: Target, title: str, text: str) -> str | None:
    """Return why a message was not taken, None where it was."""
    try:
        target.channel.send(title, text)
    except LunaError as error:
        log.warning("a message was not taken", target=target.label, error=str(error))
        return error.message
    return None
