"""Open the window of a timeline: its slots, the current instant and its reader's formats."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Timeline, floor_to, parse_zone
from luna.words import Language, Numbers

BEFORE = timedelta(hours=24)
AFTER = timedelta(hours=48)
LONGEST = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Window:
    """The quarter-hours of a timeline, the request's instant, and its reader's formats."""

    site: Site
    timeline: Timeline
    now: datetime
    numbers: Numbers

    @property
    def past(self) -> int:
        """The number of slots that are over."""
        return max(0, min(self.timeline.count, (self.now - self.timeline.start) // SLOT))

    @property
    def running(self) -> datetime:
        """The start of the current slot."""
        return floor_to(self.now, SLOT)


def open_window(
    site: Site,
    *,
    now: datetime,
    language: Language,
    first: datetime | None = None,
    end: datetime | None = None,
) -> Window:
    """Return the quarter-hours from ``first`` to ``end``.

    By default from 24 hours ago to 48 hours ahead.

    Raises:
        InvalidInputError: the window is empty or longer than ``LONGEST``.
    """
    start = floor_to(now - BEFORE if first is None else first, SLOT)
    if end is None:
        stop = floor_to(now, SLOT) + AFTER
    else:
        # Rounded up to whole slots.
        stop = floor_to(end + SLOT - timedelta(microseconds=1), SLOT)
    if stop <= start:
        raise refuse("ends-before-start", field="to", value=stop.isoformat())
    if stop - start > LONGEST:
        raise refuse("timeline-too-long", field="to", value=stop.isoformat(), days=LONGEST.days)
    timeline = Timeline(start, SLOT, (stop - start) // SLOT)
    numbers = Numbers(language, parse_zone(site.timezone), site.currency)
    return Window(site, timeline, now, numbers)
