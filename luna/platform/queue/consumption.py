"""Restrict a worker to queues with a free process, and end a starved worker.

A starved worker receives nothing although messages wait and a process is free.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping

import structlog
from celery import signals
from celery.worker import state
from kombu.utils.scheduling import round_robin_cycle
from prometheus_client import Gauge

from luna.energy.errors import UnavailableError
from luna.platform.queue.app import PREFIX
from luna.platform.queue.connection import connect, reachable

# Consecutive looks with waiting messages, a free process and nothing received: until unready, and
# until the worker exits.
LOOKS_UNREADY = 2
LOOKS_UNTIL_EXIT = 4
# Exit code on which the supervisor starts another worker.
EXIT_STARVED = 75

STARVED = Gauge(
    "luna_queue_worker_starved",
    "Whether this worker takes no messages although some wait and a process is free: 1 or 0.",
)

log = structlog.get_logger("luna.queue")


class Places:
    """A worker's processes: shared ones, and those reserved for groups of queues.

    Args:
        queues: of the shared processes.
        shared: their number.
        reserved: number of processes by group of queues. A queue may be among ``queues`` too, and
            then uses both.
    """

    def __init__(
        self, queues: Collection[str], shared: int, reserved: Mapping[frozenset[str], int]
    ) -> None:
        self._queues = frozenset(queues)
        self._shared = shared
        self._reserved = reserved
        self._grouped = frozenset[str]().union(*reserved)
        self.processes = shared + sum(reserved.values())

    def has_room(self, queue: str) -> bool:
        """Return whether a message of ``queue`` would start at once."""
        queues = (request.delivery_info["routing_key"] for request in state.reserved_requests)
        running = Counter(queues)
        busy_shared = sum(number for name, number in running.items() if name not in self._grouped)
        for group, processes in self._reserved.items():
            busy = sum(running[name] for name in group)
            if queue in group and busy < processes:
                return True
            # Tasks beyond a group's reserved processes run in shared ones.
            busy_shared += max(0, busy - processes)
        return queue in self._queues and busy_shared < self._shared

    def ordered(self) -> type["OpenQueues"]:
        """Return kombu's queue order strategy, restricted to queues with room."""
        return type("Order", (OpenQueues,), {"places": self})


class OpenQueues(round_robin_cycle):
    """Round robin over the queues that have room."""

    places: Places

    def consume(self, n: int) -> list[str]:
        queues = super().consume(n)  # type: ignore[no-untyped-call]
        return [queue for queue in queues if self.places.has_room(queue)]


class Consumption:
    """Detects starvation: compares waiting messages with those received since the last look.

    A worker with a free process receives a waiting message at once; after several looks without any
    it has stopped listening. Called from the event loop.

    Args:
        redis_url: the queue.
        queues: that the worker consumes.
        has_room: whether a message of a queue would start at once.
    """

    def __init__(
        self, redis_url: str, queues: tuple[str, ...], has_room: Callable[[str], bool]
    ) -> None:
        self._redis = connect(redis_url)
        self._queues = queues
        self._has_room = has_room
        self._received = 0
        self._received_before = 0
        self._waited_before = 0
        self.starved_looks = 0
        signals.task_received.connect(self._count, weak=False)

    def look(self) -> None:
        """Compare once; a worker that starves for too long exits, to be replaced."""
        try:
            self.note(self._count_waiting())
        except UnavailableError:
            # Without Redis no worker can receive anything.
            self.starved_looks = 0
        STARVED.set(self.starved_looks >= LOOKS_UNREADY)
        if self.starved_looks >= LOOKS_UNTIL_EXIT and state.should_stop is None:
            log.critical(
                "worker takes no messages although some wait, and ends to be started again",
                looks=self.starved_looks,
            )
            state.should_stop = EXIT_STARVED

    def note(self, waiting: Mapping[str, int]) -> None:
        """Update the count of starved looks from the waiting messages by queue."""
        could_begin = sum(number for queue, number in waiting.items() if self._has_room(queue))
        received_none = self._received == self._received_before
        stands_still = received_none and could_begin >= self._waited_before > 0
        self.starved_looks = self.starved_looks + 1 if stands_still else 0
        self._received_before = self._received
        self._waited_before = could_begin

    def probe(self) -> str:
        """Return how many messages the worker has received.

        Raises:
            UnavailableError: it receives nothing although it could.
        """
        if self.starved_looks >= LOOKS_UNREADY:
            raise UnavailableError(
                f"{self._waited_before} messages wait and none is taken",
                remedy="It ends by itself; its supervisor starts another one.",
            )
        return f"{self._received} messages taken"

    def _count(self, **_: object) -> None:
        self._received += 1

    def _count_waiting(self) -> dict[str, int]:
        with reachable(), self._redis.pipeline(transaction=False) as pipe:
            for queue in self._queues:
                pipe.llen(f"{PREFIX}{queue}")
            return dict(zip(self._queues, pipe.execute(), strict=True))
