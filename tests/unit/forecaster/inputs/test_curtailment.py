"""PV that was held back, by whomever: recognised, and estimated as the sun would have given it.

Shadows, clouds and small roofs are what they are.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from luna.energy.observations import Observations
from luna.energy.site import Site
from luna.energy.steered_slots import NO_STEERING, Steering
from luna.energy.timeline import FloatArray
from luna.energy.weather import WeatherVintages
from services.forecaster.input_quality import Circumstances, InputQuality, judge_origins
from services.forecaster.inputs.curtailment import estimate_potential, find_curtailed
from services.forecaster.inputs.preparation import prepare_history
from services.forecaster.inputs.solar import estimate_clear_sky, expected_output, look_up
from services.forecaster.model.baseline import LIKE_DAYS, Baseline
from tests.support.household.measurements import START, day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
DAYS = 21  # twenty that are known, and the one that is forecast
KNOWN = slice(0, (DAYS - 1) * 96)
SLOT_OF_DAY = np.arange(DAYS * 96) % 96
NOON = (SLOT_OF_DAY >= 34) & (SLOT_OF_DAY < 58)


def live(*, shade: FloatArray | float = 1.0, seed: int = 3) -> Observations:
    """Return days in May under skies of their own, a few of them clouded, with what passes the
    meter of a house without a battery.
    """
    rng = np.random.default_rng(seed)
    measured = measure_days(DAYS, start=START + timedelta(days=70), seed=seed)
    brightness = np.where(np.arange(DAYS) % 5 == 3, 0.25, rng.uniform(0.75, 0.9, DAYS))
    brightness[-1] = brightness[:-1].mean()
    cloud = rng.normal(1.0, 0.03, measured.pv_kwh.size) ** np.where(
        np.repeat(brightness, 96) < 0.5, 8, 1
    )
    return measure(
        measured,
        estimate_clear_sky(measured.starts, SITE)
        * np.repeat(brightness, 96)
        * np.clip(cloud, 0.2, 1.8)
        * shade,
    )


def measure(history: Observations, pv_kwh: FloatArray) -> Observations:
    grid = history.load_kwh - pv_kwh
    return replace(
        history, pv_kwh=pv_kwh, import_kwh=np.maximum(grid, 0.0), export_kwh=np.maximum(-grid, 0.0)
    )


def steer(
    history: Observations, within: np.ndarray[tuple[int], np.dtype[np.bool_]], limit_kwh: float
) -> Steering:
    return replace(
        NO_STEERING,
        pv_starts=history.starts[within],
        pv_limit_kwh=np.full(np.count_nonzero(within), limit_kwh),
    )


def end_before_last(history: Observations) -> Observations:
    """Return what is known when the last day begins."""
    ahead = np.arange(SLOT_OF_DAY.size) >= KNOWN.stop
    return replace(
        history,
        **{
            name: np.where(ahead, np.nan, getattr(history, name))
            for name in ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")
        },
    )


def sum_forecast(history: Observations, series: str = "pv_kwh") -> float:
    forecast = Baseline(LIKE_DAYS, SITE).issue_many(history, [BEFORE]).forecast(0)
    return float(getattr(forecast, series).expected[:96].sum())


BEFORE = day(70 + DAYS - 1)
FREE = live()
STEADY = np.random.default_rng(1).uniform(0.998, 1.0, NOON.size)  # as inverters hold a level


def limit_feed_in(history: Observations, share: float) -> Observations:
    return measure(history, np.minimum(history.pv_kwh, history.load_kwh + share * 1.25))


@each_row(
    ("history", "steering"),
    [
        pytest.param(
            measure(FREE, np.minimum(FREE.pv_kwh, 0.6 * 1.25 * STEADY)),
            NO_STEERING,
            id="at 60 % of its peak",
        ),
        pytest.param(
            measure(FREE, np.minimum(FREE.pv_kwh, 0.25 * 1.25)), NO_STEERING, id="at a quarter"
        ),
        pytest.param(limit_feed_in(FREE, 0.0), NO_STEERING, id="nothing may be fed in"),
        pytest.param(limit_feed_in(FREE, 0.4), NO_STEERING, id="a little may be fed in"),
        pytest.param(
            measure(FREE, np.where(NOON, 0.0, FREE.pv_kwh)), NO_STEERING, id="off at noon"
        ),
        pytest.param(
            measure(FREE, np.where(NOON, 0.0, FREE.pv_kwh)),
            steer(FREE, NOON, 0.0),
            id="off at noon by Luna",
        ),
        pytest.param(
            measure(FREE, np.where(NOON, np.minimum(FREE.pv_kwh, 0.1), FREE.pv_kwh)),
            steer(FREE, NOON, 0.1),
            id="limited at noon by Luna",
        ),
    ],
)
def test_after_twenty_days_held_back_the_next_is_forecast_as_the_sun_gives_it(
    history: Observations, steering: Steering
) -> None:
    could = FREE.pv_kwh[KNOWN].sum()
    came = history.pv_kwh[KNOWN].sum()
    prepared = prepare_history(
        end_before_last(history), SITE, before=BEFORE, steering=steering
    ).history
    assert came < 0.96 * could
    assert prepared.pv_kwh[KNOWN].sum() == pytest.approx(could, rel=0.1)
    assert sum_forecast(prepared) == pytest.approx(sum_forecast(end_before_last(FREE)), rel=0.1)


def test_a_day_without_sun_of_its_own_is_estimated_by_the_weather() -> None:
    history = measure_days(DAYS, seed=4)
    # As bright as the weather says: dark days and bright ones in turn.
    ghi = (
        800.0
        * np.where(np.arange(DAYS) % 2, 0.3, 1.0).repeat(96)
        * estimate_clear_sky(history.starts, SITE)
    )
    weather = WeatherVintages.of(
        history.starts, history.starts + np.timedelta64(900, "s"), {"ghi_w_m2": ghi}
    )
    whole = look_up(history.starts, SITE)
    assert whole is not None
    first = int(history.starts[0].astype(np.int64)) // 900
    came = 0.8 * np.nan_to_num(expected_output(weather, whole, SITE.pv, first=first))
    off = np.arange(came.size) // 96 >= 14
    steering = steer(history, off, 0.0)
    seen = measure(history, np.where(off, 0.0, came))
    potential = estimate_potential(
        end_before_last(seen), SITE, before=day(DAYS - 1), steering=steering, weather=weather
    )
    dark = potential.pv_kwh[15 * 96 : 16 * 96].sum()
    bright = potential.pv_kwh[16 * 96 : 17 * 96].sum()
    assert dark == pytest.approx(came[15 * 96 : 16 * 96].sum(), rel=0.1)
    assert bright == pytest.approx(came[16 * 96 : 17 * 96].sum(), rel=0.1)


def live_season(days: int, *, start: int, limit_kwh: float = np.inf) -> Observations:
    """Return days from the ``start``-th on, two of three of them clear, under an inverter that ends
    at ``limit_kwh``.
    """
    measured = measure_days(days, start=START + timedelta(days=start))
    share = np.where(np.arange(days) % 3 == 1, 0.4, 0.85)
    cloud = np.random.default_rng(5).normal(1.0, 0.03, measured.pv_kwh.size)
    return measure(
        measured,
        np.minimum(
            estimate_clear_sky(measured.starts, SITE) * share.repeat(96) * cloud,
            limit_kwh * STEADY_YEAR[: cloud.size],
        ),
    )


STEADY_YEAR = np.random.default_rng(2).uniform(0.996, 1.0, 400 * 96)
CEILING_KWH = 0.6  # 2.4 of 5 kW
CAPPED = live_season(64, start=60, limit_kwh=CEILING_KWH)


def test_a_level_at_which_pv_ends_for_months_is_the_inverters_and_learned() -> None:
    before = day(60 + 64)
    prepared = prepare_history(CAPPED, SITE, before=before)
    assert not prepared.curtailed.any()
    np.testing.assert_array_equal(prepared.history.pv_kwh, CAPPED.pv_kwh)
    assert prepared.ceiling_kwh == pytest.approx(CEILING_KWH, rel=0.01)
    ahead = (
        Baseline(LIKE_DAYS, prepared.site).issue_many(prepared.history, [before]).forecast(0).pv_kwh
    )
    assert ahead.p95.max() <= prepared.ceiling_kwh + 1e-9
    # What the site names already needs no word.
    named = describe_site(
        inverters=[{"name": "inverter", "ac_limit_kw": 4 * CEILING_KWH, "pv": ["roof"]}]
    )
    codes = [
        judge_origins(
            InputQuality.of(CAPPED, site, ceiling_kwh=prepared.ceiling_kwh),
            [before],
            Circumstances(),
        )[0]
        for site in (SITE, named)
    ]
    assert codes == [("unnamed_ac_limit:2.4",), ()]


@each_row(
    "history",
    [
        pytest.param(live_season(30, start=60, limit_kwh=CEILING_KWH), id="for a month only"),
        pytest.param(
            replace(CAPPED, pv_kwh=np.where(np.arange(64 * 96) < 40, 0.9, CAPPED.pv_kwh)),
            id="more came before",
        ),
    ],
)
def test_a_level_of_weeks_or_once_exceeded_is_held_back(history: Observations) -> None:
    prepared = prepare_history(history, SITE, before=day(60 + len(history) // 96))
    assert prepared.curtailed.sum() > 100
    assert prepared.site == SITE


def shade_afternoons() -> Observations:
    """A house west of the roof takes the low sun from it, every day a little earlier."""
    free = live_season(70, start=170)
    sky = estimate_clear_sky(free.starts, SITE)
    return measure(
        free, np.where((np.arange(sky.size) % 96 > 48) & (sky < 0.55 * sky.max()), 0.0, free.pv_kwh)
    )


def pause_once() -> Observations:
    """On one cloudy day PV stands still for an hour and a half."""
    at = 10 * 96 + 36
    return measure(
        FREE,
        np.where(
            (np.arange(FREE.pv_kwh.size) >= at) & (np.arange(FREE.pv_kwh.size) < at + 7),
            FREE.pv_kwh[at],
            FREE.pv_kwh,
        ),
    )


@each_row(
    "history",
    [
        pytest.param(shade_afternoons(), id="a shadow that comes earlier in autumn"),
        pytest.param(pause_once(), id="once, by clouds"),
    ],
)
def test_shadows_of_a_season_and_clouds_that_stand_hold_nothing_back(history: Observations) -> None:
    assert not estimate_potential(history, SITE, before=day(400)).curtailed.any()


# Deepest at noon: what is left of the bell is nearly flat
SHADOW = np.where(NOON, 0.45 + 0.35 * np.abs(SLOT_OF_DAY - 45.5) / 12, 1.0)


@each_row(
    ("history", "site"),
    [
        pytest.param(FREE, SITE, id="free"),
        pytest.param(live(shade=SHADOW), SITE, id="a tree before the roof"),
        pytest.param(
            measure(FREE, np.where(SLOT_OF_DAY < 52, FREE.pv_kwh, 0.0)),
            SITE,
            id="a hill that takes the afternoon",
        ),
        pytest.param(live(shade=0.3), SITE, id="a roof a third as large as stated"),
        pytest.param(measure_days(DAYS), SITE, id="days each as bright from morning to evening"),
        pytest.param(
            measure(FREE, np.floor(FREE.pv_kwh * 10) / 10),
            SITE,
            id="a meter that counts tenths of a kWh",
        ),
        pytest.param(
            measure(FREE, np.minimum(FREE.pv_kwh, 0.75)),
            describe_site(inverters=[{"name": "inverter", "ac_limit_kw": 3.0, "pv": ["roof"]}]),
            id="its inverter",
        ),
    ],
)
def test_what_nobody_held_back_is_learned_as_measured(history: Observations, site: Site) -> None:
    potential = estimate_potential(history, site, before=BEFORE)
    assert not potential.curtailed.any()
    assert potential.pv_kwh.tolist() == history.pv_kwh.tolist()


def test_a_shadow_stays_where_pv_was_held_back_beside_it() -> None:
    shaded = live(shade=SHADOW)
    often = NOON & (np.arange(NOON.size) // 96 % 2 == 0)
    held = measure(shaded, np.where(often, np.minimum(shaded.pv_kwh, 0.1), shaded.pv_kwh))
    potential = estimate_potential(
        end_before_last(held), SITE, before=BEFORE, steering=steer(held, often, 0.1)
    )
    assert np.nansum(potential.pv_kwh[KNOWN]) == pytest.approx(shaded.pv_kwh[KNOWN].sum(), rel=0.06)


def test_a_limit_that_the_sun_did_not_reach_held_nothing_back() -> None:
    everywhere = np.ones(NOON.size, dtype=np.bool_)
    assert not find_curtailed(FREE, SITE, before=BEFORE, steering=steer(FREE, everywhere, 2.0))[
        0
    ].any()


def test_nothing_measured_later_changes_what_was_held_back_before() -> None:
    capped = measure(FREE, np.minimum(FREE.pv_kwh, 0.5))
    at = 12 * 96 + 44
    later = measure(capped, np.where(np.arange(NOON.size) < at, capped.pv_kwh, 0.2))
    full, cut = (
        estimate_potential(each, SITE, before=day(70 + 12, 11)) for each in (capped, later)
    )
    np.testing.assert_array_equal(full.pv_kwh[:at], cut.pv_kwh[:at])
    assert full.curtailed[:at].any()


def test_what_a_plan_ran_is_no_habit_of_the_house() -> None:
    evening = (SLOT_OF_DAY >= 80) & (SLOT_OF_DAY < 84)
    washed = replace(
        FREE,
        load_kwh=FREE.load_kwh + np.where(evening & (np.arange(NOON.size) // 96 % 3 > 0), 0.5, 0.0),
    )
    ran = washed.starts[washed.load_kwh > FREE.load_kwh]
    prepared = prepare_history(
        end_before_last(washed), SITE, before=BEFORE, steering=replace(NO_STEERING, load_starts=ran)
    ).history
    learned, as_measured, habit = (
        sum_forecast(each, "load_kwh")
        for each in (prepared, end_before_last(washed), end_before_last(FREE))
    )
    assert learned == pytest.approx(habit, rel=0.05)
    assert as_measured > habit + 1.0  # of the 2 kWh that the machine takes
