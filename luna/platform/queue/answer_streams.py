"""Pieces of answers while they are made: a worker adds to a stream of Redis, the gateway reads on from where it was. A stream expires by itself."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis

from luna.energy.errors import UnavailableError
from luna.platform.queue.connection import reachable

RETENTION = timedelta(minutes=10)
# No answer has more pieces; what a worker gone mad would add pushes out the oldest.
MOST_PIECES = 5_000
FIRST = "0"
_PREFIX = "luna:answers:"


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """One piece of an answer on its way: what it is, and its JSON. ``piece_id`` is that of the stream."""

    piece_id: str
    event: str
    data: str


class AnswerStreams:
    """Reads and writes such streams. Threads may share it; every method raises UnavailableError where Redis is away, unless it says otherwise."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def add(self, stream: str, event: str, data: str) -> None:
        """Add a piece; where Redis is away, nobody hears it, and the answer is made all the same."""
        with suppress(UnavailableError), reachable():
            pipe = self._redis.pipeline()
            pipe.xadd(_key(stream), {"event": event, "data": data}, maxlen=MOST_PIECES, approximate=True)
            pipe.expire(_key(stream), RETENTION)
            pipe.execute()

    def read(self, stream: str, after: str) -> list[AnswerPiece]:
        """Return the pieces behind ``after`` (``FIRST``: all), those that are there."""
        with reachable():
            # The gateway's client waits for nothing: whoever listens comes again.
            entries: Any = self._redis.xrange(_key(stream), min=f"({after}" if after != FIRST else "-", count=500)
        return [AnswerPiece(piece_id.decode(), fields[b"event"].decode(), fields[b"data"].decode()) for piece_id, fields in entries]

    def cancel(self, stream: str) -> None:
        """Say that nobody listens any more; where Redis is away, the answer is made to its end."""
        with suppress(UnavailableError), reachable():
            self._redis.set(_cancelled(stream), 1, ex=RETENTION)

    def cancelled(self, stream: str) -> bool:
        """Return whether nobody listens any more; where Redis is away, that is not known."""
        with suppress(UnavailableError), reachable():
            return bool(self._redis.exists(_cancelled(stream)))
        return False


def _key(stream: str) -> str:
    return f"{_PREFIX}{stream}"


def _cancelled(stream: str) -> str:
    return f"{_PREFIX}{stream}:cancelled"
