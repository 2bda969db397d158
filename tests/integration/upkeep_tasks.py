"""Answers in place of the ingest service: what is asked for by the clock leaves a line, and one
task waits at a gate.
"""

import time

from luna.contracts import ResendReply, ResendRequest, RetentionReply, RetentionRequest
from luna.platform.queue import TaskContext, task
from tests.integration.upkeep_messages import GateRequest, Through
from tests.support.worker.task_starts import note_start

NEEDS = ("redis",)


@task(ResendRequest)
def resend(request: ResendRequest, work: TaskContext) -> ResendReply:
    note_start(work.settings.data_folder / "resent")
    return ResendReply(sent=0, begun_before=0)


@task(RetentionRequest)
def retain(request: RetentionRequest, work: TaskContext) -> RetentionReply:
    note_start(work.settings.data_folder / "retained")
    return RetentionReply(deleted={})


@task(GateRequest)
def wait_at_gate(request: GateRequest, work: TaskContext) -> Through:
    starts = note_start(request.starts)
    while not request.gate.exists():
        time.sleep(0.02)
    return Through(starts=starts)
