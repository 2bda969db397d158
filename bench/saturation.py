"""Load test of ``luna up``: find each kind of request's saturation point (knee) at growing rates,
and the behaviour under overload.

Run as ``python -m bench.saturation``. Arrivals have a constant rate (open loop), and waits count
from when a request was due. The client runs on the same machine, so rates are those of all cores
less its own; figures compare only within one run.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import numpy as np

from bench.cases import SEED
from bench.http_load import Arrivals, arrive
from bench.stack import UNLIMITED, Stack, data_folder, luna_up
from bench.waiting import wait_until
from bench.workload import (
    RequestKind,
    count_failed_jobs,
    count_open_jobs,
    list_kinds,
    prepare_sites,
)
from luna.energy.timeline import FloatArray
from luna.platform.settings import Settings
from luna.platform.telemetry import configure_logging

SECONDS = 5.0
FULL_SECONDS = 15.0
WARM_UP_SECONDS = 3.0
# Fewest requests for a percentile, longest step to collect them.
FEWEST = 60
LONGEST_SECONDS = 20.0
GROWTH = 1.5
MOST_STEPS = 20
# The knee is the last sustained rate: p99 within this multiple of the quiet p99, no errors, no
# backlog of jobs.
KNEE_TIMES = 4.0
FOLLOWED = 0.95
BACKLOG_SECONDS = 2.0
# Overload: this multiple of the knee, with enough requests to fill the gateway's queue.
OVERLOAD = 3.0
OVERLOAD_REQUESTS = 250
OVERLOAD_SECONDS = 40.0
DRAIN_SECONDS = 180.0
REFUSALS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return by kind of request the steps, the knee, the busiest process there, behaviour under
    overload and after it; and the refusals of a rate limit.
    """
    configure_logging("bench", level="WARNING")
    seconds = FULL_SECONDS if full else SECONDS
    with data_folder() as folder:
        with luna_up(folder, settings=UNLIMITED) as stack:
            kinds = list_kinds(stack, prepare_sites(stack))
            figures: dict[str, Any] = {
                name: _load(stack, kind, seconds) for name, kind in kinds.items()
            }
        with luna_up(folder, headers=stack.headers) as limited:
            # One key sends 1.5 times its budget of a minute.
            rate = 150.0
            count = 1.5 * Settings.model_fields["requests_per_minute"].default
            over = arrive(
                limited.port,
                list_kinds(limited, ["site_00000"])["plan_read"].make,
                rate=rate,
                seconds=count / rate,
            )
            figures["budget"] = _describe_beyond(over, rate=rate)
    return figures | {"seed": SEED}


@dataclass(frozen=True, slots=True)
class Step:
    """The results at one rate.

    ``cores`` used by kind of process, ``busiest`` by the busiest process of each kind, ``machine``
    by the whole machine; ``cpu_ms`` per request by kind of process, including the request's job.
    """

    rate: float
    served_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    statuses: dict[str, int]
    jobs_left: int
    cores: dict[str, float]
    busiest: dict[str, float]
    machine: float
    cpu_ms: dict[str, float]

    def follows(self, quiet: "Step") -> str | None:
        """Return why this rate is not sustained, None if it is."""
        if set(self.statuses) - {"2xx"}:
            return "refusals"
        if self.served_per_s < FOLLOWED * self.rate:
            return "throughput"
        if self.jobs_left > max(BACKLOG_SECONDS * self.rate, 10):
            return "jobs left behind"
        return "p99" if self.p99_ms > KNEE_TIMES * quiet.p99_ms else None


def find_knee(stack: Stack, kind: RequestKind, *, seconds: float) -> tuple[list[Step], str]:
    """Return the steps from a quiet rate to the first that is not sustained, and the reason.

    The knee is the last but one.
    """
    steps = [_step(stack, kind, kind.first_rate, seconds)]
    while len(steps) < MOST_STEPS:
        rate = steps[-1].rate * GROWTH
        step = _step(stack, kind, rate, seconds)
        if step.follows(steps[0]):
            # Repeat once: other load on this machine may be the cause.
            step = _step(stack, kind, rate, seconds)
        steps.append(step)
        if reason := step.follows(steps[0]):
            return steps, reason
    raise RuntimeError(f"{steps[-1].rate:.0f} requests a second are still followed")


