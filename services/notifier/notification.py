"""Find events worth a notification and send them.

Each event is sent once, after quiet hours, with back-off after a failure. A delivery is claimed
before it is sent: after a crash in between it is not sent again, for it may have arrived.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from prometheus_client import Counter
from sqlalchemy import Connection, Engine

from luna.contracts.notification import EventKind, NotifyReply, NotifyTestReply, TargetReply
from luna.contracts.plan import PlanReply
from luna.energy.errors import LunaError
from luna.energy.savings import Savings
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, local_day, local_instant, parse_zone
from luna.house import findings
from luna.house.control_service import read_states
from luna.house.limit_outcomes import read_outcome, settle_outcomes
from luna.house.now_reader import read_house, read_planned
from luna.house.statements import format_statement, state_house
from luna.platform.database import (
    notification_channels,
    notifications,
    operator_limits,
    plans,
    sites,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.database.notifications import NewNotification
from luna.platform.database.savings import read_savings
from luna.platform.queue.task_context import isolate
from luna.platform.retry import RetryPolicy
from luna.platform.settings import Settings
from luna.words import Numbers
from luna.words.messages import say_message
from luna.words.operator_limits import LimitEvent, count_limited
from services.notifier.targets import Target, for_event, open_channels, open_targets

# Six tries within seven and a half hours; an older message is of little use.
RETRY = RetryPolicy(first=timedelta(minutes=5), growth=3.0, longest=timedelta(hours=4), tries=6)
MOST_AT_ONCE = 100
NEVER = "off"
MESSAGES = Counter(
    "luna_notifier_messages_total",
    "Messages to owners, by what became of a try: sent, failed.",
    ["outcome"],
)
DAY = timedelta(days=1)
KINDS: dict[str, EventKind] = {
    "no_plan": "plan",
    "plan_old": "plan",
    "plan_compromised": "plan",
    "plan_unproven": "plan",
    "device_silent": "device",
    "device_disobeys": "device",
    "device_spared": "device",
    "device_held": "device",
    "device_left": "device",
    "device_conflict": "device",
    "sensors_silent": "device",
    "sensor_silent": "device",
    "sensor_unheard": "device",
    "agent_offered": "plan",
    "agent_withdrawn": "plan",
    "device_takes_nothing": "device",
    "car_departure_at_risk": "device",
    "limit_began": "device",
    "limit_unkept": "device",
    "limit_ended": "device",
    "level_doubted": "device",
    "prices_doubted": "prices",
    "cheap_hours": "prices",
    "weekly_saving": "saving",
    "weekly_loss": "saving",
    "weekly_proposal": "saving",
    "day_ahead": "day",
}
# Only faults that keep devices from following a plan ignore quiet hours; the rest can wait until
# morning.
URGENT = frozenset(
    {"no_plan", "plan_old", "device_silent", "device_disobeys", "device_held", "device_left"}
)
NEWS_FOR = DAY
# Three hours in a row count as cheap a quarter below the day's mean price.
CHEAP_HOURS = 3
CHEAP_SHARE = 0.75
# The weekly message goes out on Monday, or on the two days after it where replays come late.
WEEK_SENT_FROM = "08:00"
WEEK_SENT_DAYS = 3
# The daily message goes out in the morning or not at all.
DAY_SENT_FROM = "07:00"
DAY_SENT_UNTIL = "10:00"

log = structlog.get_logger("luna.notifier")


def list_targets(database: Engine, settings: Settings) -> list[Target]:
    """Return every target, once: those of the settings, then the stored channels.

    Raises:
        InvalidInputError: a line of the setting is no target.
    """
    with unit_of_work(database) as connection:
        channels = notification_channels.list_addresses(connection)
    targets = [*open_targets(settings), *open_channels(settings, channels)]
    return list({target.name: target for target in targets}.values())


def notify(
    database: Engine, targets: Sequence[Target], settings: Settings, *, now: datetime
) -> NotifyReply:
    """Store the new events of every site and send the due ones.

    A fault of one site, or one target, delays no other.
    """
    with unit_of_work(database) as connection:
        names = sites.names(connection)
    event_count = 0
    for name in names:
        find_events = partial(_find, database, name, targets, settings, now=now)
        event_count += isolate(find_events, _skip)
    with unit_of_work(database) as connection:
        notifications.address_system_events(connection, for_event(targets, "system"), now=now)
    own = {target.name: target for target in targets}
    sent = failed = 0
    while sent + failed < MOST_AT_ONCE:
        # One at a time: what is claimed at a crash is never sent.
        with unit_of_work(database) as connection:
            due = notifications.claim(connection, list(own), now=now, most=1)
        if not due:
            break
        (delivery,) = due
        error = _send(own[delivery.target], delivery.title, delivery.text)
        sent = sent + (error is None)
        failed = failed + (error is not None)
        MESSAGES.labels("sent" if error is None else "failed").inc()
        with unit_of_work(database) as connection:
            if error is None:
                notifications.settle(connection, delivery, "sent", due_at=now)
            elif RETRY.gives_up(delivery.tries) and delivery.event != "system":
                notifications.settle(connection, delivery, "failed", due_at=now, error=error)
            else:
                notifications.settle(
                    connection,
                    delivery,
                    "waiting",
                    due_at=now + RETRY.pause(delivery.tries),
                    error=error,
                )
    return NotifyReply(events=event_count, sent=sent, failed=failed)


def send_test(targets: Sequence[Target], settings: Settings) -> NotifyTestReply:
    """Send a test message to every target, and return the outcome of each."""
    words = say_message(
        "test", {}, site="", numbers=Numbers(settings.message_language, ZoneInfo("UTC"), "EUR")
    )
    replies = []
    for target in targets:
        error = _send(target, words.title, words.text)
        replies.append(
            TargetReply(
                target=target.label, events=list(target.events), sent=error is None, error=error
            )
        )
    return NotifyTestReply(targets=replies)


def quiet_until(now: datetime, hours: str, zone: ZoneInfo) -> datetime | None:
    """Return the end of the quiet hours that ``now`` lies in, None outside them.

    ``hours`` are local, such as ``22:00-07:00``, or ``NEVER``.
    """
    if hours == NEVER:
        return None
    first, last = hours.split("-")
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        end = local_instant(day + timedelta(days=first > last), last, zone)
        if local_instant(day, first, zone) <= now < end:
            return end
    return None


def _find(
    database: Engine, site_id: str, targets: Sequence[Target], settings: Settings, *, now: datetime
) -> int:
    """Store the new events of a site and return their number."""
    with unit_of_work(database) as connection:
        site = sites.load(connection, site_id)
        settle_outcomes(connection, site, now=now)
        numbers = Numbers(settings.message_language, parse_zone(site.timezone), site.currency)
        morning = quiet_until(now, settings.notify_quiet_hours, numbers.zone) or now
        events = find_events(
            connection, site, numbers=numbers, plan_max_age=settings.plan_max_age, now=now
        )
        added = 0
        for event in events:
            added += notifications.add(
                connection,
                site_id,
                event,
                targets=for_event(targets, event.event),
                due_at=now if event.urgent else morning,
            )
        return added


def _skip(error: Exception) -> int:
    log.warning("what is the matter with a site cannot be found out", error=str(error))
    return 0


def _send(target: Target, title: str, text: str) -> str | None:
    """Send a message; return the error, None after success."""
    try:
        target.channel.send(title, text)
    except LunaError as error:
        log.warning("a message was not taken", target=target.label, error=str(error))
        return error.message
    return None


def find_events(
    connection: Connection, site: Site, *, numbers: Numbers, plan_max_age: timedelta, now: datetime
) -> list[NewNotification]:
    """Return a stored site's events at ``now``, including those sent before."""
    plan = plans.read_due(connection, site.name, now)
    states = read_states(connection, site.name, now=now)
    site_findings = findings.find(
        connection, site, plan=plan, states=states, plan_max_age=plan_max_age, now=now
    )
    all_findings = [*site_findings, *findings.find_silent(connection, site, now=now)]
    events = []
    for finding in all_findings:
        code = finding.code
        if code not in KINDS:
            # Findings without a kind appear on the Home page only.
            continue
        words = say_message(code, finding.figures, site=site.called, numbers=numbers)
        event = NewNotification(
            KINDS[code],
            code,
            finding.key,
            words.title,
            words.text,
            urgent=code in URGENT,
            expires_at=now + NEWS_FOR,
        )
        events.append(event)
    return [
        *events,
        *_find_limits(connection, site, numbers, now, armed=states[0].armed_at is not None),
        *_find_cheap_hours(site, plan, numbers, now),
        *_compose_week(connection, site, numbers, now),
        *_compose_day(connection, site, numbers, now),
    ]


