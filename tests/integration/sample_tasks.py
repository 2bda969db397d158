"""Tasks for the queue's own tests: each shows one behaviour of the base class."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import text

from luna.contracts.message import Message, Request
from luna.energy.errors import ConflictError
from luna.platform.queue import RetryableError, TaskContext, task
from tests.support.worker.task_starts import note_start


class Echo(Message):
    value: int
    tries: int = 1


class EchoRequest(Request):
    task: ClassVar[str] = "sample.value.echo"
    reply: ClassVar[type[Message]] = Echo

    value: Annotated[int, Field(ge=0)]


class ConflictRequest(EchoRequest):
    task: ClassVar[str] = "sample.value.contradict"


class CrashRequest(EchoRequest):
    task: ClassVar[str] = "sample.value.crash"


class FileRequest(EchoRequest):
    path: Path


class FlakyRequest(FileRequest):
    task: ClassVar[str] = "sample.value.retry"


class PoisonRequest(FileRequest):
    task: ClassVar[str] = "sample.value.poison"


class HoldRequest(EchoRequest):
    task: ClassVar[str] = "sample.value.hold"


class SlowRequest(FileRequest):
    task: ClassVar[str] = "sample.value.wait"


class StepsRequest(EchoRequest):
    task: ClassVar[str] = "sample.value.step"


class EndlessRequest(EchoRequest):
    task: ClassVar[str] = "sample.value.overrun"


class StoreRequest(EchoRequest):
    task: ClassVar[str] = "sample.value.store"


HELD: list[bytes] = []


@task(HoldRequest)
def hold(request: HoldRequest, work: TaskContext) -> Echo:
    """Hold so many megabytes for good, and say in which process."""
    HELD.append(b"x" * request.value * 1_000_000)
    return Echo(value=os.getpid())


@task(EchoRequest)
def echo(request: EchoRequest, work: TaskContext) -> Echo:
    return Echo(value=request.value)


@task(ConflictRequest)
def contradict(request: ConflictRequest, work: TaskContext) -> Echo:
    raise ConflictError(
        "a plan for this slot is running",
        field="site_id",
        value=request.value,
        remedy="Wait for it.",
    )


@task(CrashRequest)
def crash(request: CrashRequest, work: TaskContext) -> Echo:
    raise ZeroDivisionError("an inner detail")


@task(FlakyRequest)
def retry(request: FlakyRequest, work: TaskContext) -> Echo:
    tries = note_start(request.path)
    if tries <= request.value:
        raise RetryableError("the price source is away")
    return Echo(value=request.value, tries=tries)


@task(PoisonRequest)
def poison(request: PoisonRequest, work: TaskContext) -> Echo:
    note_start(request.path)
    os.kill(os.getpid(), signal.SIGKILL)
    return Echo(value=request.value)


@task(SlowRequest)
def wait(request: SlowRequest, work: TaskContext) -> Echo:
    starts = note_start(request.path)
    # Only the first start is slow: it is the one that a test ends.
    time.sleep(60 if starts == 1 else 0)
    return Echo(value=request.value, tries=starts)


@task(StepsRequest)
def step(request: StepsRequest, work: TaskContext) -> Echo:
    for done in range(1, request.value + 1):
        work.progress(done, request.value, "counting")
        time.sleep(0.001)
    return Echo(value=request.value)


@task(EndlessRequest, soft_limit=timedelta(seconds=1), hard_limit=timedelta(seconds=3))
def overrun(request: EndlessRequest, work: TaskContext) -> Echo:
    time.sleep(60)
    return Echo(value=request.value)


@task(StoreRequest)
def store(request: StoreRequest, work: TaskContext) -> Echo:
    # A table of the test's own, so that no domain table is needed here.
    work.connection.execute(
        text("INSERT INTO sample_values (value) VALUES (:value)"), {"value": request.value}
    )
    return Echo(value=100 // request.value)
