"""The smallest tasks that Luna's base class allows: what they take is what the queue takes."""

from datetime import timedelta
from typing import ClassVar

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
