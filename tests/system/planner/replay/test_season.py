"""Over a season nobody loses by planning: three tariffs, several households, load known as the mean
of its last seven days.
"""

from datetime import date, timedelta

import numpy as np
import pytest

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import FloatArray, Timeline, local_days, parse_zone
from services.planner.problem.knowledge import (
    ForecastArchive,
    PerfectForesight,
    PriceVintages,
    SitePrices,
)
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData, ReplaySpec, run
from tests.support.planning.replay import describe_on_spot
from tests.support.suite.tables import each_row

HOUR = timedelta(hours=1)
WEEKS = 3
FIRST = date(2023, 9, 4)
ZONE = parse_zone("Europe/Amsterdam")
LAST = FIRST + timedelta(days=7 * WEEKS - 1)
WINDOW = Timeline(local_days(FIRST, LAST, ZONE).start, HOUR, 7 * WEEKS * 24)
BEFORE = 8 * 24
AFTER = HORIZON // HOUR
AROUND = Timeline(WINDOW.start - BEFORE * HOUR, HOUR, BEFORE + WINDOW.count + AFTER)
SPOT = {"kind": "spot", "market": "NL"}
MARKED_UP = SPOT | {"markup": 0.13}
TARIFFS = {
    "spot both ways": {"import": SPOT, "export": SPOT},
    "spot with mark-up, spot": {"import": MARKED_UP, "export": SPOT},
    "spot with mark-up, fixed feed-in": {
        "import": MARKED_UP,
        "export": {"kind": "fixed", "price": 0.07},
    },
}
# When the house is busiest, and how much the sun gives it.
HOMES = {"evening": (19.0, 3.0), "day": (12.0, 1.0)}


def draw_home(name: str) -> tuple[FloatArray, FloatArray]:
    busiest, sun = HOMES[name]
    rng = np.random.default_rng(len(name))
    hour = np.arange(AROUND.count) % 24
    load = (0.2 + 1.1 * np.exp(-((hour - busiest) ** 2) / 6)) * rng.gamma(4, 0.25, AROUND.count)
    cloud = rng.uniform(0.1, 1.0, 1 + AROUND.count // 24).repeat(24)[: AROUND.count]
    return load, sun * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * cloud


def draw_prices() -> SitePrices:
    rng = np.random.default_rng(7)
    hour = np.arange(AROUND.count) % 24
    spot = (
        0.09
        - 0.05 * np.cos((hour - 13) / 6 * np.pi) * (hour > 6)
        + rng.normal(0, 0.02, AROUND.count)
    )
    published = AROUND.starts[np.arange(AROUND.count) // 24 * 24] - np.timedelta64(11, "h")
    return SitePrices(
        describe_on_spot(),
        AROUND,
        {"NL": PriceVintages(AROUND, np.arange(AROUND.count), published, spot)},
    )


def average(load: FloatArray, slot: int) -> Forecast:
    """Return the mean of the seven days before a slot, for two days ahead."""
    week = load[slot - 7 * 24 : slot].reshape(7, 24).mean(axis=0)
    ahead = Timeline(AROUND.start + slot * HOUR, HOUR, 48)
    return Forecast(
        ahead, ahead.start, "mean", Quantiles.exact(np.tile(week, 2)), Quantiles.exact(np.zeros(48))
    )


def make_scene(home: str, tariff: str) -> ReplayData:
    load, pv = draw_home(home)
    site = describe_on_spot(tariff=TARIFFS[tariff])
    prices = draw_prices()
    issued = [average(load, slot) for slot in range(BEFORE, BEFORE + WINDOW.count, 24)]
    known = SitePrices(site, prices.timeline, prices.books)
    return ReplayData(
        site, WINDOW, PerfectForesight(AROUND, load, pv), known, ForecastArchive(issued)
    )


@each_row("home", HOMES)
@each_row("tariff", TARIFFS)
def test_over_a_season_a_plan_is_never_worse_than_self_consumption(home: str, tariff: str) -> None:
    policies = run(
        make_scene(home, tariff), ReplaySpec(["self_consumption", "mpc_perfect_pv", "oracle"], 6)
    ).reply.policies
    planned = policies["mpc_perfect_pv"]
    assert policies["oracle"].cost - 1e-6 <= planned.cost <= policies["self_consumption"].cost
    assert planned.violations == 0
    assert planned.weeks is not None
    assert (
        planned.weeks.count,
        policies["self_consumption"].weeks.losing if policies["self_consumption"].weeks else None,
    ) == (WEEKS, 0)
    # Valued by the oracle's V′ at each midnight, weeks make the whole but for what is left at the
    # end.
    assert planned.weeks.gain == pytest.approx(
        policies["self_consumption"].cost - planned.cost, abs=1e-6
    )
