"""Share of perfect foresight's savings on days no model has seen: home ``home`` of the demo under tariffs A, B and D.

Run as ``python -m bench.decisions``: a fortnight in autumn; ``python -m bench.decisions full``: the hundred days. Forecasts are Aurora's, trained before
the window and issued hourly without weather; plans are made anew every hour from prices as published.
"""

import json
import sys
import time
from datetime import date, timedelta
from typing import Any

from bench.scenes import TARIFFS, Home, build_scene, load_home
from luna.contracts.replay import ReplayReply
from luna.timeline import local_midnight
from services.forecaster.jobs import issue_in_parts, list_instants
from services.forecaster.model.aurora import train
from services.ingest.demo_data import TEST_FIRST_DAY, TEST_LAST_DAY
from services.planner.energy_value import load_kernels
from services.planner.knowledge import ForecastBook
from services.planner.replay import replay

POLICIES = ("idle", "self_consumption", "rule", "mpc", "mpc_perfect", "oracle")
# Neither in summer, when a home needs no plan, nor in winter, when it has no sun.
FEW_FIRST_DAY, FEW_LAST_DAY = date(2023, 10, 7), date(2023, 10, 20)
SLOTS_PER_HOUR = 4
# What such policies reached on another household and later days: mpc without weather, from and to. Source: docs/decisions/0004.
EVIDENCE = {
    "A": {"self_consumption": [0.641, 0.641], "mpc": [0.88, 0.89]},
    "B": {"self_consumption": [0.935, 0.935], "mpc": [0.93, 0.95]},
    "D": {"self_consumption": [0.033, 0.033], "mpc": [0.999, 0.999]},
}


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return per tariff and policy the share of the oracle's savings, mode changes per day and violations."""
    load_kernels()
    home = load_home()
    first, last = (TEST_FIRST_DAY, TEST_LAST_DAY) if full else (FEW_FIRST_DAY, FEW_LAST_DAY)
    forecasts = forecast_hourly(home, first, last)
    begun = time.perf_counter()
    tariffs = {}
    for tariff in TARIFFS:
        scene = build_scene(home, first, last, tariff=tariff, forecasts=forecasts)
        tariffs[tariff] = describe(replay(scene, POLICIES, every=SLOTS_PER_HOUR), tariff)
    days, seconds = (last - first).days + 1, time.perf_counter() - begun
    return {"home": home.household.site.name, "from": first.isoformat(), "days": days, "tariffs": tariffs, "seconds": seconds}


def forecast_hourly(home: Home, first: date, last: date) -> ForecastBook:
    """Return what Aurora, trained before the window, says in each hour of it."""
    start, end = local_midnight(first, home.zone), local_midnight(last + timedelta(days=1), home.zone)
    observations = home.household.observations
    aurora = train(observations, site=home.household.site, until=start)
    batch, _ = issue_in_parts(aurora, observations, list_instants(start, end - timedelta(hours=1), timedelta(hours=1)))
    return ForecastBook(list(batch))


def describe(reply: ReplayReply, tariff: str) -> dict[str, Any]:
    """Return one tariff's figures."""
    policies = {
        name: {"score": found.score, "cost": found.cost, "mode_changes_per_day": found.mode_changes_per_day, "violations": found.violations}
        for name, found in reply.policies.items()
    }
    scores = {name: found.score or 0.0 for name, found in reply.policies.items() if name != "idle"}
    return {
        "policies": policies,
        "evidence": EVIDENCE[tariff],
        "loss_points": reply.loss,
        "best_score": max(scores.values()),
        "mpc_over_self_consumption": scores["mpc"] - scores["self_consumption"],
        "violations": sum(found.violations for found in reply.policies.values()),
    }


if __name__ == "__main__":
    print(json.dumps(measure(full="full" in sys.argv), indent=2))
