from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luna.contracts.replay import ReplayReply
from luna.errors import InvalidInputError
from luna.outlook import Forecast, Quantiles
from luna.site import Site, parse_site
from luna.timeline import SLOT, FloatArray, Timeline, local_days, parse_zone
from services.planner.problem.knowledge import ForecastArchive, PerfectForesight, PriceVintages, SitePrices
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import ReplayData, replay

DAYS, BEFORE, AFTER = 3, 8 * 96, HORIZON // SLOT
POLICIES = ["idle", "self_consumption", "rule", "mpc", "mpc_perfect", "oracle"]
ZONE = parse_zone("Europe/Amsterdam")
WINDOW = local_days(date(2023, 10, 3), date(2023, 10, 2 + DAYS), ZONE)
BATTERY = {"capacity_kwh": 8, "charge_limit_kw": 4, "discharge_limit_kw": 4, "wear_price": 0.01}


def describe_site(**changes: Any) -> Site:
    spot = {"kind": "spot", "market": "NL"}
    site = {"name": "home", "timezone": "Europe/Amsterdam", "pv": [{"peak_kw": 5}], "batteries": [BATTERY]}
    return parse_site(site | {"tariff": {"import": spot | {"markup": 0.13}, "export": spot}} | changes)


def make_scene(seed: int = 0, *, past_days: int = 0, **changes: Any) -> ReplayData:
    """Return three days of a household on the spot market, its forecasts issued every six hours, and what is known of the days before."""
    rng, site = np.random.default_rng(seed), describe_site(**changes)
    before = past_days * 96
    count = before + WINDOW.count + AFTER
    hour = np.arange(count) % 96 / 4
    load = (0.06 + 0.3 * np.exp(-((hour - 19) ** 2) / 6)) * rng.gamma(4, 0.25, count)
    pv = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.uniform(0.1, 0.8, 1 + count // 96).repeat(96)[:count]
    timeline = Timeline(WINDOW.start - before * SLOT, SLOT, count)
    forecasts = [issue_forecast(timeline, slot, (load, pv), rng) for slot in range(0, before + WINDOW.count, 24)]
    return ReplayData(site, WINDOW, PerfectForesight(timeline, load, pv), know_prices(site, rng, WINDOW.count + AFTER), ForecastArchive(forecasts))


def issue_forecast(timeline: Timeline, slot: int, actual: tuple[FloatArray, FloatArray], rng: np.random.Generator) -> Forecast:
    ahead = timeline.window(slot, timeline.count - slot)
    load, pv = (values[slot:] * rng.uniform(0.6, 1.4, ahead.count) for values in actual)
    return Forecast(ahead, timeline.start + slot * SLOT, "made_up", Quantiles.exact(load), Quantiles.exact(pv))


def know_prices(site: Site, rng: np.random.Generator, count: int) -> SitePrices:
    """Return prices from eight days before the window on, each day's published at 13:00 of the day before."""
    timeline = Timeline(WINDOW.start - BEFORE * SLOT, SLOT, BEFORE + count)
    spot = np.repeat(rng.normal(0.1, 0.07, 1 + timeline.count // 4), 4)[: timeline.count]
    slot = np.arange(timeline.count)
    published = timeline.starts[slot // 96 * 96] - np.timedelta64(11, "h")
    return SitePrices(site, timeline, {"NL": PriceVintages(timeline, slot, published, spot)})


@cache
def replay_seed(seed: int, feed_in: float | None = None) -> ReplayReply:
    tariff = {"import": {"kind": "spot", "market": "NL", "markup": 0.13}, "export": {"kind": "fixed", "price": feed_in}}
    return replay(make_scene(seed, **({} if feed_in is None else {"tariff": tariff})), POLICIES, every=4)


SEEDS = [pytest.param(seed, feed_in, id=f"{seed}-{feed_in or 'spot'}") for seed in range(3) for feed_in in (None, 0.07)]


@pytest.mark.parametrize(("seed", "feed_in"), SEEDS)
def test_nobody_beats_the_oracle(seed: int, feed_in: float | None) -> None:
    scores = {name: policy.score for name, policy in replay_seed(seed, feed_in).policies.items()}
    assert scores["oracle"] == pytest.approx(1.0)
    assert scores["idle"] == pytest.approx(0.0)
    assert max(score or 0.0 for score in scores.values()) <= 1.0 + 1e-9


@pytest.mark.parametrize(("seed", "feed_in"), SEEDS)
def test_knowing_more_pays(seed: int, feed_in: float | None) -> None:
    scores = {name: policy.score or 0.0 for name, policy in replay_seed(seed, feed_in).policies.items()}
    assert 0.0 < scores["self_consumption"] < 1.0
    assert scores["mpc_perfect"] >= scores["mpc"] - 0.02
    assert scores["mpc_perfect"] >= 0.9


@pytest.mark.parametrize(("seed", "feed_in"), SEEDS)
def test_no_policy_leaves_the_limits(seed: int, feed_in: float | None) -> None:
    assert {policy.violations for policy in replay_seed(seed, feed_in).policies.values()} == {0}


@cache
def weigh_errors(seed: int, feed_in: float | None) -> ReplayReply:
    tariff = {"import": {"kind": "spot", "market": "NL", "markup": 0.13}, "export": {"kind": "fixed", "price": feed_in}}
    scene = make_scene(seed, past_days=6, **({} if feed_in is None else {"tariff": tariff}))
    return replay(scene, ["mpc", "mpc_scenarios", "oracle"], every=4)


@pytest.mark.parametrize(("seed", "feed_in"), SEEDS[:2])
def test_weighing_how_forecasts_err_keeps_all_limits_and_beats_no_oracle(seed: int, feed_in: float | None) -> None:
    weighed = weigh_errors(seed, feed_in).policies["mpc_scenarios"]
    assert weighed.violations == 0
    assert 0.5 < (weighed.score or 0.0) <= 1.0 + 1e-9


def test_weighing_how_forecasts_err_decides_otherwise() -> None:
    policies = weigh_errors(0, None).policies
    assert policies["mpc_scenarios"].cost != policies["mpc"].cost


def test_without_a_past_there_is_nothing_to_weigh() -> None:
    policies = replay(make_scene(1), ["mpc", "mpc_scenarios"], every=4).policies
    assert policies["mpc_scenarios"] == policies["mpc"]


def test_idle_moves_nothing() -> None:
    idle = replay_seed(0).policies["idle"]
    assert idle.cycles == 0.0
    assert idle.mode_changes_per_day == 0.0


def test_days_sum_to_the_cost_less_what_is_left_in_the_battery() -> None:
    reply = replay_seed(0)
    usable = BATTERY["capacity_kwh"]
    gained = [(sum(day.cost for day in policy.days) - policy.cost) / policy.terminal_value for policy in reply.policies.values()]
    assert [day.day for day in reply.policies["mpc"].days] == [date(2023, 10, 3), date(2023, 10, 4), date(2023, 10, 5)]
    assert gained[0] == pytest.approx(0.0)  # idle keeps what it had
    assert max(np.abs(gained)) <= usable / 2 + 1e-9


def test_each_day_says_what_is_left_in_the_battery_so_that_policies_compare_by_the_day() -> None:
    for policy in replay_seed(0).policies.values():
        assert sum(day.stored_gain for day in policy.days) == pytest.approx(policy.stored_gain)


def test_days_sum_to_the_cost_where_stored_energy_is_worth_nothing() -> None:
    free = {"kind": "fixed", "price": 0.0}
    reply = replay(make_scene(1, tariff={"import": free, "export": free}), ["self_consumption"], every=4)
    policy = reply.policies["self_consumption"]
    assert policy.terminal_value == 0.0
    assert sum(day.cost for day in policy.days) == pytest.approx(policy.cost)


def test_losses_and_what_is_reached_make_the_whole() -> None:
    reply = replay_seed(0)
    assert sum(reply.loss.values()) == pytest.approx(100 * (1 - (reply.policies["mpc"].score or 0.0)))


def test_replaying_twice_gives_the_same() -> None:
    assert replay(make_scene(1), ["mpc", "oracle"], every=4) == replay(make_scene(1), ["mpc", "oracle"], every=4)


def test_policies_do_not_depend_on_who_else_is_replayed() -> None:
    together, alone = replay_seed(2), replay(make_scene(2), ["mpc"], every=4)
    assert alone.policies["mpc"] == together.policies["mpc"]


def test_unknown_policy_is_named() -> None:
    with pytest.raises(InvalidInputError, match="clairvoyant"):
        replay(make_scene(), ["clairvoyant"], every=4)


def test_progress_reaches_its_end() -> None:
    told: list[tuple[int, int]] = []
    replay(make_scene(), ["idle"], every=4, progress=lambda done, total, _: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_several_batteries_are_replayed_within_their_limits() -> None:
    small = {"name": "small", "capacity_kwh": 3, "charge_limit_kw": 1, "discharge_limit_kw": 1, "charge_from_grid": False, "discharge_to_grid": False}
    reply = replay(make_scene(3, batteries=[BATTERY, small]), ["self_consumption", "mpc_perfect", "oracle"], every=16)
    assert {policy.violations for policy in reply.policies.values()} == {0}
    assert 0.8 < (reply.policies["mpc_perfect"].score or 0.0) <= 1.0 + 1e-9


def test_site_without_battery_has_nothing_to_save() -> None:
    reply = replay(make_scene(0, batteries=[]), ["self_consumption", "oracle"], every=4)
    assert reply.policies["oracle"].score is None


def first_day(scene: ReplayData) -> dict[str, float]:
    reply = replay(scene, ["mpc"], every=8)
    return {name: policy.days[0].cost for name, policy in reply.policies.items()}


FIRST_DAY_ENDS = WINDOW.start + timedelta(days=1)


def poison_forecasts(scene: ReplayData, factor: float) -> ReplayData:
    """Return the scene with every forecast issued after the first day changed."""

    def spoil(series: Quantiles) -> Quantiles:
        return series.map(lambda part: part * factor)

    forecasts = scene.forecasts.forecasts
    spoiled = [replace(each, load_kwh=spoil(each.load_kwh), pv_kwh=spoil(each.pv_kwh)) for each in forecasts]
    chosen = [late if early.issued_at >= FIRST_DAY_ENDS else early for early, late in zip(forecasts, spoiled, strict=True)]
    return replace(scene, forecasts=ForecastArchive(chosen))


def poison_prices(scene: ReplayData, factor: float) -> ReplayData:
    """Return the scene with everything published after the first day changed."""
    book = scene.prices.books["NL"]
    late = book.published_at >= np.datetime64(FIRST_DAY_ENDS.replace(tzinfo=None))
    return replace(scene, prices=replace(scene.prices, books={"NL": replace(book, price=np.where(late, book.price + 0.1 * factor, book.price))}))


def poison_actuals(scene: ReplayData, factor: float) -> ReplayData:
    """Return the scene with another load and another sun after the first day."""
    later = np.arange(scene.foresight.timeline.count) >= 96
    changed = {name: np.where(later, getattr(scene.foresight, name) * factor, getattr(scene.foresight, name)) for name in ("load_kwh", "pv_kwh")}
    return replace(scene, foresight=replace(scene.foresight, **changed))


@settings(max_examples=4)
@given(factor=st.floats(0, 20), seed=st.integers(0, 5))
@pytest.mark.parametrize("poison", [poison_forecasts, poison_prices, poison_actuals], ids=["forecasts", "prices", "actuals"])
def test_nothing_known_later_changes_what_was_decided_before(poison: Callable[[ReplayData, float], ReplayData], factor: float, seed: int) -> None:
    scene = make_scene(seed)
    assert first_day(poison(scene, factor)) == first_day(scene)


def revise(prices: SitePrices, published_at: datetime, price: float) -> SitePrices:
    """Return the knowledge with a later revision of every price."""
    book = prices.books["NL"]
    slot = np.concatenate([book.slot, book.slot])
    published = np.concatenate([book.published_at, np.full(book.slot.size, np.datetime64(published_at.replace(tzinfo=None)))])
    revised = PriceVintages(book.timeline, slot, published, np.concatenate([book.price, np.full(book.price.size, price)]))
    return replace(prices, books={"NL": revised})


NOW = WINDOW.start + timedelta(hours=9)


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


def test_a_tariff_in_blocks_is_not_replayed_at_the_first_blocks_price() -> None:
    blocks = {"kind": "blocks", "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"price": 0.4}]}
    with pytest.raises(InvalidInputError, match="blocks"):
        replay(make_scene(tariff={"import": blocks}), ["idle"], every=4)


def test_a_market_without_any_price_names_its_first_slot() -> None:
    scene = make_scene()
    book = scene.prices.books["NL"]
    bare = SitePrices(scene.site, scene.prices.timeline, {"NL": PriceVintages(book.timeline, book.slot[:0], book.published_at[:0], book.price[:0])})
    with pytest.raises(InvalidInputError, match="slots have no price, the first at 20") as refused:
        bare.ahead(WINDOW.start + timedelta(hours=12), WINDOW.window(48, 8))
    assert refused.value.field == "prices.NL"


def test_a_gap_in_published_prices_is_named_by_its_slots() -> None:
    scene = make_scene()
    book = scene.prices.books["NL"]
    kept = (book.slot < BEFORE + 8) | (book.slot > BEFORE + 11)
    gappy = SitePrices(scene.site, scene.prices.timeline, {"NL": PriceVintages(book.timeline, book.slot[kept], book.published_at[kept], book.price[kept])})
    with pytest.raises(InvalidInputError, match="4 slots have no price, the first at 2023-10-03T00:00:00"):
        gappy.ahead(WINDOW.start + timedelta(hours=12), WINDOW.window(48, 8))
