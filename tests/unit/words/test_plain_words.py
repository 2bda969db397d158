"""Words of pages and messages: sentences of a length that reads easily, no internal words."""

import pytest

from bench.readability import (
    LONGEST,
    MESSAGES,
    Sentence,
    compute_flesch,
    count_syllables,
    find_internal_words,
    list_sentences,
    measure_sentences,
)
from luna.words.catalogue import CATALOGUE

MEAN_ON_PAGES = 11
MEAN_IN_MESSAGES = 14


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_no_sentence_is_long(language: str) -> None:
    long = [
        f"{sentence.topic} {sentence.message}: {sentence.text}"
        for sentence in list_sentences(language)
        if len(sentence.words) > LONGEST
    ]
    assert not long


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_sentences_are_short_on_average(language: str) -> None:
    sentences = list(list_sentences(language))
    messages = [sentence for sentence in sentences if sentence.topic in MESSAGES]
    pages = [sentence for sentence in sentences if sentence.topic not in MESSAGES]
    assert measure_sentences(pages, language)["mean_words"] <= MEAN_ON_PAGES
    assert measure_sentences(messages, language)["mean_words"] <= MEAN_IN_MESSAGES


@pytest.mark.parametrize("language", CATALOGUE.languages)
def test_internal_words_stay_on_pages_for_experts(language: str) -> None:
    found = [f"{text.topic} {text.message}: {text.text}" for text in find_internal_words(language)]
    assert not found


def test_a_figure_and_a_decimal_point_do_not_end_a_sentence() -> None:
    sentence = Sentence("home", "text", "Saves 0.6 % a year.")
    assert sentence.words == ["Saves", "0.6", "a", "year"]


def test_syllables_are_groups_of_vowels() -> None:
    assert count_syllables("battery", "en") == 3
    assert count_syllables("save", "en") == 1
    assert count_syllables("Ladestand", "de") == 3
    assert count_syllables("kWh", "nl") == 1


def test_long_words_in_long_sentences_read_less_easily() -> None:
    easy = [Sentence("home", "easy", "The car is full.")]
    hard = [Sentence("home", "hard", "Bidirectional electrification necessitates consideration.")]
    assert compute_flesch(easy, "en") > 90
    assert compute_flesch(hard, "en") < 30
