"""Accepted work as callers see it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from luna.contracts.message import Instant, Message

JobStatus = Literal["queued", "running", "done", "failed", "dead"]
# "open" is what has not ended.
JobFilter = Literal["open", "queued", "running", "done", "failed", "dead"]


class JobSummary(Message):
    """How a job stands. ``done``, ``failed`` and ``dead`` are its ends; ``dead`` is one whose attempts never came to an end."""

    job_id: str
    task: str
    key: Annotated[str, Field(description="names this piece of work; at most one open job per task and key")]
    status: JobStatus
    attempts: Annotated[int, Field(description="how often a worker began it")]
    submitted_at: Annotated[Instant, Field(description="when it was accepted, by a retry anew")]
    sent_at: Annotated[Instant | None, Field(description="when its message last went to the queue")] = None
    started_at: Annotated[Instant | None, Field(description="when a worker last began it")] = None
    finished_at: Instant | None = None
    error: Annotated[dict[str, Any] | None, Field(description="problem document, only where failed or dead")] = None


class Job(JobSummary):
    """A job with what was asked and, once done, what came of it."""

    request: dict[str, Any]
    reply: Annotated[dict[str, Any] | None, Field(description="only where done")] = None
    trace_id: str
