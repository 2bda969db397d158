"""The gateway on a free port, for tests over HTTP."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import httpx
import redis
import uvicorn

from luna.platform.clock import Clock
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue.connection import connect
from luna.platform.settings import Settings
from services.api.app import create_app
from services.api.server import GatewayProtocol
from tests.support.gateway.certificates import NO_CERTIFICATES
from tests.support.gateway.prompt_server import PromptServer

OWNER_TOKEN = "a token of the owner of the tests"
OWNER = {"Authorization": f"Bearer {OWNER_TOKEN}"}


@contextmanager
def serve(
    addresses: Addresses,
    clock: Clock | None = None,
    *,
    headers: Mapping[str, str] = OWNER,
    **settings: Any,
) -> Iterator[httpx.Client]:
    """Run the gateway on a free port and yield a client of it, its owner's if no other ``headers``
    are given; ``settings`` are those that matter.
    """
    _forget_requests(addresses.redis_url)
    usual = {
        "plan_timeout": timedelta(seconds=20),
        "token_key": "a key of the tests and of nobody else",
        "requests_per_minute": 1_000_000,
    }
    usual["owner_token"] = OWNER_TOKEN
    own = Settings(**(usual | settings))
    app = create_app(own, addresses, clock=clock)
    # Whoever still waits for an answer when the test is over would be waited for until the plan's
    # time-out.
    config = uvicorn.Config(
        app,
        http=GatewayProtocol,
        port=0,
        log_config=None,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = PromptServer(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.002)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=30, headers=headers, verify=NO_CERTIFICATES
        ) as client:
            yield client
    finally:
        server.end()
        thread.join()


def _forget_requests(redis_url: str) -> None:
    """Begin to count anew: all tests ask from one address, and a gateway takes its share of a
    minute's budget at once, so that some use it up.
    """
    with suppress(redis.RedisError), connect(redis_url) as counts:
        for key in counts.scan_iter("luna:limit:*"):
            counts.delete(key)
