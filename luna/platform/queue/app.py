"""The Celery application: one queue per service, JSON only, late acknowledgement.

The messages of a dead worker are delivered again.
"""

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
# From the exception of the soft limit to the end of the process.
GRACE = timedelta(minutes=2)
PREFIX = "luna:"
RESULT_EXPIRES = timedelta(hours=1)
# A message that is not acknowledged for this long is delivered again, so it exceeds the longest
# limit.
VISIBILITY_TIMEOUT = LONGEST_LIMIT + timedelta(minutes=30)
# Together below the three seconds within which a sender reports that Redis is away.
CONNECT_TIMEOUT_SECONDS = 1.0
SOCKET_TIMEOUT_SECONDS = 2.5
# Generous, since a Redis may be busy with its disk; bounded, so that an unresponsive one does not
# block the event loop.
PATIENCE_SECONDS = 10.0
# A process that has held more is replaced after its task: no job needs more, however long its days.
MAX_MEMORY_KIB = 600_000

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
    # Time for the last result of a dead process to arrive.
    "worker_lost_wait": 1.0,
    "worker_enable_remote_control": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "timezone": "UTC",
}


class OutcomeBackend(RedisBackend):  # type: ignore[misc]
    """Celery's result backend with a faster encoder and a single Redis command per result.

    Celery also publishes each result; Luna's clients are woken by the task's events instead
    (``TaskTracker``).
    """

    def encode(self, data: Any) -> bytes:
        return to_json(data)

    def _set(self, key: str, value: bytes, expires: int | None = None) -> None:
        self.client.set(key, value, ex=expires or self.expires)


_BACKEND = f"{OutcomeBackend.__module__}.{OutcomeBackend.__qualname__}"


# Longest time that a free process waits for a message in its queue, s.
AGAIN_SECONDS = 0.05

log = structlog.get_logger("luna.queue")

# Acknowledgements that Redis has not received yet, by key of the worker's unacknowledged messages:
# delivery tag, whether to requeue.
_PENDING: dict[str, dict[str, bool]] = defaultdict(dict)


class QoS(redis.QoS):
    """A worker's prefetch count: one message per process, and the next after each acknowledgement.

    Belongs to the event loop.

    kombu counts a message as acknowledged once Redis confirms it. Where the connection breaks at
    that moment, Celery logs "Couldn't ack" and the message stays counted for ever; after as many
    breaks as it has processes a connected worker receives nothing any more. This class releases the
    count at once, and sends the acknowledgement to Redis when it answers again.
    """

    def ack(self, delivery_tag: str) -> None:
        self._settle(delivery_tag, again=False)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self._settle(delivery_tag, again=requeue)

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Send pending acknowledgements.

        Kombu calls this every few seconds and after each connect.
        """
        self._settle_pending()
        super().restore_visible(start, num, interval)  # type: ignore[no-untyped-call]

    def _settle(self, delivery_tag: str, *, again: bool) -> None:
        _PENDING[self.unacked_key][delivery_tag] = again
        # Releases the prefetch count, whether or not Redis can be reached.
        virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
        try:
            self._settle_pending()
        except self.channel.connection_errors as exc:
            log.warning(
                "message cannot be acknowledged yet", delivery_tag=delivery_tag, error=str(exc)
            )

    def _settle_pending(self) -> None:
        pending = _PENDING[self.unacked_key]
        for tag, again in list(pending.items()):
            if again:
                self.restore_by_tag(tag, leftmost=True)  # type: ignore[no-untyped-call]
            else:
                # Not ``ack``, which would release the prefetch count twice.
                self._remove_from_indices(tag).execute()  # type: ignore[no-untyped-call]
            del pending[tag]


class Channel(redis.Channel):
    """kombu's channel with our ``QoS``.

    Polls at short intervals while queues without a free process are left out
    (``luna.platform.queue.consumption``).
    """

    QoS = QoS

    def _brpop_start(self, timeout: float | None = None) -> None:
        # A short ``brpop_timeout`` would ask Redis twenty times a second even while every queue is
        # listened to.
        count = len(self.active_queues)
        is_whole = len(self._queue_cycle.consume(count)) == count
        seconds = timeout if is_whole else AGAIN_SECONDS
        super()._brpop_start(seconds)  # type: ignore[no-untyped-call]


class Transport(redis.Transport):
    """kombu's transport with our channel.

    A Redis that refuses commands counts as a lost connection.

    A Redis with a full disk or memory answers with errors. kombu takes these for faults of the
    command, and Celery ends the worker, which needs up to a minute to restart once there is room.
    As a lost connection the worker retries instead.
    """

    Channel = Channel
    connection_errors = (*redis.Transport.connection_errors, ResponseError)


class WorkerConnection(Connection):
    """A worker's connection to Redis.

    Celery's ``broker_transport`` would select our transport too, but replace the URL's scheme:
    kombu then ignores the TLS of ``rediss://``.
    """

    def get_transport_cls(self) -> type[Transport]:
        return Transport


def create_sender(redis_url: str) -> Celery:
    """Return the application of a process that sends messages.

    It fails within three seconds where Redis is away.
    """
    impatient = {
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": SOCKET_TIMEOUT_SECONDS,
        "max_retries": 0,
    }
    app = _create(redis_url, impatient)
    app.conf.update(broker_connection_timeout=CONNECT_TIMEOUT_SECONDS, broker_pool_limit=64)
    return app


def create_worker(
    redis_url: str, *, node: str, order: type[round_robin_cycle] = round_robin_cycle
) -> Celery:
    """Return the application of the worker ``node``, which polls its queues in ``order``.

    Its unacknowledged messages are kept under its own name.
    """
    patient = {
        "socket_keepalive": True,
        "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "socket_timeout": PATIENCE_SECONDS,
    }
    app = _create(redis_url, {**unacknowledged_by(node), **patient, "queue_order_strategy": order})
    app.amqp.Connection = WorkerConnection
    app.conf.update(
        result_backend=f"{_BACKEND}+{redis_url}",
        result_backend_transport_options={"global_keyprefix": PREFIX},
    )
    return app


def unacknowledged_by(node: str) -> dict[str, str]:
    """Return the transport options with the keys of the unacknowledged messages of ``node``."""
    keys = ("unacked_key", "unacked_index_key", "unacked_mutex_key")
    return {option: f"{option}:{node}" for option in keys}


def _create(redis_url: str, transport: Mapping[str, object]) -> Celery:
    app = Celery("luna", broker=redis_url, set_as_current=False)
    shared = {
        "global_keyprefix": PREFIX,
        "visibility_timeout": int(VISIBILITY_TIMEOUT.total_seconds()),
    }
    app.conf.update(_COMMON, broker_transport_options={**shared, **transport})
    return app
