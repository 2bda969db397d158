"""Share live powers of sites in Redis.

The recorder writes them, the gateway reads them and leaves a mark while somebody looks.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import redis
from pydantic import ValidationError

from luna.contracts.live_flow import LIVE_FOR, LiveFlow
from luna.platform.queue.app import PREFIX
from luna.platform.queue.connection import reachable

# A page that is open comes again with each new value; this outlasts the pause between two polls of
# a device.
LOOKED_FOR = timedelta(seconds=30)


class LiveFlows:
    """The last live powers of each site, which expire.

    Thread-safe; methods raise UnavailableError where Redis is away.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def share(self, flows: Mapping[str, LiveFlow | None]) -> frozenset[str]:
        """Store the powers of these sites, and return the sites with open pages.

        None where nothing is live.
        """
        if not flows:
            return frozenset()
        names = list(flows)
        with reachable():
            pipe = self._redis.pipeline(transaction=False)
            for name, flow in flows.items():
                if flow is None:
                    pipe.delete(_flow_key(name))
                else:
                    pipe.set(_flow_key(name), flow.model_dump_json(), ex=LIVE_FOR)
            pipe.mget([_looked_key(name) for name in names])
            looked: list[Any] = pipe.execute()[-1]
        return frozenset(name for name, mark in zip(names, looked, strict=True) if mark)

    def read_text(self, site_id: str) -> str:
        """Return a site's powers as stored, "" where nothing is live."""
        with reachable():
            text: Any = self._redis.get(_flow_key(site_id))
        return text.decode() if text else ""

    def read(self, site_id: str) -> LiveFlow | None:
        """Return a site's last powers, None where nothing is live."""
        text = self.read_text(site_id)
        try:
            return LiveFlow.model_validate_json(text) if text else None
        except ValidationError:
            # Of another version, which the running update will end.
            return None

    def look(self, site_id: str) -> None:
        """Record that a site's page is open.

        Its devices are polled more often for a while.
        """
        with reachable():
            self._redis.set(_looked_key(site_id), 1, ex=LOOKED_FOR)


def _flow_key(site_id: str) -> str:
    return f"{PREFIX}live:{site_id}"


def _looked_key(site_id: str) -> str:
    return f"{PREFIX}looked:{site_id}"
