"""Forecasts of the demo's households against their baselines, on eight weeks no model has seen.

Run as ``python -m bench.forecast``. One training per household and 48 h forecasts every 6 h; ratios are to the 7-day average of the same run.
"""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from luna.settings import load_settings
from luna.timeline import local_midnight
from services.forecaster.aurora import Aurora, train
from services.forecaster.baseline import BASELINES, Baseline
from services.forecaster.evaluation import Score, score_batch
from services.forecaster.forecaster import Forecaster
from services.forecaster.jobs import issue_in_parts, list_instants
from services.ingest.demo_data import TEST_FIRST_DAY, DemoSite, load_demo

WEEKS = 8
EVERY = timedelta(hours=6)
REFERENCE = "baseline_7_day_avg"
SINGLE_ISSUES = 15
HOURLY_ORIGINS = 336


def measure(cache: Path | None = None) -> dict[str, Any]:
    """Return per household: errors by version and series, seconds to train both series, milliseconds per issue, seconds for two weeks of hourly issues."""
    demo = load_demo(cache or load_settings().cache)
    return {each.site.name: measure_household(each) for each in demo.sites}


def measure_household(home: DemoSite) -> dict[str, Any]:
    """Train until the first unseen day and judge every version on the same origins."""
    first = local_midnight(TEST_FIRST_DAY, ZoneInfo(home.site.timezone))
    began = time.perf_counter()
    aurora = train(home.observations, site=home.site, until=first)
    train_seconds = time.perf_counter() - began
    instants = list_instants(first, first + timedelta(weeks=WEEKS) - EVERY, EVERY)
    forecasters: list[Forecaster] = [*(Baseline(version, home.site) for version in BASELINES), aurora]
    scores = {
        forecaster.version: score_batch(issue_in_parts(forecaster, home.observations, instants)[0], home.observations, home.site) for forecaster in forecasters
    }
    return {
        "train_seconds": train_seconds,
        "origins": len(instants),
        **time_issues(aurora, home, instants),
        "series": {series: describe(scores, series) for series in ("load_kwh", "pv_kwh")},
    }


def time_issues(aurora: Aurora, home: DemoSite, instants: list[datetime]) -> dict[str, float]:
    """Return the median of single issues and the time of a fortnight of hourly ones at once, both series with quantiles."""
    single = []
    for instant in instants[:SINGLE_ISSUES]:
        began = time.perf_counter()
        aurora.issue(home.observations, instant)
        single.append(1000 * (time.perf_counter() - began))
    hourly = [instants[0] + step * timedelta(hours=1) for step in range(HOURLY_ORIGINS)]
    began = time.perf_counter()
    aurora.issue_many(home.observations, hourly)
    return {"issue_milliseconds": median(single), "hourly_fortnight_seconds": time.perf_counter() - began}


def describe(scores: dict[str, dict[str, Score]], series: str) -> dict[str, Any]:
    """Return the errors of every version on one series, beside their ratio to the reference's."""
    reference = scores[REFERENCE][series]
    return {version: describe_score(found[series], reference) for version, found in scores.items()}


def describe_score(score: Score, reference: Score) -> dict[str, float]:
    """Return one version's errors (kWh per slot) and ratios."""
    return {
        "mae": score.mae,
        "rmse": score.rmse,
        "pinball": score.pinball,
        "coverage_80": score.coverage_80,
        "mae_ratio": score.mae / reference.mae,
        "rmse_ratio": score.rmse / reference.rmse,
        "pinball_ratio": score.pinball / reference.pinball,
        "skill": 1 - score.mae / reference.mae,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
