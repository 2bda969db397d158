"""Words become terms that both languages share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rag.retrieval.terms import (
    GLOSSARY_WEIGHT,
    number_of,
    terms_of,
    translate,
    weigh_passage,
    weigh_query,
)


@pytest.mark.parametrize(
    ("asked", "passage", "language"),
    [
        ("Kündigungen", "Die Kündigung muss schriftlich sein.", "de"),
        ("batteries charging", "The battery charges at night.", "en"),
        ("Preise", "Der Preis gilt zwölf Monate.", "de"),
    ],
)
def test_inflected_words_meet(asked: str, passage: str, language: str) -> None:
    assert set(weigh_query(asked)) & set(weigh_passage(passage, language))


def test_words_that_say_nothing_are_left_out() -> None:
    assert terms_of("Wie ist das mit der?", "de") == []


def test_numbers_stay_whole() -> None:
    assert "0,35" in terms_of("Der Arbeitspreis beträgt 0,35 Euro nach §14a", "de")
    assert "14a" in terms_of("Der Arbeitspreis beträgt 0,35 Euro nach §14a", "de")


def test_a_question_in_one_language_finds_the_words_of_the_other_for_less() -> None:
    asked = weigh_query("Wie lang ist die Kündigungsfrist?")
    found = [number_of(term) for term in terms_of("notice period", "en")]
    assert "notice period" in translate("Wie lang ist die Kündigungsfrist?")
    assert [asked[term] for term in found] == [GLOSSARY_WEIGHT, GLOSSARY_WEIGHT]


def test_the_more_often_a_term_stands_in_a_short_passage_the_more_it_weighs() -> None:
    price = number_of("price")
    weights = [
        weigh_passage(text, "en")[price]
        for text in ("price of power", "price price of power", "price of power" + " and heat" * 200)
    ]
    assert weights[1] > weights[0] > weights[2]


@given(st.text(max_size=300))
def test_every_text_has_terms_of_finite_weight(text: str) -> None:
    weights = weigh_passage(text, None) | weigh_query(text)
    assert all(0 <= term < 2**32 and 0 < weight < 10 for term, weight in weights.items())
