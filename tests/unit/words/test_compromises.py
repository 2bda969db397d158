"""What a plan could not hold, said in the language asked for."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.compromises import COMPROMISES, retell_compromise, say_compromise, say_part
from luna.words.devices import PREFIXES
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording

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
def test_every_compromise_has_words_and_numbers_of_its_language(
    code: str, language: Language
) -> None:
    constraint, shortfall = say_compromise(code, language=language, **FIGURES)
    assert constraint
    assert shortfall
    assert not any("{" in text for text in (constraint, shortfall))
    assert "1.5" not in shortfall or language == "en"


@each_row(
    ("code", "english", "german"),
    [
        ("end_at_least", ("80.0%", "1.500 kWh missing"), ("80,0 %", "1,500 kWh fehlen")),
        ("import_limit_often", ("4.5 kW", "0.25 kW too much"), ("4,5 kW", "0,25 kW zu viel")),
        ("load_day", ("0.80 kWh", "1.500 kWh missing"), ("0,80 kWh", "1,500 kWh fehlen")),
    ],
)
def test_numbers_are_written_as_people_of_the_language_do(
    code: str,
    english: tuple[str, str],
    german: tuple[str, str],
) -> None:
    for language, figures in (("en", english), ("de", german)):
        wanted, missing = map(plain, say_compromise(code, language=language, **FIGURES))
        assert figures[0] in wanted
        assert missing == figures[1]


def test_a_limit_missed_often_says_how_often_since_when_and_where_most() -> None:
    wanted, _ = say_compromise("import_limit_often", language="de", **FIGURES)
    figures = {"first": "2024-02-01 04:00", "worst": "2024-02-01 05:00", "count": "3"}
    said = plain_wording(
        "compromises", "wanted_import_limit_often", "de", limit_kw="4,5", **figures
    )
    assert plain(wanted) == said


READER = Numbers("de", ZoneInfo("Europe/Berlin"), "EUR")


AT_THE_END = {"name": "garage", "wanted": 0.2, "kwh": 1.5}
HEATED = {"name": "heat_pump", "celsius": 30.0}
TAKEN_OVER = {
    "name": "battery",
    "action": "no_charge",
    "first": "2024-02-01T04:00:00+00:00",
    "last": "2024-02-01T05:00:00+00:00",
    "kwh": 1.5,
}
WASHED = {
    "name": "washer",
    "wanted": 2.0,
    "by": "2024-02-01",
    "kwh": 1.5,
    "rules": ["price_limit"],
    "price": 0.2,
}
PARKED = {"name": "car", "wanted": 0.8, "by": "2024-02-01T07:00:00+01:00", "missing": 0.125}


@pytest.mark.parametrize(
    ("code", "figures", "words", "missing"),
    [
        ("vehicle", PARKED, ("Auto", "80 %", "Do. 07:00"), "12,5 %"),
        ("end_at_least", AT_THE_END, ("garage", "20,0 %"), "1,500 kWh"),
        ("manual", TAKEN_OVER, ("Batterie", "nicht laden", "Do. 05:00", "Do. 06:00"), "1,500 kWh"),
        ("load_day", WASHED, ("washer", "2,00 kWh", "Do., 1. Feb.", "0,2"), "1,500 kWh"),
        ("heat_store", HEATED, ("Wärmepumpe", "30,0 °C"), ""),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_a_plan_s_compromise_is_retold_in_the_reader_s_language_and_names(
    code: str,
    figures: dict[str, Any],
    words: tuple[str, ...],
    missing: str,
) -> None:
    told = {"code": code, "constraint": "as the planner said it", "shortfall": "2 kWh"}
    constraint, shortfall = map(plain, retell_compromise(told | {"figures": figures}, READER))
    assert [word for word in words if word not in constraint] == []
    assert missing in shortfall
    # One of a plan from before figures were kept stands as it was said.
    before = retell_compromise(told | {"figures": {}}, READER)
    assert before == ("as the planner said it", "2 kWh")


def test_a_retold_compromise_names_neither_the_kind_before_the_name_nor_a_field() -> None:
    told = {"code": "end_at_least", "constraint": "", "shortfall": "", "figures": AT_THE_END}
    wanted, _ = retell_compromise(told, READER)
    assert not wanted.startswith(f"{PREFIXES.say('battery', 'de')} ")
    stored = {"code": "heat_store", "constraint": "", "shortfall": "", "figures": HEATED}
    assert "temperature_c" in say_compromise("heat_store", language="de", **HEATED)[0]
    assert "temperature_c" not in retell_compromise(stored, READER)[0]


def test_a_home_in_the_united_states_reads_degrees_fahrenheit() -> None:
    # 20 °C are 68 °F, 30 °C are 86 °F, and 1.5 °C apart are 2.7 °F.
    cold = {"name": "pump", "wanted": 20.0, "worst": PARKED["by"], "kelvin": 1.5, "outside_c": 30.0}
    missed = {"code": "heat_least", "constraint": "", "shortfall": "", "figures": cold}
    numbers = Numbers("en", ZoneInfo("America/Chicago"), "USD")
    constraint, shortfall = map(plain, retell_compromise(missed, numbers))
    assert "68.0 °F" in constraint
    assert "86.0 °F" in constraint
    assert "2.7 °F" in shortfall


def test_parts_hold_numbers_of_their_language_too() -> None:
    said = plain_wording("compromises", "part_price_limit", "de", price="0,25")
    assert say_part("price_limit", language="de", price=0.25) == said


def test_refuses_a_compromise_without_words() -> None:
    with pytest.raises(InvalidInputError, match="moon_phase"):
        say_compromise("moon_phase", language="en")
