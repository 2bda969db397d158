"""The smallest tasks there are: one with Luna's base class, one bare; what they take is what the queue takes."""

import os
from datetime import timedelta
from typing import ClassVar

from celery import Celery

from luna.contracts.message import Message, Request
from luna.platform.queue import TaskContext, task


class Number(Message):
    value: int


class NumberRequest(Request):
    task: ClassVar[str] = "bench.number.return"
    reply: ClassVar[type[Message]] = Number

    value: int


@task(NumberRequest)
def return_number(request: NumberRequest, _work: TaskContext) -> Number:
    return Number(value=request.value)


class LimitedRequest(NumberRequest):
    task: ClassVar[str] = "bench.number.limit"


@task(LimitedRequest, soft_limit=timedelta(hours=2))
def return_limited(request: LimitedRequest, _work: TaskContext) -> Number:
    return Number(value=request.value)


bare = Celery("bare", broker=os.environ.get("LUNA_REDIS_URL", ""), backend=os.environ.get("LUNA_REDIS_URL", ""), set_as_current=False)
bare.conf.update(broker_transport_options={"global_keyprefix": "bare:"}, result_backend_transport_options={"global_keyprefix": "bare:"})


@bare.task(name="bare.number.return")  # type: ignore[untyped-decorator]
def return_bare(value: int) -> int:
    return value