def _load(stack: Stack, kind: RequestKind, seconds: float) -> dict[str, Any]:
    warm_up(stack, kind)
    steps, reason = find_knee(stack, kind, seconds=seconds)
    quiet = steps[0]
    knee = steps[-2]
    past = steps[-1]
    rate = OVERLOAD * knee.rate
    beyond = arrive(
        stack.port,
        kind.make,
        rate=rate,
        seconds=min(max(seconds, OVERLOAD_REQUESTS / rate), OVERLOAD_SECONDS),
    )
    drained_s = drain(stack)
    after = _step(stack, kind, quiet.rate, SECONDS)
    # The kind whose busiest process is nearest to a whole core.
    busiest = max(past.busiest, key=lambda name: past.busiest[name])
    return {
        "knee_per_s": knee.rate,
        "ended_by": reason,
        "busiest": {busiest: past.busiest[busiest], "machine": past.machine},
        "cpu_ms": past.cpu_ms,
        "quiet_p99_ms": quiet.p99_ms,
        "steps": [asdict(step) for step in steps],
        "beyond": _describe_beyond(beyond, rate=rate) | {"jobs_drained_s": drained_s},
        "after": {
            "p99_over_quiet": after.p99_ms / quiet.p99_ms,
            "statuses": after.statuses,
            "jobs_ended_badly": count_failed_jobs(stack),
            "restarts": stack.count_restarts(),
        },
    }


def _step(stack: Stack, kind: RequestKind, rate: float, seconds: float) -> Step:
    before = stack.processes.cpu()
    arrivals = arrive(
        stack.port, kind.make, rate=rate, seconds=min(max(seconds, FEWEST / rate), LONGEST_SECONDS)
    )
    left = count_open_jobs(stack) if kind.leaves_job else 0
    cores, busiest, machine = stack.processes.cpu().cores_since(before)
    drain(stack)
    spent = {
        kind: 1000 * seconds / arrivals.statuses.size
        for kind, seconds in stack.processes.cpu().spent_since(before).items()
    }
    p50, p95, p99 = np.percentile(arrivals.waited_ms, [50, 95, 99])
    served = float(arrivals.served.sum()) / arrivals.seconds
    used = _round(cores), _round(busiest), round(machine, 2), _round(spent)
    return Step(
        rate, served, float(p50), float(p95), float(p99), count_statuses(arrivals), left, *used
    )


def warm_up(stack: Stack, kind: RequestKind) -> None:
    """Let every process load what this kind of request needs, and drain the queue."""
    arrive(stack.port, kind.make, rate=kind.first_rate, seconds=WARM_UP_SECONDS)
    drain(stack)


def drain(stack: Stack) -> float:
    """Wait until no job is open; return the seconds.

    Raises:
        TimeoutError: jobs are still open.
    """
    return wait_until(
        lambda: count_open_jobs(stack) == 0, seconds=DRAIN_SECONDS, what="an end of all jobs"
    )


def count_statuses(arrivals: Arrivals) -> dict[str, int]:
    """Count the responses by status: successes as one, errors each by its code, 0 for no
    response.
    """
    return dict(
        Counter(
            "2xx" if served else str(status)
            for served, status in zip(arrivals.served, arrivals.statuses, strict=True)
        )
    )


def _describe_beyond(arrivals: Arrivals, *, rate: float) -> dict[str, Any]:
    refused = np.isin(arrivals.statuses, REFUSALS)
    return {
        "rate": rate,
        "served_per_s": float(arrivals.served.sum()) / arrivals.seconds,
        "statuses": count_statuses(arrivals),
        "refusals_say_when": int((refused & arrivals.says_when).sum()),
        "served_p99_ms": _p99(arrivals.waited_ms[arrivals.served]),
        "refused_p99_ms": _p99(arrivals.waited_ms[refused]),
    }


def _p99(waited_ms: FloatArray) -> float | None:
    return float(np.percentile(waited_ms, 99)) if waited_ms.size else None


def _round(used: dict[str, float]) -> dict[str, float]:
    return {kind: round(each, 2) for kind, each in sorted(used.items()) if each >= 0.005}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
