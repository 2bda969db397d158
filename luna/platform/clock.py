"""Where "now" comes from: the machine's clock, which days lived by tests and simulated homes move, or one that stands still."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Where "now" comes from. Domain code takes an instant; edges take a clock."""

    def now(self) -> datetime:
        """Return the current instant, timezone-aware UTC."""


# Names a file with the seconds by which Luna's clock goes ahead of the machine's: days are lived by the same processes, in tests and simulated homes.
CLOCK_VARIABLE = "LUNA_CLOCK_FILE"
_MOVED_LOOK_SECONDS = 0.2


class SystemClock:
    """The machine's clock, moved by what ``LUNA_CLOCK_FILE`` says where that is set: the one place where the current time is read."""

    def now(self) -> datetime:
        moved = os.environ.get(CLOCK_VARIABLE)
        return datetime.now(UTC) + (timedelta(seconds=float(Path(moved).read_text(encoding="ascii"))) if moved else timedelta())


def move_clock(file: Path, ahead: timedelta) -> None:
    """Say in the file that ``LUNA_CLOCK_FILE`` names by how much Luna's clock goes ahead; never half written, for every process reads it at any time."""
    beside = file.with_suffix(".next")
    beside.write_text(str(ahead.total_seconds()), encoding="ascii")
    beside.replace(file)


def seconds_to_wait(duration: timedelta) -> float:
    """Return the machine's seconds after which to look whether ``duration`` has passed: few where Luna's clock is moved, for it may pass at once."""
    seconds = duration.total_seconds()
    return min(seconds, _MOVED_LOOK_SECONDS) if os.environ.get(CLOCK_VARIABLE) else seconds


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for tests and replays."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant
