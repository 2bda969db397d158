"""Days that no training saw: a rule, and nothing drawn."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from services.agent.evaluation.days import (
    HISTORY_DAYS,
    UnseenDays,
    UsableDays,
    begin_quarter,
    choose_unseen_days,
)

YEAR = UsableDays(date(2023, 1, 1), date(2023, 12, 31))


def count_by_month(chosen: UnseenDays) -> Counter[int]:
    return Counter(week.first.month for week in chosen.weeks)


def test_of_one_recorded_year_a_hundred_days_lie_in_all_seasons_that_trainings_reach() -> None:
    chosen = choose_unseen_days(YEAR, count=100)
    assert len(chosen.days) == 100
    # Before 1 April 90 days are recorded, before 1 January none: 15 weeks of April to December.
    # Spring (until May), summer and autumn give four each; winter, whose only weeks are those of
    # December, three.
    by_month = count_by_month(chosen)
    assert [
        sum(by_month[month] for month in season)
        for season in ((4, 5), (6, 7, 8), (9, 10, 11), (12,))
    ] == [4, 4, 4, 3]
    assert {week.trained_until for week in chosen.weeks} == {
        date(2023, 4, 1),
        date(2023, 7, 1),
        date(2023, 10, 1),
    }


def test_of_two_years_every_season_counts_alike_and_the_latest_year_is_taken() -> None:
    chosen = choose_unseen_days(UsableDays(date(2022, 1, 1), date(2023, 12, 31)), count=112)
    seasons = Counter((week.first + timedelta(days=3)).month % 12 // 3 for week in chosen.weeks)
    assert set(seasons.values()) == {4}
    assert min(chosen.days) >= date(2023, 1, 2)


def test_of_the_last_week_only_the_days_still_wanted_count() -> None:
    chosen = choose_unseen_days(YEAR, count=100)
    assert [week.days for week in chosen.weeks] == [7] * 14 + [2]


def test_a_week_with_a_day_that_cannot_be_lived_is_left_out_and_says_why() -> None:
    before = choose_unseen_days(YEAR, count=100)
    gap = before.weeks[3].first + timedelta(days=2)
    chosen = choose_unseen_days(
        UsableDays(
            YEAR.first, YEAR.last, {gap: "no load_kwh in 3 slots", date(2023, 2, 1): "exclude"}
        ),
        count=100,
    )
    # What lies where no week is measured anyway is not told of.
    assert chosen.skipped == {gap: "no load_kwh in 3 slots"}
    assert gap not in {
        day
        for week in chosen.weeks
        for day in (week.first + timedelta(days=number) for number in range(7))
    }
    assert len(chosen.days) == 100


def test_nothing_after_the_last_day_asked_for_is_chosen() -> None:
    assert max(choose_unseen_days(YEAR, count=100, last=date(2023, 9, 17)).days) <= date(
        2023, 9, 17
    )


def test_too_short_a_record_says_what_is_missing() -> None:
    with pytest.raises(InvalidInputError) as refused:
        choose_unseen_days(UsableDays(date(2023, 1, 1), date(2023, 3, 31)), count=100)
    assert (refused.value.reason, refused.value.parameters) == ("no-week-to-measure", {"days": 60})


@given(
    first=st.dates(date(2020, 1, 1), date(2022, 12, 31)),
    length=st.integers(240, 900),
    count=st.integers(7, 366),
    gaps=st.sets(st.integers(0, 900), max_size=10),
)
def test_every_week_begins_after_what_its_trainings_know_and_is_recorded_whole(
    first: date, length: int, count: int, gaps: set[int]
) -> None:
    record = UsableDays(
        first, first + timedelta(days=length), {first + timedelta(days=gap): "gap" for gap in gaps}
    )
    chosen = choose_unseen_days(record, count=count)
    days = [week.first + timedelta(days=number) for week in chosen.weeks for number in range(7)]
    assert len(set(days)) == len(days)
    assert not set(days) & set(record.unusable)
    assert max(days) <= record.last
    assert len(chosen.days) <= count
    assert all(
        first + timedelta(days=HISTORY_DAYS)
        <= week.trained_until
        == begin_quarter(week.first)
        <= week.first
        for week in chosen.weeks
    )
