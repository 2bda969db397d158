"""Histories labelled side by side by a process of a queue's worker, which multiprocessing would not
let have children.
"""

from contextlib import closing
from datetime import timedelta

import numpy as np

from luna.platform.queue import Client
from services.agent.imitation.teachers import ask_oracle
from tests.support.agent.short_history import make_history
from tests.support.worker.workers import worker_process
from tests.system.agent.label_tasks import LabelRequest

SEEDS = [1, 2]


def test_histories_side_by_side_in_a_worker_are_labelled_as_one_by_one(
    redis_url: str, database_url: str
) -> None:
    with (
        closing(Client(redis_url)) as client,
        worker_process(redis_url, database_url, LabelRequest.__module__),
    ):
        together = client.call(
            LabelRequest(seeds=SEEDS, workers=2), timeout=timedelta(minutes=2)
        ).regrets
    alone = [ask_oracle(make_history(4, seed=seed)) for seed in SEEDS]
    np.testing.assert_array_equal(
        together, [each.regrets(np.full(each.weight.size, 4.0)).mean() for each in alone]
    )
