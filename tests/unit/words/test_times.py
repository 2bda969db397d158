"""Times as people say them now: the clock today, the day as soon as it is another one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from luna.words import Numbers
from luna.words.times import say_span, say_when
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
NUMBERS = {"en": Numbers("en", BERLIN, "EUR"), "de": Numbers("de", BERLIN, "EUR")}
# A Wednesday, 16:37 by the clock of the site.
NOW = datetime(2026, 5, 20, 14, 37, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 5, day, hour, minute, tzinfo=BERLIN)


@each_row(
    ("instant", "english", "german"),
    [
        (at(20, 23, 45), "23:45", "23:45"),
        (at(20, 0), "00:00", "00:00"),
        (at(21, 0), "tomorrow 00:00", "morgen 00:00"),
        (at(22, 5, 30), "Fri 05:30", "Fr. 05:30"),
        (at(26, 5, 30), "Tue 05:30", "Di. 05:30"),
        # The same weekday as today's names no other day.
        (at(27, 5, 30), "Wed 27\u00a0May, 05:30", "Mi., 27.\u00a0Mai, 05:30"),
        (at(19, 5, 30), "Tue 05:30", "Di. 05:30"),
        (at(13, 5, 30), "Wed 13\u00a0May, 05:30", "Mi., 13.\u00a0Mai, 05:30"),
    ],
)
def test_an_instant_names_its_day_where_that_is_not_today(
    instant: datetime, english: str, german: str
) -> None:
    assert [say_when(instant, now=NOW, numbers=numbers) for numbers in NUMBERS.values()] == [
        english,
        german,
    ]


@each_row(
    ("first", "end", "english", "german"),
    [
        (at(20, 16, 30), at(20, 19), "now – 19:00", "jetzt – 19:00"),
        (at(20, 16, 30), at(21, 5, 30), "now – tomorrow 05:30", "jetzt – morgen 05:30"),
        (at(20, 16, 30), at(22, 5, 30), "now – Fri 05:30", "jetzt – Fr. 05:30"),
        (at(20, 19), at(20, 20, 15), "19:00 – 20:15", "19:00 – 20:15"),
        (at(20, 22), at(21, 1), "22:00 – tomorrow 01:00", "22:00 – morgen 01:00"),
        (at(21, 5, 30), at(21, 7), "tomorrow 05:30 – 07:00", "morgen 05:30 – 07:00"),
        (at(21, 5, 30), at(22, 5, 30), "tomorrow 05:30 – Fri 05:30", "morgen 05:30 – Fr. 05:30"),
        (at(20, 9), at(20, 16, 30), "09:00 – 16:30", "09:00 – 16:30"),
    ],
)
def test_a_span_names_each_day_once(
    first: datetime, end: datetime, english: str, german: str
) -> None:
    assert [say_span(first, end, now=NOW, numbers=numbers) for numbers in NUMBERS.values()] == [
        english,
        german,
    ]


@given(st.integers(-700, 700), st.integers(1, 700))
def test_no_span_begins_and_ends_with_the_same_words(begins: int, lasts: int) -> None:
    first = NOW + begins * timedelta(minutes=15)
    for numbers in NUMBERS.values():
        begin, end = say_span(
            first, first + lasts * timedelta(minutes=15), now=NOW, numbers=numbers
        ).split(" – ")
        assert begin != end
