"""Made-up days as the learning agent lives through them."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from luna.energy.outlook import Quantiles
from luna.energy.physics.limits import SiteLimits
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, parse_zone
from services.agent.environment.episodes import EpisodeBatch
from services.planner.problem.knowledge import (
    ForecastArchive,
    PerfectForesight,
    PriceVintages,
    SitePrices,
)
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData
from tests.support.planning.replay import describe_on_spot, issue_forecast, make_scene

ZONE = parse_zone("Europe/Amsterdam")
LEAD = 8 * 96


def make_days(first: date, last: date, *, seed: int = 0, **changes: Any) -> ReplayData:
    """Return local days of a household on the spot market, forecasts issued every hour, each day's
    prices published at 13:00 of the day before.
    """
    rng = np.random.default_rng(seed)
    window = local_days(first, last, ZONE)
    around = Timeline(window.start - LEAD * SLOT, SLOT, LEAD + window.count + HORIZON // SLOT)
    hour = np.arange(around.count) % 96 / 4
    load = (0.06 + 0.3 * np.exp(-((hour - 19) ** 2) / 6)) * rng.gamma(4, 0.25, around.count)
    pv = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.uniform(0.1, 0.8, around.count)
    spot = np.repeat(rng.normal(0.1, 0.07, 1 + around.count // 4), 4)[: around.count]
    slot = np.arange(around.count)
    published = around.starts[slot // 96 * 96] - np.timedelta64(11, "h")
    forecasts = [
        issue_forecast(around, place, (load, pv), rng)
        for place in range(LEAD, LEAD + window.count, 4)
    ]
    site = describe_on_spot(**changes)
    prices = SitePrices(site, around, {"NL": PriceVintages(around, slot, published, spot)})
    return ReplayData(
        site, window, PerfectForesight(around, load, pv), prices, ForecastArchive(forecasts)
    )


def draw_site(rng: np.random.Generator, name: str = "home", *, inverter_share: float = 0.3) -> Site:
    """Return a site with any battery, connection and contract, and an inverter as often as said."""
    capacity = rng.uniform(1, 20)
    least = rng.uniform(0, 0.4)
    charge = rng.uniform(0.3, 1.0) * capacity
    battery = {
        "capacity_kwh": capacity,
        "min_soc": least,
        "max_soc": rng.uniform(least + 0.1, 1.0),
        "charge_limit_kw": charge,
        "discharge_limit_kw": rng.uniform(0.0, 1.0) * capacity,
        "charge_efficiency": rng.uniform(0.7, 1.0),
        "discharge_efficiency": rng.uniform(0.7, 1.0),
        "wear_price": rng.choice([0.0, 0.02]),
        "min_charge_kw": rng.choice([0.0, 0.3 * charge]),
        "taper_from_soc": rng.uniform(0.6, 1.0),
        "taper_to_share": rng.uniform(0.1, 1.0),
        "charge_from_grid": bool(rng.random() < 0.8),
        "discharge_to_grid": bool(rng.random() < 0.8),
    }
    grid = {
        "import_limit_kw": rng.choice([1.5, 4.0, 30.0]),
        "export_limit_kw": rng.choice([0.0, 1.0, 30.0]),
    }
    inverters = (
        [
            {
                "name": "hybrid",
                "ac_limit_kw": rng.uniform(1, 6),
                "pv": ["roof"],
                "batteries": ["battery"],
            }
        ]
        if rng.random() < inverter_share
        else []
    )
    pv = [{"name": "roof", "peak_kw": 5, "curtailable": bool(rng.random() < 0.6)}]
    return describe_on_spot(name=name, batteries=[battery], grid=grid, inverters=inverters, pv=pv)


def under(scene: ReplayData, site: Site) -> ReplayData:
    """Return the same days at another site."""
    return replace(scene, site=site, prices=replace(scene.prices, site=site))


def join_sites(
    rng: np.random.Generator,
    count: int,
    scene: ReplayData | None = None,
    *,
    inverter_share: float = 0.3,
) -> EpisodeBatch:
    """Return the same days at that many sites."""
    days = scene or make_scene()
    batches = []
    for place in range(count):
        site = draw_site(rng, f"home {place}", inverter_share=inverter_share)
        batches.append(EpisodeBatch.of(under(days, site)))
    return EpisodeBatch.join(batches)


def with_forecast(scene: ReplayData, place: int, load_kwh: FloatArray) -> ReplayData:
    """Return the scene with another load expected by one of its forecasts."""
    forecasts = list(scene.forecasts.forecasts)
    forecasts[place] = replace(forecasts[place], load_kwh=Quantiles.exact(load_kwh))
    return replace(scene, forecasts=ForecastArchive(forecasts))


def bounds_kwh(site: Site) -> tuple[float, float]:
    """Return the least and the most that the site's battery may hold."""
    battery = SiteLimits.of(site).batteries
    return float(battery.min_kwh[0, 0]), float(battery.max_kwh[0, 0])
