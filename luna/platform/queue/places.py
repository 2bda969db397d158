"""Which queues a worker takes its next message from: those for which it has a process left."""

from collections import Counter
from collections.abc import Collection, Mapping

from celery.worker import state
from kombu.utils.scheduling import round_robin_cycle


class Places:
    """A worker's processes: those for any of its queues, and those that only messages of certain queues take.

    Args:
        queues: what the shared processes work for.
        shared: how many of them there are.
        own: by group of queues, how many processes are theirs alone. Such a queue may be among ``queues``, and then has the shared ones as well.
    """

    def __init__(self, queues: Collection[str], shared: int, own: Mapping[frozenset[str], int]) -> None:
        self._queues, self._shared, self._own = frozenset(queues), shared, own
        self._grouped = frozenset[str]().union(*own)
        self.processes = shared + sum(own.values())

    def has_room(self, queue: str) -> bool:
        """Return whether a message of ``queue`` would be begun at once."""
        running = Counter(request.delivery_info["routing_key"] for request in state.reserved_requests)
        shared = sum(number for name, number in running.items() if name not in self._grouped)
        for group, processes in self._own.items():
            busy = sum(running[name] for name in group)
            if queue in group and busy < processes:
                return True
            shared += max(0, busy - processes)
        return queue in self._queues and shared < self._shared

    def ordered(self) -> type["OpenQueues"]:
        """Return kombu's order of queues, without those that have no room."""
        return type("Order", (OpenQueues,), {"places": self})


class OpenQueues(round_robin_cycle):
    """One queue after the other, of those that have room."""

    places: Places

    def consume(self, n: int) -> list[str]:
        return [queue for queue in super().consume(n) if self.places.has_room(queue)]  # type: ignore[no-untyped-call]
