"""Scenarios of the demo's households against independent draws from the same quantiles, and
quantiles of prices against naive ones.

Run as ``python -m bench.scenarios``. Eight weeks that no model has seen, an issue every six hours;
ratios compare within one run. ``shuffled`` are the very values of the scenarios in random order at
each slot: what is gained over them is gained by the order alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bench.path_scores import score_energy, score_variogram
from luna.energy.outlook import SHARES, Forecast
from luna.energy.timeline import SLOT, FloatArray, Timeline, align, local_midnight
from luna.platform.settings import load_settings
from services.forecaster.forecast_issue import issue_in_parts, list_instants
from services.forecaster.forecaster import HORIZON_SLOTS
from services.forecaster.inputs.solar import limit_output
from services.forecaster.model.aurora import train
from services.forecaster.scenarios.joint_scenarios import DEFAULT_COUNT, make_scenarios
from services.forecaster.scenarios.marginal import Marginals
from services.forecaster.scenarios.past_error import LIBRARY_DAYS, ErrorHistory
from services.forecaster.scenarios.price_model import MEMORY, MarketAhead, look_beyond
from services.ingest.demo_data.demo import TEST_FIRST_DAY, DemoPrices, DemoSite, load_demo

WEEKS = 8
EVERY = timedelta(hours=6)
DAY_SLOTS = 96
SET = "aurora", "independent", "shuffled"
Energies = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a household's forecasts met."""

    home: DemoSite
    forecasts: list[Forecast]
    actual: list[Energies]

    @property
    def limit_kwh(self) -> float:
        """What its arrays yield in a slot."""
        return limit_output(self.home.site)


def measure(cache: Path | None = None) -> dict[str, Any]:
    """Return scores by household, pinball losses of the prices, and milliseconds of one issue of
    scenarios.
    """
    demo = load_demo(cache or load_settings().cache)
    first = local_midnight(TEST_FIRST_DAY, ZoneInfo(demo.sites[0].site.timezone))
    instants = list_instants(first, first + timedelta(weeks=WEEKS) - EVERY, EVERY)
    prices, milliseconds = measure_prices(demo.prices, instants)
    return {
        **{home.site.name: measure_household(home, instants) for home in demo.sites},
        "prices": prices,
        "price_milliseconds": milliseconds,
    }


def measure_household(home: DemoSite, instants: list[datetime]) -> dict[str, Any]:
    """Train until the first instant and score every set of scenarios at each of them."""
    aurora = train(home.observations, site=home.site, until=instants[0])
    issued = list_instants(instants[0] - timedelta(days=LIBRARY_DAYS + 2), instants[-1], EVERY)
    forecasts = list(issue_in_parts(aurora, home.observations, issued)[0])
    seen = Seen(home, forecasts, [_meet(home, each) for each in forecasts])
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in SET}
    seconds = []
    for row in range(issued.index(instants[0]), len(issued)):
        errors = _recall(seen, row)
        began = perf_counter()
        made = make_scenarios(forecasts[row], errors, {})
        seconds.append(perf_counter() - began)
        sets = {"aurora": (made.load_kwh, made.pv_kwh)} | _draw_sets(
            seen, row, (made.load_kwh, made.pv_kwh)
        )
        for name, paths in sets.items():
            scores[name].append(score_paths(paths, made.probability, seen.actual[row]))
    means = {
        name: {score: float(np.mean([each[score] for each in found])) for score in found[0]}
        for name, found in scores.items()
    }
    return {
        "origins": len(instants),
        "milliseconds": 1000 * float(np.median(seconds)),
        **means,
        **_compare(means),
    }


def score_paths(paths: Energies, probability: FloatArray, actual: Energies) -> dict[str, float]:
    """Return the scores of one forecast: over all slots of load and PV, of what flows on balance in
    sum until each slot, and of the balance's variogram.
    """
    load, pv = paths
    load_kwh, pv_kwh = actual
    net = load - pv
    net_kwh = load_kwh - pv_kwh
    return {
        "energy_score": score_energy(
            np.concatenate([load, pv], axis=1), probability, np.concatenate([load_kwh, pv_kwh])
        ),
        "energy_score_of_sums": score_energy(net.cumsum(axis=1), probability, net_kwh.cumsum()),
        "variogram_score": score_variogram(net, probability, net_kwh),
    }


