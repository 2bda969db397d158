"""What a plan rests on, in words."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.compromises import CONDITIONS
from luna.words.notes import ASSUMED, NOTES, say_note
from tests.support.suite.tables import each_row

BERLIN = ZoneInfo("Europe/Berlin")
FIGURES: dict[str, Any] = {
    "soc": 0.5,
    "start_soc": 0.098,
    "doubted_soc": 0.0,
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
    "price": 85.0,
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
    "since": "2024-02-01T23:00:00Z",
    "loads": ["tank", "dishwasher"],
    "active": "aurora_v1.0",
    "version": "baseline_7_day_avg",
    "issued_at": "2024-02-01T00:00:00Z",
    "candidate": "aurora_v1.0",
    "days": 3,
    "needed": 14,
    "earliest": "2024-03-17",
    "command": "luna forecast promote",
}


@each_row("language", ["en", "de"])
@each_row("code", [*NOTES, *{*CONDITIONS} - {"pv_held_back", "unnamed_ac_limit"}, "pv_held_back:12:20", "unnamed_ac_limit:4.6"])
def test_every_note_is_a_sentence_in_both_languages(code: str, language: Language) -> None:
    said = say_note(code, FIGURES, Numbers(language, BERLIN, "EUR"))
    assert said
    assert "{" not in said


def test_what_is_assumed_has_words() -> None:
    assert {*NOTES, *CONDITIONS} >= ASSUMED


def test_instants_are_those_of_the_sites_clock_and_shares_and_prices_as_people_write_them() -> None:
    german = Numbers("de", BERLIN, "EUR")
    assert say_note("soc_earlier", FIGURES, german) == "Der letzte aufgezeichnete Ladestand, 50\u00a0%, ist der von Do. 04:15."
    assert "beginnt bei 9,8\u00a0%, außerhalb ihrer Grenzen von 10\u00a0% bis" in say_note("soc_outside_limits", FIGURES, german)
    assert "Verbrauch zählt 1,25-mal" in say_note("bias_corrected", FIGURES, german)
    assert "30\u00a0ct" in say_note("tariff_default", FIGURES, german)
    assert "ab 17. März 2024".replace(" ", "\u00a0").replace("ab\u00a0", "ab ") in say_note("forecast_awaits_proof", FIGURES, german)


def test_where_nobody_knows_when_a_version_may_take_over_nothing_is_said_of_it() -> None:
    said = say_note("forecast_awaits_proof", FIGURES | {"earliest": None}, Numbers("en", BERLIN, "EUR"))
    assert said.endswith("3 of 14 days are scored.")


@pytest.mark.parametrize(("code", "figures"), [("full_moon", {}), ("soc_assumed", {})], ids=["no such code", "no figure"])
def test_a_note_that_cannot_be_said_is_named(code: str, figures: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=code):
        say_note(code, figures, Numbers("en", BERLIN, "EUR"))
