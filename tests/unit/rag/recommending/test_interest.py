"""How near items are to what a reader is after."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.platform.database.recommendation_items import Candidate
from luna.platform.database.recommendations import Habits
from services.rag.recommending.choosing import Interest, find_same, learn_interest, rate_similarity
from services.rag.recommending.features import DIMENSIONS, describe_candidates

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def item(*terms: str, **fields: Any) -> Candidate:
    known = {
        "item_id": " ".join(terms),
        "kind": "document",
        "saving": None,
        "language": None,
        "created_at": NOON,
        "vector": None,
    }
    return Candidate(terms=frozenset(terms), **(known | fields))


def test_rare_words_in_common_say_more_than_frequent_ones() -> None:
    candidates = [
        item("luna", "battery", "a"),
        item("luna", "tariff", "b"),
        item("luna", "meter", "c"),
    ]
    near = rate_similarity(candidates, Interest(frozenset({"luna", "battery"})))
    assert near[0] == pytest.approx(1.0)
    assert near[1] == near[2] < 0.5


def test_words_and_vectors_count_alike() -> None:
    east = np.array([1.0, 0.0])
    north = np.array([0.0, 1.0])
    candidates = [
        item("battery", vector=east),
        item("other", vector=east),
        item("battery", vector=north),
        item("battery"),
    ]
    np.testing.assert_allclose(
        rate_similarity(candidates, Interest(frozenset({"battery"}), east)), [1.0, 0.5, 0.5, 1.0]
    )


def test_vectors_of_another_length_are_left_out() -> None:
    assert rate_similarity(
        [item("battery", vector=np.ones(3))], Interest(frozenset({"battery"}), np.array([1.0, 0.0]))
    ) == pytest.approx([1.0])


def test_what_was_read_has_a_direction() -> None:
    interest = learn_interest(
        [frozenset({"a"})], [np.array([1.0, 0.0]), np.array([0.0, 1.0])], ["b"]
    )
    assert interest.terms == {"a", "b"}
    assert interest.vector is not None
    np.testing.assert_allclose(interest.vector, np.sqrt([0.5, 0.5]))
    assert learn_interest([], [], []) == Interest()


def test_nearly_the_same_vector_is_the_same() -> None:
    turned = np.array([np.cos(0.1), np.sin(0.1)])
    candidates = [
        item("a", vector=np.array([1.0, 0.0])),
        item("b", vector=turned),
        item("c", vector=np.array([0.0, 1.0])),
    ]
    # The cosine of 0.1 is 0.995.
    assert find_same(candidates, 0) == [0, 1]


@given(
    similarity=st.floats(allow_nan=True, allow_infinity=True),
    saving=st.none() | st.floats(allow_nan=True),
    shown=st.integers(0, 10**9),
    created=st.integers(0, 7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_every_feature_is_a_number_and_no_row_is_longer_than_1(
    similarity: float, saving: float | None, shown: int, created: datetime
) -> None:
    each = item("a", saving=saving, created_at=created, kind="tip")
    habits = Habits({"a": shown}, {"tip": shown}, {"tip": float(shown)})
    features = describe_candidates(
        [each], np.array([similarity]), habits, named=True, reader=("de", NOON)
    )
    assert features.shape == (1, DIMENSIONS)
    assert np.isfinite(features).all()
    assert np.linalg.norm(features) <= 1.0 + 1e-12
