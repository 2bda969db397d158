"""Messages to owners: which of their figures stand in the title, and how they are written."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.messages import MESSAGES, say_message
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording

AT = datetime(2026, 5, 20, 14, tzinfo=UTC)


def numbers(language: Language) -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


@each_row("language", ["en", "de", "nl"])
def test_a_title_names_the_device_and_the_text_each_of_several_batteries(
    language: Language,
) -> None:
    figures = {"device": "batteries", "batteries": ["cellar", "garage"], "at": AT, "until": AT}
    message = say_message("device_disobeys", figures, site="", numbers=numbers(language))
    assert "cellar" not in message.title
    assert "batter" in message.title.lower()
    assert "cellar, garage" in message.text


@each_row(
    ("language", "since"), [("en", "20 May 2026"), ("de", "20. Mai 2026"), ("nl", "20 mei 2026")]
)
def test_a_silent_sensor_is_told_with_its_role_and_day(language: Language, since: str) -> None:
    figures = {"sensor": "sensor.a", "role": "battery_soc", "since": "2026-05-20"}
    text = plain(say_message("sensor_silent", figures, site="", numbers=numbers(language)).text)
    assert since in text
    assert plain_wording("device_battery", "role_battery_soc", language) in text
    assert "battery_soc" not in text


def test_the_name_of_the_home_comes_first_and_only_where_it_is_given() -> None:
    figures: dict[str, Any] = {"saved": 4.2, "days": 6}
    with_site = say_message("weekly_saving", figures, site="Villa", numbers=numbers("en"))
    without = say_message("weekly_saving", figures, site="", numbers=numbers("en"))
    assert "€4.20" in without.title
    assert with_site.text == f"Villa: {without.text}"


@each_row("code", [code for code in MESSAGES if code not in ("test", "no_plan")])
def test_a_message_without_its_figures_is_refused(code: str) -> None:
    with pytest.raises(InvalidInputError):
        say_message(code, {}, site="", numbers=numbers("en"))
