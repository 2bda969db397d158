"""Whether a car draws what its charger is commanded, second by second."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from luna.energy.car_draw import CarDraw, DrawSample, DrawVerdict, judge_draw

START = datetime(2026, 11, 29, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLUGGED: dict[str, Any] = {"plugged": True, "plugged_since": START - timedelta(hours=3)}
Draw = Callable[[float], float | None]


def live(
    measured: Draw,
    seconds: int,
    *,
    before: CarDraw | None = None,
    first: int = 0,
    commanded_kw: float = 11.0,
    **fields: Any,
) -> CarDraw:
    """Return what is known after samples every ten seconds."""
    draw = before or CarDraw()
    for second in range(first, first + seconds + 1, 10):
        sample = DrawSample(START + second * SECOND, commanded_kw, measured(second), **fields)
        draw = judge_draw(draw, sample)
    return draw


def nothing(_: float) -> float:
    return 0.05


def everything(_: float) -> float:
    return 10.6


def wakes_late(second: float) -> float:
    return 0.0 if second < 85 else 10.8


def ramps_up(second: float) -> float:
    return min(second / 10, 10.9)


def one_phase(second: float) -> float:
    return 0.0 if second < 20 else 3.6


def full_after_a_minute(second: float) -> float:
    return 10.7 if second < 60 else 0.0


@pytest.mark.parametrize(
    ("measured", "fields", "verdict"),
    [
        (everything, PLUGGED, "as_commanded"),
        (wakes_late, PLUGGED, "as_commanded"),
        (ramps_up, PLUGGED, "as_commanded"),
        (one_phase, PLUGGED, "draws_less"),
        (one_phase, PLUGGED | {"soc": 0.95}, "unknown"),
        (nothing, PLUGGED, "asleep"),
        (nothing, PLUGGED | {"may_wake": True}, "waking"),
        (nothing, PLUGGED | {"soc": 0.99}, "full"),
        (nothing, PLUGGED | {"current_a": 5.0}, "below_least_current"),
        (nothing, {"plugged": False}, "not_plugged_in"),
        (nothing, {}, "refuses"),
        (lambda _: None, PLUGGED, "unknown"),
    ],
    ids=[
        "draws all",
        "wakes within a minute and a half",
        "ramps up",
        "charges on one phase",
        "tapers",
        "sleeps",
        "is woken",
        "full",
        "too little current",
        "not plugged in",
        "nobody knows",
        "not measured",
    ],
)
def test_a_car_is_judged_within_two_minutes(
    measured: Draw, fields: dict[str, Any], verdict: DrawVerdict
) -> None:
    assert live(measured, 120, **fields).verdict == verdict


def test_a_car_that_stops_by_itself_is_full_within_two_minutes_and_left_out() -> None:
    draw = live(full_after_a_minute, 60 + 120, soc=0.8, **PLUGGED)
    assert (draw.verdict, draw.soc, draw.missed_kw) == ("full", 0.8, 11.0)
    now = START + timedelta(minutes=5)
    assert draw.find_most_kw(now) == 0.0
    # Nobody knows tomorrow what was found today.
    assert draw.find_most_kw(now + timedelta(days=1)) is None


def test_its_own_maximum_is_planned_and_kept_by_a_command_of_no_more() -> None:
    draw = live(one_phase, 120, **PLUGGED)
    assert draw.find_most_kw(START + timedelta(minutes=2)) == 3.6
    kept = live(one_phase, 300, before=draw, first=900, commanded_kw=3.6, **PLUGGED)
    assert kept.verdict == "draws_less"
    freed = live(everything, 60, before=kept, first=1800, **PLUGGED)
    assert freed.verdict == "as_commanded"


def test_a_taper_is_not_accused_and_its_end_is() -> None:
    def taper(second: float) -> float:
        return max(10.8 - second / 120, 0.0)

    tapered = live(taper, 1080, **PLUGGED)
    assert tapered.verdict == "as_commanded"
    assert live(taper, 1500, **PLUGGED).verdict == "full"


def test_a_pause_shorter_than_a_minute_and_a_half_is_no_end() -> None:
    def pauses(second: float) -> float:
        return 0.0 if 120 <= second < 200 else 10.8

    assert live(pauses, 600, **PLUGGED).verdict == "as_commanded"


def test_it_is_woken_once_and_then_left_out() -> None:
    draw = live(nothing, 120, may_wake=True, **PLUGGED)
    assert draw.find_most_kw(START + timedelta(minutes=2)) is None
    after = live(nothing, 120, before=draw, first=130, may_wake=True, **PLUGGED)
    assert (after.verdict, after.woken_at) == ("asleep", draw.woken_at)
    assert after.find_most_kw(START + timedelta(minutes=5)) == 0.0


def test_a_woken_car_draws_as_commanded() -> None:
    draw = live(nothing, 120, may_wake=True, **PLUGGED)
    woken = live(everything, 30, before=draw, first=140, may_wake=True, **PLUGGED)
    assert woken.verdict == "as_commanded"


@pytest.mark.parametrize(
    "change",
    [
        {"plugged_since": START + timedelta(minutes=30)},
        {"ordered_at": START + timedelta(minutes=30)},
    ],
    ids=["plugged in anew", "its owner says so"],
)
def test_it_is_planned_again(change: dict[str, datetime]) -> None:
    draw = live(nothing, 120, **PLUGGED)
    later = DrawSample(START + timedelta(hours=1), 0.0, 0.0, **(PLUGGED | change))
    again = judge_draw(draw, later)
    assert again.verdict == "unknown"
    assert again.find_most_kw(later.at) is None


def test_it_is_planned_again_once_it_draws_without_a_command() -> None:
    draw = live(nothing, 120, **PLUGGED)
    stopped = judge_draw(draw, DrawSample(START + timedelta(minutes=15), 0.0, 0.0, **PLUGGED))
    sample = DrawSample(START + timedelta(minutes=30), 0.0, 3.7, **PLUGGED)
    assert judge_draw(stopped, sample).verdict == "as_commanded"
    assert judge_draw(stopped, replace(sample, measured_kw=0.1)).verdict == "asleep"


def test_without_a_plug_sensor_another_stay_is_judged_anew() -> None:
    draw = live(nothing, 120)
    stopped = judge_draw(draw, DrawSample(START + timedelta(minutes=15), 0.0, 0.0))
    evening = DrawSample(START + timedelta(hours=10), 11.0, 0.0)
    assert judge_draw(stopped, evening).verdict == "unknown"


def test_below_half_a_car_that_stops_by_itself_sleeps() -> None:
    draw = live(full_after_a_minute, 60 + 120, soc=0.42, may_wake=True, **PLUGGED)
    assert draw.verdict == "waking"
    after = live(nothing, 120, before=draw, first=190, soc=0.42, may_wake=True, **PLUGGED)
    assert after.verdict == "asleep"


def test_a_car_that_sleeps_is_tried_again_each_hour_as_one_event() -> None:
    draw = live(nothing, 120, soc=0.42, **PLUGGED)
    stopped = judge_draw(draw, DrawSample(START + timedelta(seconds=130), 0.0, 0.0, **PLUGGED))
    assert stopped.find_most_kw(START + timedelta(minutes=60)) == 0.0
    assert stopped.find_most_kw(START + timedelta(minutes=63)) is None
    tried = live(nothing, 60, before=stopped, first=3780, **PLUGGED)
    assert tried.find_most_kw(START + timedelta(seconds=3850)) is None
    missed = live(nothing, 30, before=tried, first=3850, **PLUGGED)
    assert missed.find_most_kw(START + timedelta(seconds=3880)) == 0.0
    assert (missed.verdict, missed.since) == ("asleep", draw.since)
    woken = live(everything, 30, before=tried, first=3850, **PLUGGED)
    assert woken.verdict == "as_commanded"


def test_an_earlier_stop_is_no_earlier_try() -> None:
    stopped = CarDraw(plugged_since=PLUGGED["plugged_since"], stopped_at=START - timedelta(hours=2))
    draw = live(nothing, 120, before=stopped, **PLUGGED)
    assert draw.verdict == "asleep"
    assert draw.find_most_kw(START + timedelta(minutes=5)) == 0.0


def test_a_stuck_cloud_does_not_make_a_charging_car_full() -> None:
    """As field case car-charge-stands-still: its cloud says 30 % while it charges 11 kW."""
    assert live(everything, 600, soc=0.3, **PLUGGED).verdict == "as_commanded"


def test_plugged_in_and_planned_for_hours_while_the_wallbox_counts_nothing() -> None:
    """As the other half of car-charge-stands-still: a word that the car takes nothing."""
    draw = live(nothing, 120, soc=0.3, **PLUGGED)
    assert draw.verdict == "asleep"
    assert draw.since is not None
    assert draw.since - START <= timedelta(minutes=2)
