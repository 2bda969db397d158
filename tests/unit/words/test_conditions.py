"""Why a forecast is wide, in both languages."""

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import Language
from luna.words.compromises import CONDITIONS, condition
from tests.support.suite.tables import each_row

HELD_BACK = "pv_held_back:12:20"  # the days on which it was, and of how many


@each_row("language", ["en", "de"])
@each_row("code", [*sorted({*CONDITIONS} - {"pv_held_back", "unnamed_ac_limit"}), HELD_BACK, "unnamed_ac_limit:4.6"])
def test_every_code_is_said_in_sentences(code: str, language: Language) -> None:
    assert condition(code, language=language).endswith(".")


def test_figures_follow_their_code() -> None:
    assert condition(HELD_BACK, language="en").startswith("PV was held back on 12 of the last 20 days:")
    assert condition(HELD_BACK, language="de").startswith("An 12 der letzten 20 Tage wurde PV abgeregelt:")
    for code in ("pv_held_back", "pv_held_back:12", "load_gaps:12"):
        with pytest.raises(InvalidInputError, match="has no words"):
            condition(code, language="en")


def test_both_languages_say_what_to_do() -> None:
    assert condition("load_frozen", language="en").endswith("Check the sensor.")
    assert condition("load_frozen", language="de").endswith("Prüfe den Sensor.")


def test_an_unknown_code_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError, match="load_gaps"):
        condition("sunspots", language="en")
