"""Requests of a load test against stored sites, as bytes: by kind, and mixed as homes send them."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np

from bench.cases import SEED
from bench.stack import Stack
from bench.stored_sites import DAY, draw_days, store_sites
from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import engine, jobs, observations

SITES = 20
PAST_DAYS = 12
# An open page reads the plan far more often than an owner asks for a new one.
MIX = {"plan_read": 15, "history": 5, "readings": 2, "job": 2, "plan": 1}
SENSORS = ("load", "pv", "import", "export", "charge", "discharge", "heater", "soc")
# Long ago, so that uploads change no plan.
FIRST_READING = datetime(2020, 1, 1, tzinfo=UTC)
BOUNDARY = "luna-bench"


@dataclass(frozen=True, slots=True)
class RequestKind:
    """A kind of request.

    ``make`` returns the bytes of a request by its number in a run, from 0 on. ``first_rate``
    (requests per second) is sustained by any machine.
    """

    make: Callable[[int], bytes]
    first_rate: float
    leaves_job: bool = False


def prepare_sites(stack: Stack) -> list[str]:
    """Store sites and plan each once; return their names."""
    now = SystemClock().now()
    names = store_sites(stack.database, SITES, until=now, past_days=1)
    with engine.unit_of_work(stack.database) as connection:
        for name in names:
            past = draw_days(
                floor_to(now, SLOT) - PAST_DAYS * DAY, PAST_DAYS - 1, np.random.default_rng(SEED)
            )
            # Load series only: training and replays by the clock would disturb the measurement.
            observations.write(connection, name, past.starts, {"load_kwh": past.load_kwh})
    with httpx.Client(
        base_url=f"http://127.0.0.1:{stack.port}",
        headers=dict(stack.headers),
        trust_env=False,
        timeout=60,
    ) as client:
        for name in names:
            client.post("/v1/plans", json={"site_id": name}).raise_for_status()
    return names


def list_kinds(stack: Stack, names: Sequence[str]) -> dict[str, RequestKind]:
    """Return the kinds by name; ``mixed`` draws from the others by ``MIX``."""
    site = _cycle(names)
    numbers = itertools.count()
    week = _week(SystemClock().now())
    alone = {
        "plan_read": RequestKind(lambda _: _get(stack, f"/v1/sites/{site()}/plans/latest"), 40.0),
        "history": RequestKind(
            lambda _: _get(stack, f"/v1/sites/{site()}/series/load_kwh?{week}"), 20.0
        ),
        "readings": RequestKind(
            lambda _: _upload(stack, site(), next(numbers)), 2.0, leaves_job=True
        ),
        "job": RequestKind(
            lambda _: _post(stack, "/v1/jobs", _judge_day(site(), next(numbers))),
            4.0,
            leaves_job=True,
        ),
        "plan": RequestKind(lambda _: _post(stack, "/v1/plans", {"site_id": site()}), 2.0),
    }
    order = draw_order()
    return alone | {
        "mixed": RequestKind(
            lambda number: alone[order[number % len(order)]].make(number), 10.0, leaves_job=True
        )
    }


def draw_order() -> list[str]:
    """Return the repeating sequence of kinds in the mixture."""
    order = [name for name, count in MIX.items() for _ in range(count)]
    return [order[place] for place in np.random.default_rng(SEED).permutation(len(order))]


def count_open_jobs(stack: Stack) -> int:
    """Return the number of open jobs."""
    with engine.unit_of_work(stack.database) as connection:
        counted = jobs.count(connection)
    return int(counted.queued + counted.running)


def count_failed_jobs(stack: Stack) -> int:
    """Return the number of jobs that ended without a reply, at most 1,000."""
    with engine.unit_of_work(stack.database) as connection:
        return sum(
            len(jobs.list_newest(connection, status=status, limit=500))
            for status in ("failed", "dead")
        )


def _cycle(names: Sequence[str]) -> Callable[[], str]:
    endless: Iterator[str] = itertools.cycle(names)
    return lambda: next(endless)


def _week(now: datetime) -> str:
    first, end = ((now - back * DAY).strftime("%Y-%m-%dT00:00:00Z") for back in (8, 1))
    return f"from={first}&to={end}&resolution=15m"


def _judge_day(site_id: str, number: int) -> dict[str, object]:
    day = (SystemClock().now() - (2 + number % (PAST_DAYS - 3)) * DAY).date().isoformat()
    return {
        "task": "ingest.quality.judge",
        "request": {"site_id": site_id, "from_day": day, "to_day": day},
        "key": f"bench-{number}",
    }


def _upload(stack: Stack, site_id: str, number: int) -> bytes:
    """Return a minute of eight sensors as a file."""
    instant = (FIRST_READING + number * timedelta(minutes=1)).isoformat()
    rows = "\n".join(
        f"{instant},sensor.{name},{number % 1000 + place},kWh" for place, name in enumerate(SENSORS)
    )
    parts = {
        'name="kind"': "readings",
        'name="file"; filename="minute.csv"': f"instant,sensor,value,unit\n{rows}\n",
    }
    form = "".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {named}\r\n\r\n{value}\r\n"
        for named, value in parts.items()
    )
    media_type = f"multipart/form-data; boundary={BOUNDARY}"
    return _compose(
        stack,
        f"POST /v1/sites/{site_id}/uploads",
        {"Content-Type": media_type},
        f"{form}--{BOUNDARY}--\r\n".encode(),
    )


def _get(stack: Stack, path: str) -> bytes:
    return _compose(stack, f"GET {path}", {"Accept-Encoding": "gzip"})


def _post(stack: Stack, path: str, document: object) -> bytes:
    return _compose(
        stack, f"POST {path}", {"Content-Type": "application/json"}, json.dumps(document).encode()
    )


def _compose(stack: Stack, asked: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    length = {"Content-Length": str(len(body))} if body else {}
    named = "".join(
        f"{name}: {value}\r\n"
        for name, value in {
            "Host": f"127.0.0.1:{stack.port}",
            **stack.headers,
            **headers,
            **length,
        }.items()
    )
    return f"{asked} HTTP/1.1\r\n{named}\r\n".encode() + body
