"""Pauses between tries grow, end at the longest, and chance takes off no more than it may."""

import random
from datetime import timedelta
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luna.platform.embedded.supervisor import START_RETRY
from luna.platform.packages import DOWNLOAD_RETRY
from luna.platform.queue.job_attempt import JOB_RETRY
from luna.platform.queue.task_base import TASK_RETRY
from luna.platform.retry import RetryPolicy
from luna.platform.spool.spool import DELIVERY_RETRY
from services.executor.delivery import RESEND
from services.ingest.sources.home_assistant.connection import RETRY as HOME_ASSISTANT_RETRY
from services.ingest.sources.mqtt.source import RECONNECT
from services.ingest.sources.web import RETRY as WEB_RETRY
from tests.support.suite.tables import each_row

PAUSES = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))
POLICIES = st.builds(
    RetryPolicy,
    PAUSES,
    growth=st.floats(1, 10),
    longest=PAUSES,
    tries=st.none() | st.integers(1, 50),
    jitter=st.floats(0, 1),
)
FAILURES = st.integers(1, 10**6)
SLACK = timedelta(microseconds=1)


class Drawn:
    """Draws what it is given."""

    def __init__(self, share: float) -> None:
        self.share = share

    def random(self) -> float:
        return self.share


SHARES = st.floats(0, 1, exclude_max=True).map(Drawn)
# Without anything taken off.
WHOLE = Drawn(1.0)


@given(POLICIES, FAILURES, SHARES)
def test_a_pause_lies_between_its_share_without_jitter_and_the_whole_of_it(
    policy: RetryPolicy, failures: int, drawn: Drawn
) -> None:
    whole = policy.pause(failures, WHOLE)
    pause = policy.pause(failures, drawn)
    # A timedelta holds whole microseconds.
    assert whole * (1 - policy.jitter) - SLACK <= pause <= whole + SLACK


@given(POLICIES, FAILURES, SHARES)
def test_no_pause_is_longer_than_the_longest(
    policy: RetryPolicy, failures: int, drawn: Drawn
) -> None:
    assert policy.pause(failures, drawn) <= policy.longest


@given(POLICIES, FAILURES)
def test_pauses_never_shrink(policy: RetryPolicy, failures: int) -> None:
    assert policy.pause(failures, WHOLE) <= policy.pause(failures + 1, WHOLE)


@given(POLICIES)
def test_the_first_pause_is_as_declared_and_nothing_failed_needs_none(policy: RetryPolicy) -> None:
    assert policy.pause(0, WHOLE) == timedelta(0)
    assert abs(policy.pause(1, WHOLE) - min(policy.first, policy.longest)) <= SLACK


@given(POLICIES, st.integers(1, 60))
def test_the_last_attempt_is_the_one_after_which_it_gives_up(
    policy: RetryPolicy, count: int
) -> None:
    attempts = list(islice(policy.attempts(), count))
    assert attempts == list(range(1, min(count, policy.tries or count) + 1))
    assert [policy.gives_up(attempt) for attempt in attempts] == [
        attempt == policy.tries for attempt in attempts
    ]


@pytest.mark.parametrize(
    "random_source", [random.Random(7), np.random.default_rng(7)], ids=["standard library", "numpy"]
)
def test_any_source_of_chance_spreads_pauses(
    random_source: random.Random | np.random.Generator,
) -> None:
    policy = RetryPolicy(timedelta(seconds=1), growth=1, jitter=1.0)
    pauses = [policy.pause(1, random_source) for _ in range(10)]
    assert all(one != other for one, other in pairwise(pauses))


@each_row(
    "wrong",
    [
        {"first": timedelta(seconds=-1)},
        {"growth": 0.5},
        {"growth": 11},
        {"jitter": 1.1},
        {"jitter": -0.1},
        {"tries": 0},
    ],
    ids=lambda wrong: "".join(f"{name} {value}" for name, value in wrong.items()),
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        RetryPolicy(**({"first": timedelta(seconds=1)} | wrong))


@each_row(
    ("policy", "longest_pauses_s"),
    [
        pytest.param(TASK_RETRY, [0.5, 1, 2, 4, 8], id="tasks"),
        # 2 × 3^n, at most five minutes.
        pytest.param(JOB_RETRY, [2, 6, 18, 54, 162, 300, 300], id="jobs"),
        pytest.param(DELIVERY_RETRY, [2, 4, 8, 16, 30, 30], id="spool"),
        pytest.param(START_RETRY, [0.25, 0.25, 0.25], id="servers"),
        pytest.param(WEB_RETRY, [1, 2], id="web"),
        pytest.param(HOME_ASSISTANT_RETRY, [0.5, 1, 2, 4, 8], id="Home Assistant"),
        pytest.param(RECONNECT, [1, 2, 4, 8, 16, 32, 60, 60], id="MQTT"),
        pytest.param(DOWNLOAD_RETRY, [1], id="downloads"),
        pytest.param(RESEND, [30, 30], id="commands"),
    ],
)
def test_pauses_are_as_declared(policy: RetryPolicy, longest_pauses_s: list[float]) -> None:
    pauses = [
        policy.pause(failures, WHOLE).total_seconds()
        for failures in range(1, len(longest_pauses_s) + 1)
    ]
    assert pauses == longest_pauses_s
    assert policy.tries in (None, len(longest_pauses_s) + 1)
