"""Soak test: half an hour of mixed load at half of the saturation rate.

Finds leaks of memory, files, sockets and threads, and growing latency.

Run as ``python -m bench.soak`` (two minutes) or ``python -m bench.soak full``. Processes are
sampled every ten seconds. Slopes are Theil–Sen estimates (the median over all pairs of samples),
robust against a backup's minute or a burst of other load.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import theilslopes

from bench.background import BackgroundThreads
from bench.cases import SEED
from bench.http_load import Arrivals, arrive
from bench.processes import Held
from bench.saturation import count_statuses, drain, find_knee, warm_up
from bench.stack import UNLIMITED, Stack, data_folder, luna_up
from bench.workload import count_failed_jobs, count_open_jobs, draw_order, list_kinds, prepare_sites
from luna.energy.timeline import FloatArray
from luna.platform.telemetry import configure_logging

SECONDS = 120.0
FULL_SECONDS = 1800.0
STEP_SECONDS = 4.0
FULL_STEP_SECONDS = 10.0
SHARE_OF_KNEE = 0.5
SAMPLE_SECONDS = 10.0
# Ignored share of the run, in which caches and pools fill.
WARM_UP = 1 / 3
# Length of the first and the last span whose latencies are compared.
EDGE_SECONDS = 300.0
RESOURCES = ("own_mb", "share_mb", "files", "sockets", "threads")
# A leak is growth that is statistically certain and exceeds a heap's normal fluctuation over the
# run.
CONFIDENCE = 0.95
LEAK_SHARE = 0.02
LEAK_LEAST = {"own_mb": 2.0, "files": 3.0, "sockets": 3.0, "threads": 2.0}


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return the knee, the slopes by kind of process, latency at both ends, open jobs, and the
    slopes that are leaks.
    """
    configure_logging("bench", level="WARNING")
    seconds = FULL_SECONDS if full else SECONDS
    with data_folder() as folder, luna_up(folder, settings=UNLIMITED) as stack:
        kind = list_kinds(stack, prepare_sites(stack))["mixed"]
        warm_up(stack, kind)
        steps, reason = find_knee(stack, kind, seconds=FULL_STEP_SECONDS if full else STEP_SECONDS)
        knee = steps[-2].rate
        with Watch(stack) as watch:
            arrivals = arrive(stack.port, kind.make, rate=SHARE_OF_KNEE * knee, seconds=seconds)
        left = count_open_jobs(stack)
        drained_s = drain(stack)
        slopes = watch.slopes()
        leaks = _list_leaks(slopes, hours=seconds * (1 - WARM_UP) / 3600)
        minutes = watch.samples[:: int(60 / SAMPLE_SECONDS)]
        last = watch.samples[-1]
        return {
            "knee_per_s": knee,
            "ended_by": reason,
            "rate": SHARE_OF_KNEE * knee,
            "seconds": seconds,
            "requests": arrivals.statuses.size,
            "not_served": int((~arrivals.served).sum()),
            "statuses": count_statuses(arrivals),
            "latency": _compare_ends(arrivals, seconds),
            "slopes_per_hour": slopes,
            "leaks": leaks,
            "leaks_found": len(leaks),
            # The scenario of memory, a value per minute.
            "own_mb": {
                name: [round(sample[name].own_mb, 1) for sample in minutes if name in sample]
                for name in last
            },
            "processes": {name: held.processes for name, held in last.items()},
            "jobs_left": left,
            "jobs_drained_s": drained_s,
            "jobs_ended_badly": count_failed_jobs(stack),
            "restarts": stack.count_restarts(),
            "seed": SEED,
        }


class Watch(BackgroundThreads):
    """Samples the processes every ``SAMPLE_SECONDS`` in a thread of its own."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(self._look_on)
        self.instants: list[float] = []
        self.samples: list[Mapping[str, Held]] = []
        self._stack = stack

    def slopes(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return by kind of process and resource the last level, and the slope per hour after the
        warm-up with its confidence interval.
        """
        first = int(WARM_UP * len(self.samples))
        hours = np.array(self.instants[first:]) / 3600
        samples = self.samples[first:]
        kinds = sorted(set.intersection(*map(set, samples)))
        return {
            kind: {
                name: _slope(hours, [getattr(sample[kind], name) for sample in samples])
                for name in RESOURCES
            }
            for kind in kinds
        }

    def _look_on(self) -> None:
        began = time.perf_counter()
        while not self._done.is_set():
            self.instants.append(time.perf_counter() - began)
            self.samples.append(self._stack.processes.holds())
            self._done.wait(SAMPLE_SECONDS)


def _slope(hours: FloatArray, values: Sequence[float]) -> dict[str, float]:
    slope, _, low, high = theilslopes(values, hours, alpha=CONFIDENCE)
    return {
        "level": float(np.median(values[-5:])),
        "slope": float(slope),
        "low": float(low),
        "high": float(high),
    }


def _list_leaks(
    slopes: Mapping[str, Mapping[str, Mapping[str, float]]], *, hours: float
) -> list[str]:
    """List the resources that grew with certainty, by more than ``LEAK_SHARE`` of their level and
    ``LEAK_LEAST``.
    """
    return [
        f"{kind}: {name}"
        for kind, resources in slopes.items()
        for name, least in LEAK_LEAST.items()
        if resources[name]["low"] > 0
        and resources[name]["slope"] * hours > max(LEAK_SHARE * resources[name]["level"], least)
    ]


def _compare_ends(arrivals: Arrivals, seconds: float) -> dict[str, dict[str, float]]:
    """Return by kind of request the median and 99th percentile in the first and the last span,
    milliseconds.
    """
    edge = min(EDGE_SECONDS, seconds / 3)
    order = draw_order()
    names = np.resize(order, arrivals.statuses.size)
    ends = {"first": arrivals.due_s < edge, "last": arrivals.due_s >= seconds - edge}
    return {
        name: {
            f"{end}_p{share}_ms": float(
                np.percentile(arrivals.waited_ms[place & (names == name)], share)
            )
            for end, place in ends.items()
            for share in (50, 99)
        }
        for name in dict.fromkeys(order)
    }


def main(arguments: Sequence[str]) -> None:
    print(json.dumps(measure(full="full" in arguments), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
