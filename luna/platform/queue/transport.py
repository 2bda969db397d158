"""The way a worker takes messages: kombu's Redis transport, which forgets no credit when Redis goes away at the wrong moment, and outlives a full disk.

A worker takes as many messages as it has processes, and the next one for each that it acknowledges. kombu counts a message as acknowledged once Redis said so.
Where the connection breaks just then, Celery logs "Couldn't ack" and goes on, and the message counts as held for good. After as many such moments as there are
processes a worker waits for ever: alive, connected, and without a right to take anything. Here the credit comes back at once; Redis is told when it answers.

A Redis whose disk or memory is full answers, and refuses. kombu takes that for a fault of the command and Celery ends the worker, which takes up to a minute
to be back when there is room again. Here it counts as a connection that is lost: the worker waits and tries again.
"""

from collections import defaultdict

import structlog
from kombu.connection import Connection
from kombu.transport import redis, virtual
from redis.exceptions import ResponseError

# How long a process may stand idle at most while a message waits for one.
AGAIN_SECONDS = 0.05

log = structlog.get_logger("luna.queue")

# What Redis has not heard yet, by the key under which a worker's messages stand: their tags, and whether each is to come again.
_PENDING: dict[str, dict[str, bool]] = defaultdict(dict)


class QoS(redis.QoS):
    """The messages that a worker holds. Belongs to the event loop."""

    def ack(self, delivery_tag: str) -> None:
        self._settle(delivery_tag, again=False)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self._settle(delivery_tag, again=requeue)

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Called by kombu every few seconds and after each connect."""
        self._settle_pending()
        super().restore_visible(start=start, num=num, interval=interval)  # type: ignore[no-untyped-call]

    def _settle(self, delivery_tag: str, *, again: bool) -> None:
        _PENDING[self.unacked_key][delivery_tag] = again
        # Gives the credit back, whatever comes of the rest.
        virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
        try:
            self._settle_pending()
        except self.channel.connection_errors as exc:
            log.warning("message cannot be acknowledged yet", delivery_tag=delivery_tag, error=str(exc))

    def _settle_pending(self) -> None:
        pending = _PENDING[self.unacked_key]
        for tag, again in list(pending.items()):
            if again:
                self.restore_by_tag(tag, leftmost=True)  # type: ignore[no-untyped-call]
            else:
                # Not ``ack``, which would give the credit back a second time.
                self._remove_from_indices(tag).execute()  # type: ignore[no-untyped-call]
            del pending[tag]


class Channel(redis.Channel):
    """kombu's, with our account of credit, which soon asks again while it leaves out a queue that has no process left (``luna.platform.queue.consumption``)."""

    QoS = QoS

    def _brpop_start(self, timeout: float | None = None) -> None:
        # kombu's ``brpop_timeout`` is one for all: short it would ask Redis twenty times a second also while every queue is listened to.
        count = len(self.active_queues)
        is_whole = len(self._queue_cycle.consume(count)) == count
        super()._brpop_start(timeout if is_whole else AGAIN_SECONDS)  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    """kombu's, with our channel and our view of a Redis that refuses."""

    Channel = Channel
    connection_errors = (*redis.Transport.connection_errors, ResponseError)


class WorkerConnection(Connection):
    """A worker's connection to Redis.

    Celery's ``broker_transport`` would name our transport as well, in place of the address's scheme: then kombu forgets that ``rediss://`` means TLS.
    """

    def get_transport_cls(self) -> type[Transport]:
        return Transport
