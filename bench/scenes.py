"""The demo's household as replays and oracles need it: what happened, what was known when, under
any tariff.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from luna.energy.site import FixedPrice, PriceRule, Site, SpotPrice
from luna.energy.timeline import SLOT, FloatArray, Timeline, align, local_days, repeat_last
from luna.platform.settings import load_settings
from services.ingest.demo_data.demo import DemoPrices, DemoSite, load_demo
from services.planner.problem.knowledge import (
    DAY,
    ForecastArchive,
    PerfectForesight,
    PriceVintages,
    SitePrices,
)
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData

# A week for the terminal value, and the errors of sixteen days before the first.
LEAD = 17 * DAY
MARKET = "NL"
_SPOT = SpotPrice(kind="spot", market=MARKET)
_MARKED_UP = SpotPrice(kind="spot", market=MARKET, markup=0.13)
# Import and export rules of the tariffs that docs/decisions/0004 measured.
TARIFFS: dict[str, tuple[PriceRule, PriceRule]] = {
    "A": (_MARKED_UP, _SPOT),
    "B": (_MARKED_UP, FixedPrice(kind="fixed", price=0.07)),
    "D": (_SPOT, _SPOT),
}


@dataclass(frozen=True, slots=True)
class Home:
    """A demo household and the prices it saw."""

    household: DemoSite
    prices: DemoPrices

    @property
    def zone(self) -> ZoneInfo:
        """Where its days begin."""
        return ZoneInfo(self.household.site.timezone)

    def under(self, tariff: str) -> Site:
        """Return the site under one of ``TARIFFS``."""
        site = self.household.site
        imported, exported = TARIFFS[tariff]
        return site.model_copy(
            update={
                "tariff": site.tariff.model_copy(update={"import_": imported, "export": exported})
            }
        )


def load_home(name: str = "home") -> Home:
    """Return a demo household; its packages are downloaded where they are not cached."""
    demo = load_demo(load_settings().cache)
    household = next(each for each in demo.sites if each.site.name == name)
    return Home(household, demo.prices)


def build_scene(
    home: Home, first: date, last: date, *, tariff: str, forecasts: ForecastArchive | None = None
) -> ReplayData:
    """Return the local days ``first`` to ``last`` with the week before and the planner's horizon
    after them.
    """
    window = local_days(first, last, home.zone)
    before = min(LEAD // SLOT, (window.start - _year_start(home)) // SLOT)
    around = Timeline(window.start - before * SLOT, SLOT, before + window.count + HORIZON // SLOT)
    site = home.under(tariff)
    seen = home.household.observations
    load, pv = (
        _fill(align(seen.starts, series, around)) for series in (seen.load_kwh, seen.pv_kwh)
    )
    known = SitePrices(site, around, {MARKET: _read_prices(home, around)})
    return ReplayData(
        site, window, PerfectForesight(around, load, pv), known, forecasts or ForecastArchive([])
    )


def _year_start(home: Home) -> datetime:
    first: datetime = home.household.observations.starts[0].astype("datetime64[s]").item()
    return first.replace(tzinfo=UTC)


def _fill(series: FloatArray) -> FloatArray:
    """Repeat the last day beyond the end of the year."""
    known = int(np.flatnonzero(np.isfinite(series))[-1]) + 1
    return np.asarray(series[repeat_last(np.arange(series.size), known, period=DAY // SLOT)])


def _read_prices(home: Home, timeline: Timeline) -> PriceVintages:
    slot = (home.prices.starts - timeline.starts[0]) // np.timedelta64(15, "m")
    inside = (slot >= 0) & (slot < timeline.count)
    return PriceVintages(
        timeline,
        slot[inside].astype(np.int64),
        home.prices.published_at[inside],
        home.prices.price[inside],
    )
