"""Which of several beats leads, and what the leading one last said.

Keys: ``luna:beat-lock`` holds the leader's name and vanishes by itself when the leader does not renew it; ``luna:beat`` holds its
last sign of life and stays, so that its age can be told however long it lasts.
"""

from datetime import timedelta
from typing import Any

import redis
from pydantic import ValidationError
from redis.exceptions import LockError
from redis.lock import Lock

from luna.contracts.health import SIGNS_MISSED, BeatSign
from luna.queue.app import PREFIX

_LOCK = f"{PREFIX}beat-lock"
_SIGN = f"{PREFIX}beat"


def read_beat(client: "redis.Redis") -> BeatSign | None:
    """Return what beat last said of itself, None where none ever turned."""
    text: Any = client.get(_SIGN)
    try:
        return BeatSign.model_validate_json(text) if text else None
    except ValidationError:
        # Said by another version, which the update that brought this one ends.
        return None


class Lead:
    """The right to send what is due, held by one beat at a time.

    Invariants: whoever stops renewing loses it after three turns, and takes it anew only when nobody else has.
    """

    def __init__(self, client: "redis.Redis", name: str, *, turn: timedelta) -> None:
        self._redis = client
        self._name = name
        self._lock = Lock(client, _LOCK, timeout=(SIGNS_MISSED * turn).total_seconds(), thread_local=False)
        self._held = False

    def hold(self) -> bool:
        """Renew the lead or take it where it is free, and return whether it is held."""
        self._held = self._renew() or self._lock.acquire(blocking=False, token=self._name)
        return self._held

    def holder(self) -> str | None:
        """Return the name of the beat that leads."""
        name: Any = self._redis.get(_LOCK)
        return name.decode() if name else None

    def tell(self, sign: BeatSign) -> None:
        """Leave a sign of life."""
        self._redis.set(_SIGN, sign.model_dump_json())

    def leave(self) -> None:
        """Let another beat lead at once."""
        try:
            if self._held:
                self._lock.release()
        except LockError:
            # Another leads already.
            self._held = False

    def _renew(self) -> bool:
        if not self._held:
            return False
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return False
