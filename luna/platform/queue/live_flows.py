"""Share live powers of sites, and what steering does there, in Redis.

The recorder writes them, the gateway reads them and leaves a mark while somebody looks.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import redis
from pydantic import ValidationError

from luna.contracts.live_flow import LIVE_FOR, LiveFlow
from luna.contracts.live_steering import LiveSteering
from luna.contracts.message import Message
from luna.platform.queue.app import PREFIX
from luna.platform.queue.connection import reachable

# A page that is open comes again with each new value; this outlasts the pause between two polls of
# a device.
LOOKED_FOR = timedelta(seconds=30)
Stored = TypeVar("Stored", bound=Message)


class LiveFlows:
    """The last live powers and the steering of each site, which expire.

    Thread-safe; methods raise UnavailableError where Redis is away.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def share(
        self, flows: Mapping[str, LiveFlow | None], steering: Mapping[str, LiveSteering]
    ) -> frozenset[str]:
        """Store the powers of these sites, and return the sites with open pages.

        None where nothing is live; ``steering`` has the steered sites alone.
        """
        if not flows:
            return frozenset()
        names = list(flows)
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            for name, flow in flows.items():
                _store(pipe, _flow_key(name), flow)
                _store(pipe, _steering_key(name), steering.get(name))
            pipe.mget([_looked_key(name) for name in names])
            looked: list[Any] = pipe.execute()[-1]
        return frozenset(name for name, mark in zip(names, looked, strict=True) if mark)

    def read_text(self, site_id: str) -> str:
        """Return a site's powers and steering as stored, "" where nothing is live."""
        with reachable():
            texts: Any = self._redis.mget([_flow_key(site_id), _steering_key(site_id)])
        return "".join(text.decode() for text in texts if text)

    def read(self, site_id: str) -> LiveFlow | None:
        """Return a site's last powers, None where nothing is live."""
        return self._read(_flow_key(site_id), LiveFlow)

    def read_steering(self, site_id: str) -> LiveSteering | None:
        """Return what steering does at a site, None where it does nothing."""
        return self._read(_steering_key(site_id), LiveSteering)

    def _read(self, key: str, message: type[Stored]) -> Stored | None:
        with reachable():
            text: Any = self._redis.get(key)
        try:
            return message.model_validate_json(text) if text else None
        except ValidationError:
            # Of another version, which the running update will end.
            return None

    def look(self, site_id: str) -> None:
        """Record that a site's page is open.

        Its devices are polled more often for a while.
        """
        with reachable():
            self._redis.set(_looked_key(site_id), 1, ex=LOOKED_FOR)


def _store(pipe: Any, key: str, message: Message | None) -> None:
    if message is None:
        pipe.delete(key)
    else:
        pipe.set(key, message.model_dump_json(), ex=LIVE_FOR)


def _flow_key(site_id: str) -> str:
    return f"{PREFIX}live:{site_id}"


def _steering_key(site_id: str) -> str:
    return f"{PREFIX}steering:{site_id}"


def _looked_key(site_id: str) -> str:
    return f"{PREFIX}looked:{site_id}"
