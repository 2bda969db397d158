"""The worker beside the demo lives as long as the demo."""

import os
from pathlib import Path

import pytest

from luna.embedded import Servers
from luna.errors import MachineError
from luna.queue import Client
from services.cli.demo.worker import run_worker


def test_a_worker_is_gone_when_its_block_ends(servers: Servers, tmp_path: Path) -> None:
    client = Client(servers.redis_url)
    with run_worker(servers, tmp_path) as worker:
        worker.wait_until_ready(client)
        worker.check()
        pid = worker.pid
    client.close()
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_a_worker_that_ends_says_why(servers: Servers, tmp_path: Path) -> None:
    away = Servers(tmp_path / "servers")
    away.urls.update(servers.urls | {"redis": "redis://127.0.0.1:1/0"})
    client = Client(servers.redis_url)
    with run_worker(away, tmp_path) as worker:
        os.killpg(worker.pid, 9)
        with pytest.raises(MachineError, match=r"the worker has ended.*worker\.log"):
            worker.wait_until_ready(client)
    client.close()
