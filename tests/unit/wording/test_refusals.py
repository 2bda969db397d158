"""Refusals in the words of who reads a page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.errors import InvalidInputError, LunaError, MachineError, NotFoundError, OutdatedError, UnavailableError
from luna.plausibility import UnitDoubt
from luna.wording.numbers import Language
from luna.wording.refusal_phrases import CODES, FIELDS, PATTERNS
from luna.wording.refusals import SaidRefusal, SpokenError, say_problem, say_refusal
from services.ingest.series_familiarity import describe_doubt
from tests.tables import each_row

ENGLISH = re.compile(r"\b(the|is|at least|at most|there|choose)\b", re.IGNORECASE)
TOO_MUCH = InvalidInputError("more power than the device has", field="manual.0.power_kw", value=99, remedy="battery takes 2.5 kW at most.")


def test_a_known_refusal_is_said_in_the_reader_s_language_with_its_figures() -> None:
    assert say_refusal(TOO_MUCH, "de") == SaidRefusal("So viel Leistung hat das Gerät nicht.", "Höchstens 2,5 kW.", "Leistung")
    assert say_refusal(TOO_MUCH, "en") == SaidRefusal("The device does not have so much power.", "At most 2.5 kW.", "power")


def test_an_unlikely_unit_is_said_with_both_numbers_and_what_to_say_of_the_file() -> None:
    doubt = UnitDoubt(0.5, 3.2, 0.32, "stored", ("EUR/MWh", "ct/kWh"))
    said = say_refusal(describe_doubt("spot_price", doubt, "EUR/kWh"), "de")
    assert said.sentence.startswith("In EUR/kWh gelesen reichen die Werte bis 3,2, 10-mal die bekannten 0,32:")
    assert "spot_price=EUR/MWh, oder spot_price=EUR/kWh, wenn das stimmt." in said.remedy


def test_prices_in_another_currency_are_named_with_the_market_and_what_to_do() -> None:
    remedy = "They are known in SEK alone, and the site pays in EUR: ask for them in EUR: luna data prices --market SE3 --currency EUR; or load them in EUR."
    said = say_refusal(InvalidInputError("9 slots have no price, the first at 00:00", field="prices.SE3", remedy=remedy), "de")
    assert said.sentence == "Preise von SE3 sind nur in SEK bekannt, und du zahlst in EUR: Ab 00:00 ist keiner zu gebrauchen."


def test_of_several_wrong_fields_the_first_is_said() -> None:
    error = InvalidInputError("Field required; also wrong: to, device", field="from", remedy="Add it.")
    assert say_refusal(error, "de") == SaidRefusal("Hier fehlt etwas.", "Füll es aus.", "von")


def test_a_share_is_said_in_percent() -> None:
    error = InvalidInputError("the vehicle is never charged this far", field="target_soc", remedy="At most 0.9, its max_soc.")
    assert say_refusal(error, "de").remedy == "Höchstens 90 %."


@each_row("language", ["en", "de"])
@each_row("kind", [InvalidInputError, NotFoundError, OutdatedError, UnavailableError, MachineError, LunaError])
def test_what_nobody_worded_is_said_by_its_kind_with_the_error_beside_it(kind: type[LunaError], language: Language) -> None:
    said = say_refusal(kind("the frobnicator is bent", field="frobnicator", remedy="Straighten it."), language)
    assert said.detail == "the frobnicator is bent. Straighten it."
    assert said.place == "frobnicator"
    assert said.sentence
    assert said.remedy


def test_what_was_worded_for_its_reader_stays_as_it_is() -> None:
    assert say_refusal(SpokenError("Nichts ist geändert.", field="battery"), "de") == SaidRefusal("Nichts ist geändert.", "", "Batterie")


@pytest.mark.parametrize(
    "error", [TOO_MUCH, UnavailableError("no reply within 30 s", field="task", value="x", remedy="Check that a worker runs, then try again.")]
)
def test_the_document_of_a_failed_job_is_said_like_the_error_itself(error: LunaError) -> None:
    assert say_problem(error.problem(), "de") == say_refusal(error, "de")


def test_every_german_phrase_is_german_and_names_the_figures_of_the_english_one() -> None:
    told = [phrase for each in PATTERNS for phrase in (each.sentence, each.remedy)] + [phrase for pair in CODES.values() for phrase in pair]
    for phrase in (*told, *FIELDS.values()):
        assert re.findall(r"{\w+}", phrase.de) == re.findall(r"{\w+}", phrase.en)
        assert not ENGLISH.search(phrase.de), phrase.de


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["en", "de"]))
def test_whatever_an_error_says_there_is_a_sentence_and_a_remedy(message: str, remedy: str, language: Language) -> None:
    said = say_refusal(InvalidInputError(message, field=message, remedy=remedy), language)
    assert said.sentence
    assert said.remedy
