"""How the recorder shows that it is there: a sign of life in Redis, left by a thread of its own.

``luna:recorder`` holds the last one for a day, so that a recorder that froze or died is missed; one that was told to end takes it along.
"""

import os
import platform
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import redis
import structlog
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from luna.contracts.health import RecorderSign
from luna.health import Readiness
from luna.queue.app import CONNECT_TIMEOUT_SECONDS, PREFIX, SOCKET_TIMEOUT_SECONDS
from luna.timeline import Clock, SystemClock

TURN = timedelta(seconds=5)
MISSED_FOR = timedelta(days=1)
_SIGN = f"{PREFIX}recorder"

log = structlog.get_logger("luna.queue")


def read_recorder(client: "redis.Redis") -> RecorderSign | None:
    """Return what a recorder last said of itself, None where none ran within a day."""
    text: Any = client.get(_SIGN)
    try:
        return RecorderSign.model_validate_json(text) if text else None
    except ValidationError:
        # Said by another version, which the update that brought this one ends.
        return None


@contextmanager
def present(redis_url: str, readiness: Readiness, *, turn: timedelta = TURN, clock: Clock | None = None) -> Iterator[None]:
    """Show the recorder's state, with what ``readiness`` last saw, as long as the block runs; without Redis nobody is told, and nothing waits."""
    presence = _Presence(redis_url, readiness, turn=turn, clock=clock or SystemClock())
    done = threading.Event()
    thread = threading.Thread(target=presence.tell_until, args=(done,), name="presence", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class _Presence:
    def __init__(self, redis_url: str, readiness: Readiness, *, turn: timedelta, clock: Clock) -> None:
        self._readiness = readiness
        self._clock = clock
        name = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        now = clock.now()
        self._sign = RecorderSign(name=name, version=version("luna-energy"), started_at=now, turned_at=now, turn=turn)
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=SOCKET_TIMEOUT_SECONDS, socket_connect_timeout=CONNECT_TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 0)
        )

    def tell_until(self, done: threading.Event) -> None:
        self._try(self._tell)
        while not done.wait(self._sign.turn.total_seconds()):
            self._try(self._tell)
        self._try(lambda: self._redis.delete(_SIGN))
        self._redis.close()

    def _tell(self) -> None:
        sign = self._sign.model_copy(update={"turned_at": self._clock.now(), "checks": self._readiness.checks or self._readiness.look()})
        self._redis.set(_SIGN, sign.model_dump_json(), ex=MISSED_FOR)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except redis.RedisError as exc:
            log.warning("queue does not answer", error=str(exc))