def _find_limits(
    connection: Connection, site: Site, numbers: Numbers, now: datetime, *, armed: bool
) -> list[NewNotification]:
    """Return the begin of each limit that holds, and the end of each that did within a day."""
    devices = count_limited(site)
    events = []
    for stored in operator_limits.list_since(connection, site.name, now - NEWS_FOR, now=now):
        code = "limit_began" if armed else "limit_unkept"
        outcome = None
        if stored.end is not None and stored.end <= now:
            code = "limit_ended"
            outcome = read_outcome(connection, site, stored, now=now)
        event = LimitEvent(stored.as_limit(), devices, now, outcome)
        words = say_message(code, {"limit": event}, site=site.called, numbers=numbers)
        # A limit that is changed by its name is news, its extension is not.
        powers = f"{stored.import_kw} {stored.export_kw}"
        events.append(
            NewNotification(
                KINDS[code],
                code,
                f"{stored.limit_id} {stored.start.isoformat()} {powers}",
                words.title,
                words.text,
                urgent=False,
                expires_at=now + NEWS_FOR,
            )
        )
    return events


def cheapest_run(price: FloatArray, length: int) -> int:
    """Return the first slot of the run of ``length`` slots with the lowest mean price.

    The earliest of equal ones.
    """
    runs = np.lib.stride_tricks.sliding_window_view(price, length)
    return int(runs.mean(axis=1).argmin())


