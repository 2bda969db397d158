"""What a plan rests on, in words."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.compromises import CONDITIONS
from luna.words.notes import ASSUMED, NOTES, say_note
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording

BERLIN = ZoneInfo("Europe/Berlin")
FIGURES: dict[str, Any] = {
    "soc": 0.5,
    "start_soc": 0.098,
    "doubted_soc": 0.0,
    "sensor_soc": 0.3,
    "arrival_soc": 0.3,
    "stated_soc": 0.4,
    "stated_at": "2024-02-01T03:15:00+00:00",
    "metered_kwh": 33.0,
    "given_kwh": 1.0,
    "planned_kwh": 30.6,
    "doubted_at": "2024-02-01T03:30:00Z",
    "vehicle": "car",
    "need_kwh": 7.2,
    "comes": "18:00",
    "leaves": "07:00",
    "load_factor": 1.25,
    "pv_factor": 0.6,
    "kw": 2000.0,
    "limit_kw": 17.25,
    "times": 116.0,
    "saved": 0.05,
    "price": 85.0,
    "source_error": 0.12,
    "own_error": 0.04,
    "hours": 6,
    "known_price": 0.35,
    "found": "slots[3]",
    "at": "2024-02-01T03:15:00Z",
    "battery": "cellar",
    "min_soc": 0.1,
    "max_soc": 0.9,
    "heat_pumps": ["pump"],
    "vehicles": ["car"],
    "import_price": 0.3,
    "export_price": 0.0,
    "series": ["import_price", "export_price"],
    "kinds": ["fixed"],
    "markets": ["DE-LU"],
    "like": ["NL"],
    "since": "2024-02-01T23:00:00Z",
    "loads": ["tank", "dishwasher"],
    "active": "aurora_v1.0",
    "version": "baseline_7_day_avg",
    "issued_at": "2024-02-01T00:00:00Z",
    "candidate": "aurora_v1.0",
    "days": 3,
    "needed": 14,
    "earliest": "2024-03-17",
    "until": "2024-02-01T19:00:00Z",
    "command": "luna forecast promote",
}


@each_row("language", ["en", "de"])
@each_row(
    "code",
    [
        *NOTES,
        *{*CONDITIONS} - {"pv_held_back", "pv_blended", "unnamed_ac_limit"},
        "pv_held_back:12:20",
        "unnamed_ac_limit:4.6",
    ],
)
def test_every_note_is_a_sentence_in_both_languages(code: str, language: Language) -> None:
    said = say_note(code, FIGURES, Numbers(language, BERLIN, "EUR"))
    assert said
    assert "{" not in said


def test_what_is_assumed_has_words() -> None:
    assert {*NOTES, *CONDITIONS} >= ASSUMED


@each_row(
    ("code", "figures"),
    [
        # 03:15 UTC is 04:15 in Berlin.
        ("soc_earlier", {"soc": "50 %", "at": "Do. 04:15"}),
        (
            "soc_outside_limits",
            {"battery": "cellar", "start_soc": "9,8 %", "min_soc": "10 %", "max_soc": "90 %"},
        ),
        ("bias_corrected", {"load_factor": "1,25", "pv_factor": "0,60"}),
        ("tariff_default", {"import_price": "30 ct", "export_price": "0 ct"}),
    ],
)
def test_instants_shares_and_prices_are_those_of_the_site_s_people(
    code: str,
    figures: dict[str, str],
) -> None:
    said = plain(say_note(code, FIGURES, Numbers("de", BERLIN, "EUR")))
    assert said == plain_wording("notes", f"note_{code}", "de", **figures)


FROM_MARCH = plain_wording("notes", "earliest_known", "de", day="17. März 2024")


@each_row(("earliest", "text"), [("2024-03-17", FROM_MARCH), (None, "")], ids=["known", "unknown"])
def test_when_a_version_may_take_over_is_said_only_where_it_is_known(
    earliest: str | None,
    text: str,
) -> None:
    figures = FIGURES | {"earliest": earliest}
    said = plain(say_note("forecast_awaits_proof", figures, Numbers("de", BERLIN, "EUR")))
    named = {"version": "baseline_7_day_avg", "candidate": "aurora_v1.0"}
    counted = {"days": "3", "needed": "14", "earliest": text}
    assert said == plain_wording("notes", "note_forecast_awaits_proof", "de", **named, **counted)


@pytest.mark.parametrize(
    ("code", "figures"), [("full_moon", {}), ("soc_assumed", {})], ids=["no such code", "no figure"]
)
def test_a_note_that_cannot_be_said_is_named(code: str, figures: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=code):
        say_note(code, figures, Numbers("en", BERLIN, "EUR"))
