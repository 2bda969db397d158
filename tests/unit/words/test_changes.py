"""Why a plan differs from the one before, in words."""

from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from luna.contracts.plan_questions import CauseCode
from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.differences import list_cause_codes, say_cause
from tests.support.suite.tables import each_row


def say(code: str, figure: float | None = None, *, language: Language = "en", modes: int = 0, cost: float = 0.0) -> str:
    return say_cause(code, figure, modes=modes, cost=cost, numbers=Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")).replace("\u00a0", " ")


def test_every_cause_has_words_and_no_other() -> None:
    assert set(list_cause_codes()) == set(get_args(CauseCode))


@each_row("code", list_cause_codes())
@each_row("language", ["en", "de"])
def test_every_cause_is_a_sentence(code: str, language: Language) -> None:
    for figure in (None, 2.0, -2.0):
        said = say(code, figure, language=language, modes=3, cost=0.5)
        assert said.endswith(".")
        assert "{" not in said


def test_more_and_less_are_told_apart_and_the_rest_is_left_out() -> None:
    assert say("load", 2.5, modes=1, cost=0.4) == "The house is expected to use 2.5 kWh more. One mode changes; the plan costs €0.40 more."
    assert say("pv", -2.5, language="de", modes=4, cost=0.4) == (
        "Die Sonne wird voraussichtlich 2,5 kWh weniger bringen. 4 Betriebsarten ändern sich; der Plan kostet 0,40 € mehr."
    )
    assert say("prices", -0.023, cost=-1) == "Buying costs 2.3 ct less per kWh on average than was known. No mode changes; the plan costs €1.00 less."
    assert say("load", 0.01) == "The house is expected to use as much, at other times. No mode changes."


def test_an_unknown_cause_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="moon"):
        say("moon")
