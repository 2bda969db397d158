"""The Celery application: one queue per service, JSON only, late acknowledgement, nothing lost with a worker; and the way a worker takes messages."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from celery import Celery
from celery.backends.redis import RedisBackend
from kombu.connection import Connection
from kombu.transport import redis, virtual
from kombu.utils.scheduling import round_robin_cycle
from pydantic_core import to_json
from redis.exceptions import ResponseError

SOFT_LIMIT = timedelta(minutes=10)
LONGEST_LIMIT = timedelta(hours=2, minutes=30)
# What a body has between the soft limit's exception and the end of its process.
GRACE = timedelta(minutes=2)
PREFIX = "luna:"
RESULT_EXPIRES = timedelta(hours=1)
# A message that is not acknowledged for this long is delivered again, so it exceeds the longest limit.
VISIBILITY_TIMEOUT = LONGEST_LIMIT + timedelta(minutes=30)
# Together below the three seconds after which a sender must know that Redis is away.
CONNECT_TIMEOUT_SECONDS = 1.0
SOCKET_TIMEOUT_SECONDS = 2.5
# A worker gives a Redis that is busy with its disk this long; above all, one that never answers must not stop its loop for ever.
PATIENCE_SECONDS = 10.0
# Recycles a process whose task leaked; far above what a plan or a training needs.
MAX_MEMORY_KIB = 4_000_000

_COMMON = {
    "task_serializer": "json",
    "result_serializer": "json",
    "accept_content": ["json"],
    "result_expires": RESULT_EXPIRES,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_publish_retry": False,
    "worker_prefetch_multiplier": 1,
    "worker_deduplicate_successful_tasks": True,
    "worker_max_memory_per_child": MAX_MEMORY_KIB,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # How long a dead process's last result may still be on its way.
    "worker_lost_wait": 1.0,
    "worker_enable_remote_control": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "timezone": "UTC",
}


class OutcomeBackend(RedisBackend):  # type: ignore[misc]
    """Celery's store of results, for replies of hundreds of kilobytes: written in a third of the time, and handed to Redis once.

    Celery publishes each outcome beside storing it; whoever waits for one of Luna's is woken by the task's events (``TaskTracker``).
    """

    def encode(self, data: Any) -> bytes:
        return to_json(data)

    def _set(self, key: str, value: bytes, expires: int | None = None) -> None:
        self.client.set(key, value, ex=expires or self.expires)


_BACKEND = f"{OutcomeBackend.__module__}.{OutcomeBackend.__qualname__}"


# How long a process may stand idle at most while a message waits for one.
AGAIN_SECONDS = 0.05

log = structlog.get_logger("luna.queue")

# What Redis has not heard yet, by the key under which a worker's messages stand: their tags, and whether each is to come again.
_PENDING: dict[str, dict[str, bool]] = defaultdict(dict)


class QoS(redis.QoS):
    """The messages that a worker holds: as many as it has processes, and the next one for each that it acknowledges. Belongs to the event loop.

    kombu counts a message as acknowledged once Redis said so. Where the connection breaks just then, Celery logs "Couldn't ack" and goes on, and the message
    counts as held for good. After as many such moments as there are processes a worker waits for ever: alive, connected, and without a right to take anything.
    Here the credit comes back at once; Redis is told when it answers.
    """

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
    """kombu's, with our channel and our view of a Redis that refuses.

    A Redis whose disk or memory is full answers, and refuses. kombu takes that for a fault of the command and Celery ends the worker, which takes up to a
    minute to be back when there is room again. Here it counts as a connection that is lost: the worker waits and tries again.
    """

    Channel = Channel
    connection_errors = (*redis.Transport.connection_errors, ResponseError)


class WorkerConnection(Connection):
    """A worker's connection to Redis.

    Celery's ``broker_transport`` would name our transport as well, in place of the address's scheme: then kombu forgets that ``rediss://`` means TLS.
    """

    def get_transport_cls(self) -> type[Transport]:
        return Transport


def create_sender(redis_url: str) -> Celery:
    """Return the application of a process that sends: it gives up within three seconds where Redis is away."""
    impatient = {"socket_connect_timeout": CONNECT_TIMEOUT_SECONDS, "socket_timeout": SOCKET_TIMEOUT_SECONDS, "max_retries": 0}
    app = _create(redis_url, impatient)
    app.conf.update(broker_connection_timeout=CONNECT_TIMEOUT_SECONDS, broker_pool_limit=64)
    return app


def create_worker(redis_url: str, *, node: str, order: type[round_robin_cycle] = round_robin_cycle) -> Celery:
    """Return the application of the worker ``node``, which goes by ``order`` through its queues; what it holds unacknowledged stands under its own name."""
    patient = {"socket_keepalive": True, "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS, "socket_timeout": PATIENCE_SECONDS}
    app = _create(redis_url, {**unacknowledged_by(node), **patient, "queue_order_strategy": order})
    app.amqp.Connection = WorkerConnection
    app.conf.update(result_backend=f"{_BACKEND}+{redis_url}", result_backend_transport_options={"global_keyprefix": PREFIX})
    return app


def unacknowledged_by(node: str) -> dict[str, str]:
    """Return the transport options that name where ``node`` keeps the messages it has not acknowledged."""
    return {option: f"{option}:{node}" for option in ("unacked_key", "unacked_index_key", "unacked_mutex_key")}


def _create(redis_url: str, transport: Mapping[str, object]) -> Celery:
    app = Celery("luna", broker=redis_url, set_as_current=False)
    shared = {"global_keyprefix": PREFIX, "visibility_timeout": int(VISIBILITY_TIMEOUT.total_seconds())}
    app.conf.update(_COMMON, broker_transport_options={**shared, **transport})
    return app
