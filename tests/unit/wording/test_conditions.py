"""Why a forecast is wide, in both languages."""

import pytest

from luna.errors import InvalidInputError
from luna.wording import Language
from luna.wording.compromises import CONDITIONS, condition
from tests.tables import each_row


@each_row("language", ["en", "de"])
@each_row("code", CONDITIONS)
def test_every_code_is_said_in_sentences(code: str, language: Language) -> None:
    assert condition(code, language=language).endswith(".")


def test_both_languages_say_what_to_do() -> None:
    assert condition("load_frozen", language="en").endswith("Check the sensor.")
    assert condition("load_frozen", language="de").endswith("Prüfe den Sensor.")


def test_an_unknown_code_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError, match="load_gaps"):
        condition("sunspots", language="en")
