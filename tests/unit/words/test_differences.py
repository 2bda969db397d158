"""Every reason for a difference in both languages; what is compared is literally so."""

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from luna.contracts.forecast_explanation import ReasonCode
from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.catalogue import CATALOGUE
from luna.words.differences import Difference, SeriesName, describe_difference, describe_slot, list_difference_codes
from tests.support.suite.tables import each_row

# 23:30 UTC on a Friday is Saturday in Berlin.
LATE = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
NBSP = "\u00a0"


def speak(language: Language) -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


def say(code: str, kw: float, fact: float | None = None, *, language: Language = "en", series: SeriesName = "load") -> str:
    return describe_difference(Difference(code, kw, fact), series=series, start=LATE, numbers=speak(language)).replace(NBSP, " ")


@each_row(
    ("fact", "english", "german"),
    [
        (-3.2, "3.2 °C colder than in the last seven days: +0.30 kW", "3,2 °C kälter als in den letzten sieben Tagen: +0,30 kW"),
        (3.2, "3.2 °C warmer than in the last seven days: +0.30 kW", "3,2 °C wärmer als in den letzten sieben Tagen: +0,30 kW"),
        (0.04, "the temperature: +0.30 kW", "die Temperatur: +0,30 kW"),
        (None, "the temperature: +0.30 kW", "die Temperatur: +0,30 kW"),
    ],
    ids=["colder", "warmer", "alike", "unknown"],
)
def test_colder_is_said_only_where_it_is_colder_whatever_it_adds(fact: float | None, english: str, german: str) -> None:
    assert say("temperature", 0.3, fact) == english
    assert say("temperature", 0.3, fact, language="de") == german


def test_the_last_hours_of_load_and_of_pv_have_words_of_their_own() -> None:
    assert say("hours", 0.2, 0.4) == "more used than usual in the last hours: +0.20 kW"
    assert say("hours", -0.2, -0.4, series="pv") == "less solar power than usual in the last hours: −0.20 kW"
    assert say("hours", -0.2, -0.4, series="pv", language="de") == "in den letzten Stunden weniger Solarstrom als üblich: −0,20 kW"


def test_a_fact_that_points_the_other_way_than_what_it_adds_is_not_named() -> None:
    assert say("sky", 0.2, -40.0, series="pv") == "sun and clouds: +0.20 kW"
    assert say("days", -0.2, 0.4) == "the last days: −0.20 kW"
    assert say("sky", 0.2, -40.0) == "less sun than in the last seven days: +0.20 kW", "lamps are on under clouds"


def test_the_day_of_the_week_is_that_of_the_sites_clock() -> None:
    assert say("calendar", 0.1) == "it is Saturday: +0.10 kW"
    assert say("calendar", 0.1, language="de") == "es ist Samstag: +0,10 kW"


def test_every_reason_has_words_for_load_and_pv_in_every_language() -> None:
    spoken = {
        say(code, 0.1, series=series, language=language) for code in get_args(ReasonCode) for series in get_args(SeriesName) for language in CATALOGUE.languages
    }
    # The limit of PV is another than that of load.
    assert len(spoken) == len(CATALOGUE.languages) * (len(get_args(ReasonCode)) + 1)
    assert {code.removesuffix("_load").removesuffix("_pv") for code in list_difference_codes()} == set(get_args(ReasonCode))


def test_a_reason_without_words_is_named() -> None:
    with pytest.raises(InvalidInputError, match="tides"):
        say("tides", 0.1)


@pytest.mark.parametrize(
    ("expected", "usual", "english"),
    [
        (1.4, 1.1, "1.40 kW expected, 0.30 kW more than usual: in the last seven days it was 1.10 kW on average at this time. It is Saturday: +0.30 kW."),
        (1.1, 1.4, "1.10 kW expected, 0.30 kW less than usual: in the last seven days it was 1.40 kW on average at this time. It is Saturday: +0.30 kW."),
        (1.1, 1.101, "1.10 kW expected, as usual at this time in the last seven days. It is Saturday: +0.30 kW."),
    ],
    ids=["more", "less", "as usual"],
)
def test_a_slot_says_what_is_expected_what_is_usual_and_why(expected: float, usual: float, english: str) -> None:
    assert describe_slot(expected, usual, [say("calendar", 0.3)], numbers=speak("en")).replace(NBSP, " ") == english


def test_a_slot_without_reasons_ends_with_the_usual() -> None:
    said = describe_slot(0, 0, [], numbers=speak("de")).replace(NBSP, " ")
    assert said == "0,00 kW erwartet, wie in den letzten sieben Tagen um diese Zeit üblich."
