"""Plans per minute through the queue, stored, by one worker process and by two: battery only, and with car, water heater and a price on the peak.

Run as ``python -m bench.fleet``; figures of one run only compare with each other. With two cores, database and queue take their share of both.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import redis

from bench.cases import SEED, draw_case, generate_full_cases
from bench.queue import SOON, count_results, run_worker
from luna.contracts.plan import PlanRequest
from luna.database.migrate import upgrade
from luna.embedded import Addresses, start
from luna.queue import Client
from luna.telemetry import configure_logging

BATTERY_PLANS, FULL_PLANS = 300, 20
PROCESSES = (1, 2)


def measure() -> dict[str, Any]:
    """Return sites per minute by problem and worker processes, and what the second process brings."""
    configure_logging("bench", level="WARNING")
    with _servers() as addresses:
        rates = {count: _measure_workers(addresses, count) for count in PROCESSES}
    return {name: _describe([rates[count][name] for count in PROCESSES]) for name in FLEETS}


def draw_fleet(draw: Callable[[np.random.Generator], list[dict[str, Any]]], count: int, *, name: str) -> list[PlanRequest]:
    """Return requests of different sites: no two are alike, for equal work is done once, and what is stored already is not stored again."""
    rng = np.random.default_rng(SEED)
    documents: list[dict[str, Any]] = []
    while len(documents) < count:
        documents += draw(rng)
    named = [document | {"site": document["site"] | {"name": f"{name}_{place}"}} for place, document in enumerate(documents[:count])]
    return [PlanRequest.model_validate(document) for document in named]


def _draw_batteries(rng: np.random.Generator) -> list[dict[str, Any]]:
    return [draw_case(rng, name="battery", dip=0.0)]


def _draw_full(rng: np.random.Generator) -> list[dict[str, Any]]:
    return generate_full_cases(rng)


FLEETS = {"battery": (_draw_batteries, BATTERY_PLANS), "full": (_draw_full, FULL_PLANS)}


def _describe(rates: Sequence[float]) -> dict[str, float]:
    one, two = rates
    return {"sites_per_minute_1": one, "sites_per_minute_2": two, "second_process": two / one}


@contextmanager
def _servers() -> Iterator[Addresses]:
    with tempfile.TemporaryDirectory(prefix="luna-bench-") as folder:
        Path(folder).chmod(0o711)
        with start(Path(folder)) as servers:
            upgrade(servers.database_url)
            os.environ["LUNA_REDIS_URL"] = servers.redis_url
            yield Addresses(database_url=servers.database_url, redis_url=servers.redis_url)


def _measure_workers(addresses: Addresses, processes: int) -> dict[str, float]:
    fleets = {name: draw_fleet(draw, count + 4 * processes, name=f"{name}_{processes}") for name, (draw, count) in FLEETS.items()}
    store, client = redis.Redis.from_url(addresses.redis_url), Client(addresses.redis_url)
    with run_worker(["luna.queue.worker", "planner"], addresses, processes=processes):
        for fleet in fleets.values():
            # Each process has loaded what it needs, and planned once.
            for request in fleet[: 4 * processes]:
                client.call(request, timeout=SOON)
        rates = {name: _rate(client, store, fleet[4 * processes :]) for name, fleet in fleets.items()}
    client.close()
    return rates


def _rate(client: Client, store: "redis.Redis", fleet: Sequence[PlanRequest]) -> float:
    """Return plans per minute from the first one sent to the last one stored."""
    before, begun = count_results(store), time.perf_counter()
    for request in fleet:
        client.submit(request)
    while count_results(store) < before + len(fleet):
        time.sleep(0.05)
    return 60 * len(fleet) / (time.perf_counter() - begun)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
