"""Refusal reasons of jobs, tasks and overload."""

from luna.energy.errors import (
    ConflictError,
    FullError,
    LunaError,
    MachineError,
    NotFoundError,
    UnavailableError,
)
from luna.energy.refusals.reason import RefusalReason

_MORE_MEMORY = (
    "Ask for a smaller piece of work, or raise LUNA_JOB_MEMORY_BYTES where the machine has more."
)

REASONS: dict[str, RefusalReason] = {
    "no-reply": RefusalReason(
        "no reply within {seconds:g} s",
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
    "gateway-calls-waiting": RefusalReason(
        "{most} requests wait already",
        "Try again shortly, or run more workers.",
        error=UnavailableError,
    ),
    "requests-waiting": RefusalReason(
        "{most} requests wait already",
        "Try again shortly, or run more gateways.",
        error=UnavailableError,
    ),
    "streams-open": RefusalReason(
        "{most} streams are open already",
        "Close pages that are not looked at, or ask again later.",
        error=UnavailableError,
    ),
    "task-too-large": RefusalReason(
        "the task took more memory than {most:.0f} MB", _MORE_MEMORY, error=LunaError
    ),
    "task-ended-by-library": RefusalReason(
        "a library ended the task's process, as happens where it wants more memory than "
        "{most:.0f} MB",
        _MORE_MEMORY,
        error=LunaError,
    ),
    "no-such-job": RefusalReason(
        "no such job", "Take the job_id from the answer that accepted it.", error=NotFoundError
    ),
    "no-such-job-of-page": RefusalReason(
        "no such job", "Go back to the page that began it.", error=NotFoundError
    ),
    "no-such-task": RefusalReason("is no task to ask for", "Ask for one of {names}."),
    "job-not-ended-badly": RefusalReason(
        "the job is {status}",
        "Only failed, dead and cancelled jobs can be tried again.",
        error=ConflictError,
    ),
    "job-not-open": RefusalReason(
        "the job is {status}", "Only queued and running jobs can be cancelled.", error=ConflictError
    ),
    "attempt-still-ending": RefusalReason(
        "its last attempt is still being ended", "Try again in a few seconds.", error=ConflictError
    ),
    "equal-job-open": RefusalReason(
        "an equal job is open",
        "Look after that one; open jobs are listed newest first.",
        error=ConflictError,
    ),
    "job-without-end": RefusalReason(
        "{work} {status}: it came to no end", "See why: luna jobs show {job}.", error=ConflictError
    ),
    "job-begun-in-vain": RefusalReason(
        "the task was begun {attempts} times and its process was ended each time, as this "
        "machine does where its memory runs out",
        "Ask for a smaller piece of work, or give the machine more memory; the worker's "
        "log says more, and the job can be tried again.",
        error=LunaError,
    ),
    "queue-away-job-open": RefusalReason(
        "the queue does not answer", "The job is open and comes again.", error=UnavailableError
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
        "the task ended its worker {starts} times, as happens where memory runs out",
        "Ask for a smaller piece of work; it is kept among the dead tasks, and the log says more.",
        error=LunaError,
    ),
    "task-failed": RefusalReason(
        "the task failed unexpectedly", "The worker's log holds the reason.", error=LunaError
    ),
    "task-beyond-time": RefusalReason(
        "the task exceeded its time limit and was ended",
        "Ask for a smaller piece of work.",
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
    "no-such-lab-run": RefusalReason(
        "no such run of the camera lab",
        "Take the job_id from GET /v1/edge/runs.",
        error=NotFoundError,
    ),
    "no-such-page-file": RefusalReason(
        "no such file",
        "Load the page again: it names the files of this version.",
        error=NotFoundError,
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
        "the queue takes nothing: its disk or memory is full",
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
        "Each ends by itself and is started again; else see its log.",
        error=UnavailableError,
        quotes=True,
    ),
    "plan-waits": RefusalReason(
        "the first plan has waited for {seconds} s",
        "See the log of the worker for plans.",
        error=UnavailableError,
    ),
}
