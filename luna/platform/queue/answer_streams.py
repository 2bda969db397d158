"""Stream answers while they are generated.

A worker appends pieces to a Redis stream, the gateway reads on from its last position. Streams
expire.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import redis

from luna.energy.errors import UnavailableError
from luna.platform.queue.connection import reachable

RETENTION = timedelta(minutes=10)
# No answer has more pieces; a runaway worker drops the oldest ones.
MOST_PIECES = 5_000
FIRST = "0"
_PREFIX = "luna:answers:"


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """A piece of an answer: its event, its JSON, and its id in the stream."""

    piece_id: str
    event: str
    data: str


class AnswerStreams:
    """Reads and writes answer streams.

    Thread-safe; methods raise UnavailableError where Redis is away, unless they say otherwise.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def add(self, stream: str, event: str, data: str) -> None:
        """Append a piece; where Redis is away it is lost, and the answer goes on."""
        with suppress(UnavailableError), reachable():
            pipe = self._redis.pipeline()
            pipe.xadd(
                _key(stream), {"event": event, "data": data}, maxlen=MOST_PIECES, approximate=True
            )
            pipe.expire(_key(stream), RETENTION)
            pipe.execute()

    def read(self, stream: str, after: str) -> list[AnswerPiece]:
        """Return the available pieces after the id ``after`` (``FIRST``: all)."""
        with reachable():
            # Non-blocking: the reader polls.
            first = f"({after}" if after != FIRST else "-"
            entries: Any = self._redis.xrange(_key(stream), min=first, count=500)
        return [
            AnswerPiece(piece_id.decode(), fields[b"event"].decode(), fields[b"data"].decode())
            for piece_id, fields in entries
        ]

    def cancel(self, stream: str) -> None:
        """Record that the reader has left.

        Where Redis is away the answer is generated to its end.
        """
        with suppress(UnavailableError), reachable():
            self._redis.set(_cancelled(stream), 1, ex=RETENTION)

    def cancelled(self, stream: str) -> bool:
        """Return whether the reader has left; False where Redis is away."""
        with suppress(UnavailableError), reachable():
            return bool(self._redis.exists(_cancelled(stream)))
        return False


def _key(stream: str) -> str:
    return f"{_PREFIX}{stream}"


def _cancelled(stream: str) -> str:
    return f"{_PREFIX}{stream}:cancelled"
