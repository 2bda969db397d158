"""Sentences about an operator's limits: figures, devices, whose limit it is, how it came."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luna.energy.limit_outcome import LimitedDevice, LimitOutcome, list_binding
from luna.energy.operator_limits import OperatorLimit
from luna.energy.site import parse_site
from luna.words import Language, Numbers
from luna.words.catalogue import CATALOGUE
from luna.words.operator_limits import (
    LimitEvent,
    count_limited,
    format_binding,
    format_event,
    format_most,
    format_since,
    format_source,
    list_done,
)
from tests.support.control.dimmed_evening import HOME
from tests.support.words.wording import plain

# Half past four in the afternoon in Berlin.
AT = datetime(2026, 11, 30, 15, 30, tzinfo=UTC)
SITE = parse_site({"name": "home", "timezone": "Europe/Berlin"} | HOME)
DEVICES = count_limited(SITE)


def speak(language: Language) -> Numbers:
    return Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")


def limit(**changes: Any) -> OperatorLimit:
    fields: dict[str, Any] = {
        "limit_id": "one",
        "start": AT,
        "end": AT + timedelta(hours=2),
        "import_kw": 4.2,
        "export_kw": None,
        "scope": "devices",
        "source": "contact",
    }
    return OperatorLimit(**(fields | changes))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The grid operator limits your battery and your car to 4.2 kW until 18:30."),
        ("de", "Der Netzbetreiber begrenzt deine Batterie und dein Auto bis 18:30 auf 4,2 kW."),
        ("nl", "De netbeheerder begrenst je batterij en je auto tot 18:30 op 4,2 kW."),
    ],
)
def test_what_holds_is_one_plain_sentence(language: Language, text: str) -> None:
    (binding,) = list_binding([limit()], AT)
    assert plain(format_binding(binding, DEVICES, now=AT, numbers=speak(language))) == text


def test_a_limit_without_an_end_holds_until_further_notice() -> None:
    text = format_event(LimitEvent(limit(end=None), DEVICES, AT), speak("en"))
    assert text.endswith("until further notice.")


def test_what_is_over_says_from_when_until_when_and_what_was_done() -> None:
    car = LimitedDevice(device="car", planned_kw=11, allowed_kw=4.2, less_kwh=13.6)
    outcome = LimitOutcome(highest_import_kw=4.1, devices=(car,))
    event = LimitEvent(limit(), DEVICES, AT + timedelta(hours=3), outcome)
    assert plain(format_event(event, speak("en"))) == (
        "The grid operator limited your battery and your car to 4.2 kW from 16:30 to 18:30."
    )
    assert [plain(line) for line in list_done(event, speak("en"))] == [
        "At most 4.1 kW came from the grid.",
        "Car: 4.2 kW instead of 11.0 kW.",
        "13.6 kWh less than planned.",
    ]


def test_a_limit_of_feed_in_says_what_went_into_the_grid_and_nothing_of_devices() -> None:
    outcome = LimitOutcome(highest_import_kw=1, highest_export_kw=2.5)
    event = LimitEvent(limit(import_kw=None, export_kw=3), DEVICES, AT, outcome)
    assert [plain(line) for line in list_done(event, speak("de"))] == [
        "Höchstens 2,5 kW gingen ins Netz."
    ]


def test_an_owner_s_own_limit_is_not_the_operator_s() -> None:
    own = LimitEvent(limit(source="owner", scope="connection"), DEVICES, AT)
    assert (
        plain(format_event(own, speak("nl"))) == "Je begrenst je stroomafname tot 18:30 op 4,2 kW."
    )


def test_devices_that_luna_does_not_control_are_not_named() -> None:
    uncontrolled = SITE.model_copy(update={"control": None})
    assert count_limited(uncontrolled) == {}
    text = format_event(LimitEvent(limit(), {}, AT), speak("de"))
    assert "deine Geräte" in text


def test_a_limit_of_both_flows_is_in_one_cell_of_a_table() -> None:
    both = LimitEvent(limit(scope="connection", export_kw=0), DEVICES, AT)
    assert plain(format_most(both, speak("en"))) == "4.2 kW for your home, 0.0 kW for feeding in"


def test_how_it_came_is_said_for_every_source_that_luna_knows() -> None:
    ways = ("api", "mqtt", "contact", "lpc", "lpp", "openadr", "ieee2030.5", "owner")
    for language in CATALOGUE.languages:
        assert not {format_source(way, language) for way in ways} & {*ways}
    assert format_source("pigeon", "en") == "pigeon"
    assert format_since(limit(), now=AT, numbers=speak("en")) == (
        "Since 16:30, through the operator's relay."
    )
