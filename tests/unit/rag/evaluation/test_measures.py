"""Measures of a ranking, against values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.energy.errors import InvalidInputError
from services.rag.evaluation.ranking import mean_measures, ndcg, recall


def test_ndcg_counts_grades_linearly_and_discounts_by_the_logarithm_of_the_rank() -> None:
    # Found: grade 1 at rank 1, nothing at 2, grade 2 at 3: 1/log2(2) + 2/log2(4) = 1 + 1 = 2.
    # Ideal: 2, 1, 1: 2/log2(2) + 1/log2(3) + 1/log2(4) = 2 + 0.63093 + 0.5 = 3.13093. As pytrec_eval counts it: 0.63879.
    assert ndcg(["b", "x", "a"], {"a": 2, "b": 1, "c": 1}) == pytest.approx(2 / (2.5 + 1 / math.log2(3)))
    assert ndcg(["b", "x", "a"], {"a": 2, "b": 1, "c": 1}) == pytest.approx(0.63879, abs=1e-5)


def test_only_the_first_ten_count() -> None:
    ranked = [f"x{number}" for number in range(10)]

    assert (ndcg([*ranked, "a"], {"a": 1}), recall([*ranked, "a"], {"a": 1})) == (0.0, 0.0)
    # At rank 10: 1/log2(11) = 0.28906 of an ideal of 1.
    assert ndcg([*ranked[:9], "a"], {"a": 1}) == pytest.approx(0.28906, abs=1e-5)


def test_a_passage_judged_irrelevant_or_below_zero_counts_as_nothing() -> None:
    assert ndcg(["bad", "a"], {"a": 1, "bad": -1, "poor": 0}) == pytest.approx(1 / math.log2(3))
    assert recall(["bad", "a"], {"a": 1, "bad": -1, "poor": 0}) == 1.0


def test_a_relevant_passage_that_is_not_in_the_corpus_still_belongs_to_the_ideal() -> None:
    # 1 of 1 + 0.63093.
    assert ndcg(["a"], {"a": 1, "gone": 1}) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert recall(["a"], {"a": 1, "gone": 1}) == 0.5


def test_means_are_taken_over_questions() -> None:
    judged = {"q": {"a": 1}, "r": {"b": 1}}

    assert mean_measures({"q": ["a"], "r": ["a"]}, judged, ["q", "r"]) == (0.5, 0.5)
    with pytest.raises(InvalidInputError, match="relevant passage"):
        mean_measures({}, judged, [])


@given(st.dictionaries(st.sampled_from("abcdefghijkl"), st.integers(-1, 3)), st.permutations("abcdefghijkl"))
def test_no_order_is_better_than_the_ideal_one(relevance: dict[str, int], ranked: list[str]) -> None:
    ideal = sorted(relevance, key=lambda key: -relevance[key])
    some = any(grade > 0 for grade in relevance.values())

    assert 0 <= ndcg(ranked, relevance) <= 1 + 1e-12
    assert ndcg(ideal, relevance) == pytest.approx(float(some))
