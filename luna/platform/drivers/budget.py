"""How often a point is written that wears out by it: so many times in any 24 hours, a few of which are kept to hand the device back.

The executor counts in the database: ``luna.platform.database.device_writes``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

# Of flash memory that bears 100,000 writes, 20 a day last for 13 years.
WRITES_PER_DAY = 20
# For self-consumption alone: one way back, and three tries of it.
RESERVED_WRITES = 4


class WriteCounter(Protocol):
    """The writes of one device, in storage that outlives this process."""

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        """Count a write of each point, or none of them where one had its ``most`` within 24 hours; return then when there is room again, else None.

        Raises:
            UnavailableError: nobody can count; nothing may be written.
        """

    def read_share(self, most: Mapping[str, int]) -> float:
        """Return which share of its ``most`` within 24 hours that point has had which has had the largest: 0, none; 1, all.

        Raises:
            UnavailableError: nobody can count.
        """


class Uncounted:
    """For a try by hand, a few writes long."""

    def spend(self, most: Mapping[str, int]) -> datetime | None:
        """Count nothing."""
        return None

    def read_share(self, most: Mapping[str, int]) -> float:
        """Return 0: nothing was counted."""
        return 0.0


def uncounted(_: str) -> WriteCounter:
    """Return the counter of a device whose writes nobody counts."""
    return Uncounted()
