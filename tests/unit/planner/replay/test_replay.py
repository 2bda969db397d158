"""What a replay refuses, and what was known when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.operator_limits import OperatorLimit
from luna.energy.outlook import Quantiles
from luna.energy.timeline import SLOT, Timeline
from services.planner.problem.knowledge import ForecastArchive, PriceVintages, SitePrices
from services.planner.replay import ReplaySpec, replay, run
from tests.support.planning.replay import BEFORE, NOW, WINDOW, make_scene


def test_unknown_policy_is_named() -> None:
    with pytest.raises(InvalidInputError, match="clairvoyant"):
        replay(make_scene(), ["clairvoyant"], every=4)


def test_progress_reaches_its_end() -> None:
    told: list[tuple[int, int]] = []
    replay(
        make_scene(), ["idle"], every=4, progress=lambda done, total, _: told.append((done, total))
    )
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_a_policy_that_plans_beside_others_does_what_it_does_alone() -> None:
    scene = make_scene()
    alone, beside = (
        run(scene, ReplaySpec(policies, 16, explain_loss=False)).reply.policies["mpc"]
        for policies in (["mpc"], ["mpc_perfect_pv", "mpc", "rule"])
    )
    assert alone == beside


def test_who_knows_the_sun_does_not_correct_it_by_the_forecasts_bias() -> None:
    scene = make_scene(past_days=8)
    load = scene.foresight.load_kwh
    pv = scene.foresight.pv_kwh
    first = scene.foresight.timeline.start
    # Forecasts that know the load, and half of the sun: with the sun known they know everything.
    slots = [(issue, (issue.timeline.start - first) // SLOT) for issue in scene.forecasts.forecasts]
    issued = [
        replace(issue, load_kwh=Quantiles.exact(load[slot:]), pv_kwh=Quantiles.exact(pv[slot:] / 2))
        for issue, slot in slots
    ]
    policies = run(
        replace(scene, forecasts=ForecastArchive(issued)),
        ReplaySpec(["mpc_perfect_pv", "mpc_perfect"], 16, explain_loss=False),
    ).reply.policies
    assert policies["mpc_perfect_pv"].cost == pytest.approx(policies["mpc_perfect"].cost, abs=1e-6)


def test_what_plans_would_place_is_named_whatever_its_kind() -> None:
    pump = {
        "name": "pump",
        "power_kw": 2,
        "store": {"capacity_kwh_per_k": 4, "min_c": 20, "max_c": 23},
    }
    scene = make_scene(loads=[{"name": "boiler", "power_kw": 2}], heat_pumps=[pump])
    assert replay(scene, ["idle"], every=96).as_recorded == ["boiler", "pump"]


def revise(prices: SitePrices, published_at: datetime, price: float) -> SitePrices:
    """Return the knowledge with a later revision of every price."""
    book = prices.books["NL"]
    instants = np.full(book.slot.size, np.datetime64(published_at.replace(tzinfo=None)))
    published = np.column_stack((book.published_at, instants)).ravel()
    prices_then = np.column_stack((book.price, np.full(book.slot.size, price))).ravel()
    revised = PriceVintages(book.timeline, np.repeat(book.slot, 2), published, prices_then)
    return replace(prices, books={"NL": revised})


def test_revisions_published_later_are_not_known() -> None:
    prices = make_scene().prices
    revised = revise(prices, NOW + timedelta(minutes=1), 9.0)
    ahead = Timeline(NOW, SLOT, 96)
    assert (revised.ahead(NOW, ahead).import_price == prices.ahead(NOW, ahead).import_price).all()
    assert revised.mean_import_price(NOW) == prices.mean_import_price(NOW)


def test_revisions_published_by_then_are_known() -> None:
    revised = revise(make_scene().prices, NOW, 9.0)
    assert revised.ahead(NOW, Timeline(NOW, SLOT, 8)).import_price == pytest.approx(9.13)
    assert revised.mean_import_price(NOW) == pytest.approx(9.13)


def test_prices_beyond_what_is_published_repeat_the_last_known_day() -> None:
    # At 09:00 local time today's prices are known, tomorrow's from 13:00 on.
    known = make_scene().prices.ahead(NOW, Timeline(NOW, SLOT, 192))
    ends = int((known.known_until - NOW) / SLOT)
    assert known.known_until == WINDOW.start + timedelta(days=1)
    assert (known.import_price[ends : ends + 96][-ends:] == known.import_price[:ends]).all()


def test_forecast_in_force_is_the_last_one_issued() -> None:
    book = make_scene().forecasts
    assert book.latest(NOW).issued_at == WINDOW.start + timedelta(hours=6)
    with pytest.raises(InvalidInputError, match="no forecast"):
        book.latest(WINDOW.start - timedelta(seconds=1))


def test_forecast_that_begins_later_does_not_stand_for_the_slots_before_it() -> None:
    early = replace(make_scene().forecasts.forecasts[1], issued_at=WINDOW.start)
    with pytest.raises(InvalidInputError, match="no forecast"):
        ForecastArchive([early]).ahead(WINDOW.start, Timeline(WINDOW.start, SLOT, 8))


def test_window_is_in_utc() -> None:
    assert datetime(2023, 10, 2, 22, tzinfo=UTC) == WINDOW.start


def test_a_market_without_any_price_names_its_first_slot() -> None:
    scene = make_scene()
    book = scene.prices.books["NL"]
    bare = SitePrices(
        scene.site,
        scene.prices.timeline,
        {"NL": PriceVintages(book.timeline, book.slot[:0], book.published_at[:0], book.price[:0])},
    )
    with pytest.raises(InvalidInputError) as refused:
        bare.ahead(WINDOW.start + timedelta(hours=12), WINDOW.window(48, 8))
    assert refused.value.reason == "prices-missing"
    assert refused.value.field == "prices.NL"
    told = {"NL": replace(bare.books["NL"], foreign=("GBP", "SEK"))}
    with pytest.raises(InvalidInputError) as foreign:
        replace(bare, books=told).ahead(WINDOW.start + timedelta(hours=12), WINDOW.window(48, 8))
    assert foreign.value.reason == "prices-in-other-currency"
    figures = {"market": "NL", "known": ["GBP", "SEK"], "currency": "EUR"}
    assert foreign.value.parameters.items() >= figures.items()
    assert "--market NL --currency EUR" in str(foreign.value.remedy)


def test_a_gap_in_published_prices_is_named_by_its_slots() -> None:
    scene = make_scene()
    book = scene.prices.books["NL"]
    kept = (book.slot < BEFORE + 8) | (book.slot > BEFORE + 11)
    gappy = SitePrices(
        scene.site,
        scene.prices.timeline,
        {
            "NL": PriceVintages(
                book.timeline, book.slot[kept], book.published_at[kept], book.price[kept]
            )
        },
    )
    with pytest.raises(InvalidInputError) as refused:
        gappy.ahead(WINDOW.start + timedelta(hours=12), WINDOW.window(48, 8))
    assert refused.value.reason == "prices-missing"
    figures = {"count": 4, "when": "2023-10-03 02:00 CEST", "since": "2023-10-03T02:00:00+02:00"}
    assert refused.value.parameters == figures


def test_what_an_operator_limited_was_limited_for_every_policy() -> None:
    scene = make_scene()
    # A day, planned twice: what was limited is the same for each slot and for each plan.
    scene = replace(scene, timeline=scene.timeline.window(0, 96))
    spec = ReplaySpec(["mpc", "oracle"], 48, explain_loss=False)
    free = run(scene, spec).reply.policies
    # Nothing may be drawn but what the house needs, and nothing fed in.
    limit = OperatorLimit("nothing", scene.timeline.start, None, 0.0, 0.0, "connection", "api")
    policies = run(replace(scene, limits=(limit,)), spec).reply.policies
    actuals = scene.actuals
    need_kwh = np.maximum(actuals.load_kwh - actuals.pv_kwh, 0.0).sum()
    assert free["mpc"].import_kwh > need_kwh
    for policy in policies.values():
        assert policy.import_kwh <= need_kwh + 1e-6
        assert policy.export_kwh == pytest.approx(0.0, abs=1e-6)
        assert (policy.violations, policy.unserved_kwh) == (0, pytest.approx(0.0, abs=1e-6))
    # The best possible is the best under the limit.
    assert policies["oracle"].cost <= policies["mpc"].cost + 1e-6
    assert policies["oracle"].cost > free["oracle"].cost
