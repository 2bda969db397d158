"""What actions say about a recommendation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.contracts.recommendations import EventAction
from services.rag.recommending.choosing import reward_of
from tests.support.suite.tables import each_row

ACTIONS = st.tuples(
    st.sampled_from(["shown", "opened", "useful", "dismissed", "read"]),
    st.none() | st.floats(0, 86_400),
)


@each_row(
    ("actions", "reward"),
    [
        ([], 0.0),
        ([("shown", None)], 0.0),
        ([("shown", None), ("opened", None)], 0.4),
        # Half of two minutes: half of the other 0.4.
        ([("opened", None), ("read", 60.0)], 0.6),
        ([("read", 90.0), ("read", 90.0)], 0.8),
        ([("opened", None), ("useful", None)], 1.0),
        ([("opened", None), ("read", 500.0), ("dismissed", None)], 0.0),
        ([("dismissed", None), ("useful", None)], 1.0),
    ],
    ids=[
        "nothing",
        "shown",
        "opened",
        "read for a minute",
        "read twice",
        "useful",
        "dismissed",
        "useful and put away",
    ],
)
def test_actions_have_a_reward(
    actions: list[tuple[EventAction, float | None]], reward: float
) -> None:
    assert reward_of(actions) == pytest.approx(reward)


@given(actions=st.lists(ACTIONS, max_size=8), random=st.randoms())
def test_their_order_does_not_matter_and_it_stays_between_0_and_1(
    actions: list[tuple[EventAction, float | None]], random: object
) -> None:
    shuffled = actions.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert 0.0 <= reward_of(actions) <= 1.0
    assert reward_of(shuffled) == reward_of(actions)
