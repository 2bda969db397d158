"""Three days of a made-up household on the spot market, as they were and as they were known, to be
replayed.
"""

from datetime import date, timedelta
from typing import Any

import numpy as np

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, parse_zone
from services.planner.problem.knowledge import (
    ForecastArchive,
    PerfectForesight,
    PriceVintages,
    SitePrices,
)
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData

DAYS = 3
BEFORE = 8 * 96
AFTER = HORIZON // SLOT
ZONE = parse_zone("Europe/Amsterdam")
WINDOW = local_days(date(2023, 10, 3), date(2023, 10, 2 + DAYS), ZONE)
BATTERY = {"capacity_kwh": 8, "charge_limit_kw": 4, "discharge_limit_kw": 4, "wear_price": 0.01}


def describe_on_spot(**changes: Any) -> Site:
    spot = {"kind": "spot", "market": "NL"}
    site = {
        "name": "home",
        "timezone": "Europe/Amsterdam",
        "pv": [{"peak_kw": 5}],
        "batteries": [BATTERY],
    }
    return parse_site(
        site | {"tariff": {"import": spot | {"markup": 0.13}, "export": spot}} | changes
    )


def make_scene(seed: int = 0, *, past_days: int = 0, **changes: Any) -> ReplayData:
    """Return three days of a household on the spot market, its forecasts issued every six hours,
    and what is known of the days before.
    """
    rng = np.random.default_rng(seed)
    site = describe_on_spot(**changes)
    before = past_days * 96
    count = before + WINDOW.count + AFTER
    hour = np.arange(count) % 96 / 4
    load = (0.06 + 0.3 * np.exp(-((hour - 19) ** 2) / 6)) * rng.gamma(4, 0.25, count)
    pv = (
        np.maximum(np.sin((hour - 6) / 12 * np.pi), 0)
        * rng.uniform(0.1, 0.8, 1 + count // 96).repeat(96)[:count]
    )
    timeline = Timeline(WINDOW.start - before * SLOT, SLOT, count)
    forecasts = [
        issue_forecast(timeline, slot, (load, pv), rng)
        for slot in range(0, before + WINDOW.count, 24)
    ]
    return ReplayData(
        site,
        WINDOW,
        PerfectForesight(timeline, load, pv),
        know_prices(site, rng, WINDOW.count + AFTER),
        ForecastArchive(forecasts),
    )


def issue_forecast(
    timeline: Timeline, slot: int, actual: tuple[FloatArray, FloatArray], rng: np.random.Generator
) -> Forecast:
    ahead = timeline.window(slot, timeline.count - slot)
    load, pv = (values[slot:] * rng.uniform(0.6, 1.4, ahead.count) for values in actual)
    return Forecast(
        ahead, timeline.start + slot * SLOT, "made_up", Quantiles.exact(load), Quantiles.exact(pv)
    )


def know_prices(site: Site, rng: np.random.Generator, count: int) -> SitePrices:
    """Return prices from eight days before the window on, each day's published at 13:00 of the day
    before.
    """
    timeline = Timeline(WINDOW.start - BEFORE * SLOT, SLOT, BEFORE + count)
    spot = np.repeat(rng.normal(0.1, 0.07, 1 + timeline.count // 4), 4)[: timeline.count]
    slot = np.arange(timeline.count)
    published = timeline.starts[slot // 96 * 96] - np.timedelta64(11, "h")
    return SitePrices(site, timeline, {"NL": PriceVintages(timeline, slot, published, spot)})


NOW = WINDOW.start + timedelta(hours=9)
