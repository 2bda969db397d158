"""Share of perfect foresight's savings on days no model has seen: the demo's households under
tariffs A, B and D.

Run as ``python -m bench.decisions``: a fortnight in autumn; ``python -m bench.decisions full``: the
hundred days. Forecasts are Aurora's, trained before the window and issued hourly without weather;
plans are made anew every hour from prices as published.
"""

import json
import sys
import time
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from bench.scenes import TARIFFS, Home, build_scene, load_home
from luna.contracts.replay import ReplayReply
from luna.energy.bootstrap import bound_sum, worst_week
from luna.energy.outlook import Forecast
from luna.energy.timeline import FloatArray, local_midnight
from services.forecaster.forecast_issue import issue_in_parts, list_instants
from services.forecaster.model.aurora import train
from services.ingest.demo_data.demo import TEST_FIRST_DAY, TEST_LAST_DAY
from services.planner.compiled import load_kernels
from services.planner.problem.knowledge import DAY, ForecastArchive
from services.planner.problem.scenarios import DAYS
from services.planner.replay import replay

SCENARIOS = "mpc_scenarios"
POLICIES = ("idle", "self_consumption", "rule", "mpc", SCENARIOS, "mpc_perfect", "oracle")
# Figures of the first stand at the top, those of the others under their name.
HOMES = ("home", "feed_in")
# Neither in summer, when a home needs no plan, nor in winter, when it has no sun.
FEW_FIRST_DAY = date(2023, 10, 7)
FEW_LAST_DAY = date(2023, 10, 20)
SLOTS_PER_HOUR = 4
# What such policies reached on another household and later days: mpc without weather, from and to
# (docs/decisions/0004).
EVIDENCE = {
    "A": {"self_consumption": [0.641, 0.641], "mpc": [0.88, 0.89]},
    "B": {"self_consumption": [0.935, 0.935], "mpc": [0.93, 0.95]},
    "D": {"self_consumption": [0.033, 0.033], "mpc": [0.999, 0.999]},
}


def measure(*, full: bool = False) -> dict[str, Any]:
    """Return per household, tariff and policy the share of the oracle's savings, mode changes per
    day and violations.
    """
    load_kernels()
    first, last = (TEST_FIRST_DAY, TEST_LAST_DAY) if full else (FEW_FIRST_DAY, FEW_LAST_DAY)
    figures = {name: measure_home(name, first, last) for name in HOMES}
    return (
        {"from": first.isoformat(), "days": (last - first).days + 1}
        | figures[HOMES[0]]
        | {name: figures[name] for name in HOMES[1:]}
    )


def measure_home(name: str, first: date, last: date) -> dict[str, Any]:
    """Return one household's figures."""
    home = load_home(name)
    forecasts = forecast_hourly(home, first, last)
    begun = time.perf_counter()
    tariffs = {}
    for tariff in TARIFFS:
        scene = build_scene(home, first, last, tariff=tariff, forecasts=forecasts)
        tariffs[tariff] = describe(replay(scene, POLICIES, every=SLOTS_PER_HOUR), tariff)
    return {"home": name, "tariffs": tariffs, "seconds": time.perf_counter() - begun}


def forecast_hourly(home: Home, first: date, last: date) -> ForecastArchive:
    """Return what Aurora, trained before the window, says in each hour of it.

    Of the days before it, whose errors ``mpc_scenarios`` weighs, a model speaks that does not know
    them: on days it was trained on it errs too little.
    """
    start = local_midnight(first, home.zone)
    end = local_midnight(last + timedelta(days=1), home.zone)
    return ForecastArchive(
        [*_issue_hourly(home, start - (DAYS + 1) * DAY, start), *_issue_hourly(home, start, end)]
    )


def _issue_hourly(home: Home, start: datetime, end: datetime) -> list[Forecast]:
    observations = home.household.observations
    aurora = train(observations, site=home.household.site, until=start)
    batch, _ = issue_in_parts(
        aurora, observations, list_instants(start, end - timedelta(hours=1), timedelta(hours=1))
    )
    return list(batch)


def describe(reply: ReplayReply, tariff: str) -> dict[str, Any]:
    """Return one tariff's figures."""
    policies = {
        name: {
            "score": found.score,
            "cost": found.cost,
            "mode_changes_per_day": found.mode_changes_per_day,
            "violations": found.violations,
        }
        for name, found in reply.policies.items()
    }
    scores = {name: found.score or 0.0 for name, found in reply.policies.items() if name != "idle"}
    planned = ("mpc", SCENARIOS)
    return {
        "policies": policies,
        "evidence": EVIDENCE[tariff],
        "loss_points": reply.loss,
        "best_score": max(scores.values()),
        **{
            f"{name}_over_self_consumption": scores[name] - scores["self_consumption"]
            for name in planned
        },
        **{
            f"{name}_worst_week": worst_week(_gain(reply, name, over="self_consumption"))
            for name in planned
        },
        f"{SCENARIOS}_over_mpc": _compare(reply, SCENARIOS, over="mpc"),
        "violations": sum(found.violations for found in reply.policies.values()),
    }


def _compare(reply: ReplayReply, name: str, *, over: str) -> dict[str, float]:
    """Return what a policy gains over another, in points of the oracle's savings, with the
    interval.
    """
    possible = reply.policies["idle"].cost - reply.policies["oracle"].cost
    gain = _gain(reply, name, over=over) * 100 / possible
    low, high = bound_sum(gain, rng=np.random.default_rng(0))
    return {"points": float(gain.sum()), "low": low, "high": high}


def _gain(reply: ReplayReply, name: str, *, over: str) -> FloatArray:
    """Return by day what a policy costs less than another, what is left in the battery counted
    in.
    """
    costs = {
        each: np.array([day.cost - day.stored_gain for day in reply.policies[each].days])
        for each in (name, over)
    }
    return np.asarray(costs[over] - costs[name])


if __name__ == "__main__":
    print(json.dumps(measure(full="full" in sys.argv), indent=2))
