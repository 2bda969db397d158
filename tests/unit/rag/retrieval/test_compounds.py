"""Compounds become their words, German passages English ones for a model that knows no German."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rag.retrieval.english import in_english_words, text_to_embed
from services.rag.retrieval.terms import split_compound, weigh_passage, weigh_query
from tests.support.suite.tables import each_row


@each_row(
    ("word", "parts"),
    [
        ("kündigungsfrist", ("kündigung", "frist")),
        ("viertelstundentarif", ("viertelstunde", "tarif")),
        ("tarif", ()),
        # Letters would be left over: no word of the glossary ends in "xyz".
        ("kündigungsfristxyz", ()),
    ],
)
def test_a_compound_is_split_only_where_its_parts_are_all_of_it(
    word: str, parts: tuple[str, ...]
) -> None:
    assert split_compound(word) == parts


def test_a_question_by_a_part_meets_the_compound_and_the_other_way_round() -> None:
    assert set(weigh_query("Frist")) & set(
        weigh_passage("Die Kündigungsfrist beträgt 14 Tage.", "de")
    )
    assert set(weigh_query("Kündigungsfrist")) & set(
        weigh_passage("Die Frist beträgt 14 Tage.", "de")
    )


def test_words_that_the_glossary_knows_become_english_and_the_others_stay() -> None:
    assert (
        in_english_words("Musterau: Die Kündigungsfrist ist 14 Tage.")
        == "Musterau : Die notice period ist 14 day ."
    )


@pytest.mark.parametrize(("language", "alone"), [("en", True), (None, True), ("de", False)])
def test_a_text_that_the_model_can_read_is_embedded_as_it_is(
    language: str | None, alone: bool
) -> None:
    assert (
        text_to_embed("Die Kündigungsfrist", language, speaks_english_alone=alone)
        == "Die Kündigungsfrist"
    )


@given(st.text(max_size=300))
def test_any_text_can_be_told_in_english_words(text: str) -> None:
    assert isinstance(in_english_words(text), str)
    assert all(part for part in split_compound(text))
