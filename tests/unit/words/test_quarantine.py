"""Why rows are in quarantine, in the words of who reads the page."""

import re

import pytest

from luna.energy.refusals import refuse
from luna.words.catalogue import CATALOGUE
from luna.words.catalogue.fluent_message import list_figures
from luna.words.quarantine import FAULTS, say_row_fault
from luna.words.refusals import say_refusal
from services.ingest import instants, validation
from services.ingest.file_schema import ENERGY, FRACTION, PRICE
from services.ingest.metering import build, counter, meter, power, rejection

STORED = [
    instants.UNREADABLE,
    instants.NAIVE,
    f"slot_start: {instants.SKIPPED}",
    validation.ESTIMATED,
    build.BELOW_ZERO,
    build.STUCK,
    counter.MISREAD,
    counter.NO_COUNTER,
    meter.OUT_OF_BOUNDS,
    power.FAR_FROM_NEIGHBOURS,
    power.CONSTANT,
    rejection.UNSET,
    rejection.FUTURE,
    rejection.CONTRADICTS,
    rejection.NO_NUMBER,
    *(f"soc is above 1: {bounds.hint}" for bounds in (ENERGY, PRICE, FRACTION)),
    "import_kwh is above 3.45 kWh in 15 minutes, more than the site can do",
    "contradicts line 7, which has the same time",
    "above 13.8 kW, more than the site can do",
]


def test_every_reason_that_is_stored_is_said_in_german() -> None:
    said = {reason: say_row_fault(reason, "de") for reason in STORED}
    english = re.compile(r"\b(the|is|are|than|line|prices)\b")
    assert not {reason for reason, text in said.items() if text == reason or english.search(text)}
    assert say_row_fault(STORED[-3], "de") == "Netzbezug liegt über 3,45 kWh in 15 Minuten, mehr als der Standort kann"
    assert all(say_row_fault(reason, "en") == reason for reason in STORED)
    assert len(FAULTS) > 20


@pytest.mark.parametrize("language", CATALOGUE.languages[1:])
def test_what_is_said_of_a_reason_needs_no_more_figures_than_it_has(language: str) -> None:
    said = CATALOGUE.read("quarantine", language)
    assert {code for code in said if not code.startswith("hint_")} == FAULTS.keys()
    for code, pattern in FAULTS.items():
        assert set(list_figures(said[code].parts)) <= pattern.groupindex.keys(), code


def test_a_file_of_which_nothing_can_be_used_is_refused_with_the_reason_in_german() -> None:
    error = refuse("no-row-usable", why="the row holds no value", remedy="Correct the file; nothing was stored.")
    assert say_refusal(error, "de").sentence == "Keine einzige Zeile ist zu gebrauchen: Die Zeile hat keinen Wert."
