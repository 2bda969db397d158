"""Tasks for the tests of worker and beat: what is asked for by the clock leaves a line, and one task waits at a gate."""

import time
from pathlib import Path
from typing import ClassVar

from luna.contracts import ResendReply, ResendRequest, RetentionReply, RetentionRequest
from luna.contracts.message import Message, Request
from luna.queue import Work, task

NEEDS = ("redis",)


class Through(Message):
    starts: int


class GateRequest(Request):
    """Note a start, and end when ``gate`` exists."""

    task: ClassVar[str] = "ingest.gate.pass"
    reply: ClassVar[type[Message]] = Through

    starts: Path
    gate: Path


def note(path: Path) -> int:
    """Append a line and return how many there are."""
    with path.open("a", encoding="utf-8") as file:
        file.write("once\n")
    return count(path)


def count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


@task(ResendRequest)
def resend(request: ResendRequest, work: Work) -> ResendReply:
    note(work.settings.data_folder / "resent")
    return ResendReply(sent=0, begun_before=0)


@task(RetentionRequest)
def retain(request: RetentionRequest, work: Work) -> RetentionReply:
    note(work.settings.data_folder / "retained")
    return RetentionReply(deleted={})


@task(GateRequest)
def wait_at_gate(request: GateRequest, work: Work) -> Through:
    starts = note(request.starts)
    while not request.gate.exists():
        time.sleep(0.02)
    return Through(starts=starts)
