"""Schedule tasks in whole microseconds since a run's start.

Whole numbers add up exactly, so that no task is rounded into another slot.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from services.edge.clean_share import DAY_SLOTS, STEP_MINUTES, IntArray

SLOT_US = STEP_MINUTES * 60_000_000
DAY_US = DAY_SLOTS * SLOT_US
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class TaskSchedule:
    """Schedule of a run's inferences.

    Args:
        interval_us: between the starts of tasks.
        end_us: end of the run, exclusive.
        weight: number of tasks that each one stands for; ``interval_us`` spans as many intervals.
    """

    interval_us: int
    end_us: int
    weight: int = 1

    @classmethod
    def of(cls, *, days: float, interval_s: float, acceleration: int = 1) -> Self:
        """Return the schedule of so many days."""
        return cls(
            round(interval_s * 1e6) * acceleration, max(round(days * DAY_US), 1), acceleration
        )

    @property
    def tasks(self) -> int:
        """Number of tasks, each with its weight."""
        return -(-self.end_us // self.interval_us)

    @property
    def slots(self) -> int:
        """Number of five-minute slots of a run, a partial one included."""
        return -(-self.end_us // SLOT_US)

    @property
    def days(self) -> int:
        """Number of days of a run, a partial one included."""
        return -(-self.end_us // DAY_US)

    def count_tasks(self, begin_us: int, end_us: int) -> int:
        """Return the number of tasks from ``begin_us`` on, before ``end_us``."""
        return -(-end_us // self.interval_us) - -(-begin_us // self.interval_us)

    def tasks_of_slots(self) -> IntArray:
        """Return the number of tasks in each slot, shape ``(slots,)``."""
        edges = np.minimum(np.arange(self.slots + 1, dtype=np.int64) * SLOT_US, self.end_us)
        return np.diff(-(-edges // self.interval_us))
