"""Refusals in the words of who reads a page."""

import re
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import (
    InvalidInputError,
    LunaError,
    MachineError,
    NotFoundError,
    OutdatedError,
    UnavailableError,
    error_classes,
)
from luna.energy.plausibility import UnitDoubt
from luna.energy.refusals import REASONS, refuse
from luna.energy.site import explain_faults
from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from luna.words.refusals import (
    REMEDIES,
    REMEDIES_OF_CODES,
    SENTENCES,
    SENTENCES_OF_CODES,
    RefusalText,
    SpokenError,
    say_problem,
    say_refusal,
)
from services.ingest.file_units import describe_doubt
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording

ENGLISH = re.compile(r"\b(the|is|at least|at most|there|choose)\b", re.IGNORECASE)
TOO_MUCH = refuse("power-beyond", field="manual.0.power_kw", value=99, device="battery", most=2.5)


def fill(reason: str, language: Language, /, **figures: object) -> RefusalText:
    parts = [f"{part}_{reason}" for part in ("sentence", "remedy")]
    return RefusalText(*(plain_wording("refusals", part, language, **figures) for part in parts))


@each_row(("language", "most", "place"), [("de", "2,5", "Leistung"), ("en", "2.5", "power")])
def test_a_known_refusal_is_said_in_the_reader_s_language_with_its_figures(
    language: Language,
    most: str,
    place: str,
) -> None:
    device = {"de": "Batterie", "en": "Battery"}[language]
    said = fill("power-beyond", language, most=most, device=device)
    assert say_refusal(TOO_MUCH, language) == replace(said, place=place)


def test_an_unlikely_unit_is_said_with_both_numbers_and_what_to_say_of_the_file() -> None:
    doubt = UnitDoubt(0.5, 3.2, 0.32, "stored", ("EUR/MWh", "ct/kWh"))
    said = say_refusal(describe_doubt("spot_price", doubt, "EUR/kWh"), "de")
    figures = ("EUR/kWh", "3,2", "10", "0,32")
    assert [figure for figure in figures if figure not in said.sentence] == []
    assert "spot_price=EUR/MWh" in said.remedy
    assert "spot_price=EUR/kWh" in said.remedy


def test_prices_in_another_currency_are_named_with_the_market_and_the_instant() -> None:
    since = datetime(2026, 2, 1, 14, tzinfo=ZoneInfo("Europe/Stockholm"))
    names = {"market": "SE3", "currency": "EUR"}
    error = refuse(
        "prices-in-other-currency",
        field="prices.SE3",
        count=9,
        when="",
        since=since,
        known=("SEK",),
        **names,
    )
    said = fill("prices-in-other-currency", "de", known="SEK", since="1. Feb. 2026, 14:00", **names)
    assert plain(say_refusal(error, "de").sentence) == said.sentence


def test_of_several_wrong_fields_the_first_is_said() -> None:
    wrong = {"type": "missing", "msg": "Field required", "input": {}}
    faults = [wrong | {"loc": (name,)} for name in ("from", "to")]
    said = say_refusal(explain_faults(faults, field=""), "de")
    assert said == replace(fill("missing", "de"), place="von")


def test_a_share_is_said_in_percent_and_a_bound_with_the_unit_of_its_field() -> None:
    error = refuse("soc-beyond", field="target_soc", value=1, name="car", max_soc=0.9)
    beyond = say_refusal(error, "de")
    assert plain(beyond.remedy) == fill("soc-beyond", "de", name="Auto", max_soc="90 %").remedy
    fault = {
        "type": "greater_than",
        "loc": ("grid", "import_limit_kw"),
        "msg": "Input should be greater than 0",
        "input": -0.5,
        "ctx": {"gt": 0.0},
    }
    said = say_refusal(explain_faults([fault], field="site"), "de")
    assert plain(said.remedy) == fill("greater-than", "de", gt="0", unit=" kW").remedy


def test_sizes_are_said_in_megabytes_and_kilobytes() -> None:
    large = say_refusal(refuse("json-too-large", field="file", most=52_400_000), "de")
    assert plain(large.sentence) == fill("json-too-large", "de", most="52 MB").sentence
    small = say_refusal(refuse("line-too-long", field="file", most=1_500), "de")
    assert plain(small.sentence) == fill("line-too-long", "de", most="1,5 kB").sentence


@each_row("code", ["embedding-away", "index-away", "database-away"])
def test_an_exceptions_text_stays_off_pages(code: str) -> None:
    error = refuse(code, why="Errno 111", model="bge-m3")
    assert "Errno 111" in str(error)
    assert "Errno 111" not in str(say_refusal(error, "de"))


def test_an_error_of_a_newer_release_is_said_by_its_kind() -> None:
    said = say_refusal(InvalidInputError("bent").because("bent-frobnicator", {}), "de")
    assert said == say_refusal(InvalidInputError("else"), "de")
    assert said.is_general


@each_row("language", ["en", "de"])
@each_row(
    "kind",
    [InvalidInputError, NotFoundError, OutdatedError, UnavailableError, MachineError, LunaError],
)
def test_what_nobody_worded_is_said_by_its_kind_without_the_error_itself(
    kind: type[LunaError], language: Language
) -> None:
    said = say_refusal(
        kind("the frobnicator is bent", field="frobnicator", remedy="Straighten it."), language
    )
    assert said.is_general
    assert said.place == ""
    assert said.sentence
    assert said.remedy
    assert "bent" not in str(said)


def test_what_was_worded_for_its_reader_stays_as_it_is() -> None:
    assert say_refusal(SpokenError("Nichts ist geändert.", field="battery"), "de") == RefusalText(
        "Nichts ist geändert.", "", "Batterie"
    )


@pytest.mark.parametrize(
    "error",
    [
        TOO_MUCH,
        refuse("no-reply", field="task", value="x", seconds=30.0),
        UnavailableError("away", field="task", remedy="Wait."),
    ],
)
def test_the_document_of_a_failed_job_is_said_like_the_error_itself(error: LunaError) -> None:
    assert say_problem(error.problem(), "de") == say_refusal(error, "de")


def test_every_reason_and_every_code_has_a_sentence_and_a_remedy_and_nothing_else_has() -> None:
    assert set(SENTENCES) == set(REMEDIES) == set(REASONS)
    codes = {kind.code for kind in error_classes() if kind.__module__ == LunaError.__module__} - {
        "confirmation-needed",
        "precondition-failed",
    }
    assert set(SENTENCES_OF_CODES) == set(REMEDIES_OF_CODES)
    assert set(SENTENCES_OF_CODES) <= codes


def test_what_german_pages_say_of_refusals_is_german() -> None:
    said = [
        message
        for topic in ("refusals", "error_codes", "fields")
        for message in CATALOGUE.read(topic, "de").values()
    ]
    assert [
        text
        for message in said
        for text in message.parts
        if ENGLISH.search(re.sub(r"{.*?}", "", str(text)))
    ] == []


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["en", "de"]))
def test_whatever_an_error_says_there_is_a_sentence_and_a_remedy(
    message: str, remedy: str, language: Language
) -> None:
    said = say_refusal(InvalidInputError(message, field=message, remedy=remedy), language)
    assert said.sentence
    assert said.remedy
