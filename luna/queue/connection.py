"""The way to Redis of who sends, looks or beats: impatient, so that nobody waits for a server that is away."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from luna.errors import InvalidInputError, UnavailableError
from luna.queue.app import CONNECT_TIMEOUT_SECONDS, SOCKET_TIMEOUT_SECONDS

# What Redis answers where it cannot write: to its disk, into its memory.
_FULL = ("MISCONF", "'maxmemory'")


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
        remedy = "Write redis://:password@host:6379/0, or rediss:// for TLS."
        raise InvalidInputError("no address of a Redis", field="LUNA_REDIS_URL", remedy=remedy) from exc


@contextmanager
def reachable() -> Iterator[None]:
    """Let what is done within raise UnavailableError where Redis is away or full."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError, OperationalError) as exc:
        if any(sign in str(exc) for sign in _FULL):
            remedy = "Free some space where Redis keeps its data, then try again."
            raise UnavailableError("the queue takes nothing: its disk or memory is full", field="redis_url", remedy=remedy) from exc
        if isinstance(exc, redis.ResponseError):
            raise
        raise UnavailableError("the queue does not answer", field="redis_url", remedy="Check that Redis runs, then try again; nothing was lost.") from exc
