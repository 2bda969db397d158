"""Plans made anew every hour from forecasts that change: modes do not flip for little, and what
flips there are cost next to nothing.

Hysteresis: a mode in progress goes on until another gains ``Margin.hysteresis`` per stored kWh, or
the site's ``switching_price`` where that is more (docs/guide/en/plan.md, docs/decisions/0004,
docs/decisions/0024).
"""

from dataclasses import replace

import numpy as np
import pytest

from luna.contracts.replay import PolicyReply
from luna.energy.timeline import SLOT, Timeline
from services.planner.problem.knowledge import ForecastArchive, PriceVintages, SitePrices
from services.planner.replay import ReplayData, replay
from tests.support.planning.replay import AFTER, BEFORE, DAYS, WINDOW, issue_forecast, make_scene
from tests.support.suite.depth import LONG

HOUR = 4
THREE_HOURS = 12
CENT = 0.01


def make_jittery_scene(seed: int, *, switching_price: float = 0.0) -> ReplayData:
    """Return three days of prices with two cheap and two dear times a day, whose hours differ by
    less than a cent, and a new forecast every hour.
    """
    scene = make_scene(seed, objective={"switching_price": switching_price})
    rng = np.random.default_rng(seed + 50)
    timeline = Timeline(WINDOW.start - BEFORE * SLOT, SLOT, BEFORE + WINDOW.count + AFTER)
    slot = np.arange(timeline.count)
    jitter = np.repeat(rng.normal(0, 0.008, 1 + timeline.count // 4), 4)[: timeline.count]
    spot = 0.1 + 0.04 * np.sin(slot % 96 / 96 * 4 * np.pi) + jitter
    published = timeline.starts[slot // 96 * 96] - np.timedelta64(11, "h")
    prices = SitePrices(
        scene.site, timeline, {"NL": PriceVintages(timeline, slot, published, spot)}
    )
    known = scene.foresight
    issued = [
        issue_forecast(known.timeline, first, (known.load_kwh, known.pv_kwh), rng)
        for first in range(0, WINDOW.count, HOUR)
    ]
    return replace(scene, prices=prices, forecasts=ForecastArchive(issued))


def follow(seed: int, *, every: int = HOUR, switching_price: float = 0.0) -> PolicyReply:
    return replay(
        make_jittery_scene(seed, switching_price=switching_price), ["mpc"], every=every
    ).policies["mpc"]


@pytest.mark.parametrize("seed", [0, 3] if LONG else [0])
def test_planning_anew_every_hour_flips_no_mode_for_little_and_costs_less_than_a_cent_a_day(
    seed: int,
) -> None:
    often = follow(seed)
    seldom = follow(seed, every=THREE_HOURS)
    # Two cheap and two dear times a day: a change into each and one out of each would be eight.
    # Without hysteresis there are nine and ten.
    assert often.mode_changes_per_day <= 6
    assert often.cost - seldom.cost < CENT * DAYS


def test_a_switching_price_of_a_cent_makes_plans_steadier_for_less_than_two_cents_a_day() -> None:
    free = follow(0)
    steady = follow(0, switching_price=CENT)
    assert steady.mode_changes_per_day <= 0.75 * free.mode_changes_per_day
    assert steady.cost - free.cost < 2 * CENT * DAYS
