"""The worker beside the demo lives as long as the demo."""

import os
from pathlib import Path

import pytest

from luna.energy.errors import MachineError
from luna.platform.embedded.supervisor import Servers
from luna.platform.queue import Client
from services.demo.environment import run_worker


@pytest.fixture
def own(servers: Servers, redis_url: str, tmp_path: Path) -> Servers:
    """The servers, with a queue in which no other test's worker shows."""
    own = Servers(tmp_path / "servers")
    own.urls.update(servers.urls | {"redis": redis_url})
    return own


def test_a_worker_is_gone_when_its_block_ends(own: Servers, tmp_path: Path) -> None:
    client = Client(own.redis_url)
    with run_worker(own, tmp_path, cache=tmp_path) as worker:
        worker.wait_until_ready(client.heartbeats)
        worker.check()
        pid = worker.pid
    client.close()
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_a_worker_that_ends_says_why(own: Servers, tmp_path: Path) -> None:
    client = Client(own.redis_url)
    with run_worker(own, tmp_path, cache=tmp_path) as worker:
        os.killpg(worker.pid, 9)
        with pytest.raises(MachineError, match=r"the worker has ended.*worker\.log"):
            worker.wait_until_ready(client.heartbeats)
    client.close()
