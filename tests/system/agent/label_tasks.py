"""A task that has histories labelled side by side, for a worker of the queue to run."""

from typing import ClassVar

import numpy as np

from luna.contracts.message import Message, Request
from luna.platform.queue import TaskContext, task
from services.agent.imitation.teachers import ask_oracles
from tests.support.agent.short_history import make_history


class Labels(Message):
    """Of each history the mean regret over slots and modes, in currency, from a battery of 4
    kWh.
    """

    regrets: list[float]


class LabelRequest(Request):
    """Label a history of four days for each seed, by so many processes."""

    task: ClassVar[str] = "sample.histories.label"
    reply: ClassVar[type[Message]] = Labels

    seeds: list[int]
    workers: int


@task(LabelRequest)
def label(request: LabelRequest, work: TaskContext) -> Labels:
    teachers = ask_oracles(
        [make_history(4, seed=seed) for seed in request.seeds], workers=request.workers
    )
    return Labels(
        regrets=[float(each.regrets(np.full(each.weight.size, 4.0)).mean()) for each in teachers]
    )
