"""Two rankings become one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rag.retrieval.fusion import fuse, weigh_dense

SCORES = st.dictionaries(st.integers(0, 200), st.floats(-1, 50, allow_nan=False), max_size=80)


def test_what_both_find_stands_first() -> None:
    assert fuse({1: 0.8, 2: 0.79, 3: 0.1}, {2: 9.0, 4: 8.0, 3: 1.0})[0].key == 2


def test_a_list_that_is_clear_counts_more_than_a_flat_one() -> None:
    clear = np.array([0.9, *[0.2] * 40, 0.1])
    flat = np.linspace(5.0, 4.0, 42)
    assert weigh_dense(clear, flat) > 0.6
    assert weigh_dense(flat, clear) < 0.4


def test_one_side_alone_keeps_its_order() -> None:
    assert [each.key for each in fuse({}, {7: 3.0, 8: 2.0})] == [7, 8]
    assert [each.key for each in fuse({7: 0.5, 8: 0.4}, {})] == [7, 8]
    assert fuse({}, {}) == []


@given(SCORES, SCORES)
def test_every_passage_is_there_once_with_a_score_between_nothing_and_one(
    dense: dict[int, float], sparse: dict[int, float]
) -> None:
    ranked = fuse(dense, sparse)
    assert sorted(each.key for each in ranked) == sorted(dense | sparse)
    assert all(-1e-9 <= each.score <= 1 + 1e-9 for each in ranked)
    assert [each.score for each in ranked] == pytest.approx(
        sorted((each.score for each in ranked), reverse=True)
    )
