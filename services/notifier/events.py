"""What owners of a site should know now: what is the matter, cheap hours ahead, what the week saved."""

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.notification import EventKind
from luna.contracts.plan import PlanReply
from luna.energy.site import SeriesPrice, Site, SpotPrice
from luna.energy.timeline import SLOT, FloatArray, local_day, local_instant, parse_zone
from luna.platform import findings
from luna.platform.control_service import read_states
from luna.platform.database import plans
from luna.platform.database.notifications import NewNotification
from luna.platform.database.savings import read_savings
from luna.platform.house_now import read_house, read_planned
from luna.platform.house_statements import say_statement, state_house
from luna.words import Numbers
from luna.words.messages import say_message

DAY = timedelta(days=1)
KINDS: dict[str, EventKind] = {
    "no_plan": "plan",
    "plan_old": "plan",
    "plan_compromised": "plan",
    "plan_unproven": "plan",
    "device_silent": "device",
    "device_disobeys": "device",
    "device_spared": "device",
    "sensors_silent": "device",
    "sensor_silent": "device",
    "sensor_unheard": "device",
    "agent_offered": "plan",
    "agent_withdrawn": "plan",
    "cheap_hours": "prices",
    "weekly_saving": "saving",
    "weekly_loss": "saving",
    "day_ahead": "day",
}
# What keeps devices from following a plan passes quiet hours; everything else is as true in the morning.
URGENT = frozenset({"no_plan", "plan_old", "device_silent", "device_disobeys"})
NEWS_FOR = DAY
# Hours are cheap where three in a row cost a quarter less than the day.
CHEAP_HOURS, CHEAP_SHARE = 3, 0.75
# The week is told on a Monday, or on the days after it where replays came late.
WEEK_SENT_FROM, WEEK_SENT_DAYS = "08:00", 3
# The day is told in its morning, or not at all.
DAY_SENT_FROM, DAY_SENT_UNTIL = "07:00", "10:00"


def find_events(connection: Connection, site: Site, *, numbers: Numbers, plan_max_age: timedelta, now: datetime) -> list[NewNotification]:
    """Return the events of a stored site at ``now``, whether they were sent before or not."""
    plan = plans.read_due(connection, site.name, now)
    states = read_states(connection, site.name, now=now)
    site_findings = findings.find(connection, site, plan=plan, states=states, plan_max_age=plan_max_age, now=now)
    all_findings = [*site_findings, *findings.find_silent(connection, site, now=now)]
    # What is worth a line on Home alone has no kind.
    events = []
    for finding in (finding for finding in all_findings if finding.code in KINDS):
        code, words = finding.code, say_message(finding.code, finding.figures, site=site.called, numbers=numbers)
        events.append(NewNotification(KINDS[code], code, finding.key, words.title, words.text, code in URGENT, now + NEWS_FOR))
    return [
        *events,
        *_find_cheap_hours(site, plan, numbers, now),
        *_compose_week(connection, site, numbers, now),
        *_compose_day(connection, site, numbers, now),
    ]


def cheapest_run(price: FloatArray, length: int) -> int:
    """Return where the run of ``length`` slots with the lowest mean price begins; of equal ones the earliest."""
    return int(np.lib.stride_tricks.sliding_window_view(price, length).mean(axis=1).argmin())


def _find_cheap_hours(site: Site, plan: PlanReply | None, numbers: Numbers, now: datetime) -> list[NewNotification]:
    # Prices that are the same every day are no news.
    if plan is None or not isinstance(site.tariff.import_, SpotPrice | SeriesPrice):
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
    first, usual = cheapest_run(price, length), float(price.mean())
    mean = float(price[first : first + length].mean())
    if mean > min(CHEAP_SHARE * usual, usual):
        return []
    start = tomorrow.start + first * SLOT
    figures = {"start": start, "end": start + length * SLOT, "price": mean, "usual": usual}
    words = say_message("cheap_hours", figures, site=site.called, numbers=numbers)
    return [NewNotification("prices", "cheap_hours", start.astimezone(zone).date().isoformat(), words.title, words.text, urgent=False, expires_at=start)]


def _compose_week(connection: Connection, site: Site, numbers: Numbers, now: datetime) -> list[NewNotification]:
    zone = parse_zone(site.timezone)
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    if not local_instant(monday, WEEK_SENT_FROM, zone) <= now < local_instant(monday + timedelta(days=WEEK_SENT_DAYS), "00:00", zone):
        return []
    savings = read_savings(connection, site, first=monday - timedelta(days=7), last=monday - DAY)
    if not savings.counted:
        return []
    saved = sum(day.saved for day in savings.counted)
    code = "weekly_saving" if saved >= 0 else "weekly_loss"
    words = say_message(code, {"saved": abs(saved), "days": len(savings.counted)}, site=site.called, numbers=numbers)
    # One key for both: a day that is replayed later may turn the sum, and is no second message.
    expires_at = local_instant(monday + timedelta(days=WEEK_SENT_DAYS), "24:00", zone)
    year, week, _ = (monday - DAY).isocalendar()
    return [NewNotification("saving", "weekly_saving", f"{year}-W{week:02}", words.title, words.text, urgent=False, expires_at=expires_at)]


def _compose_day(connection: Connection, site: Site, numbers: Numbers, now: datetime) -> list[NewNotification]:
    zone = parse_zone(site.timezone)
    today = now.astimezone(zone).date()
    until = local_instant(today, DAY_SENT_UNTIL, zone)
    if not local_instant(today, DAY_SENT_FROM, zone) <= now < until:
        return []
    house = read_house(connection, site, read_planned(connection, site, now=now), plan_max_age=None, now=now)
    if house.slot is None:
        # That there is no plan is told by itself, to those who armed the site.
        return []
    statements = " ".join(say_statement(statement, numbers, now=now) for statement in state_house(house, numbers))
    words = say_message("day_ahead", {"statements": statements}, site=site.called, numbers=numbers)
    return [NewNotification("day", "day_ahead", today.isoformat(), words.title, words.text, urgent=False, expires_at=until)]
