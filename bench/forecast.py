"""Forecasts of the demo's households, and of a house with weather, against baselines and a peer, on
eight weeks no model has seen.

Run as ``python -m bench.forecast``. One training per house and 48 h forecasts every 6 h; ratios are
to the 7-day average of the same run.
"""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bench.citylearn import load_citylearn, load_sunlit
from bench.peers.forecasting import PeerForecasts, run_mlforecast
from luna.energy.observations import Observations
from luna.energy.outlook import SHARES
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to, local_midnight
from luna.platform.settings import load_settings
from services.forecaster.forecast_issue import issue_in_parts, list_instants
from services.forecaster.forecaster import HORIZON_SLOTS, Batch, Forecaster
from services.forecaster.inputs.context import NO_CONTEXT, Context
from services.forecaster.inputs.frame import frame_series, number_slot
from services.forecaster.inputs.standard_profile import StandardProfile
from services.forecaster.model.aurora import VERSION, Aurora, train
from services.forecaster.model.baseline import BASELINES, Baseline
from services.forecaster.scoring import Score, score_batch
from services.ingest.demo_data.demo import TEST_FIRST_DAY, load_demo

WEEKS = 8
EVERY = timedelta(hours=6)
REFERENCE = "baseline_7_day_avg"
MEDIAN = "baseline_7_day_median"
SERIES = ("load_kwh", "pv_kwh")
SINGLE_ISSUES = 15
HOURLY_ORIGINS = 336
COLD_DAYS = (2, 14, 60, 200)
COLD_WEEK = timedelta(weeks=1)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """A house by its name in the answer, and the first instant that nothing is learned of."""

    name: str
    site: Site
    observations: Observations
    first: datetime
    context: Context = NO_CONTEXT

    def instants(self, span: timedelta) -> list[datetime]:
        """Return the instants at which is forecast."""
        return list_instants(self.first, self.first + span - EVERY, EVERY)


def measure(cache: Path | None = None) -> dict[str, Any]:
    """Return per house errors by version and series, seconds to train both series and milliseconds
    per issue; and errors by days of history.
    """
    homes = list_homes(cache)
    houses = list_houses()
    measured = {case.name: measure_case(case) for case in [*homes, *houses]}
    missing = {name for each in measured.values() for name in each.pop("missing")} | (
        set() if houses else {"citylearn"}
    )
    without = {case.name: measure_without_history(case) for case in [*homes, *houses]}
    return {
        **measured,
        "cold_start": measure_cold_start(homes),
        "without_history": without,
        "missing": sorted(missing),
    }


def list_homes(cache: Path | None = None) -> list[Case]:
    """Return the demo's households; their packages are downloaded where they are not cached."""
    demo = load_demo(cache or load_settings().cache)
    return [
        Case(
            each.site.name,
            each.site,
            each.observations,
            local_midnight(TEST_FIRST_DAY, ZoneInfo(each.site.timezone)),
        )
        for each in demo.sites
    ]


def list_houses() -> list[Case]:
    """Return the house with weather that its measured PV knows nothing of, and with arrays that
    stand in it; none where its data are not there.
    """
    folder = Path(os.environ.get("LUNA_BENCH_DATA", "")) / "citylearn"
    if not os.environ.get("LUNA_BENCH_DATA") or not folder.is_dir():
        return []
    houses = {"citylearn": load_citylearn(folder), "sunlit": load_sunlit(folder)}
    ahead = timedelta(weeks=WEEKS, days=2)
    return [
        Case(
            name,
            house.site,
            house.observations,
            _find_end(house.observations) - ahead,
            house.context,
        )
        for name, house in houses.items()
    ]


def measure_case(case: Case) -> dict[str, Any]:
    """Train until the first unseen day and judge every version on the same origins."""
    began = time.perf_counter()
    aurora = train(case.observations, site=case.site, until=case.first, context=case.context)
    train_seconds = time.perf_counter() - began
    instants = case.instants(timedelta(weeks=WEEKS))
    forecasters: list[Forecaster] = [
        *(Baseline(version, case.site) for version in BASELINES),
        aurora,
    ]
    batches = {
        each.version: issue_in_parts(each, case.observations, instants, context=case.context)[0]
        for each in forecasters
    }
    peer = run_mlforecast(case.observations, case.site, instants)
    scores = {
        version: score_batch(batch, case.observations, case.site)
        for version, batch in (batches | (peer.batches if peer else {})).items()
    }
    return {
        "train_seconds": train_seconds,
        "origins": len(instants),
        **time_issues(aurora, case, instants),
        "series": {series: describe(scores, series) for series in SERIES},
        "held": hold_levels(batches[VERSION], case),
        "metrics": aurora.metrics,
        "peers": _describe_peer(peer),
        "missing": [] if peer else ["mlforecast"],
    }


def time_issues(aurora: Aurora, case: Case, instants: list[datetime]) -> dict[str, float]:
    """Return the median of single issues and the time of a fortnight of hourly ones at once, both
    series with quantiles.
    """
    single = []
    for instant in instants[:SINGLE_ISSUES]:
        began = time.perf_counter()
        aurora.issue(case.observations, instant, context=case.context)
        single.append(1000 * (time.perf_counter() - began))
    hourly = [instants[0] + step * timedelta(hours=1) for step in range(HOURLY_ORIGINS)]
    began = time.perf_counter()
    aurora.issue_many(case.observations, hourly, context=case.context)
    return {
        "issue_milliseconds": median(single),
        "hourly_fortnight_seconds": time.perf_counter() - began,
    }


