"""Episodes are whole local days of which nothing is missing, and hold no more than was known."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.outlook import Quantiles
from luna.energy.refusals import REASONS
from luna.energy.timeline import SLOT
from services.agent.environment.env import AntaresEnv
from services.agent.environment.episodes import EpisodeBatch
from services.agent.environment.states import LAYOUTS, V1
from services.agent.environment.transition import EnvRule
from services.planner.problem.knowledge import ForecastArchive
from services.planner.replay import ReplayData
from tests.support.agent.made_up_days import make_days, with_forecast
from tests.support.planning.replay import make_scene
from tests.support.suite.tables import each_row

AUTUMN = date(2023, 10, 29)
SPRING = date(2024, 3, 31)
FIRST = date(2023, 10, 3)


def all_states(
    batch: EpisodeBatch, version: str, slots: range
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return LAYOUTS[version].build(
        batch.features, np.array(slots), np.full(len(slots), 0.5), np.full(len(slots), 8.0)
    )


def break_load(scene: ReplayData, slot: int) -> ReplayData:
    load = scene.foresight.load_kwh.copy()
    load[scene.foresight.timeline.index_of(scene.timeline.start) + slot] = np.nan
    return replace(scene, foresight=replace(scene.foresight, load_kwh=load))


@pytest.mark.parametrize(
    ("day", "slots"),
    [(AUTUMN, 100), (SPRING, 92), (date(2024, 3, 30), 96)],
    ids=["autumn", "spring", "plain"],
)
def test_a_local_day_has_as_many_slots_as_its_clock(day: date, slots: int) -> None:
    batch = EpisodeBatch.of(make_days(day, day))
    assert batch.episodes.count.tolist() == [slots]
    # Midnight is 24 hours of the clock away only on days of 24 hours.
    left = all_states(batch, "compact", range(slots))[
        :, LAYOUTS["compact"].names.index("hours_until_end_of_day")
    ]
    np.testing.assert_allclose(left * 24, np.arange(slots, 0, -1) / 4, rtol=1e-6)


def test_episodes_of_several_days_begin_on_each_day_that_enough_follow() -> None:
    batch = EpisodeBatch.of(make_days(date(2024, 3, 30), date(2024, 4, 2)), days=3)
    assert batch.episodes.day == (date(2024, 3, 30), date(2024, 3, 31))
    # 96 + 92 + 96, and 92 + 96 + 96.
    assert batch.episodes.count.tolist() == [284, 284]
    assert batch.episodes.first.tolist() == [0, 96]


def test_a_day_with_gaps_is_refused_and_says_why() -> None:
    batch = EpisodeBatch.of(break_load(make_scene(), 100))
    assert [day.day for day in batch.episodes.day] == [3, 5]
    with pytest.raises(InvalidInputError, match=r"1 of 96 .*load"):
        batch.find(date(2023, 10, 4))
    with pytest.raises(InvalidInputError, match="1 of 96"):
        AntaresEnv(batch).reset(options={"day": "2023-10-04"})


def test_days_whose_data_cannot_be_trusted_are_refused_and_those_of_the_battery_marked() -> None:
    batch = EpisodeBatch.of(
        make_scene(), verdicts={date(2023, 10, 3): "exclude", date(2023, 10, 5): "mask_battery"}
    )
    assert batch.episodes.masked.tolist() == [False, True]
    with pytest.raises(InvalidInputError, match="exclude"):
        batch.find(date(2023, 10, 3))


def test_a_forecast_that_is_no_number_takes_its_day_out() -> None:
    scene = make_scene()
    spoilt = scene.forecasts.forecasts[5].load_kwh.expected.copy()
    spoilt[7] = np.nan
    # Forecasts are issued every six hours: the sixth speaks on the second day.
    batch = EpisodeBatch.of(with_forecast(scene, 5, spoilt))
    assert [day.day for day in batch.episodes.day] == [3, 5]
    assert "has gaps" in batch.refused["home", date(2023, 10, 4)]


def test_a_day_before_the_first_forecast_is_refused() -> None:
    scene = make_scene()
    batch = EpisodeBatch.of(
        replace(scene, forecasts=ForecastArchive(scene.forecasts.forecasts[2:]))
    )
    assert str(REASONS["no-forecast-then"].message) in batch.refused["home", FIRST]


def test_a_day_whose_horizon_has_no_prices_is_refused() -> None:
    scene = make_scene()
    whole = scene.prices.timeline
    book = scene.prices.books["NL"]
    shorter = whole.window(0, whole.count - 40)
    kept = book.slot < whole.count - 40
    cut = replace(
        book,
        timeline=shorter,
        slot=book.slot[kept],
        published_at=book.published_at[kept],
        price=book.price[kept],
    )
    batch = EpisodeBatch.of(
        replace(scene, prices=replace(scene.prices, timeline=shorter, books={"NL": cut}))
    )
    assert list(batch.refused) == [("home", date(2023, 10, 5))]
    assert "prices end before the horizon" in batch.refused["home", date(2023, 10, 5)]


def test_where_no_day_is_left_the_batch_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no episode"):
        EpisodeBatch.of(
            make_scene(), verdicts={FIRST + timedelta(days=ahead): "exclude" for ahead in range(3)}
        )


def test_a_day_that_nobody_recorded_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        EpisodeBatch.of(make_scene()).find(date(2020, 1, 1))


def test_a_price_that_depends_on_what_was_drawn_before_is_refused() -> None:
    blocks = {
        "import": {"kind": "block", "blocks": [{"up_to_kwh": 100, "price": 0.2}, {"price": 0.4}]},
        "export": {"kind": "fixed", "price": 0.0},
    }
    with pytest.raises(InvalidInputError, match="tariff"):
        EpisodeBatch.of(make_scene(tariff=blocks))


@each_row("version", LAYOUTS)
@each_row("now", [0, 47, 52, 150])
def test_no_state_changes_with_what_comes_after_it(version: str, now: int) -> None:
    scene = make_scene()
    instant = scene.timeline.start + now * SLOT
    before = scene.timeline.starts[now].astype("datetime64[us]")
    actual = scene.foresight
    book = scene.prices.books["NL"]
    later = np.arange(actual.timeline.count) >= actual.timeline.index_of(instant)
    forecasts = [
        replace(
            each,
            load_kwh=Quantiles.exact(each.load_kwh.expected + 9),
            pv_kwh=Quantiles.exact(each.pv_kwh.expected + 9),
        )
        if each.issued_at > instant
        else each
        for each in scene.forecasts.forecasts
    ]
    changed = replace(
        scene,
        foresight=replace(
            actual, load_kwh=actual.load_kwh + 5 * later, pv_kwh=actual.pv_kwh + 5 * later
        ),
        prices=replace(
            scene.prices,
            books={"NL": replace(book, price=book.price + 3 * (book.published_at > before))},
        ),
        forecasts=ForecastArchive(forecasts),
    )
    there, other = (
        all_states(EpisodeBatch.of(each), version, range(now + 1)) for each in (scene, changed)
    )
    np.testing.assert_array_equal(there, other)


def test_a_state_shows_the_forecast_last_issued_and_the_prices_published() -> None:
    scene = make_days(FIRST, FIRST + timedelta(days=1))
    # 12:30: tomorrow's prices are not out
    batch = EpisodeBatch.of(scene)
    slot = 50
    now = scene.timeline.start + slot * SLOT
    ahead = scene.timeline.window(slot, 1)
    whole = replace(ahead, count=192)
    load, _ = scene.forecasts.ahead(now, whole)
    price = scene.prices.ahead(now, whole).import_price
    state = dict(zip(V1.names, all_states(batch, "v1", range(slot, slot + 1))[0], strict=True))
    # Half an hour of the clock's hour is left: the next one begins two slots on.
    assert state["load_ahead_00h"] == pytest.approx(4 * load[0] / 8.0, rel=1e-6)
    assert state["load_ahead_01h"] == pytest.approx(load[2:6].sum() / 8.0, rel=1e-6)
    assert state["load_ahead_47h"] == pytest.approx(load[186:190].sum() / 8.0, rel=1e-6)
    scale = np.abs(price[:96]).mean()
    assert state["import_price_ahead_00h"] == pytest.approx(price[0] / scale, rel=1e-5)
    assert state["import_price_ahead_24h"] == pytest.approx(price[94:98].mean() / scale, rel=1e-5)


def test_other_batteries_live_through_the_same_days() -> None:
    batch = EpisodeBatch.of(make_scene())
    battery = batch.sites[0].batteries[0]
    fleet = batch.equip([[battery], [battery.model_copy(update={"capacity_kwh": 16.0})]])
    assert fleet.episodes.size == 6
    assert fleet.features is batch.features
    env = AntaresEnv(fleet, EnvRule(V1))
    assert env.observation_space.shape == (195,)
