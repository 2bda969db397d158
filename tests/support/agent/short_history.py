"""A small history for learners: weeks of a made-up household on the spot market, with forecasts
that err.
"""

from datetime import date, timedelta
from typing import Any

import numpy as np

from luna.energy.quality_verdict import QualityVerdict
from luna.energy.timeline import SLOT, Timeline, local_days
from services.agent.training_history import History
from services.planner.problem.knowledge import (
    ForecastArchive,
    PerfectForesight,
    PriceVintages,
    SitePrices,
)
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData
from tests.support.planning.replay import ZONE, describe_on_spot, issue_forecast

FIRST_DAY = date(2023, 10, 3)
_WEEK = 7 * 96


def make_history(
    days: int, *, seed: int = 0, verdicts: dict[date, QualityVerdict] | None = None, **changes: Any
) -> History:
    """Return so many days: evening load, sun of changing strength, prices with two dear hours each
    day, forecasts every six hours.
    """
    rng = np.random.default_rng(seed)
    window = local_days(FIRST_DAY, FIRST_DAY + timedelta(days=days - 1), ZONE)
    after = HORIZON // SLOT
    timeline = Timeline(window.start - _WEEK * SLOT, SLOT, _WEEK + window.count + after)
    slot = np.arange(timeline.count)
    hour = slot % 96 / 4
    load = (0.06 + 0.3 * np.exp(-((hour - 19) ** 2) / 6)) * rng.gamma(4, 0.25, slot.size)
    pv = (
        np.maximum(np.sin((hour - 6) / 12 * np.pi), 0)
        * rng.uniform(0.1, 0.8, 1 + slot.size // 96).repeat(96)[: slot.size]
    )
    spot = (
        0.08
        + 0.05 * np.cos((hour - 19) / 6 * np.pi)
        + np.repeat(rng.normal(0, 0.02, 1 + slot.size // 4), 4)[: slot.size]
    )
    site = describe_on_spot(**changes)
    prices = SitePrices(
        site,
        timeline,
        {
            "NL": PriceVintages(
                timeline, slot, timeline.starts[slot // 96 * 96] - np.timedelta64(11, "h"), spot
            )
        },
    )
    forecasts = [
        issue_forecast(timeline, first, (load, pv), rng)
        for first in range(_WEEK, _WEEK + window.count, 24)
    ]
    scene = ReplayData(
        site, window, PerfectForesight(timeline, load, pv), prices, ForecastArchive(forecasts)
    )
    return History(scene, verdicts or {})
