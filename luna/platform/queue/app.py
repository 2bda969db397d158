"""The Celery application: one queue per service, JSON only, late acknowledgement, nothing lost with a worker."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.backends.redis import RedisBackend
from kombu.utils.scheduling import round_robin_cycle
from pydantic_core import to_json

from luna.platform.queue.transport import WorkerConnection

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
