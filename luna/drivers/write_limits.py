"""Limit how often a point that wears out is written in any 24 hours.

Some writes are reserved for the return to self-consumption.

The executor counts in the database: ``luna.platform.database.device_writes``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

# At 20 writes a day, flash memory rated for 100,000 lasts 13 years.
WRITES_PER_DAY = 20
# Reserved for self-consumption: one command and three retries.
RESERVED_WRITES = 4


class WriteCounter(Protocol):
    """Counts the writes to one device in storage that outlives this process."""

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        """Count one write of each point and return None.

        A point that had its ``most`` within 24 hours stops them all: then none is counted, and the
        instant is returned at which the budget has room again.

        Raises:
            UnavailableError: the storage does not answer; nothing may be written.
        """

    def read_share(self, most: Mapping[str, int]) -> float:
        """Return the largest share, 0–1, of the points' writes within 24 hours that is used.

        Raises:
            UnavailableError: the storage does not answer.
        """


class Uncounted:
    """A counter without limits, for a manual trial of a few writes."""

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        return None

    def read_share(self, most: Mapping[str, int]) -> float:
        return 0.0


def uncounted(_: str) -> WriteCounter:
    """Return a counter without limits for any device."""
    return Uncounted()
