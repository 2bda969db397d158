"""Weekly departures, learnt from stays at the charger."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from luna.energy.charger_stays import ChargerStay
from luna.energy.departure_habits import (
    AnsweredHabit,
    DepartureHabit,
    has_changed,
    learn_departures,
)

BERLIN = ZoneInfo("Europe/Berlin")
# A Monday, and the Monday twelve weeks later; clocks change on 25 October.
BEGIN = date(2026, 8, 31)
END = BEGIN + timedelta(weeks=12)
NOW = datetime.combine(END, time(), tzinfo=BERLIN).astimezone(UTC)
WORKDAYS = range(5)


def stays_of(leaves: Callable[[date], float | None], kwh: float = 9) -> list[ChargerStay]:
    """Return the stays that end on each day at this hour of the clock; None: no departure."""
    stays = []
    arrival = datetime.combine(BEGIN - timedelta(days=1), time(18), tzinfo=BERLIN)
    day = BEGIN
    while day < END:
        hour = leaves(day)
        if hour is not None:
            minutes = timedelta(minutes=round(hour * 60))
            departure = datetime.combine(day, time(), tzinfo=BERLIN) + minutes
            stays.append(ChargerStay(arrival.astimezone(UTC), departure.astimezone(UTC), kwh))
            arrival = departure + timedelta(hours=10)
        day += timedelta(days=1)
    return stays


def learn(leaves: Callable[[date], float | None], **options: object) -> list[DepartureHabit]:
    return learn_departures(stays_of(leaves), BERLIN, until=NOW, **options)  # type: ignore[arg-type]


def commute(day: date) -> float | None:
    # Half past seven, and up to twenty minutes later.
    return 7.5 + day.day % 3 / 6 if day.weekday() in WORKDAYS else None


def test_workdays_with_the_same_departure_are_one_habit_across_a_clock_change() -> None:
    (habit,) = learn(commute)
    assert habit.weekdays == (0, 1, 2, 3, 4)
    assert habit.ready_minute == 7 * 60 + 30
    assert (habit.departures, habit.days) == (60, 60)
    assert (habit.usual_kwh, habit.enough_kwh) == (9, 9)


def test_a_habit_counts_the_days_on_which_the_car_stayed() -> None:
    (habit,) = learn(lambda day: None if day.day in (4, 15) else commute(day))
    stayed = 4  # 4 and 15 September, 15 October, 4 November: of six, two are no workdays
    assert (habit.departures, habit.days) == (60 - stayed, 60)


def test_days_that_differ_from_week_to_week_are_no_habit() -> None:
    shifts = (5.5, 13.5, 21.5)
    found = learn(
        lambda day: shifts[day.isocalendar().week % 3] if day.weekday() in WORKDAYS else None
    )
    assert found == []


def test_two_weeks_are_not_enough() -> None:
    begin = END - timedelta(weeks=2)
    assert learn(lambda day: commute(day) if day >= begin else None) == []


def test_a_vacation_takes_nothing_from_a_habit() -> None:
    first = BEGIN + timedelta(weeks=8)
    end = first + timedelta(weeks=2)
    (habit,) = learn(lambda day: None if first <= day < end else commute(day))
    assert habit.weekdays == (0, 1, 2, 3, 4)
    assert (habit.departures, habit.days) == (50, 50)


def test_public_holidays_are_no_workdays() -> None:
    holidays = {BEGIN + timedelta(weeks=week, days=2) for week in range(0, 12, 2)}
    (habit,) = learn(lambda day: None if day in holidays else commute(day), holidays=holidays)
    assert habit.weekdays == (0, 1, 2, 3, 4)
    assert habit.days == 54


def test_a_new_departure_is_learnt_from_the_weeks_since() -> None:
    changed = END - timedelta(weeks=4)

    def later(day: date) -> float | None:
        hour = commute(day)
        return hour + 2 if hour is not None and day >= changed else hour

    (habit,) = learn(later)
    assert habit.ready_minute == 9 * 60 + 30
    assert habit.since >= changed


def test_a_habit_that_ended_is_no_habit() -> None:
    ended = END - timedelta(weeks=2)
    # Since then it leaves every day at another time.
    found = learn(lambda day: (8 + 2 * day.weekday()) if day >= ended else commute(day))
    assert [habit for habit in found if habit.ready_minute == 450] == []


@pytest.mark.parametrize(
    ("answered", "changed"),
    [
        (AnsweredHabit((0, 1), 450, 9.0), False),
        (AnsweredHabit((0, 1, 2), 470, 11.0), False),
        (AnsweredHabit((0,), 450, 9.0), True),
        (AnsweredHabit((0, 1), 480, 9.0), True),
        (AnsweredHabit((0, 1), 450, 20.0), True),
        (AnsweredHabit((0, 1), 450, None), False),
    ],
    ids=["same", "a little", "another day", "half an hour", "much less", "unknown need"],
)
def test_an_answer_holds_until_the_habit_changes(answered: AnsweredHabit, *, changed: bool) -> None:
    habit = DepartureHabit((0, 1), 450, 720, 20, 22, BEGIN, usual_kwh=8, enough_kwh=9)
    assert has_changed(habit, answered) is changed
