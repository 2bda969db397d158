"""How forecasts erred, as known at an instant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline
from services.planner.problem.knowledge import DAY, ForecastArchive, PerfectForesight
from services.planner.problem.scenarios import (
    DAYS,
    LEAST_DAYS,
    ErrorScenarios,
    ScenarioSet,
    blend,
    cvar_weights,
    shift_days,
)
from tests.support.suite.tables import each_row

START = datetime(2024, 3, 1, tzinfo=UTC)
NOW = START + 20 * DAY + timedelta(hours=9)
AHEAD = Timeline(NOW, SLOT, 140)


def remember(days: int = 24) -> ErrorScenarios:
    """Return hourly forecasts of 48 hours and what happened, from ``START`` on.

    No two forecasts err alike.
    """
    rng = np.random.default_rng(1)
    timeline = Timeline(START, SLOT, days * 96)
    load = rng.gamma(2, 0.1, timeline.count)
    pv = rng.gamma(2, 0.1, timeline.count)
    issued = [START + hour * timedelta(hours=1) for hour in range((days - 2) * 24)]
    forecasts = [
        Forecast(
            Timeline(at, SLOT, 192),
            at,
            "made_up",
            *(Quantiles.exact(rng.gamma(2, 0.1, 192)) for _ in range(2)),
        )
        for at in issued
    ]
    return ErrorScenarios(ForecastArchive(forecasts), PerfectForesight(timeline, load, pv))


def test_errors_are_what_happened_less_what_was_expected_at_the_same_time_of_day() -> None:
    memory = remember()
    load, pv = memory.read(NOW, AHEAD)
    # 35 hours have passed since forecasts of two days ago and older; 2 to 16 days make 15.
    assert load.shape == pv.shape == (DAYS - 1, 140)
    two_days_ago = next(
        each for each in memory.forecasts.forecasts if each.issued_at == NOW - 2 * DAY
    )
    first = (18 * 24 + 9) * 4
    assert load[0] == pytest.approx(
        memory.happened.load_kwh[first : first + 140] - two_days_ago.load_kwh.expected[:140]
    )
    assert pv[0] == pytest.approx(
        memory.happened.pv_kwh[first : first + 140] - two_days_ago.pv_kwh.expected[:140]
    )


def change_future(memory: ErrorScenarios, now: datetime) -> ErrorScenarios:
    """Return the same past with other measurements from ``now`` on, and no forecast issued after
    it.
    """
    slot = (now - START) // SLOT
    later = np.arange(memory.happened.timeline.count) >= slot
    happened = replace(
        memory.happened,
        load_kwh=np.where(later, 9.0, memory.happened.load_kwh),
        pv_kwh=np.where(later, np.nan, memory.happened.pv_kwh),
    )
    return ErrorScenarios(
        ForecastArchive([each for each in memory.forecasts.forecasts if each.issued_at <= now]),
        happened,
    )


@each_row("count", [1, 96, 140, 192, 300])
@each_row("hours", [0, 7])
def test_nothing_measured_or_issued_from_now_on_is_known(count: int, hours: int) -> None:
    now = NOW + timedelta(hours=hours)
    ahead = Timeline(now, SLOT, count)
    memory = remember()
    before = memory.read(now, ahead)
    after = change_future(memory, now).read(now, ahead)
    assert before[0].size > 0
    assert [errors.tolist() for errors in before] == [errors.tolist() for errors in after]


def test_courses_are_what_is_expected_with_the_errors_of_each_day_and_never_below_zero() -> None:
    memory = remember()
    expected = (np.full(140, 0.2), np.zeros(140))
    whole, scattered = memory.scenarios(NOW, AHEAD, expected)
    load, pv = memory.read(NOW, AHEAD)
    assert whole.load_kwh == pytest.approx(np.maximum(0.2 + load, 0))
    assert whole.pv_kwh == pytest.approx(np.maximum(pv, 0))
    assert (scattered.load_kwh >= 0).all()
    assert np.sort(scattered.load_kwh, axis=0) == pytest.approx(np.sort(whole.load_kwh, axis=0))


def test_too_few_days_say_nothing() -> None:
    memory = remember()
    # Only the day before yesterday and the one before have passed
    ahead = Timeline(START + LEAST_DAYS * DAY, SLOT, 140)
    assert memory.scenarios(ahead.start, ahead, (np.ones(140), np.ones(140))) == []


def test_a_gap_in_what_was_measured_tells_of_no_error() -> None:
    memory = remember()
    gap = memory.happened.load_kwh.copy()
    gap[(18 * 24 + 9) * 4 : (18 * 24 + 9) * 4 + 8] = np.nan
    load, _ = replace(memory, happened=replace(memory.happened, load_kwh=gap)).read(NOW, AHEAD)
    assert load.shape[0] == DAYS - 1
    assert (load[0, :8] == 0).all()


def test_scattered_errors_are_of_every_day_in_every_slot_and_never_of_the_same_day_for_long() -> (
    None
):
    day = np.broadcast_to(np.arange(15.0)[:, None], (15, 140))
    scattered = shift_days(day)
    assert (np.sort(scattered, axis=0) == day).all()
    assert (np.diff(scattered, axis=1) != 0).mean() > 0.9


def test_every_kind_of_course_counts_as_much_as_the_expected_one() -> None:
    one, other = (blend([_alike(count)]) for count in (2, 5))
    both = blend([one, other])
    assert [float(both.weight[:2].sum()), float(both.weight[2:].sum())] == pytest.approx(
        [1 / 3, 1 / 3]
    )


def _alike(count: int) -> ScenarioSet:
    return ScenarioSet(np.ones(count), np.zeros((count, 4)), np.zeros((count, 4)))


WEIGHT = np.array([0.5, 0.3, 0.2])
COST = np.array([1.0, 3.0, 2.0])
# Worst first: 3.0 (0.3), 2.0 (0.2), 1.0 (0.5). Of the dearest half the two dear ones count, of 40 %
# the second for 0.1 of it.
RISKS = [
    (0.0, [0.5, 0.3, 0.2]),
    (0.5, [0.0, 0.6, 0.4]),
    (0.6, [0.0, 0.75, 0.25]),
    (1.0, [0.0, 1.0, 0.0]),
]


@each_row(("risk", "expected"), RISKS)
def test_risk_leaves_the_cheapest_courses_out(risk: float, expected: list[float]) -> None:
    assert cvar_weights(WEIGHT, COST, risk) == pytest.approx(expected)


def bend(memory: ErrorScenarios, *, load: float = 1.0, pv: float = 1.0) -> ErrorScenarios:
    """Return the same forecasts with what happened so many times as much."""
    return replace(
        memory,
        happened=replace(
            memory.happened,
            load_kwh=memory.happened.load_kwh * load,
            pv_kwh=memory.happened.pv_kwh * pv,
        ),
    )


def test_forecasts_that_are_all_too_low_are_raised_by_what_was_missing() -> None:
    # Load and PV of a day are the sum of 96 draws of the same mean as their forecasts: 3.3 times as
    # much sun is no chance.
    load, pv = bend(remember(), pv=3.3).factors(NOW)
    assert load == 1.0
    assert pv == pytest.approx(3.3, rel=0.1)


def test_forecasts_that_are_all_too_high_are_lowered() -> None:
    assert bend(remember(), load=0.6).factors(NOW)[0] == pytest.approx(0.6, rel=0.1)


def test_a_small_bias_and_one_of_few_days_change_nothing() -> None:
    assert bend(remember(), load=1.1, pv=0.92).factors(NOW) == (1.0, 1.0)
    assert bend(remember(), pv=3.3).factors(START + (LEAST_DAYS - 1) * DAY) == (1.0, 1.0)


def test_a_week_that_is_sunnier_on_some_days_and_darker_on_others_is_no_bias() -> None:
    memory = remember()
    days = np.arange(memory.happened.timeline.count) // 96
    uneven = memory.happened.pv_kwh * np.where(days % 2 == 0, 2.2, 0.4)
    assert replace(memory, happened=replace(memory.happened, pv_kwh=uneven)).factors(NOW) == (
        1.0,
        1.0,
    )


def test_what_is_expected_without_a_bias_is_held_against_what_was_expected_without_it() -> None:
    memory = bend(remember(), pv=3.3)
    errors = memory.read(NOW, AHEAD)[1]
    # Errors of what was expected as it stood would be 2.3 × 0.2 on the average.
    assert abs(float(errors.mean())) < 0.03


def test_a_broken_meter_is_not_followed_to_nothing() -> None:
    assert bend(remember(), pv=1e-6).factors(NOW)[1] == 0.2
    assert bend(remember(), load=1e6).factors(NOW)[0] == 5.0
