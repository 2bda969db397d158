"""Which days are due to be scored in shadow, and at which instants of them a version is judged. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from luna.outlook import Forecast
from luna.timeline import SLOT, Timeline, floor_to, local_midnight
from services.forecaster.forecaster import HORIZON_SLOTS

# Every version is issued on these hours, of UTC, so all are judged on the same instants.
ORIGINS_EVERY = timedelta(hours=6)
# What is older says nothing that the rule looks at, and what was missed for so long is not caught up with.
LOOK_BACK_DAYS = 35
# So many days in a run at most: it ends within minutes, and the next one goes on.
DAYS_PER_RUN = 7


@dataclass(frozen=True, slots=True)
class ShadowDay:
    """A local day of issue: ``origins`` are the instants of issue, ``reach`` all slots that forecasts issued then look at.

    ``issues`` are the origins and, where the day does not begin with one, the instant before: with what was issued then a plan goes into the day.
    """

    day: date
    window: Timeline
    issues: Sequence[datetime]
    origins: Sequence[datetime]
    reach: Timeline


def describe_day(day: date, zone: ZoneInfo) -> ShadowDay:
    """Return the instants and slots on which versions are judged for a local day."""
    start, end = local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone)
    first = floor_to(start, ORIGINS_EVERY)
    issues = [at for step in range((end - first) // ORIGINS_EVERY + 1) if (at := first + step * ORIGINS_EVERY) < end]
    origins = [at for at in issues if at >= start]
    return ShadowDay(day, Timeline(start, SLOT, (end - start) // SLOT), issues, origins, Timeline(start, SLOT, (end - start) // SLOT + HORIZON_SLOTS))


def list_due(today: date, scored: Mapping[date, Collection[str]], versions: Collection[str], excluded: Collection[date]) -> list[date]:
    """Return the days whose 48 hours have passed and on which a version is not scored yet, the oldest first; none that is judged ``exclude``.

    Args:
        today: the site's local day.
        scored: by day, the versions that have a score.
        versions: those that are to have one.
    """
    last = today - timedelta(days=1 + HORIZON_SLOTS * SLOT // timedelta(days=1))
    days = [last - timedelta(days=number) for number in reversed(range(LOOK_BACK_DAYS))]
    return [day for day in days if day not in excluded and not set(versions) <= set(scored.get(day, ()))]


def find_missing(origins: Sequence[datetime], forecasts: Sequence[Forecast], *, near: timedelta) -> list[datetime]:
    """Return the instants for which no forecast was issued within the time ``near`` before them."""
    issued = [forecast.issued_at for forecast in forecasts]
    return [origin for origin in origins if not any(origin - near < at <= origin for at in issued)]
