"""Guesses at files are said in the reader's own dates and words."""

from zoneinfo import ZoneInfo

import pytest

from luna.contracts.file_guess import FileGuess, FileQuestion, GuessReason
from luna.words.language import Language
from luna.words.numbers import Numbers
from luna.words.pages import page_words
from services.api.pages.file_guess_view import FileGuessView
from tests.support.suite.tables import each_row


def view(language: Language) -> FileGuessView:
    numbers = Numbers(language, ZoneInfo("Europe/Berlin"), "EUR")
    return FileGuessView(
        FileGuess.model_construct(), numbers, page_words("file_guess", language), {}
    )


@each_row(
    ("language", "column", "day"),
    [("en", "Column 5", "31 Mar 2024"), ("de", "Spalte 5", "31. März 2024")],
)
def test_days_and_nameless_columns_are_said_in_the_language(
    language: Language, column: str, day: str
) -> None:
    guess = view(language)
    question = FileQuestion.model_construct(code="unit", column="column 5")
    assert column in guess.say_question(question)
    changes = {"zone": "Europe/Berlin", "day": "2024-03-31"}
    said = guess.say(GuessReason(code="zone_changes", figures=changes))
    assert day in said.replace("\u00a0", " ")


@pytest.mark.parametrize("name", ["Verbrauch", "column", "column five"])
def test_a_column_with_a_name_keeps_it(name: str) -> None:
    assert view("de").say_column(name) == name


def test_an_offset_is_said_without_the_time_before_it() -> None:
    example = GuessReason(code="zone_offset", figures={"example": "2024-03-31T12:00:00+02:00"})
    said = view("de").say(example)
    assert "+02:00" in said
    assert "2024" not in said
