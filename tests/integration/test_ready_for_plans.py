"""``/health/ready``: whether plans are served, as told by workers and by what waits."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import redis

from luna.contracts.health import Check, NodeSign
from luna.platform.clock import SystemClock
from luna.platform.embedded.supervisor import Addresses
from luna.platform.health.readiness import TAKES
from luna.platform.queue.task_monitor import SENT_AT
from services.api.gateway import PLANS
from tests.support.gateway.server import serve


@pytest.fixture
def queue(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as queue:
        queue.delete("luna:nodes", f"luna:{PLANS}")
        yield queue
        queue.delete("luna:nodes", f"luna:{PLANS}")


@pytest.fixture
def api(queue: "redis.Redis", redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def lives(
    queue: "redis.Redis", name: str, *, queues: tuple[str, ...] = (PLANS,), takes: bool = True
) -> None:
    """Let a worker have given a sign of life."""
    check = Check(TAKES, ok=takes, latency_ms=0.0, detail="3 messages wait and none is taken")
    sign = NodeSign(
        version="1",
        started_at=SystemClock().now(),
        queues=dict.fromkeys(queues, ()),
        checks=(check,),
    )
    queue.sadd("luna:nodes", name)
    queue.set(f"luna:node:{name}", sign.model_dump_json(), ex=60)


def waits(queue: "redis.Redis", age: timedelta) -> None:
    """Let a plan have been asked for that long ago."""
    message: dict[str, Any] = {"headers": {SENT_AT: (SystemClock().now() - age).timestamp()}}
    queue.lpush(f"luna:{PLANS}", json.dumps(message))


def worker_check(api: httpx.Client) -> tuple[int, str]:
    answer = api.get("/health/ready")
    return answer.status_code, next(
        check["detail"] for check in answer.json()["checks"] if check["name"] == "worker"
    )


def test_a_worker_for_plans_that_takes_them_is_enough(
    api: httpx.Client, queue: "redis.Redis"
) -> None:
    lives(queue, "well")
    lives(queue, "starved", takes=False)
    waits(queue, timedelta(seconds=1))
    assert worker_check(api) == (200, "2 live")


def test_a_worker_for_jobs_alone_serves_no_plans(api: httpx.Client, queue: "redis.Redis") -> None:
    lives(queue, "jobs", queues=("planner",))
    status, said = worker_check(api)
    assert (status, "no worker serves" in said) == (503, True)


def test_workers_that_take_nothing_serve_no_plans(api: httpx.Client, queue: "redis.Redis") -> None:
    lives(queue, "starved", takes=False)
    status, said = worker_check(api)
    assert (status, "none is taken" in said) == (503, True)


def test_a_plan_that_has_waited_for_half_the_time_that_anybody_waits_says_that_plans_are_not_served(
    api: httpx.Client, queue: "redis.Redis"
) -> None:
    lives(queue, "well")
    # The tests' gateway waits for twenty seconds.
    waits(queue, timedelta(seconds=11))
    waits(queue, timedelta(seconds=1))
    status, said = worker_check(api)
    # A busy machine takes a moment longer.
    assert (status, re.search(r"waiting for 1\d s", said) is not None) == (503, True)
