"""What routes are given: the settings, the database, the queue."""

from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy import Engine

from luna.contracts.message import Request as RequestMessage
from luna.errors import UnavailableError
from luna.queue import Client
from luna.settings import Settings

# Calls that may wait for a worker at the same time; each holds one thread and one connection.
MAX_WAITING = 64


@dataclass
class Gateway:
    """The gateway's connections, made once per process."""

    settings: Settings
    database: Engine
    queue: Client
    _waiting: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MAX_WAITING))

    async def ask(self, request: RequestMessage) -> Any:
        """Return the reply of the service that ``request`` names, without blocking other requests.

        Raises:
            UnavailableError: too many calls wait already, the queue is away, or no reply came in time.
            LunaError: what the service raised.
        """
        if self._waiting.available_tokens < 1:
            raise UnavailableError(f"{MAX_WAITING} requests wait already", remedy="Try again shortly, or run more workers.")
        call = partial(self.queue.call, request, timeout=self.settings.plan_timeout)
        return await to_thread.run_sync(call, limiter=self._waiting, abandon_on_cancel=True)

    def close(self) -> None:
        """Close every connection."""
        self.queue.close()
        self.database.dispose()


def _current(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


CurrentGateway = Annotated[Gateway, Depends(_current)]
