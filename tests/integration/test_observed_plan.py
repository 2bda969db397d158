"""One plan, asked of the gateway and made by a worker's own process, as it is seen from outside."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from luna.embedded import Addresses
from tests.gateway import serve
from tests.processes import free_port, luna_process, says
from tests.workers import wait_for

REQUEST: dict[str, Any] = json.loads((Path(__file__).parents[2] / "examples" / "plan_request.json").read_text(encoding="utf-8"))


@pytest.fixture
def worker(redis_url: str, database_url: str, tmp_path: Path) -> Iterator[int]:
    """A worker for plans; yields the port of its metrics."""
    port = free_port()
    arguments = ("planner", "--only", "interactive", "--processes", "1", "--beat-seconds", "0.5", "--health-port", str(port))
    with luna_process("luna.queue.worker", *arguments, redis_url=redis_url, database_url=database_url, data_folder=str(tmp_path)):
        wait_for(lambda: says(port, "ready", 200))
        yield port


def read(port: int) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("luna_"))}


def test_what_a_task_counts_in_its_own_process_is_read_from_the_worker(worker: int, database_url: str, redis_url: str) -> None:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as api:
        for _ in range(2):
            api.post("/plan", json=REQUEST).raise_for_status()
    plans = 'luna_planner_plan_status_total{status="optimal"}'
    wait_for(lambda: read(worker).get(plans) == 2)
    found = read(worker)
    assert found["luna_planner_plan_gap_ratio_count"] == 2
    assert found["luna_planner_solve_seconds_count"] == 2
    assert found['luna_queue_wait_seconds_count{queue="planner.interactive"}'] == 2
    assert found['luna_queue_tasks_total{outcome="succeeded",task="planner.schedule.solve"}'] == 2
