"""Every reason for a difference in both languages; what is compared is literally so."""

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from luna.contracts.forecast_explanation import ReasonCode
from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.catalogue import CATALOGUE
from luna.words.differences import (
    Difference,
    SeriesName,
    describe_difference,
    describe_slot,
    list_difference_codes,
)
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording

# 23:30 UTC on a Friday is Saturday in Berlin.
LATE = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)


def speak(language: Language) -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


def say(
    code: str,
    kw: float,
    fact: float | None = None,
    *,
    language: Language = "en",
    series: SeriesName = "load",
) -> str:
    numbers = speak(language)
    difference = Difference(code, kw, fact)
    return plain(describe_difference(difference, series=series, start=LATE, numbers=numbers))


def fill(name: str, language: Language = "en", /, **figures: object) -> str:
    return plain_wording("differences", name, language, **figures)


@each_row(
    ("fact", "name"),
    [
        (-3.2, "reason_temperature_below"),
        (3.2, "reason_temperature_above"),
        (0.04, "reason_temperature_neither"),
        (None, "reason_temperature_neither"),
    ],
    ids=["colder", "warmer", "alike", "unknown"],
)
def test_colder_is_said_only_where_it_is_colder_whatever_it_adds(
    fact: float | None,
    name: str,
) -> None:
    assert say("temperature", 0.3, fact) == f"{fill(name, degrees='3.2 °C')}: +0.30 kW"
    in_german = fill(name, "de", degrees="3,2 °C")
    assert say("temperature", 0.3, fact, language="de") == f"{in_german}: +0,30 kW"


def test_the_last_hours_of_load_and_of_pv_have_words_of_their_own() -> None:
    assert say("hours", 0.2, 0.4) == f"{fill('reason_hours_load_above')}: +0.20 kW"
    assert say("hours", -0.2, -0.4, series="pv") == f"{fill('reason_hours_pv_below')}: −0.20 kW"
    in_german = fill("reason_hours_pv_below", "de")
    assert say("hours", -0.2, -0.4, series="pv", language="de") == f"{in_german}: −0,20 kW"


def test_a_fact_that_points_the_other_way_than_what_it_adds_is_not_named() -> None:
    assert say("sky", 0.2, -40.0, series="pv") == f"{fill('reason_sky_neither')}: +0.20 kW"
    assert say("days", -0.2, 0.4) == f"{fill('reason_days_load_neither')}: −0.20 kW"
    # Lamps are on under clouds.
    assert say("sky", 0.2, -40.0) == f"{fill('reason_sky_below')}: +0.20 kW"


def test_the_day_of_the_week_is_that_of_the_sites_clock() -> None:
    assert say("calendar", 0.1) == f"{fill('reason_calendar_neither', day='Saturday')}: +0.10 kW"
    in_german = fill("reason_calendar_neither", "de", day="Samstag")
    assert say("calendar", 0.1, language="de") == f"{in_german}: +0,10 kW"


def test_every_reason_has_words_for_load_and_pv_in_every_language() -> None:
    spoken = {
        say(code, 0.1, series=series, language=language)
        for code in get_args(ReasonCode)
        for series in get_args(SeriesName)
        for language in CATALOGUE.languages
    }
    # The limit, the last hours and the last days of PV are others than those of load.
    assert len(spoken) == len(CATALOGUE.languages) * (len(get_args(ReasonCode)) + 3)
    assert {
        code.removesuffix("_load").removesuffix("_pv") for code in list_difference_codes()
    } == set(get_args(ReasonCode))


def test_a_reason_without_words_is_named() -> None:
    with pytest.raises(InvalidInputError, match="tides"):
        say("tides", 0.1)


@pytest.mark.parametrize(
    ("expected", "usual", "name", "figures"),
    [
        (1.4, 1.1, "slot_above", ("1.40 kW", "1.10 kW", "0.30 kW")),
        (1.1, 1.4, "slot_below", ("1.10 kW", "1.40 kW", "0.30 kW")),
        (1.1, 1.101, "slot_neither", ("1.10 kW", "1.10 kW", "0.00 kW")),
    ],
    ids=["more", "less", "as usual"],
)
def test_a_slot_says_what_is_expected_what_is_usual_and_why(
    expected: float,
    usual: float,
    name: str,
    figures: tuple[str, str, str],
) -> None:
    said = plain(describe_slot(expected, usual, ["why: +0.30 kW", "then"], numbers=speak("en")))
    named = dict(zip(("expected", "usual", "difference"), figures, strict=True))
    assert said == f"{fill(name, **named)} Why: +0.30 kW; then."


def test_a_slot_without_reasons_ends_with_the_usual() -> None:
    said = plain(describe_slot(0, 0, [], numbers=speak("de")))
    assert said == fill("slot_neither", "de", expected="0,00 kW")
