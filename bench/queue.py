"""Tasks per second and round trip through the queue, with Luna's base class and bare.

``POST /plan`` over the planner's own time.

Run as ``python -m bench.queue``; figures of one run only compare with each other.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import redis

from bench.gateway import GATEWAY, serving
from bench.processes import ProcessTree
from bench.stack import data_servers, owner_headers
from luna.contracts.message import Request
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client
from luna.platform.telemetry import configure_logging

TASKS = 1500
ROUNDS = 3
TRIPS = 300
PLANS = 60
SOON = timedelta(seconds=60)


def measure() -> dict[str, Any]:
    """Return the figures; ``post_plan`` is left out where the planner's tasks are not installed."""
    configure_logging("bench", level="WARNING")
    with ExitStack() as stack:
        addresses, folder = stack.enter_context(data_servers())
        os.environ["LUNA_REDIS_URL"] = addresses.redis_url
        return _measure_tasks(addresses) | _measure_gateway(addresses, folder)


def _measure_tasks(addresses: Addresses) -> dict[str, Any]:
    from bench.queue_bare import bare, return_bare
    from bench.queue_tasks import NumberRequest

    client = Client(addresses.redis_url)
    store = redis.Redis.from_url(addresses.redis_url)
    luna = ["luna.platform.queue.worker", "--modules", "bench.queue_tasks"]
    with run_worker(luna, addresses), run_worker(["bench.queue_bare"], addresses):
        client.call(NumberRequest(value=0), timeout=SOON)
        return_bare.delay(0).get(timeout=60)
        ours = []
        theirs = []
        for _ in range(ROUNDS):
            ours.append(
                TASKS
                / _time_all(
                    store, client.submit, [NumberRequest(value=value) for value in range(TASKS)]
                )
            )
            theirs.append(
                TASKS
                / _time_all(
                    store,
                    return_bare.apply_async,
                    [(value,) for value in range(TASKS)],
                    prefix="bare",
                )
            )
        trips = [
            _timed(lambda: client.call(NumberRequest(value=1), timeout=SOON)) for _ in range(TRIPS)
        ]
        bare_trips = [_timed(lambda: return_bare.delay(1).get(timeout=60)) for _ in range(TRIPS)]
    client.close()
    bare.close()
    return {
        "tasks_per_s": median(ours),
        "round_trip_p50_ms": median(trips),
        "peers": {
            "celery": {"tasks_per_s": median(theirs), "round_trip_p50_ms": median(bare_trips)}
        },
        "ratio_to_bare": median(ours) / median(theirs),
    }


def _measure_gateway(addresses: Addresses, folder: Path) -> dict[str, Any]:
    """Return what ``POST /plan`` takes over the planner's own time, beside the round trip of a task
    that does nothing, by turns.
    """
    if not (Path(__file__).parents[1] / "services/planner/tasks.py").exists():
        return {"missing": ["post_plan"]}
    from bench.queue_tasks import NumberRequest

    with (
        run_worker(["luna.platform.queue.worker", "planner"], addresses) as planner,
        run_worker(["luna.platform.queue.worker", "--modules", "bench.queue_tasks"], addresses),
        serving(GATEWAY, addresses, str(folder)) as (port, gateway),
        closing(HTTPConnection("127.0.0.1", port)) as api,
        closing(Client(addresses.redis_url)) as client,
    ):
        headers = owner_headers(folder) | {"Content-Type": "application/json"}
        trees = {
            "gateway": ProcessTree(gateway.pid, "gateway"),
            "worker": ProcessTree(planner.pid, "worker"),
        }
        client.call(NumberRequest(value=0), timeout=SOON)
        _post_plan(api, _plan_request(), headers)
        trips = []
        whole = []
        own = []
        answer = b""
        before = {kind: tree.cpu() for kind, tree in trees.items()}
        for number in range(PLANS):
            # The same request would be the same plan, which is stored once.
            document = _plan_request() | {
                "state": {"batteries": {"battery": {"soc": 0.2 + 0.01 * number}}}
            }
            trips.append(_timed(lambda: client.call(NumberRequest(value=1), timeout=SOON)))
            begun = time.perf_counter()
            answer = _post_plan(api, document, headers)
            whole.append((time.perf_counter() - begun) * 1000)
            own.append(sum(json.loads(answer)["timing_ms"].values()))
        spent = {kind: tree.cpu().spent_since(before[kind])[kind] for kind, tree in trees.items()}
    over = median(each - planned for each, planned in zip(whole, own, strict=True))
    return {
        "post_plan": {
            "p50_ms": median(whole),
            "planner_p50_ms": median(own),
            "over_planner_p50_ms": over,
            "round_trip_p50_ms": median(trips),
            "over_in_round_trips": over / median(trips),
            "cpu_ms": {kind: seconds * 1000 / PLANS for kind, seconds in spent.items()},
            "slots": len(json.loads(answer)["slots"]),
        }
    }


