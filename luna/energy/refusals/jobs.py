"""What is refused of jobs and tasks, and where too much is asked for at once."""

from luna.energy.errors import LunaError, UnavailableError
from luna.energy.refusals.reason import RefusalReason

_MORE_MEMORY = "Ask for a smaller piece of work, or raise LUNA_JOB_MEMORY_BYTES where the machine has more."

REASONS: dict[str, RefusalReason] = {
    "no-reply": RefusalReason("no reply within {seconds:g} s", "Check that a worker runs, then try again.", error=UnavailableError),
    "task-not-begun": RefusalReason("the task waited too long to begin", "Try again, or run more workers.", error=UnavailableError),
    "task-too-slow": RefusalReason("the task took longer than {limit}", "Ask for a smaller piece of work.", error=LunaError),
    "gateway-calls-waiting": RefusalReason("{most} requests wait already", "Try again shortly, or run more workers.", error=UnavailableError),
    "requests-waiting": RefusalReason("{most} requests wait already", "Try again shortly, or run more gateways.", error=UnavailableError),
    "streams-open": RefusalReason("{most} streams are open already", "Close pages that are not looked at, or ask again later.", error=UnavailableError),
    "task-too-large": RefusalReason("the task took more memory than {most:.0f} MB", _MORE_MEMORY, error=LunaError),
    "task-ended-by-library": RefusalReason(
        "a library ended the task's process, as happens where it wants more memory than {most:.0f} MB", _MORE_MEMORY, error=LunaError
    ),
}
