from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from luna.energy.errors import InvalidInputError
from luna.energy.observations import Observations
from luna.energy.outlook import PARTS, SHARES, Forecast
from luna.energy.timeline import SLOT
from services.forecaster.inputs.solar import estimate_clear_sky
from services.forecaster.model.aurora import Aurora, train
from services.forecaster.model.baseline import BASELINES, Baseline
from services.forecaster.scoring import score_batch
from tests.support.household.measurements import QUICK, day, describe_site, measure_days
from tests.support.suite.tables import each_row

SITE = describe_site()
# Where a forecast is to be sound, and nobody asks how good it is.
SKETCH = replace(QUICK, rows=2_000, trees=replace(QUICK.trees, rounds=5))


def assert_sound(forecast: Forecast) -> None:
    for series in (forecast.load_kwh, forecast.pv_kwh):
        quantiles = np.stack([getattr(series, name) for name in SHARES])
        assert np.isfinite(quantiles).all()
        assert (quantiles[0] >= 0).all()
        assert (np.diff(quantiles, axis=0) >= 0).all()
        assert (series.expected >= 0).all()


def test_two_months_make_a_full_model(aurora: Aurora) -> None:
    assert aurora.stage == "full"
    assert set(aurora.models) == {"load", "pv"}


def test_a_forecast_is_ordered_and_covers_the_horizon(
    aurora: Aurora, history: Observations
) -> None:
    forecast = aurora.issue(history, day(66, hours=9.1))
    assert_sound(forecast)
    assert (forecast.timeline.start, forecast.timeline.count) == (day(66, hours=9), 192)


def test_pv_is_zero_at_night_and_never_above_the_arrays(
    aurora: Aurora, history: Observations
) -> None:
    forecast = aurora.issue(history, day(66))
    night = estimate_clear_sky(forecast.timeline.starts, SITE) == 0
    assert night.any()
    assert (forecast.pv_kwh.p90[night] == 0).all()
    assert (forecast.pv_kwh.expected[night] == 0).all()
    assert forecast.pv_kwh.p90.max() <= 5 * 0.25


def test_many_origins_at_once_equal_one_after_the_other(
    aurora: Aurora, history: Observations
) -> None:
    instants = [day(64) + timedelta(hours=7 * step) for step in range(4)]
    for one, forecast in zip(
        aurora.issue_many(history, instants),
        (aurora.issue(history, instant) for instant in instants),
        strict=True,
    ):
        np.testing.assert_array_equal(one.load_kwh.p90, forecast.load_kwh.p90)
        np.testing.assert_array_equal(one.pv_kwh.expected, forecast.pv_kwh.expected)


@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.long), 2])
def test_the_same_seed_gives_the_same_forecast_whatever_the_threads(
    threads: int, history: Observations
) -> None:
    once, again = (
        train(history, site=SITE, until=day(65), settings=replace(SKETCH, threads=count)).issue(
            history, day(66)
        )
        for count in (1, threads)
    )
    for name in PARTS:
        np.testing.assert_array_equal(getattr(once.load_kwh, name), getattr(again.load_kwh, name))


@pytest.mark.long
def test_another_seed_gives_another_forecast(aurora: Aurora, history: Observations) -> None:
    other = train(history, site=SITE, until=day(65), settings=QUICK.seeded(1)).issue(
        history, day(66)
    )
    assert (aurora.issue(history, day(66)).load_kwh.p50 != other.load_kwh.p50).any()


def test_aurora_beats_the_seven_day_average_and_its_band_holds(
    aurora: Aurora, history: Observations
) -> None:
    instants = [day(65) + timedelta(hours=6 * step) for step in range(32)]
    ours = score_batch(aurora.issue_many(history, instants), history, SITE)
    theirs = score_batch(
        Baseline("baseline_7_day_avg", SITE).issue_many(history, instants), history, SITE
    )
    assert ours["load_kwh"].mae < theirs["load_kwh"].mae
    assert ours["load_kwh"].pinball < theirs["load_kwh"].pinball
    assert ours["load_kwh"].coverage_80 == pytest.approx(0.8, abs=0.06)


def linger(history: Observations) -> Observations:
    """Return a household in which what is switched on stays on for hours."""
    rng = np.random.default_rng(5)
    extra = np.zeros(len(history))
    for slot in range(1, extra.size):
        extra[slot] = 0.9 * extra[slot - 1] + rng.gamma(0.2, 0.1)
    return Observations.of(
        history.starts, {"load_kwh": history.load_kwh + extra, "pv_kwh": history.pv_kwh}
    )


def test_a_busy_hour_lifts_the_next_slots_and_fades(history: Observations) -> None:
    lingering = linger(history)
    aurora = train(lingering, site=SITE, until=day(65), settings=QUICK)
    now = day(66, hours=12)
    busy = lingering.load_kwh.copy()
    busy[66 * 96 + 44 : 66 * 96 + 48] += 0.5
    changed = Observations.of(history.starts, {"load_kwh": busy, "pv_kwh": history.pv_kwh})
    calm, lifted = (aurora.issue(observed, now).load_kwh for observed in (lingering, changed))
    for name in ("expected", "p50", "p95"):
        lift = getattr(lifted, name) - getattr(calm, name)
        assert lift[2:8].min() > 0
        assert lift[2:8].mean() > 2 * abs(lift[24:48].mean())


