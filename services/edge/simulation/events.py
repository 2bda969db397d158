"""What happens when: a queue of events in the order of time."""

import heapq
from enum import IntEnum


class EventKind(IntEnum):
    """What happens; at the same instant in this order: who looks at a task sees the newest clean share, and a log shows what was before the task."""

    CLEAN_SHARE = 0
    LOG = 1
    END = 2
    TASK = 3


class EventQueue:
    """Events in the order of time, in microseconds since a run's begin."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, EventKind]] = []

    def push(self, at_us: int, kind: EventKind) -> None:
        """Add an event."""
        heapq.heappush(self._heap, (at_us, kind))

    def pop(self) -> tuple[int, EventKind]:
        """Remove the next event and return it."""
        return heapq.heappop(self._heap)

    @property
    def next_us(self) -> int:
        """When the next event comes."""
        return self._heap[0][0]
