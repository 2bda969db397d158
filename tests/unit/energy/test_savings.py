"""Which days of a span count, and what they come to."""

from datetime import date, timedelta

import pytest

from luna.energy.savings import CountedDay, LeftOutDay, Savings, share_of_possible

FIRST = date(2026, 10, 20)


def count(day: int, *, without: float, luna: float, possible: float, **more: float) -> CountedDay:
    return CountedDay(
        FIRST + timedelta(days=day),
        {"self_consumption": without, "mpc": luna, "oracle": possible} | more,
        {},
    )


def test_a_span_s_costs_are_the_sums_of_the_policies_known_on_all_its_counted_days() -> None:
    days = [
        count(0, without=3.0, luna=2.0, possible=1.5, rule=2.5),
        count(2, without=1.0, luna=0.5, possible=0.5),
    ]
    savings = Savings(
        FIRST, FIRST + timedelta(days=2), days, [LeftOutDay(FIRST + timedelta(days=1), "excluded")]
    )
    # 3 + 1, 2 + 0.5, 1.5 + 0.5; the rule is known on one day alone.
    assert savings.cost == {"self_consumption": 4.0, "mpc": 2.5, "oracle": 2.0}
    # Saved 1.5 of the 2 that could be.
    assert share_of_possible(savings.cost) == pytest.approx(0.75)


def test_where_nothing_could_be_saved_there_is_no_share() -> None:
    assert share_of_possible({"self_consumption": 1.0, "mpc": 1.0, "oracle": 0.996}) is None


def test_days_that_wait_for_a_replay_are_asked_for_in_runs_and_no_other_day_with_them() -> None:
    codes = {
        0: "not_replayed",
        1: "not_replayed",
        2: "excluded",
        3: "not_replayed",
        4: "no_forecast",
        6: "not_replayed",
    }
    left_out = [LeftOutDay(FIRST + timedelta(days=day), code) for day, code in codes.items()]  # type: ignore[arg-type]
    savings = Savings(
        FIRST, FIRST + timedelta(days=6), [count(5, without=1, luna=1, possible=1)], left_out
    )
    spans = [
        ((first - FIRST).days, (last - FIRST).days) for first, last in savings.find_missing_spans()
    ]
    assert spans == [(0, 1), (3, 3), (6, 6)]


def test_the_tail_holds_the_last_days_alone() -> None:
    savings = Savings(
        FIRST,
        FIRST + timedelta(days=9),
        [count(day, without=2, luna=1, possible=1) for day in range(9)],
        [LeftOutDay(FIRST, "excluded")],
    )
    assert [day.day.day for day in savings.tail(3).counted] == [27, 28]
    assert savings.tail(3).days == 3
    assert savings.tail(100).first == FIRST
