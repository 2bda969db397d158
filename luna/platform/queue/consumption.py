"""Which messages a worker takes: those of queues for which it has a process left; and the end of a worker that takes none although it could."""

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

# Looks in a row at which messages waited, a process was free and none was taken: then it is no chance, then it will not pass by itself.
LOOKS_UNREADY = 2
LOOKS_UNTIL_EXIT = 4
# What its supervisor sees: to be started again.
EXIT_STARVED = 75

STARVED = Gauge("luna_queue_worker_starved", "Whether this worker takes no messages although some wait and a process is free: 1 or 0.")

log = structlog.get_logger("luna.queue")


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


class Consumption:
    """Compares, from the event loop, the waiting messages with those received since the last look.

    A worker with a free process is given a waiting message at once, so one that has none after several looks does not listen, whatever it believes.

    Args:
        redis_url: the queue.
        queues: those that the worker takes messages from.
        has_room: whether a message of a queue would be begun at once.
    """

    def __init__(self, redis_url: str, queues: tuple[str, ...], has_room: Callable[[str], bool]) -> None:
        self._redis = connect(redis_url)
        self._queues, self._has_room = queues, has_room
        self._received = self._received_before = 0
        self._waited_before = 0
        self.starved_looks = 0
        signals.task_received.connect(self._count, weak=False)

    def look(self) -> None:
        """Look once; a worker that starves for good is told to end, which its supervisor answers with another one."""
        try:
            self.note(self._count_waiting())
        except UnavailableError:
            # Nobody can take anything.
            self.starved_looks = 0
        STARVED.set(self.starved_looks >= LOOKS_UNREADY)
        if self.starved_looks >= LOOKS_UNTIL_EXIT and state.should_stop is None:
            log.critical("worker takes no messages although some wait, and ends to be started again", looks=self.starved_looks)
            state.should_stop = EXIT_STARVED

    def note(self, waiting: Mapping[str, int]) -> None:
        """Note how many messages wait now, by queue."""
        could_begin = sum(number for queue, number in waiting.items() if self._has_room(queue))
        stands_still = self._received == self._received_before and could_begin >= self._waited_before > 0
        self.starved_looks = self.starved_looks + 1 if stands_still else 0
        self._received_before, self._waited_before = self._received, could_begin

    def probe(self) -> str:
        """Return how many messages the worker has received.

        Raises:
            UnavailableError: it takes nothing although it could.
        """
        if self.starved_looks >= LOOKS_UNREADY:
            raise UnavailableError(f"{self._waited_before} messages wait and none is taken", remedy="It ends by itself; its supervisor starts another one.")
        return f"{self._received} messages taken"

    def _count(self, **_: object) -> None:
        self._received += 1

    def _count_waiting(self) -> dict[str, int]:
        with reachable(), self._redis.pipeline(transaction=False) as pipe:
            for queue in self._queues:
                pipe.llen(f"{PREFIX}{queue}")
            return dict(zip(self._queues, pipe.execute(), strict=True))
