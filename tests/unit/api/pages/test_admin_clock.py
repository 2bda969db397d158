"""Instants and durations on the pages of the installation, in the reader's language."""

from datetime import UTC, datetime

from luna.words import Language
from luna.words.pages import page_words
from services.api.pages.admin.page_clock import PageClock
from services.api.pages.admin.pages import say_age
from tests.support.suite.tables import each_row

AT = datetime(2026, 2, 1, 14, tzinfo=UTC)


@each_row(
    ("language", "shown"),
    [("en", "2026-02-01 14:00:00"), ("de", "1.2.2026 14:00:00")],
)
def test_an_instant_follows_the_language(language: Language, shown: str) -> None:
    assert PageClock(language=language).say(AT) == shown


@each_row(
    ("seconds", "language", "shown"),
    [
        (7384.2, "de", "2:03:04"),
        (86400 + 7384, "de", "1 Tag, 2:03:04"),
        (3 * 86400, "en", "3 days, 0:00:00"),
    ],
)
def test_an_age_counts_days_in_the_language(seconds: float, language: Language, shown: str) -> None:
    assert say_age(seconds, words=page_words("admin", language)) == shown
