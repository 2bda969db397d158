"""How recorder and executor show that they are there: a sign of life in Redis, left by a thread of its own.

``luna:recorder`` and ``luna:executor`` hold the last one for a day, so that one that froze or died is missed; one that was told to end takes it along.
"""

import os
import platform
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Any, TypeVar

import redis
import structlog
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from luna.contracts.health import ControlledSite, ExecutorSign, RecorderSign
from luna.health import Readiness
from luna.queue.app import CONNECT_TIMEOUT_SECONDS, PREFIX, SOCKET_TIMEOUT_SECONDS
from luna.timeline import Clock, SystemClock

TURN = timedelta(seconds=5)
# Whoever switches a device wants to see soon that it was told.
EXECUTOR_TURN = timedelta(seconds=2)
MISSED_FOR = timedelta(days=1)
_RECORDER, _EXECUTOR = f"{PREFIX}recorder", f"{PREFIX}executor"
S = TypeVar("S", bound=RecorderSign)

log = structlog.get_logger("luna.queue")


def read_recorder(client: "redis.Redis") -> RecorderSign | None:
    """Return what a recorder last said of itself, None where none ran within a day."""
    return _read(client, _RECORDER, RecorderSign)


def read_executor(client: "redis.Redis") -> ExecutorSign | None:
    """Return what an executor last said of itself, None where none ran within a day."""
    return _read(client, _EXECUTOR, ExecutorSign)


@contextmanager
def present(redis_url: str, readiness: Readiness, *, turn: timedelta = TURN, clock: Clock | None = None) -> Iterator[None]:
    """Show the recorder's state, with what ``readiness`` last saw, as long as the block runs; without Redis nobody is told, and nothing waits."""
    clock = clock or SystemClock()
    sign = RecorderSign(name=_name(), version=version("luna-energy"), started_at=clock.now(), turned_at=clock.now(), turn=turn)
    with _shown(_Presence(redis_url, _RECORDER, sign, more=lambda: {"checks": readiness.checks or readiness.look()}, clock=clock)):
        yield


@contextmanager
def executor_present(redis_url: str, readiness: Readiness, sites: Callable[[], tuple[ControlledSite, ...]], *, clock: Clock) -> Iterator[None]:
    """Show the executor's state and how the sites that it drives stand, as long as the block runs."""
    sign = ExecutorSign(name=_name(), version=version("luna-energy"), started_at=clock.now(), turned_at=clock.now(), turn=EXECUTOR_TURN)
    with _shown(_Presence(redis_url, _EXECUTOR, sign, more=lambda: {"checks": readiness.checks or readiness.look(), "sites": sites()}, clock=clock)):
        yield


@contextmanager
def _shown(presence: "_Presence") -> Iterator[None]:
    done = threading.Event()
    thread = threading.Thread(target=presence.tell_until, args=(done,), name="presence", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _read(client: "redis.Redis", key: str, kind: type[S]) -> S | None:
    text: Any = client.get(key)
    try:
        return kind.model_validate_json(text) if text else None
    except ValidationError:
        # Said by another version, which the update that brought this one ends.
        return None


def _name() -> str:
    return f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


class _Presence:
    def __init__(self, redis_url: str, key: str, sign: RecorderSign, *, more: Callable[[], dict[str, Any]], clock: Clock) -> None:
        self._key = key
        self._sign = sign
        self._more = more
        self._clock = clock
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=SOCKET_TIMEOUT_SECONDS, socket_connect_timeout=CONNECT_TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 0)
        )

    def tell_until(self, done: threading.Event) -> None:
        self._try(self._tell)
        while not done.wait(self._sign.turn.total_seconds()):
            self._try(self._tell)
        self._try(lambda: self._redis.delete(self._key))
        self._redis.close()

    def _tell(self) -> None:
        sign = self._sign.model_copy(update={"turned_at": self._clock.now(), **self._more()})
        self._redis.set(self._key, sign.model_dump_json(), ex=MISSED_FOR)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except redis.RedisError as exc:
            log.warning("queue does not answer", error=str(exc))
