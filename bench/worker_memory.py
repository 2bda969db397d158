"""What a worker's memory grows by per task: the smallest task there is, with the time limit of a
file that is loaded.

Run as ``python -m bench.worker_memory``. Growth counts after a warm-up, a while after the last task
of each part.
"""

import json
import time
from datetime import timedelta
from typing import Any

import redis

from bench.processes import ProcessTree
from bench.queue import run_worker
from bench.queue_tasks import LimitedRequest
from bench.stack import data_servers
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client
from luna.platform.queue.app import PREFIX
from luna.platform.telemetry import configure_logging

WARM_UP = 4_000
TASKS = 12_000
SOON = timedelta(seconds=60)
REST_SECONDS = 15.0


def measure() -> dict[str, Any]:
    """Return megabytes of the worker's processes by tasks done, and bytes per task after the
    warm-up.
    """
    configure_logging("bench", level="WARNING")
    with (
        data_servers() as (addresses, _),
        run_worker(
            ["luna.platform.queue.worker", "--modules", "bench.queue_tasks"], addresses
        ) as worker,
    ):
        client = Client(addresses.redis_url)
        tree = ProcessTree(worker.pid, "worker")
        before = _work(client, addresses, tree, WARM_UP)
        after = _work(client, addresses, tree, TASKS)
        client.close()
    return {
        "tasks": TASKS,
        "before_mb": before,
        "after_mb": after,
        "bytes_per_task": (after - before) * 2**20 / TASKS,
    }


def _work(client: Client, addresses: Addresses, tree: ProcessTree, tasks: int) -> float:
    """Have tasks done, and return the worker's own memory a while after the last one, MB."""
    for value in range(tasks):
        client.submit(LimitedRequest(value=value))
    with redis.Redis.from_url(addresses.redis_url) as queue:
        while queue.llen(f"{PREFIX}{LimitedRequest.queue()}"):
            time.sleep(0.1)
    client.call(LimitedRequest(value=0), timeout=SOON)
    time.sleep(REST_SECONDS)
    return tree.holds()["worker"].own_mb


def main() -> None:
    print(json.dumps(measure(), indent=2))


if __name__ == "__main__":
    main()
