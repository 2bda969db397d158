"""What a plan could not hold, said in the language asked for."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.compromises import COMPROMISES, retell_compromise, say_compromise, say_part
from tests.support.suite.tables import each_row

FIGURES = {
    "name": "garage",
    "wanted": 0.8,
    "start": 0.05,
    "missing": 0.125,
    "kwh": 1.5,
    "limit_kw": 4.5,
    "kw": 0.25,
    "count": 3,
    "first": datetime(2024, 2, 1, 4, tzinfo=UTC),
    "last": datetime(2024, 2, 1, 6, tzinfo=UTC),
    "worst": datetime(2024, 2, 1, 5, tzinfo=UTC),
    "by": date(2024, 2, 1),
    "action": "charge",
    "only": "",
    "outside": "",
    "hours": 8.0,
    "kelvin": 1.2,
    "celsius": 7.5,
    "price": 0.2,
}


@each_row("language", ["en", "de"])
@each_row("code", COMPROMISES)
def test_every_compromise_has_words_and_numbers_of_its_language(code: str, language: Language) -> None:
    constraint, shortfall = say_compromise(code, language=language, **FIGURES)
    assert constraint
    assert shortfall
    assert not any("{" in text for text in (constraint, shortfall))
    assert "1.5" not in shortfall or language == "en"


@pytest.mark.parametrize(
    ("code", "english", "german"),
    [
        ("end_at_least", ("battery garage: at least 80.0% at the end", "1.500 kWh"), ("Batterie garage: mindestens 80,0 % am Ende", "1,500 kWh")),
        (
            "import_limit_often",
            ("grid import limit 4.5 kW, exceeded in 3 slots from 2024-02-01 04:00 on, most at 2024-02-01 05:00", "0.25 kW"),
            ("Grenze des Netzbezugs von 4,5 kW, überschritten in 3 Zeitabschnitten ab 2024-02-01 04:00, am meisten um 2024-02-01 05:00", "0,25 kW"),
        ),
        ("load_day", ("load garage: 0.80 kWh on 2024-02-01", "1.500 kWh"), ("Gerät garage: 0,80 kWh am 2024-02-01", "1,500 kWh")),
    ],
)
def test_numbers_and_days_are_written_as_people_of_the_language_do(code: str, english: tuple[str, str], german: tuple[str, str]) -> None:
    said = [tuple(text.replace("\u00a0", " ") for text in say_compromise(code, language=language, **FIGURES)) for language in ("en", "de")]
    assert said == [english, german]


READER = Numbers("de", ZoneInfo("Europe/Berlin"), "EUR")


@pytest.mark.parametrize(
    ("code", "figures", "german"),
    [
        ("vehicle", {"name": "car", "wanted": 0.8, "by": "2024-02-01T07:00:00+01:00", "missing": 0.125}, "Auto: 80 % bis Do. 07:00: 12,5 %"),
        ("end_at_least", {"name": "garage", "wanted": 0.2, "kwh": 1.5}, "garage: mindestens 20,0 % am Ende: 1,500 kWh"),
        (
            "manual",
            {"name": "battery", "action": "no_charge", "first": "2024-02-01T04:00:00+00:00", "last": "2024-02-01T05:00:00+00:00", "kwh": 1.5},
            "von Hand: Batterie nicht laden Do. 05:00 bis Do. 06:00: 1,500 kWh",
        ),
        (
            "load_day",
            {"name": "washer", "wanted": 2.0, "by": "2024-02-01", "kwh": 1.5, "rules": ["price_limit"], "price": 0.2},
            "washer: 2,00 kWh am Do., 1. Feb., nur unter 0,2 je kWh oder mit PV-Überschuss: 1,500 kWh",
        ),
        ("heat_store", {"name": "heat_pump", "celsius": 30.0}, "Wärmepumpe: 30 °C im Speicher zu Beginn: angenommen"),
    ],
)
def test_a_plan_s_compromise_is_retold_in_the_reader_s_language_and_names(code: str, figures: dict[str, Any], german: str) -> None:
    told = {"code": code, "constraint": "as the planner said it", "shortfall": "2 kWh", "figures": figures}
    assert ": ".join(retell_compromise(told, READER)).replace("\u00a0", " ") == german
    # One of a plan from before figures were kept stands as it was said.
    assert retell_compromise(told | {"figures": {}}, READER) == ("as the planner said it", "2 kWh")


def test_parts_hold_numbers_of_their_language_too() -> None:
    assert say_part("price_limit", language="de", price=0.25) == "unter 0,25 je kWh oder mit PV-Überschuss"


def test_refuses_a_compromise_without_words() -> None:
    with pytest.raises(InvalidInputError, match="moon_phase"):
        say_compromise("moon_phase", language="en")