def test_a_forecast_tells_what_the_last_hours_did_to_it(
    aurora: Aurora, history: Observations
) -> None:
    instants = [day(66, hours=12), day(66, hours=18)]
    levels = aurora.issue_many(history, instants).levels
    assert [{name: set(level) for name, level in each.items()} for each in levels] == 2 * [
        {"load": {"hour_deviation", "day_deviation", "next_hour"}, "pv": {"clearness", "next_hour"}}
    ]
    noon = slice(66 * 96 + 44, 66 * 96 + 48)
    usual = history.load_kwh[: 66 * 96].reshape(66, 96)[-7:, 44:48].mean()
    assert levels[0]["load"]["hour_deviation"] == pytest.approx(
        history.load_kwh[noon].mean() - usual, abs=1e-5
    )


@pytest.mark.parametrize(("days", "stage"), [(2, "profile"), (20, "young"), (61, "full")])
def test_the_stage_says_what_the_forecast_rests_on(days: int, stage: str) -> None:
    aurora = train(measure_days(days), site=SITE, until=day(days), settings=SKETCH)
    assert aurora.stage == stage
    assert_sound(aurora.issue(measure_days(days), day(days)))


def test_before_the_first_reading_the_forecast_is_cold(history: Observations) -> None:
    aurora = train(history, site=SITE, until=day(0), settings=SKETCH)
    assert aurora.stage == "cold"
    assert_sound(aurora.issue(history, day(0)))


def test_two_days_of_history_give_a_wider_band_than_two_months(
    aurora: Aurora, history: Observations
) -> None:
    short = measure_days(2, start=day(64))
    young = train(short, site=SITE, until=day(66), settings=QUICK).issue(short, day(66)).load_kwh
    grown = aurora.issue(history, day(66)).load_kwh
    assert (young.p90 - young.p10).mean() > (grown.p90 - grown.p10).mean()


def with_gap(history: Observations) -> Observations:
    load = history.load_kwh.copy()
    pv = history.pv_kwh.copy()
    load[58 * 96 : 64 * 96] = np.nan
    pv[20 * 96 : 64 * 96] = np.nan
    return Observations.of(history.starts, {"load_kwh": load, "pv_kwh": pv})


def with_constant(history: Observations) -> Observations:
    return Observations.of(
        history.starts, {"load_kwh": np.full(len(history), 0.2), "pv_kwh": np.zeros(len(history))}
    )


def with_nonsense(history: Observations) -> Observations:
    load = history.load_kwh.copy()
    pv = history.pv_kwh.copy()
    load[::50] = -3
    pv[::70] = 900
    load[7] = np.inf
    pv[9] = np.nan
    return Observations.of(history.starts, {"load_kwh": load, "pv_kwh": pv})


def with_nothing(history: Observations) -> Observations:
    return Observations.of(history.starts, {})


def with_every_second_slot(history: Observations) -> Observations:
    return Observations.of(
        history.starts[::2], {"load_kwh": history.load_kwh[::2], "pv_kwh": history.pv_kwh[::2]}
    )


@each_row("damage", [with_gap, with_constant, with_nonsense, with_nothing, with_every_second_slot])
def test_bad_histories_still_give_a_sound_forecast(damage: object, history: Observations) -> None:
    damaged = damage(history)  # type: ignore[operator]
    assert_sound(train(damaged, site=SITE, until=day(64), settings=SKETCH).issue(damaged, day(64)))


@pytest.mark.parametrize(
    "changes",
    [{"pv": []}, {"location": None}, {"timezone": "Australia/Lord_Howe"}],
    ids=["no array", "no location", "half-hour clock change"],
)
def test_sites_without_the_usual_description_are_forecast(
    changes: dict[str, object], history: Observations
) -> None:
    site = describe_site(**changes)
    assert_sound(train(history, site=site, until=day(64), settings=SKETCH).issue(history, day(64)))


def test_a_constant_load_is_forecast_as_that_constant(history: Observations) -> None:
    constant = with_constant(history)
    assert train(constant, site=SITE, until=day(64), settings=QUICK).issue(
        constant, day(64)
    ).load_kwh.p50 == pytest.approx(0.2)


def test_both_clock_changes_of_a_year_give_as_many_slots_as_asked(aurora: Aurora) -> None:
    spring = measure_days(40, start=day(20))
    assert_sound(aurora.issue(spring, day(30)))  # 31 March 2024
    autumn = measure_days(40, start=day(210))
    assert_sound(aurora.issue(autumn, day(240)))  # 27 October 2024


@each_row("version", BASELINES)
def test_baselines_are_sound(version: str, history: Observations) -> None:
    assert_sound(Baseline(version, SITE).issue_many(history, [day(66)]).forecast(0))


def test_the_seven_day_average_is_the_mean_of_the_same_slot_of_seven_days(
    history: Observations,
) -> None:
    forecast = Baseline("baseline_7_day_avg", SITE).issue_many(history, [day(50)]).forecast(0)
    same_slot = history.load_kwh[: 50 * 96].reshape(50, 96)[-7:, 30]
    assert forecast.load_kwh.p50[30] == pytest.approx(same_slot.mean())
    assert forecast.load_kwh.p50[30 + 96] == pytest.approx(same_slot.mean())


@pytest.mark.parametrize("slots", [0, 2000])
def test_a_horizon_out_of_reach_is_refused_by_name(
    slots: int, aurora: Aurora, history: Observations
) -> None:
    with pytest.raises(InvalidInputError, match="slots"):
        aurora.issue(history, day(66), slots)


def test_an_instant_without_offset_is_refused(aurora: Aurora, history: Observations) -> None:
    with pytest.raises(InvalidInputError, match="no offset"):
        aurora.issue(history, day(66).replace(tzinfo=None))


def test_a_week_ahead_can_be_forecast(aurora: Aurora, history: Observations) -> None:
    forecast = aurora.issue(history, day(66), slots=7 * 96)
    assert_sound(forecast)
    assert forecast.timeline.end == day(66) + 7 * 96 * SLOT