def measure_prices(prices: DemoPrices, instants: list[datetime]) -> tuple[dict[str, Any], float]:
    """Return pinball losses (EUR/MWh) of slots beyond the published horizon, with ratios to the
    naive quantiles, and milliseconds per market and issue.
    """
    losses: dict[str, list[float]] = {}
    inside = []
    seconds = []
    for instant in instants:
        around = Timeline(instant - MEMORY, SLOT, MEMORY // SLOT + HORIZON_SLOTS)
        published = prices.published_at <= np.datetime64(instant.replace(tzinfo=None))
        known, actual = (
            align(prices.starts[rows], prices.price[rows], around)
            for rows in (published, slice(None))
        )
        began = perf_counter()
        market = look_beyond(
            known,
            around,
            timeline=around.window(MEMORY // SLOT, HORIZON_SLOTS),
            zone=ZoneInfo("Europe/Amsterdam"),
        )
        quantiles = market.quantiles
        seconds.append(perf_counter() - began)
        beyond = np.isnan(market.published)
        happened = actual[-HORIZON_SLOTS:]
        for name, said in {"aurora": quantiles, **_repeat_days(known)}.items():
            losses.setdefault(name, []).append(
                1000 * measure_pinball(said[beyond], happened[beyond])
            )
        inside.append(_covers(market, happened)[beyond])
    means = {name: float(np.mean(found)) for name, found in losses.items()}
    ratios = {
        f"ratio_to_{name}": means["aurora"] / mean
        for name, mean in means.items()
        if name != "aurora"
    }
    return {**means, **ratios, "coverage_80": float(np.concatenate(inside).mean())}, 1000 * float(
        np.median(seconds)
    )


def measure_pinball(quantiles: FloatArray, actual: FloatArray) -> float:
    """Return the mean pinball loss of ``quantiles``, shape ``(slots, shares)``."""
    share = np.array(list(SHARES.values()))
    error = actual[:, None] - quantiles
    return float(np.maximum(share * error, (share - 1) * error).mean())


def _covers(market: MarketAhead, happened: FloatArray) -> np.ndarray:
    covered: np.ndarray = (happened >= market.quantiles[:, 1]) & (
        happened <= market.quantiles[:, 5]
    )
    return covered


def _repeat_days(known: FloatArray) -> dict[str, FloatArray]:
    """Return what the last known day and the last seven known days say of the horizon's slots, by
    their quarter-hour.
    """
    last = int(np.flatnonzero(~np.isnan(known))[-1]) + 1
    slots = np.arange(known.size - HORIZON_SLOTS, known.size)
    back = slots - DAY_SLOTS * np.maximum((slots - last) // DAY_SLOTS + 1, 0)
    week = np.stack([known[back - DAY_SLOTS * day] for day in range(7)])
    return {
        "last_day": np.repeat(known[back][:, None], len(SHARES), axis=1),
        "seven_days": np.quantile(week, list(SHARES.values()), axis=0).T,
    }


def _meet(home: DemoSite, forecast: Forecast) -> Energies:
    seen = home.observations
    return align(seen.starts, seen.load_kwh, forecast.timeline), align(
        seen.starts, seen.pv_kwh, forecast.timeline
    )


def _recall(seen: Seen, row: int) -> ErrorHistory:
    """Return the errors of the forecasts issued at the same time of day before."""
    past = seen.forecasts[row % (timedelta(days=1) // EVERY) : row : timedelta(days=1) // EVERY][
        -LIBRARY_DAYS - 1 :
    ]
    return ErrorHistory.of(
        past,
        seen.home.observations,
        issued_at=seen.forecasts[row].issued_at,
        limit_kwh=seen.limit_kwh,
        slots=HORIZON_SLOTS,
    )


def _draw_sets(seen: Seen, row: int, values: Energies) -> Mapping[str, Energies]:
    """Return as many scenarios drawn slot by slot alone, and the given ones in
    random order at each slot.
    """
    rng = np.random.default_rng(row)
    forecast = seen.forecasts[row]
    marginals = (
        Marginals.of(forecast.load_kwh, np.inf),
        Marginals.of(forecast.pv_kwh, seen.limit_kwh),
    )
    load, pv = (each.draw(rng.random((DEFAULT_COUNT, HORIZON_SLOTS))) for each in marginals)
    return {
        "independent": (load, pv),
        "shuffled": (rng.permuted(values[0], axis=0), rng.permuted(values[1], axis=0)),
    }


def _compare(means: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return the scores of the scenarios over those of the other sets."""
    return {
        f"ratio_to_{other}": {
            name: value / means[other][name] for name, value in means["aurora"].items()
        }
        for other in SET[1:]
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
