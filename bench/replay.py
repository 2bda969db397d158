"""A year lived through, planned anew every hour: seconds, and sites per minute by one process and
by two.

Run as ``python -m bench.replay``: a fortnight of each season, scaled to a year;
``python -m bench.replay full``: every day of 2023. Load and PV are known ahead, so that the planner
is measured and no forecaster; the oracle, self-consumption and no control run beside.
"""

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache
from typing import Any

from bench.scenes import Home, build_scene, load_home
from luna.contracts.replay import PolicyReply
from services.planner.compiled import load_kernels
from services.planner.replay import ReplaySpec, run

TARIFFS = ("A", "B")
FORTNIGHTS = tuple((date(2023, month, 5), date(2023, month, 18)) for month in (1, 4, 7, 10))
YEAR = ((date(2023, 1, 1), date(2023, 12, 31)),)
POLICY = "mpc_perfect"
SLOTS_PER_HOUR = 4
YEAR_DAYS = 365
# What two processes share out: sites that live through a week each.
SITES = 8
WEEK = (date(2023, 10, 5), date(2023, 10, 11))


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return seconds per year and weeks lost by tariff, and how many sites live through a week in a
    minute.
    """
    load_kernels()
    windows = YEAR if full else FORTNIGHTS
    tariffs = {tariff: measure_tariff(load_home(), tariff, windows) for tariff in TARIFFS}
    rates = [_live_sites(processes) for processes in (1, 2)]
    sharing = {
        "site_weeks_per_minute_1": rates[0],
        "site_weeks_per_minute_2": rates[1],
        "second_process": rates[1] / rates[0],
    }
    return {"tariffs": tariffs, **sharing}


def measure_tariff(
    home: Home, tariff: str, windows: tuple[tuple[date, date], ...]
) -> dict[str, Any]:
    """Return what a year takes under a tariff, and how its weeks stand against self-consumption."""
    begun = time.perf_counter()
    used = time.process_time()
    lived = []
    for first, last in windows:
        lived.append(_live(home, tariff, first, last))
    seconds = time.perf_counter() - begun
    used = time.process_time() - used
    days = sum((last - first).days + 1 for first, last in windows)
    weeks = [policy.weeks for policy in lived if policy.weeks]
    return {
        "year_s": seconds * YEAR_DAYS / days,
        "year_cpu_s": used * YEAR_DAYS / days,
        "days": days,
        "plans": days * 24,
        "ms_per_plan": 1e3 * seconds / (days * 24),
        "losing_weeks": sum(each.losing for each in weeks),
        "weeks": sum(each.count for each in weeks),
        "worst_week": min(each.worst_gain for each in weeks),
        "violations": sum(policy.violations for policy in lived),
    }


def _live(home: Home, tariff: str, first: date, last: date) -> PolicyReply:
    reply = run(
        build_scene(home, first, last, tariff=tariff), ReplaySpec([POLICY], SLOTS_PER_HOUR)
    ).reply
    return reply.policies[POLICY]


def _live_sites(processes: int) -> float:
    """Return sites per minute, each process ready beforehand."""
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(_live_week, range(2 * processes)))
        begun = time.perf_counter()
        list(pool.map(_live_week, range(SITES)))
        return 60 * SITES / (time.perf_counter() - begun)


@cache
def _home() -> Home:
    load_kernels()
    return load_home()


def _live_week(_site: int) -> float:
    return _live(_home(), "A", *WEEK).cost


if __name__ == "__main__":
    print(json.dumps(measure(full="full" in sys.argv), indent=2))