def describe(scores: dict[str, dict[str, Score]], series: str) -> dict[str, Any]:
    """Return the errors of every version on one series, beside their ratio to the reference's.

    Aurora's also to the best of the others.
    """
    found = {version: each[series] for version, each in scores.items()}
    ours = found[VERSION]
    peers = [score for version, score in found.items() if version not in {*BASELINES, VERSION}]
    ratios = {
        "mae_over_best_baseline": ours.mae / min(found[version].mae for version in BASELINES),
        "pinball_over_week_quantiles": ours.pinball / found[MEDIAN].pinball,
    }
    if peers:
        ratios["mae_over_best_peer"] = ours.mae / min(each.mae for each in peers)
        ratios["pinball_over_best_peer"] = ours.pinball / min(each.pinball for each in peers)
    described = {
        version: describe_score(score, found[REFERENCE])
        | {"mae_over_median": score.mae / found[MEDIAN].mae}
        for version, score in found.items()
    }
    return described | {VERSION: described[VERSION] | ratios}


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


def hold_levels(batch: Batch, case: Case) -> dict[str, dict[str, float]]:
    """Return by series the share of slots below each quantile.

    Of PV, of slots between sunrise and sunset.

    A slot that is exactly at a quantile, as at dawn when nothing is forecast and nothing comes,
    counts by that quantile's share.
    """
    origins = np.array([number_slot(instant) for instant in batch.issued_at])
    frame = frame_series(
        case.observations, case.site, first=int(origins[0]), last=int(origins[-1]) + HORIZON_SLOTS
    )
    target = (origins - frame.first)[:, None] + np.arange(HORIZON_SLOTS)
    held = {}
    for name, asked in (
        ("load_kwh", np.ones(target.shape, dtype=bool)),
        ("pv_kwh", frame.clear_sky_kwh[target] > 0),
    ):
        actual = getattr(frame, name)[target]
        forecast = getattr(batch, name)
        counted = asked & ~np.isnan(actual)
        errors = {level: actual[counted] - getattr(forecast, level)[counted] for level in SHARES}
        held[name] = {
            level: float((error < 0).mean() + SHARES[level] * (error == 0).mean())
            for level, error in errors.items()
        }
    return held


def measure_cold_start(homes: list[Case]) -> dict[str, Any]:
    """Return errors over the first unseen week by days of history before it, each a mean over homes
    of the ratio to the 7-day average of who knows all.
    """
    ratios: dict[str, list[dict[str, float]]] = {f"days_{days}": [] for days in COLD_DAYS}
    stages = {}
    for case in homes:
        instants = case.instants(COLD_WEEK)
        usual = score_batch(
            Baseline(REFERENCE, case.site).issue_many(case.observations, instants),
            case.observations,
            case.site,
        )
        for days in COLD_DAYS:
            late = case.observations.without([(_EVER, case.first - timedelta(days=days))])
            batches = [train(late, site=case.site, until=case.first).issue_many(late, instants)]
            found = score_batch(batches[0], case.observations, case.site)
            stages[f"days_{days}"] = batches[0].stage
            errors = {
                f"{name}_{what}": getattr(found[name], what) / getattr(usual[name], what)
                for name in SERIES
                for what in ("mae", "pinball")
            }
            ratios[f"days_{days}"].append(errors)
    means = {
        days: {name: float(np.mean([each[name] for each in found])) for name in found[0]}
        for days, found in ratios.items()
    }
    steps = [
        float(np.mean([means[f"days_{days}"][f"{name}_pinball"] for name in SERIES]))
        for days in COLD_DAYS
    ]
    return {days: {"stage": stages[days], **means[days]} for days in means} | {
        "largest_step_up": max(np.diff(steps))
    }


def measure_without_history(case: Case) -> dict[str, float]:
    """Return the load's errors of who knows nothing but the year's consumption: by the standard
    load profile, beside the same at every hour.

    Over all that was recorded, kWh a slot, and of the mean day of each month, where chance is gone
    and the shape is left.
    """
    actual = case.observations.load_kwh
    known = ~np.isnan(actual)
    slots = case.observations.starts.astype("datetime64[s]").astype(np.int64) // 900
    standard = StandardProfile.of(case.site).look_up(slots)
    # Both have what was recorded as their sum: what is compared is the shape.
    standard = standard * actual[known].sum() / standard[known].sum()
    flat = np.full(actual.size, actual[known].mean())
    place = (case.observations.starts.astype("datetime64[M]").astype(np.int64) * 96 + slots % 96)[
        known
    ]
    count = np.maximum(np.bincount(place - place.min()), 1)
    figures: dict[str, float] = {}
    for name, forecast in (("standard", standard), ("flat", flat)):
        error = (forecast - actual)[known]
        usual = np.bincount(place - place.min(), weights=error) / count
        figures |= {
            f"{name}_mae_kwh": float(np.abs(error).mean()),
            f"{name}_rmse_kwh": float(np.sqrt((error**2).mean())),
        }
        figures |= {
            f"{name}_usual_day_mae_kwh": float(
                np.abs(usual[np.bincount(place - place.min()) > 0]).mean()
            )
        }
    ratios = {
        f"{what}_ratio": figures[f"standard_{what}_kwh"] / figures[f"flat_{what}_kwh"]
        for what in ("mae", "rmse", "usual_day_mae")
    }
    return figures | ratios


def _describe_peer(peer: PeerForecasts | None) -> dict[str, Any]:
    if peer is None:
        return {}
    return {
        "mlforecast": {
            "version": peer.version,
            "train_seconds": peer.train_seconds,
            "issue_milliseconds": peer.issue_milliseconds,
        }
    }


def _find_end(observations: Observations) -> datetime:
    return floor_to(
        observations.starts[-1].astype("datetime64[s]").item().replace(tzinfo=UTC), SLOT
    )


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
