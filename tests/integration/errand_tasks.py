"""Tasks for the tests of jobs: each has an effect that can be counted, and can be held up or made
to fail.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from sqlalchemy import text

from luna.contracts.message import Message, Request
from luna.energy.errors import InvalidInputError, UnavailableError
from luna.platform.queue import TaskContext, task
from tests.support.worker.task_starts import note_start


class ErrandReply(Message):
    value: int
    starts: int


class ErrandRequest(Request):
    """Store ``value``, and end when ``gate`` exists."""

    task: ClassVar[str] = "errand.value.store"
    reply: ClassVar[type[Message]] = ErrandReply

    value: int = 1
    starts: Path
    gate: Path


class RefusedRequest(ErrandRequest):
    task: ClassVar[str] = "errand.value.refuse"


class AwayRequest(ErrandRequest):
    task: ClassVar[str] = "errand.value.fetch"


class CrashRequest(ErrandRequest):
    task: ClassVar[str] = "errand.value.crash"


class EndlessRequest(ErrandRequest):
    task: ClassVar[str] = "errand.value.overrun"


class GreedyRequest(ErrandRequest):
    """Take ``value`` megabytes, in whichever way."""

    task: ClassVar[str] = "errand.value.hoard"

    way: Literal["python", "numpy", "threads", "abort"] = "python"


class PoisonRequest(ErrandRequest):
    task: ClassVar[str] = "errand.value.poison"


@task(ErrandRequest)
def store(request: ErrandRequest, work: TaskContext) -> ErrandReply:
    work.connection.execute(
        text("INSERT INTO errands (value) VALUES (:value)"), {"value": request.value}
    )
    starts = note_start(request.starts)
    while not request.gate.exists():
        work.progress(1, 2, "at the gate")
        time.sleep(0.02)
    return ErrandReply(value=request.value, starts=starts)


@task(RefusedRequest)
def refuse(request: RefusedRequest, work: TaskContext) -> ErrandReply:
    if not request.gate.exists():
        raise InvalidInputError(
            "nobody stores this", field="value", value=request.value, remedy="Open the gate."
        )
    return ErrandReply(value=request.value, starts=note_start(request.starts))


@task(AwayRequest)
def fetch(request: AwayRequest, work: TaskContext) -> ErrandReply:
    starts = note_start(request.starts)
    if starts <= request.value:
        raise UnavailableError("the store of objects is away")
    return ErrandReply(value=request.value, starts=starts)


@task(CrashRequest)
def crash(request: CrashRequest, work: TaskContext) -> ErrandReply:
    raise ZeroDivisionError("an inner detail")


@task(EndlessRequest, soft_limit=timedelta(seconds=1), hard_limit=timedelta(seconds=5))
def overrun(request: EndlessRequest, work: TaskContext) -> ErrandReply:
    time.sleep(60)
    return ErrandReply(value=request.value, starts=note_start(request.starts))


@task(GreedyRequest)
def hoard(request: GreedyRequest, work: TaskContext) -> ErrandReply:
    work.connection.execute(
        text("INSERT INTO errands (value) VALUES (:value)"), {"value": request.value}
    )
    starts = note_start(request.starts)
    HOARDS[request.way](request.value * 1_000_000)
    return ErrandReply(value=request.value, starts=starts)


SMALL_STACK_BYTES = 256 * 1024


def hoard_in_threads(size: int) -> None:
    # A thread that finds no memory before it has begun leaves its starter waiting for good; with
    # small stacks all four begin, and find none afterwards.
    threading.stack_size(SMALL_STACK_BYTES)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: np.ones(size // 4, dtype=np.uint8).any(), range(4)))


def abort_for_want(size: int) -> None:
    """As libraries do that cannot say that an allocation failed."""
    try:
        bytearray(size)
    except MemoryError:
        os.abort()


HOARDS: dict[str, Callable[[int], object]] = {
    "python": bytearray,
    "numpy": lambda size: np.ones(size, dtype=np.uint8),
    "threads": hoard_in_threads,
    "abort": abort_for_want,
}


@task(PoisonRequest)
def poison(request: PoisonRequest, work: TaskContext) -> ErrandReply:
    starts = note_start(request.starts)
    if not request.gate.exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return ErrandReply(value=request.value, starts=starts)