def _find_cheap_hours(
    site: Site, plan: PlanReply | None, numbers: Numbers, now: datetime
) -> list[NewNotification]:
    # Fixed prices are the same every day.
    if plan is None or not site.tariff.import_.is_published:
        return []
    zone = parse_zone(site.timezone)
    tomorrow = local_day(now.astimezone(zone).date() + DAY, zone)
    if plan.prices_known_until is not None and plan.prices_known_until < tomorrow.end:
        return []
    price_at = {slot.start: slot.import_price for slot in plan.slots}
    price = np.array([price_at.get(start, np.nan) for start in tomorrow])
    if not np.isfinite(price).all():
        return []
    length = int(timedelta(hours=CHEAP_HOURS) / SLOT)
    first = cheapest_run(price, length)
    usual = float(price.mean())
    mean = float(price[first : first + length].mean())
    if mean > min(CHEAP_SHARE * usual, usual):
        return []
    start = tomorrow.start + first * SLOT
    figures = {"start": start, "end": start + length * SLOT, "price": mean, "usual": usual}
    words = say_message("cheap_hours", figures, site=site.called, numbers=numbers)
    return [
        NewNotification(
            "prices",
            "cheap_hours",
            start.astimezone(zone).date().isoformat(),
            words.title,
            words.text,
            urgent=False,
            expires_at=start,
        )
    ]


def _compose_week(
    connection: Connection, site: Site, numbers: Numbers, now: datetime
) -> list[NewNotification]:
    zone = parse_zone(site.timezone)
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    send_from = local_instant(monday, WEEK_SENT_FROM, zone)
    send_until = local_instant(monday + timedelta(days=WEEK_SENT_DAYS), "00:00", zone)
    if not send_from <= now < send_until:
        return []
    savings = read_savings(connection, site, first=monday - timedelta(days=7), last=monday - DAY)
    message = _choose_weekly(savings)
    if message is None:
        return []
    code, saved, days = message
    words = say_message(code, {"saved": saved, "days": days}, site=site.called, numbers=numbers)
    # One key for saving and loss: a late replay may flip the sign, which must not cause a second
    # message.
    expires_at = local_instant(monday + timedelta(days=WEEK_SENT_DAYS), "24:00", zone)
    year, week, _ = (monday - DAY).isocalendar()
    return [
        NewNotification(
            "saving",
            "weekly_saving",
            f"{year}-W{week:02}",
            words.title,
            words.text,
            urgent=False,
            expires_at=expires_at,
        )
    ]


def _choose_weekly(savings: Savings) -> tuple[str, float, int] | None:
    """Return code, amount and number of days of the weekly message.

    The amount is Luna's saving, or else the saving that it proposed; None without either.
    """
    saved = savings.done.saved
    if saved is not None:
        code = "weekly_saving" if saved >= 0 else "weekly_loss"
        return code, abs(saved), len(savings.done.counted)
    proposed = savings.proposed.saved
    if proposed is None or proposed < 0:
        return None
    return "weekly_proposal", proposed, len(savings.proposed.counted)


def _compose_day(
    connection: Connection, site: Site, numbers: Numbers, now: datetime
) -> list[NewNotification]:
    zone = parse_zone(site.timezone)
    today = now.astimezone(zone).date()
    until = local_instant(today, DAY_SENT_UNTIL, zone)
    if not local_instant(today, DAY_SENT_FROM, zone) <= now < until:
        return []
    planned = read_planned(connection, site, now=now)
    house = read_house(connection, site, planned, plan_max_age=None, now=now)
    if house.slot is None:
        # A missing plan is an event of its own, for armed sites.
        return []
    sentences = [
        format_statement(statement, numbers, now=now) for statement in state_house(house, numbers)
    ]
    figures = {"statements": " ".join(sentences)}
    words = say_message("day_ahead", figures, site=site.called, numbers=numbers)
    return [
        NewNotification(
            "day",
            "day_ahead",
            today.isoformat(),
            words.title,
            words.text,
            urgent=False,
            expires_at=until,
        )
    ]
