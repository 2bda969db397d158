"""When tasks come: time since a run's begin in whole microseconds, so that no interval adds up to another slot."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from services.edge.clean_share import DAY_SLOTS, STEP_MINUTES, IntArray

SLOT_US = STEP_MINUTES * 60_000_000
DAY_US = DAY_SLOTS * SLOT_US
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class TaskSchedule:
    """When pictures are looked at.

    Args:
        interval_us: from one task to the next.
        end_us: no task begins then or later.
        weight: how many tasks each stands for; ``interval_us`` spans as many intervals.
    """

    interval_us: int
    end_us: int
    weight: int = 1

    @classmethod
    def of(cls, *, days: float, interval_s: float, acceleration: int = 1) -> Self:
        """Return the schedule of so many days."""
        return cls(round(interval_s * 1e6) * acceleration, max(round(days * DAY_US), 1), acceleration)

    @property
    def tasks(self) -> int:
        """How many there are, each with its weight."""
        return -(-self.end_us // self.interval_us)

    @property
    def slots(self) -> int:
        """How many five-minute slots a run touches."""
        return -(-self.end_us // SLOT_US)

    @property
    def days(self) -> int:
        """How many days a run touches."""
        return -(-self.end_us // DAY_US)

    def count_tasks(self, begin_us: int, end_us: int) -> int:
        """Return how many tasks come from one to another instant, the latter not included."""
        return -(-end_us // self.interval_us) - -(-begin_us // self.interval_us)

    def tasks_of_slots(self) -> IntArray:
        """Return how many tasks come in each slot, shape ``(slots,)``."""
        edges = np.minimum(np.arange(self.slots + 1, dtype=np.int64) * SLOT_US, self.end_us)
        return np.diff(-(-edges // self.interval_us))
