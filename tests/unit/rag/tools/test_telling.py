"""The text of a tool: two sentences first, details after, a share only where it is not all."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from luna.words import Numbers
from services.rag.tools.telling import Teller
from tests.support.suite.tables import each_row

EVENING = datetime(2024, 4, 2, 20, tzinfo=UTC)


def make_teller() -> Teller:
    context: Any = SimpleNamespace(numbers=Numbers("en", ZoneInfo("Europe/Berlin"), "EUR"))
    return Teller(context)


def test_details_follow_two_sentences_on_lines_of_their_own() -> None:
    teller = make_teller()
    for code in ("no_battery", "no_plan", "no_devices"):
        teller.say(code)
    teller.begin_line()
    teller.say("variant_horizon")
    said = [teller.phrase(code) for code in ("no_battery", "no_plan", "no_devices")]
    text = teller.finish().text
    assert text.splitlines() == [" ".join(said[:2]), said[2], teller.phrase("variant_horizon")]


@each_row(("share", "said"), [(0.994, True), (0.995, False), (0.9999, False), (1.0, False)])
def test_a_share_is_told_unless_it_shows_as_all(share: float, *, said: bool) -> None:
    teller = make_teller()
    teller.say_partly("partly_known", "share_known", share)
    assert bool(teller.finish().figures) == said


@each_row(("hours", "shown"), [(1, "23:00"), (3, "Wed 3 Apr, 01:00")])
def test_the_end_of_a_span_names_its_day_only_if_it_is_another(hours: int, shown: str) -> None:
    end = EVENING + timedelta(hours=hours)
    text = make_teller().end("end", end, begin=EVENING)
    assert text.replace("\u00a0", " ") == shown
