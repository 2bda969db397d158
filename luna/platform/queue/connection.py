"""Connect to Redis with short time-outs and no retries: no caller waits for an absent server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import redis
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.queue.app import CONNECT_TIMEOUT_SECONDS, SOCKET_TIMEOUT_SECONDS
from luna.platform.retry import RetryPolicy

Result = TypeVar("Result")

# Errors of a Redis that cannot write to its disk or memory.
_FULL = ("MISCONF", "'maxmemory'")
# Back-off of ``outlast``.
_PAUSES = RetryPolicy(timedelta(seconds=0.2), longest=timedelta(seconds=2))


def connect(redis_url: str) -> "redis.Redis":
    """Return a client that fails within three seconds and never retries.

    Raises:
        InvalidInputError: no address of a Redis; the value is not shown, for it may hold a
            password.
    """
    try:
        return redis.Redis.from_url(
            redis_url,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            # The library would look for its version in its package at every connection.
            driver_info=None,
        )
    except ValueError as exc:
        raise refuse(
            "not-the-address",
            field="LUNA_REDIS_URL",
            server="Redis",
            form="redis://:password@host:6379/0, rediss:// (TLS)",
        ) from exc


@contextmanager
def reachable() -> Iterator[None]:
    """Convert errors of the block: UnavailableError if Redis is away, FullError if it is full."""
    try:
        yield
    except (
        redis.ConnectionError,
        redis.TimeoutError,
        redis.ResponseError,
        OperationalError,
    ) as exc:
        if any(sign in str(exc) for sign in _FULL):
            raise refuse("queue-full", field="redis_url") from exc
        if isinstance(exc, redis.ResponseError):
            raise
        raise refuse("queue-away", field="redis_url") from exc


def outlast(
    attempt: Callable[[], Result], *, patience: timedelta, abandoned: threading.Event | None = None
) -> Result:
    """Return the result of ``attempt``, which is retried while Redis is away.

    Retries end when ``patience`` has passed or ``abandoned`` is set.

    ``attempt`` must be idempotent: Redis may have executed it without confirming in time.

    Raises:
        UnavailableError: Redis was away for longer.
    """
    deadline = time.monotonic() + patience.total_seconds()
    failures = 0
    while True:
        try:
            return attempt()
        except UnavailableError:
            failures += 1
            pause = _PAUSES.pause(failures).total_seconds()
            if (
                abandoned is not None and abandoned.is_set()
            ) or time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
