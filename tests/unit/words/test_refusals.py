"""Refusals in the words of who reads a page."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError, LunaError, MachineError, NotFoundError, OutdatedError, UnavailableError, error_classes
from luna.energy.plausibility import UnitDoubt
from luna.energy.refusals import REASONS, refuse
from luna.energy.site import explain_faults
from luna.words.catalogue import CATALOGUE
from luna.words.language import Language
from luna.words.refusals import REMEDIES, REMEDIES_OF_CODES, SENTENCES, SENTENCES_OF_CODES, SaidRefusal, SpokenError, say_problem, say_refusal
from services.ingest.units import describe_doubt
from tests.support.suite.tables import each_row

ENGLISH = re.compile(r"\b(the|is|at least|at most|there|choose)\b", re.IGNORECASE)
TOO_MUCH = refuse("charges-with-less", field="manual.0.power_kw", value=99, device="battery", most=2.5)


def test_a_known_refusal_is_said_in_the_reader_s_language_with_its_figures() -> None:
    assert say_refusal(TOO_MUCH, "de") == SaidRefusal("So viel Leistung hat das Gerät nicht.", "Höchstens 2,5 kW.", "Leistung")
    assert say_refusal(TOO_MUCH, "en") == SaidRefusal("The device does not have so much power.", "At most 2.5 kW.", "power")


def test_an_unlikely_unit_is_said_with_both_numbers_and_what_to_say_of_the_file() -> None:
    doubt = UnitDoubt(0.5, 3.2, 0.32, "stored", ("EUR/MWh", "ct/kWh"))
    said = say_refusal(describe_doubt("spot_price", doubt, "EUR/kWh"), "de")
    assert said.sentence.startswith("In EUR/kWh gelesen reichen die Werte bis 3,2, 10-mal die bekannten 0,32:")
    assert "spot_price=EUR/MWh, oder spot_price=EUR/kWh, wenn das stimmt." in said.remedy


def test_prices_in_another_currency_are_named_with_the_market_and_what_to_do() -> None:
    since = datetime(2026, 2, 1, 14, tzinfo=ZoneInfo("Europe/Stockholm"))
    error = refuse("prices-in-other-currency", field="prices.SE3", count=9, when="", since=since, market="SE3", known=("SEK",), currency="EUR")
    sentence = "Preise von SE3 sind nur in SEK bekannt, und du zahlst in EUR: Ab 1. Feb. 2026, 14:00 ist keiner zu gebrauchen."
    assert say_refusal(error, "de").sentence.replace("\u00a0", " ") == sentence


def test_of_several_wrong_fields_the_first_is_said() -> None:
    faults = [{"type": "missing", "loc": (name,), "msg": "Field required", "input": {}} for name in ("from", "to")]
    assert say_refusal(explain_faults(faults, field=""), "de") == SaidRefusal("Hier fehlt etwas.", "Füll es aus.", "von")


def test_a_share_is_said_in_percent_and_a_bound_with_the_unit_of_its_field() -> None:
    assert say_refusal(refuse("soc-beyond", field="target_soc", value=1, max_soc=0.9), "de").remedy == "Höchstens 90\u00a0%."
    fault = {"type": "greater_than", "loc": ("grid", "import_limit_kw"), "msg": "Input should be greater than 0", "input": -0.5, "ctx": {"gt": 0.0}}
    assert say_refusal(explain_faults([fault], field="site"), "de").remedy == "Mehr als 0\u00a0kW."


def test_an_error_of_a_newer_release_is_said_by_its_kind() -> None:
    assert say_refusal(InvalidInputError("bent").because("bent-frobnicator", {}), "de").detail == "bent."


@each_row("language", ["en", "de"])
@each_row("kind", [InvalidInputError, NotFoundError, OutdatedError, UnavailableError, MachineError, LunaError])
def test_what_nobody_worded_is_said_by_its_kind_with_the_error_beside_it(kind: type[LunaError], language: Language) -> None:
    said = say_refusal(kind("the frobnicator is bent", field="frobnicator", remedy="Straighten it."), language)
    assert said.detail == "the frobnicator is bent."
    assert said.place == "frobnicator"
    assert said.sentence
    assert said.remedy


def test_what_was_worded_for_its_reader_stays_as_it_is() -> None:
    assert say_refusal(SpokenError("Nichts ist geändert.", field="battery"), "de") == SaidRefusal("Nichts ist geändert.", "", "Batterie")


@pytest.mark.parametrize("error", [TOO_MUCH, refuse("no-reply", field="task", value="x", seconds=30.0), UnavailableError("away", field="task", remedy="Wait.")])
def test_the_document_of_a_failed_job_is_said_like_the_error_itself(error: LunaError) -> None:
    assert say_problem(error.problem(), "de") == say_refusal(error, "de")


def test_every_reason_and_every_code_has_a_sentence_and_a_remedy_and_nothing_else_has() -> None:
    assert set(SENTENCES) == set(REMEDIES) == set(REASONS)
    codes = {kind.code for kind in error_classes() if kind.__module__ == LunaError.__module__} - {"confirmation-needed", "precondition-failed"}
    assert set(SENTENCES_OF_CODES) == set(REMEDIES_OF_CODES)
    assert set(SENTENCES_OF_CODES) <= codes


def test_what_german_pages_say_of_refusals_is_german() -> None:
    said = [message for topic in ("refusals", "error_codes", "fields") for message in CATALOGUE.read(topic, "de").values()]
    assert [text for message in said for text in message.parts if ENGLISH.search(re.sub(r"{.*?}", "", str(text)))] == []


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["en", "de"]))
def test_whatever_an_error_says_there_is_a_sentence_and_a_remedy(message: str, remedy: str, language: Language) -> None:
    said = say_refusal(InvalidInputError(message, field=message, remedy=remedy), language)
    assert said.sentence
    assert said.remedy
