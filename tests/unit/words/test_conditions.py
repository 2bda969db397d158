"""Why a forecast is wide, in both languages."""

import pytest

from luna.energy.errors import InvalidInputError
from luna.words import Language
from luna.words.compromises import CONDITIONS, condition
from tests.support.suite.tables import each_row
from tests.support.words.wording import plain_wording

HELD_BACK = "pv_held_back:12:20"  # the days on which it was, and of how many


@each_row("language", ["en", "de"])
@each_row(
    "code",
    [
        *sorted({*CONDITIONS} - {"pv_held_back", "pv_blended", "unnamed_ac_limit"}),
        HELD_BACK,
        "unnamed_ac_limit:4.6",
        "pv_blended:40",
    ],
)
def test_every_code_is_said_in_sentences(code: str, language: Language) -> None:
    assert condition(code, language=language).endswith(".")


@each_row("language", ["en", "de"])
def test_figures_follow_their_code(language: Language) -> None:
    said = plain_wording("conditions", "pv_held_back", language, held_back="12", days="20")
    assert condition(HELD_BACK, language=language) == said
    assert {"12", "20"} <= set(said.split())


@pytest.mark.parametrize("code", ["pv_held_back", "pv_held_back:12", "load_gaps:12"])
def test_a_code_with_other_figures_than_its_sentence_is_refused(code: str) -> None:
    with pytest.raises(InvalidInputError, match="has no words"):
        condition(code, language="en")


def test_an_unknown_code_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError, match="load_gaps"):
        condition("sunspots", language="en")
