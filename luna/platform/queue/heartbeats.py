"""Heartbeats of workers, beat, recorder, executor and steering in Redis, and beat's leader lock."""

import os
import platform
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import Any, Literal, TypeVar

import redis
import structlog
from celery import Celery
from pydantic import ValidationError
from redis.exceptions import LockError
from redis.lock import Lock

from luna.contracts.health import (
    SIGNS_MISSED,
    BeatSign,
    ControlledSite,
    ControlSign,
    NodeSign,
    RecorderSign,
)
from luna.platform.clock import Clock, SystemClock
from luna.platform.health.readiness import Readiness
from luna.platform.queue.app import PREFIX, unacknowledged_by
from luna.platform.queue.connection import connect, reachable

_LOCK = f"{PREFIX}beat-lock"
_SIGN = f"{PREFIX}beat"


def read_beat(client: "redis.Redis") -> BeatSign | None:
    """Return beat's last heartbeat, None where there never was one."""
    text: Any = client.get(_SIGN)
    try:
        return BeatSign.model_validate_json(text) if text else None
    except ValidationError:
        # Of another version, which the running update will end.
        return None


# A living process renews its key long before this many leases.
_LEASES_AHEAD = 4


def shorten(client: "redis.Redis", keys: Iterable[str], lease: timedelta) -> None:
    """Let keys that would live for many leases expire after one.

    Redis stores expiry as an instant, so that keys live too long once the clock was put back. An
    owner that lives renews its key before.
    """
    names = list(keys)
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.pttl(name)
        lease_ms_left: list[int] = pipe.execute()
    longest = _LEASES_AHEAD * lease / timedelta(milliseconds=1)
    for name, milliseconds in zip(names, lease_ms_left, strict=True):
        if milliseconds > longest:
            client.pexpire(name, lease)


class LeaderLock:
    """A lock with a lease, held by the one beat that sends due messages.

    Invariants: a holder that stops renewing loses it after three turns, and gets it back only while
    no other beat has it.
    """

    def __init__(self, client: "redis.Redis", name: str, *, turn: timedelta) -> None:
        self._redis = client
        self._name = name
        self._lease = SIGNS_MISSED * turn
        self._lock = Lock(client, _LOCK, timeout=self._lease.total_seconds(), thread_local=False)
        self._leads = False

    def hold(self) -> bool:
        """Renew the lock, or acquire it where it is free; return whether it is held."""
        try:
            is_renewed = self._leads and bool(self._lock.reacquire())
        except LockError:
            is_renewed = False
        self._leads = is_renewed or self._lock.acquire(blocking=False, token=self._name)
        if not self._leads:
            shorten(self._redis, [_LOCK], self._lease)
        return self._leads

    def holder(self) -> str | None:
        """Return the name of the leading beat."""
        name: Any = self._redis.get(_LOCK)
        return name.decode() if name else None

    def publish(self, sign: BeatSign) -> None:
        """Publish the leader's heartbeat."""
        self._redis.set(_SIGN, sign.model_dump_json())

    def leave(self) -> None:
        """Release the lock, so that another beat can lead at once."""
        try:
            if self._leads:
                self._lock.release()
        except LockError:
            # Another leads already.
            self._leads = False


BEAT = timedelta(seconds=5)
# How far a clock may have been ahead: some devices begin years off.
CLOCK_AHEAD = timedelta(days=36_500)
# Redis does not answer, or cannot write.
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError)

log = structlog.get_logger("luna.queue")


class Node:
    """A worker's heartbeat; it also restores messages of workers that lost theirs.

    Args:
        app: the worker's Celery application.
        name: unique to this process.
        describe: returns the content of a heartbeat.
        beat: interval between heartbeats.
    """

    def __init__(
        self, app: Celery, name: str, describe: Callable[[], NodeSign], *, beat: timedelta = BEAT
    ) -> None:
        self._app = app
        self._name = name
        self._describe = describe
        self._expires = SIGNS_MISSED * beat
        self._missing: set[str] = set()
        # Short time-outs and no retries, because this runs in the worker's event loop.
        self._redis = connect(app.conf.broker_url)

    def beat(self) -> None:
        """Publish a heartbeat and requeue the unacknowledged messages of workers without one.

        Where Redis is away, the next beat tries again.
        """
        try:
            self._redis.sadd(f"{PREFIX}nodes", self._name)
            self._redis.set(
                _beat_key(self._name), self._describe().model_dump_json(), px=self._expires
            )
            names = _list_names(self._redis)
            shorten(self._redis, map(_beat_key, names), self._expires)
            missing_names = names - set(_beats(self._redis))
            # Missing twice in a row: after a suspend all keys have expired, and every worker's next
            # heartbeat is due at once.
            for name in missing_names & self._missing:
                self._restore_messages(name)
            self._missing = missing_names
        except _AWAY as exc:
            log.warning("queue does not answer", error=str(exc))

    def leave(self) -> None:
        """Withdraw the heartbeat.

        Unacknowledged messages stay under this worker's name until another worker restores them.
        """
        try:
            self._redis.delete(_beat_key(self._name))
            if not self._redis.hlen(f"{PREFIX}{unacknowledged_by(self._name)['unacked_key']}"):
                self._redis.srem(f"{PREFIX}nodes", self._name)
        except _AWAY as exc:
            log.warning("queue does not answer", error=str(exc))
        self._redis.close()

    def _restore_messages(self, name: str) -> None:
        keys = unacknowledged_by(name)
        # Also messages with an instant in the future, from before the clock was put back.
        ahead = -int(CLOCK_AHEAD.total_seconds())
        with (
            self._app.connection(
                transport_options={**keys, "visibility_timeout": ahead}
            ) as connection,
            connection.channel() as channel,
        ):
            messages = channel.client.hlen(keys["unacked_key"])
            channel.qos.restore_visible(num=None, interval=1)
            if not channel.client.hlen(keys["unacked_key"]):
                self._redis.srem(f"{PREFIX}nodes", name)
        log.warning(
            "worker gone, its messages are back in their queues", node=name, messages=messages
        )


def _list_names(client: "redis.Redis") -> set[str]:
    names: Any = client.smembers(f"{PREFIX}nodes")
    return {name.decode() if isinstance(name, bytes) else name for name in names}


def _beats(client: "redis.Redis") -> dict[str, bytes]:
    names = sorted(_list_names(client))
    beats: Any = client.mget([_beat_key(name) for name in names]) if names else []
    return {name: beat for name, beat in zip(names, beats, strict=True) if beat}


def _read_sign(text: bytes) -> NodeSign | None:
    try:
        return NodeSign.model_validate_json(text)
    except ValidationError:
        # Of another version with an incompatible form, which the running update will end.
        return None


def _beat_key(name: str) -> str:
    return f"{PREFIX}node:{name}"


TURN = timedelta(seconds=5)
# Short, so that an owner sees soon that a command was sent.
EXECUTOR_TURN = timedelta(seconds=2)
MISSED_FOR = timedelta(days=1)
_RECORDER = f"{PREFIX}recorder"
_EXECUTOR = f"{PREFIX}executor"
_STEERING = f"{PREFIX}steering"
_HOME_ASSISTANT = f"{PREFIX}home-assistant"
_ROLES = {"recorder": _RECORDER, "home_assistant": _HOME_ASSISTANT, "executor": _EXECUTOR}
S = TypeVar("S", bound=RecorderSign)


class Heartbeats:
    """Reads the last heartbeat of every process.

    Thread-safe; every method raises UnavailableError where Redis is away.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def workers(self) -> dict[str, list[str]]:
        """Return the queues of each live worker."""
        return {name: sorted(sign.queues) for name, sign in self.nodes().items()}

    def is_alive(self, worker: str) -> bool:
        """Return whether the named worker had a heartbeat within three beats, of any content."""
        with reachable():
            return bool(self._redis.exists(_beat_key(worker)))

    def nodes(self) -> dict[str, NodeSign]:
        """Return the last heartbeat of each live worker, by name."""
        with reachable():
            signs = {name: _read_sign(text) for name, text in _beats(self._redis).items()}
        return {name: sign for name, sign in signs.items() if sign is not None}

    def serve(self, queue: str) -> bool:
        """Return whether a live worker consumes a queue."""
        return any(queue in sign.queues for sign in self.nodes().values())

    def beat(self) -> BeatSign | None:
        """Return beat's last heartbeat, None where there never was one."""
        with reachable():
            return read_beat(self._redis)

    def recorder(self) -> RecorderSign | None:
        """Return the recorder's last heartbeat, None without one within a day."""
        with reachable():
            return _read(self._redis, _RECORDER, RecorderSign)

    def home_assistant(self) -> RecorderSign | None:
        """Return the Home Assistant process's last heartbeat within a day, if any."""
        with reachable():
            return _read(self._redis, _HOME_ASSISTANT, RecorderSign)

    def executor(self) -> ControlSign | None:
        """Return the executor's last heartbeat within a day, with the sites that it controls."""
        with reachable():
            return _read(self._redis, _EXECUTOR, ControlSign)

    def steering(self) -> ControlSign | None:
        """Return steering's last heartbeat within a day, with the sites that it steers."""
        with reachable():
            return _read(self._redis, _STEERING, ControlSign)


@contextmanager
def present(
    redis_url: str,
    readiness: Readiness,
    *,
    role: Literal["recorder", "home_assistant", "executor"] = "recorder",
    list_sites: Callable[[], tuple[ControlledSite, ...]] | None = None,
    turn: timedelta = TURN,
    clock: Clock | None = None,
) -> Iterator[None]:
    """Publish heartbeats of a process without a queue while the block runs.

    They contain the last checks of ``readiness``. The block runs without Redis too.

    Args:
        redis_url: of the server.
        readiness: checks the process.
        role: of the process.
        list_sites: lists the sites that the executor controls.
        turn: from one heartbeat to the next.
        clock: dates the heartbeats.
    """
    clock = clock or SystemClock()
    kind = RecorderSign if list_sites is None else ControlSign
    sign = kind(
        name=_name(),
        version=version("luna-energy"),
        started_at=clock.now(),
        turned_at=clock.now(),
        turn=turn,
    )

    def read_sign() -> RecorderSign:
        checks = readiness.checks or readiness.look()
        changes: dict[str, Any] = {"turned_at": clock.now(), "checks": checks}
        if list_sites is not None:
            changes["sites"] = list_sites()
        return sign.model_copy(update=changes)

    presence = _Presence(redis_url, _ROLES[role], read_sign, turn=turn)
    with _announced(presence):
        yield


@contextmanager
def steering_relayed(redis_url: str, read_sign: Callable[[], ControlSign | None]) -> Iterator[None]:
    """Publish the heartbeats of steering, which has no queue, while the block runs.

    The recorder does so: without its values steering is blind.
    """
    with _announced(_Presence(redis_url, _STEERING, read_sign, turn=EXECUTOR_TURN)):
        yield


@contextmanager
def _announced(presence: "_Presence") -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(
        target=presence.beat_until, args=(stop,), name="presence", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _read(client: "redis.Redis", key: str, kind: type[S]) -> S | None:
    text: Any = client.get(key)
    try:
        return kind.model_validate_json(text) if text else None
    except ValidationError:
        # Of another version, which the running update will end.
        return None


def _name() -> str:
    return f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


class _Presence:
    """Publishes the sign of a process each turn; None: its last one stays."""

    def __init__(
        self,
        redis_url: str,
        key: str,
        read_sign: Callable[[], RecorderSign | None],
        *,
        turn: timedelta,
    ) -> None:
        self._key = key
        self._read_sign = read_sign
        self._turn = turn
        self._redis = connect(redis_url)

    def beat_until(self, stop: threading.Event) -> None:
        self._try(self._beat)
        while not stop.wait(self._turn.total_seconds()):
            self._try(self._beat)
        self._try(lambda: self._redis.delete(self._key))
        self._redis.close()

    def _beat(self) -> None:
        sign = self._read_sign()
        if sign is not None:
            self._redis.set(self._key, sign.model_dump_json(), ex=MISSED_FOR)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except redis.RedisError as exc:
            log.warning("queue does not answer", error=str(exc))
