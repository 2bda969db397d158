"""Refusal reasons of jobs, tasks and overload."""

from luna.energy.errors import (
    ConflictError,
    FullError,
    LunaError,
    MachineError,
    UnavailableError,
)
from luna.energy.refusals.reason import RefusalReason

_MORE_MEMORY = (
    "Ask for a smaller piece of work, or raise LUNA_JOB_MEMORY_BYTES where the machine has more."
)

REASONS: dict[str, RefusalReason] = {
    "no-reply": RefusalReason(
        "no answer within {seconds:g} s",
        "Check that a worker runs, then try again.",
        error=UnavailableError,
    ),
    "task-not-begun": RefusalReason(
        "the task waited too long to begin",
        "Try again, or run more workers.",
        error=UnavailableError,
    ),
    "task-too-slow": RefusalReason(
        "the task took longer than {limit}", "Ask for a smaller piece of work.", error=LunaError
    ),
    "requests-waiting": RefusalReason(
        "{most} requests wait already",
        "Try again shortly, or run more {more}.",
        error=UnavailableError,
    ),
    "streams-open": RefusalReason(
        "{most} streams are open already",
        "Close pages you do not need, or try again later.",
        error=UnavailableError,
    ),
    "task-too-large": RefusalReason(
        "the task took more memory than {most:.0f} MB",
        "Ask for less at once, or raise LUNA_JOB_MEMORY_BYTES if the machine has more.",
        error=LunaError,
    ),
    "task-ended-by-library": RefusalReason(
        "a library ended the task's process, probably because it needed more memory than "
        "{most:.0f} MB",
        "Ask for less at once, or raise LUNA_JOB_MEMORY_BYTES if the machine has more.",
        error=LunaError,
    ),
    "job-not-ended-badly": RefusalReason(
        "the job is {status}",
        "Retry only failed, dead or cancelled jobs.",
        error=ConflictError,
    ),
    "job-not-open": RefusalReason(
        "the job is {status}", "Cancel only queued or running jobs.", error=ConflictError
    ),
    "attempt-still-ending": RefusalReason(
        "its last attempt is still stopping", "Try again in a few seconds.", error=ConflictError
    ),
    "equal-job-open": RefusalReason(
        "the same job is already open",
        "Wait for that one; open jobs are listed newest first.",
        error=ConflictError,
    ),
    "job-without-end": RefusalReason(
        "{work} {status}: it was not finished",
        "See why: luna jobs show {job}.",
        error=ConflictError,
    ),
    "job-begun-in-vain": RefusalReason(
        "the task was started {attempts} times and its process stopped each time, probably "
        "because the machine ran out of memory",
        "Ask for less at once, or give the machine more memory; the worker's log says more. "
        "The job can be tried again.",
        error=LunaError,
    ),
    "queue-away-job-open": RefusalReason(
        "the queue does not answer",
        "Do nothing: the job is kept and starts later.",
        error=UnavailableError,
    ),
    "queue-away": RefusalReason(
        "the queue does not answer",
        "Check that Redis runs, then try again; nothing was lost.",
        error=UnavailableError,
    ),
    "queue-away-unchanged": RefusalReason(
        "the queue does not answer", "Try again; nothing was changed.", error=UnavailableError
    ),
    "task-ended-worker": RefusalReason(
        "the task stopped its worker {starts} times, probably because memory ran out",
        "Ask for less at once; the task is kept among the dead ones, and the log says more.",
        error=LunaError,
    ),
    "task-failed": RefusalReason(
        "the task failed unexpectedly", "See the worker's log for the reason.", error=LunaError
    ),
    "task-beyond-time": RefusalReason(
        "the task exceeded its time limit and was stopped",
        "Ask for less at once.",
        error=LunaError,
    ),
    "database-busy": RefusalReason(
        "all connections to the database are in use",
        "Try again shortly; nothing was changed.",
        error=UnavailableError,
    ),
    "request-still-answered": RefusalReason(
        "the first request of this key is still being answered",
        "Ask again in a moment.",
        error=ConflictError,
    ),
    "job-ended-badly": RefusalReason(
        "{work} {status}: {why}", "See why: luna jobs show {job}.", error=LunaError, quotes=True
    ),
    "no-service-of-queue": RefusalReason(
        "no service is installed for this queue",
        "Install the service's extra; the log names what is missing.",
        error=MachineError,
    ),
    "queue-full": RefusalReason(
        "the queue is full: its disk or memory has no space left",
        "Free some space where Redis keeps its data, then try again.",
        error=FullError,
    ),
    "no-worker-of-planner": RefusalReason(
        "no worker serves the planner's queue",
        "Run: python -m luna.platform.queue.worker",
        error=UnavailableError,
    ),
    "worker-takes-no-plans": RefusalReason(
        "no worker takes plans: {why}",
        "Wait: each ends and is started again; if not, see its log.",
        error=UnavailableError,
        quotes=True,
    ),
    "plan-waits": RefusalReason(
        "the first plan has been waiting for {seconds} s",
        "See the log of the worker for plans.",
        error=UnavailableError,
    ),
}
