"""Recorded days of a made-up site, as what-if questions live through them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np

from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, local_days, parse_zone
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, SitePrices
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData
from services.planner.variants.adapted_site import AdaptedSite, adapt

BATTERY = {
    "name": "battery",
    "capacity_kwh": 4,
    "charge_limit_kw": 2,
    "discharge_limit_kw": 2,
    "charge_efficiency": 1,
    "discharge_efficiency": 1,
    "wear_price": 0.01,
}
TARIFF = {
    "import": {
        "kind": "time_of_use",
        "default": 0.3,
        "bands": [{"from": "00:00", "to": "06:00", "price": 0.1}],
    },
    "export": {"kind": "fixed", "price": 0},
}
# A week and a day, for prices carried on.
LEAD = 8 * 96


def describe_home(**changes: Any) -> Site:
    """A house in UTC with a battery of 4 kWh, a roof and cheap nights."""
    site = {
        "name": "home",
        "timezone": "UTC",
        "batteries": [BATTERY],
        "pv": [{"name": "roof", "peak_kw": 4}],
        "tariff": TARIFF,
    }
    return parse_site(site | changes)


def record_days(first: date, last: date) -> AdaptedSite:
    """Days of 0.25 kWh a quarter-hour, and at noon one hour with as much sun.

    Expected as they come.
    """
    site = describe_home()
    window = local_days(first, last, parse_zone("UTC"))
    around = Timeline(
        window.start - timedelta(minutes=15 * LEAD), SLOT, LEAD + window.count + HORIZON // SLOT
    )
    noon = (np.arange(around.count) % 96 // 4) == 12
    seen = PerfectForesight(around, np.full(around.count, 0.25), np.where(noon, 0.25, 0.0))
    return AdaptedSite(
        ReplayData(site, window, seen, SitePrices(site, around, {}), ForecastArchive(())), seen
    )


def live_under(
    world: AdaptedSite, site: Site, drawn_kwh: Mapping[str, float] | None = None
) -> AdaptedSite:
    """The same days under another site, whose tariff's running periods had drawn so much."""
    prices = SitePrices(site, world.scene.prices.timeline, {})
    return adapt(world, site, prices, drawn_kwh=drawn_kwh or {})
