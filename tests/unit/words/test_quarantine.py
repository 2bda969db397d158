"""Why rows are in quarantine, in the words of who reads the page."""

import pytest

from luna.energy.refusals import refuse
from luna.energy.row_fault import CODES, HINTS, RowFault
from luna.words.catalogue import CATALOGUE
from luna.words.catalogue.fluent_message import list_figures
from luna.words.language import Language
from luna.words.quarantine import say_row_fault
from luna.words.refusals import say_refusal
from services.ingest.file_schema import KINDS
from tests.support.words.wording import plain_wording

TOO_MUCH = RowFault.of("above_site", series="import_kwh", limit=3.45, minutes=15)


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_every_fault_has_words_and_needs_no_more_figures_than_it_has(language: str) -> None:
    said = CATALOGUE.read("quarantine", language)
    assert said.keys() == CODES.keys() | {f"hint_{hint}" for hint in HINTS}
    for code, parameters in CODES.items():
        assert set(list_figures(said[code].parts)) <= set(parameters), code


def fill(name: str, language: Language = "en", /, **figures: object) -> str:
    return plain_wording("quarantine", name, language, **figures)


def test_a_fault_is_said_in_the_language_of_its_reader() -> None:
    english = {"series": "Grid import", "limit": "3.45", "minutes": "15"}
    assert say_row_fault(TOO_MUCH) == fill("above_site", **english)
    figures = {"series": "Netzbezug", "limit": "3,45", "minutes": "15"}
    assert say_row_fault(TOO_MUCH, "de") == fill("above_site", "de", **figures)


def test_a_fault_says_its_hint_and_its_numbers_as_they_are_written() -> None:
    below = RowFault.of("below", series="load_kwh", limit=-1.0, hint="direction")
    said = say_row_fault(below, "en")
    assert "\N{MINUS SIGN}1" in said
    assert fill("hint_direction") in said
    # The number of a line has no thousands.
    line = RowFault.of("contradicts_line", line=1234567)
    assert say_row_fault(line, "en") == fill("contradicts_line", line="1234567")


def test_every_bound_of_a_file_has_a_hint() -> None:
    assert {bounds.hint for kind in KINDS.values() for bounds in kind.series.values()} <= HINTS


def test_what_is_stored_is_read_back_and_a_code_of_a_newer_release_is_said_as_it_is() -> None:
    assert RowFault.parse(TOO_MUCH.text) == TOO_MUCH
    assert len({TOO_MUCH, RowFault.parse(TOO_MUCH.text), RowFault("stuck")}) == 2
    newer = RowFault.of("haunted", series="pv_kwh")
    assert say_row_fault(newer, "de") == "haunted"
    skipped = say_row_fault(RowFault.of("skipped", column="issued_at"))
    assert skipped == f"issued_at: {fill('skipped')}"


def test_a_file_of_which_nothing_can_be_used_is_refused_with_the_reason() -> None:
    remedy = "Correct the file; nothing was stored."
    fault = RowFault("no_value")
    error = refuse("no-row-usable", why=fault, reason=say_row_fault(fault), remedy=remedy)
    assert fill("no_value") in error.message
    why = fill("no_value", "de")
    said = say_refusal(error, "de").sentence
    assert said == plain_wording("refusals", "sentence_no-row-usable", "de", why=why)
