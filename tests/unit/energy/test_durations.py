"""Durations as people write them, and as Luna shows them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=90), "1\u00a0min 30\u00a0s"),
        (timedelta(days=30), "30\u00a0d"),
        (timedelta(hours=2, minutes=30), "2\u00a0h 30\u00a0min"),
        (timedelta(milliseconds=500), "0.5\u00a0s"),
        (timedelta(0), "0\u00a0s"),
    ],
)
def test_a_duration_is_shown_with_the_symbols_of_the_si(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90 s", timedelta(seconds=90)),
        ("15min", timedelta(minutes=15)),
        ("1,5 h", timedelta(hours=1.5)),
        ("1 minute and 30 seconds", timedelta(seconds=90)),
        ("1 day, 2 hours", timedelta(hours=26)),
        ("", None),
        ("soon", None),
        ("PT15M", None),
        ("5 apples", None),
        ("-5 s", None),
    ],
)
def test_a_duration_is_read_and_what_is_none_is_not(text: str, duration: timedelta | None) -> None:
    assert parse_duration(text) == duration


@given(st.integers(0, 10_000_000))
def test_what_is_shown_is_read_as_the_same(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
