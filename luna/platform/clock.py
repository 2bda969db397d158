"""Give the current time.

By the machine's clock, optionally shifted for tests and simulated homes, or a fixed one.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """The source of the current time. Domain code takes an instant.

    Edges take a clock.
    """

    def now(self) -> datetime:
        """Return the current instant, timezone-aware UTC."""


# Names a file with the seconds by which Luna's clock is ahead of the machine's, for all processes
# of a test or simulated home.
CLOCK_VARIABLE = "LUNA_CLOCK_FILE"
_MOVED_LOOK_SECONDS = 0.2


class SystemClock:
    """The machine's clock, shifted by ``LUNA_CLOCK_FILE`` where that is set.

    The only place that reads the current time.
    """

    def now(self) -> datetime:
        moved = os.environ.get(CLOCK_VARIABLE)
        if not moved:
            return datetime.now(UTC)
        return datetime.now(UTC) + timedelta(seconds=float(Path(moved).read_text(encoding="ascii")))


def move_clock(file: Path, ahead: timedelta) -> None:
    """Set by how much Luna's clock is ahead, in the file that ``LUNA_CLOCK_FILE`` names.

    Atomic, because processes read it at any time.
    """
    beside = file.with_suffix(".next")
    beside.write_text(str(ahead.total_seconds()), encoding="ascii")
    beside.replace(file)


def seconds_to_wait(duration: timedelta) -> float:
    """Return the real seconds after which to check whether ``duration`` has passed.

    Few where the clock can be shifted, for it may pass at once.
    """
    seconds = duration.total_seconds()
    if os.environ.get(CLOCK_VARIABLE):
        return min(seconds, _MOVED_LOOK_SECONDS)
    return seconds


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock with a fixed time, for tests and replays."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant
