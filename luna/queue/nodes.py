"""Which workers live, and what becomes of the messages of one that does not.

A worker writes ``luna:node:<name>`` every beat; the key vanishes by itself when beats fail to come. What a worker has taken and not
acknowledged stands under its name, so any other worker can put it back: Redis alone would wait for the visibility timeout, hours.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import redis
import structlog
from celery import Celery
from pydantic import ValidationError
from redis.backoff import NoBackoff
from redis.retry import Retry

from luna.contracts.health import SIGNS_MISSED, NodeSign
from luna.queue.app import CONNECT_TIMEOUT_SECONDS, PREFIX, SOCKET_TIMEOUT_SECONDS, unacknowledged_by

BEAT = timedelta(seconds=5)
# Redis does not answer, or answers that it cannot write.
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError)

log = structlog.get_logger("luna.queue")


def read_signs(client: "redis.Redis") -> dict[str, NodeSign]:
    """Return what each live worker last said of itself, by the worker's name."""
    signs = {name: _read(text) for name, text in _beats(client).items()}
    return {name: sign for name, sign in signs.items() if sign is not None}


class Node:
    """One worker's place among the others.

    Args:
        app: the worker's Celery application.
        name: unique to this process.
        describe: what it says of itself with each beat.
        beat: time between two signs of life.
    """

    def __init__(self, app: Celery, name: str, describe: Callable[[], NodeSign], *, beat: timedelta = BEAT) -> None:
        self._app = app
        self._name = name
        self._describe = describe
        self._expires = SIGNS_MISSED * beat
        self._missing: set[str] = set()
        # Impatient and without a second try: the event loop that beats has other work.
        self._redis = redis.Redis.from_url(
            app.conf.broker_url,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    def beat(self) -> None:
        """Give a sign of life and put back what workers without one had taken; without Redis, try at the next beat."""
        try:
            self._redis.sadd(f"{PREFIX}nodes", self._name)
            self._redis.set(_beat_key(self._name), self._describe().model_dump_json(), px=self._expires)
            self._recover()
        except _AWAY as exc:
            log.warning("queue does not answer", error=str(exc))

    def leave(self) -> None:
        """Say that this worker ends; what it could not finish stays under its name, for the others to put back."""
        try:
            self._redis.delete(_beat_key(self._name))
            if not self._redis.hlen(f"{PREFIX}{unacknowledged_by(self._name)['unacked_key']}"):
                self._redis.srem(f"{PREFIX}nodes", self._name)
        except _AWAY as exc:
            log.warning("queue does not answer", error=str(exc))
        self._redis.close()

    def _recover(self) -> None:
        missing = _known(self._redis) - set(_beats(self._redis))
        # Twice in a row: after a suspend every key has expired, and each worker's next beat is due at once.
        for name in missing & self._missing:
            self._put_back(name)
        self._missing = missing

    def _put_back(self, name: str) -> None:
        keys = unacknowledged_by(name)
        with self._app.connection(transport_options={**keys, "visibility_timeout": 0}) as connection, connection.channel() as channel:
            held = channel.client.hlen(keys["unacked_key"])
            channel.qos.restore_visible(num=None, interval=1)
            if not channel.client.hlen(keys["unacked_key"]):
                self._redis.srem(f"{PREFIX}nodes", name)
        log.warning("worker gone, its messages are back in their queues", node=name, messages=held)


def _known(client: "redis.Redis") -> set[str]:
    names: Any = client.smembers(f"{PREFIX}nodes")
    return {name.decode() if isinstance(name, bytes) else name for name in names}


def _beats(client: "redis.Redis") -> dict[str, bytes]:
    names = sorted(_known(client))
    beats: Any = client.mget([_beat_key(name) for name in names]) if names else []
    return {name: beat for name, beat in zip(names, beats, strict=True) if beat}


def _read(text: bytes) -> NodeSign | None:
    try:
        return NodeSign.model_validate_json(text)
    except ValidationError:
        # A worker of a version so different that it says other things; it goes with the update that brought this one.
        return None


def _beat_key(name: str) -> str:
    return f"{PREFIX}node:{name}"
