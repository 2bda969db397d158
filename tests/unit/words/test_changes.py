"""Why a plan differs from the one before, in words."""

from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from luna.contracts.plan_questions import CauseCode
from luna.energy.errors import InvalidInputError
from luna.words import Language, Numbers
from luna.words.differences import MovedRun, list_cause_codes, say_cause
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain, plain_wording


def say(
    code: str,
    figure: float | None = None,
    *,
    language: Language = "en",
    slots: int = 0,
    cost: float = 0.0,
) -> str:
    numbers = Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")
    return plain(say_cause(code, figure, slots=slots, cost=cost, numbers=numbers))


def test_every_cause_has_words_and_no_other() -> None:
    assert set(list_cause_codes()) == set(get_args(CauseCode))


@each_row("code", list_cause_codes())
@each_row("language", ["en", "de"])
def test_every_cause_is_a_sentence(code: str, language: Language) -> None:
    for figure in (None, 2.0, -2.0):
        said = say(code, figure, language=language, slots=3, cost=0.5)
        assert said.endswith(".")
        assert "{" not in said


def fill(name: str, language: Language = "en", /, **figures: object) -> str:
    return plain_wording("differences", name, language, **figures)


def count(slots: int, language: Language = "en") -> str:
    return fill("effect_modes", language, modes=slots, count=str(slots))


def test_more_and_less_are_told_apart() -> None:
    more = fill("cause_load_higher", kwh="2.5 kWh")
    dearer = fill("effect_dearer", money="€0.40")
    assert say("load", 2.5, slots=1, cost=0.4) == f"{more} {count(1)}{dearer}"
    less = fill("cause_prices_lower", price="2.3 ct")
    cheaper = fill("effect_cheaper", money="€1.00")
    assert say("prices", -0.023, cost=-1) == f"{less} {count(0)}{cheaper}"


def test_figures_are_those_of_the_language() -> None:
    less = fill("cause_pv_lower", "de", kwh="2,5 kWh")
    dearer = fill("effect_dearer", "de", money="0,40 €")
    said = say("pv", -2.5, language="de", slots=4, cost=0.4)
    assert said == f"{less} {count(4, 'de')}{dearer}"


def test_what_is_as_much_as_before_and_costs_the_same_is_left_out() -> None:
    assert say("load", 0.01) == f"{fill('cause_load_neither')} {count(0)}."


@each_row(
    ("minutes", "name", "duration"),
    [(30, "effect_later", "30 min"), (-75, "effect_sooner", "1 h 15 min")],
)
def test_a_run_that_only_moves_is_named_with_its_mode(
    minutes: int, name: str, duration: str
) -> None:
    moved = MovedRun("battery", "export", minutes)
    numbers = Numbers("en", ZoneInfo("Europe/Berlin"), "EUR")
    said = say_cause("prices", None, slots=4, cost=0.0, numbers=numbers, moved=moved)
    does = fill("does_export")
    change = fill(name, device="Battery", does=does, duration=duration)
    assert plain(said) == f"{fill('cause_prices_neither')} {change}."


def test_an_unknown_cause_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="moon"):
        say("moon")
