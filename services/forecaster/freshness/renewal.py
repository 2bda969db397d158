"""When a site's model is trained again by the clock. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEK_DAYS = 7
# Hours of the local night in which nobody waits for a plan and no clock changes twice; sites are spread over them and over the week.
NIGHT_HOURS = (1, 4, 5)
# A model that was just trained has not been seen to fail; and a change shows better after some days of it.
DRIFT_REST = timedelta(days=3)
# Without new data the same model would come of it.
LEAST_NEW = timedelta(days=1)
# Who has measured nothing for so long is a record, not a household to forecast.
SILENCE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Turn:
    """A site's own night in the week."""

    weekday: int
    hour: int


def assign_turn(site_id: str) -> Turn:
    """Return when a site's turn is; the same name has the same turn for ever, and many names fill every night alike."""
    number = int.from_bytes(hashlib.sha256(site_id.encode()).digest()[:8])
    return Turn(number % WEEK_DAYS, NIGHT_HOURS[number // WEEK_DAYS % len(NIGHT_HOURS)])


def find_last_turn(turn: Turn, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant, at ``now`` or before, at which the turn came."""
    local = now.astimezone(zone)
    begin = datetime.combine(local.date() - timedelta(days=(local.weekday() - turn.weekday) % WEEK_DAYS), time(turn.hour), zone)
    return begin if begin <= local else datetime.combine(begin.date() - timedelta(days=WEEK_DAYS), time(turn.hour), zone)


def is_weekly_due(turn: Turn, trained_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether the turn has come since the last training."""
    return trained_at < find_last_turn(turn, now, zone)


def is_looked_at(turn: Turn, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether this is the hour of the day in which a site is looked at for drift."""
    return now.astimezone(zone).hour == turn.hour
