"""Which workers live, and what becomes of the messages of one that does not.

A worker writes ``luna:node:<name>`` every beat; the key vanishes by itself when beats fail to come. What a worker has taken and not
acknowledged stands under its name, so any other worker can put it back: Redis alone would wait for the visibility timeout, hours.
"""

import json
from datetime import timedelta
from typing import Any

import redis
import structlog
from celery import Celery

from luna.queue.app import PREFIX, unacknowledged_by

BEAT = timedelta(seconds=5)
# Beats that may fail to come before a worker counts as gone.
_BEATS_MISSED = 3
# Redis does not answer, or answers that it cannot write.
_AWAY = (redis.ConnectionError, redis.TimeoutError, redis.ResponseError)

log = structlog.get_logger("luna.queue")


def live_queues(client: "redis.Redis") -> dict[str, list[str]]:
    """Return the queues that each live worker serves, by the worker's name."""
    names = sorted(_known(client))
    beats: Any = client.mget([_beat_key(name) for name in names]) if names else []
    return {name: json.loads(beat) for name, beat in zip(names, beats, strict=True) if beat}


class Node:
    """One worker's place among the others.

    Args:
        app: the worker's Celery application.
        name: unique to this process.
        queues: what it serves.
        beat: time between two signs of life.
    """

    def __init__(self, app: Celery, name: str, queues: list[str], *, beat: timedelta = BEAT) -> None:
        self._app = app
        self._name = name
        self._queues = queues
        self.beat_seconds = beat.total_seconds()
        self._missing: set[str] = set()
        self._redis = redis.Redis.from_url(app.conf.broker_url, socket_timeout=2.5, socket_connect_timeout=1.0)

    def beat(self) -> None:
        """Give a sign of life and put back what workers without one had taken; without Redis, try at the next beat."""
        try:
            self._redis.sadd(f"{PREFIX}nodes", self._name)
            self._redis.set(_beat_key(self._name), json.dumps(self._queues), px=int(self.beat_seconds * _BEATS_MISSED * 1000))
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
        missing = _known(self._redis) - set(live_queues(self._redis))
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


def _beat_key(name: str) -> str:
    return f"{PREFIX}node:{name}"