def _post_plan(
    api: HTTPConnection, document: Mapping[str, Any], headers: Mapping[str, str]
) -> bytes:
    api.request("POST", "/plan", json.dumps(document), headers)
    response = api.getresponse()
    answer = response.read()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"POST /plan answered {response.status}: {answer[:200]!r}")
    return answer


def _time_all(
    store: redis.Redis, send: Callable[[Any], object], tasks: Sequence[Any], *, prefix: str = "luna"
) -> float:
    """Return the seconds from the first task sent to the last result stored."""
    before = _count_results(store, prefix)
    begun = time.perf_counter()
    for task in tasks:
        send(task)
    while _count_results(store, prefix) < before + len(tasks):
        time.sleep(0.02)
    return time.perf_counter() - begun


def _count_results(store: redis.Redis, prefix: str) -> int:
    """Return how many tasks have left their result."""
    return sum(1 for _ in store.scan_iter(f"{prefix}:celery-task-meta-*", count=10_000))


def time_requests(addresses: Addresses, requests: Sequence[Request]) -> float:
    """Return the seconds from the first request sent to the last one done."""
    with (
        redis.Redis.from_url(addresses.redis_url) as store,
        closing(Client(addresses.redis_url)) as client,
    ):
        return _time_all(store, client.submit, requests)


def compare_processes(measure: Callable[[int], Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return by kind of site, of some rounds by turns of one worker process and of two, medians of
    sites per minute and what the second process brings.

    Args:
        measure: returns sites per minute by kind, with so many processes.
    """
    rounds = [(measure(1), measure(2)) for _ in range(ROUNDS)]
    return {
        kind: {
            "sites_per_minute_1": median(one[kind] for one, _ in rounds),
            "sites_per_minute_2": median(two[kind] for _, two in rounds),
            "second_process": median(two[kind] / one[kind] for one, two in rounds),
        }
        for kind in rounds[0][0]
    }


def measure_batches(
    addresses: Addresses, names: Sequence[str], ask: Callable[[list[str]], Request], *, size: int
) -> float:
    """Return sites per minute where they are asked for in batches."""
    batches = [list(names[first : first + size]) for first in range(0, len(names), size)]
    return 60 * len(names) / time_requests(addresses, [ask(batch) for batch in batches])


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


@contextmanager
def run_worker(
    module: list[str], addresses: Addresses, *, processes: int = 2
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker, or what stands for one, while the block runs."""
    named = {
        "LUNA_REDIS_URL": addresses.redis_url,
        "LUNA_DATABASE_URL": addresses.database_url,
        "LUNA_WORKER_PROCESSES": str(processes),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        env=os.environ | named,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _plan_request() -> dict[str, Any]:
    day = [0.1 + 0.05 * (slot % 96 > 68) for slot in range(192)]
    price = [0.25 + 0.1 * ((slot // 24) % 4 == 3) for slot in range(192)]
    sun = [max(0.0, 0.6 - 0.02 * abs(slot % 96 - 50)) for slot in range(192)]
    return {
        "site": {
            "name": "home",
            "timezone": "Europe/Berlin",
            "currency": "EUR",
            "location": {"latitude": 52.5, "longitude": 13.4},
            "grid": {"import_limit_kw": 11, "export_limit_kw": 8},
            "batteries": [
                {
                    "name": "battery",
                    "capacity_kwh": 10,
                    "charge_limit_kw": 5,
                    "discharge_limit_kw": 5,
                }
            ],
            "tariff": {
                "import": {"kind": "spot", "market": "NL", "markup": 0.13},
                "export": {"kind": "fixed", "price": 0.07},
            },
        },
        "start": "2024-02-01T00:00:00Z",
        "outlook": {
            "load_kwh": day,
            "pv_kwh": sun,
            "import_price": price,
            "export_price": [0.07] * 192,
        },
        "state": {"batteries": {"battery": {"soc": 0.5}}},
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
