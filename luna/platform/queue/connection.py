"""The way to Redis of who sends, looks or beats: impatient, so that nobody waits for a server that is away."""

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

# What Redis answers where it cannot write: to its disk, into its memory.
_FULL = ("MISCONF", "'maxmemory'")
# Between two tries of who has patience.
_PAUSES = RetryPolicy(timedelta(seconds=0.2), longest=timedelta(seconds=2))


def connect(redis_url: str) -> "redis.Redis":
    """Return a client that gives up within three seconds and tries nothing twice.

    Raises:
        InvalidInputError: no address of a Redis; its value stays unsaid, for it may hold a password.
    """
    try:
        return redis.Redis.from_url(
            redis_url,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
    except ValueError as exc:
        raise refuse("no-redis-address", field="LUNA_REDIS_URL") from exc


@contextmanager
def reachable() -> Iterator[None]:
    """Let what is done within raise UnavailableError where Redis is away, FullError where it is full."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError, OperationalError) as exc:
        if any(sign in str(exc) for sign in _FULL):
            raise refuse("queue-full", field="redis_url") from exc
        if isinstance(exc, redis.ResponseError):
            raise
        raise refuse("queue-away", field="redis_url") from exc


def outlast(attempt: Callable[[], Result], *, patience: timedelta, abandoned: threading.Event | None = None) -> Result:
    """Return what ``attempt`` returns, tried again while Redis is away, for as long as ``patience`` says or until the caller has given up.

    What is tried must do no harm a second time: Redis may have done it and been too late to say so.

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
            if (abandoned is not None and abandoned.is_set()) or time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
