"""Monitor sent tasks: status, progress, results, queue lengths and dead letters."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

import redis
from pydantic_core import from_json

from luna.contracts.job import Progress
from luna.contracts.message import Message, Request
from luna.energy.errors import LunaError, UnavailableError
from luna.energy.refusals import refuse
from luna.platform.queue import serialization
from luna.platform.queue.app import PREFIX, RESULT_EXPIRES
from luna.platform.queue.connection import outlast, reachable
from luna.platform.queue.task_tracker import DeadTask, TaskTracker

# Message header with the time of sending, Unix time.
SENT_AT = "luna_sent_at"
# Duration of one blocking read, s; below the socket's time-out.
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class TaskState:
    """The state of a sent task.

    ``error`` is set only where it failed, ``reply`` only where it succeeded.
    """

    status: Literal["waiting", "running", "succeeded", "failed"]
    reply: Message | None = None
    error: LunaError | None = None


class TaskMonitor:
    """Reads the state of tasks from Redis.

    Thread-safe; every method raises UnavailableError where Redis is away.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._tracker = TaskTracker(client)

    def fetch(self, task_id: str, request: type[Request]) -> TaskState:
        """Return the state of a task that serves ``request``.

        Results are kept for an hour, shorter after ``expire_reply``.
        """
        ended = self._read_end(task_id)
        if isinstance(ended, LunaError):
            return TaskState("failed", error=ended)
        if ended is not None:
            return TaskState("succeeded", reply=serialization.decode_reply(request.reply, ended))
        with reachable():
            return TaskState("running" if self._tracker.running(task_id) else "waiting")

    def progress(self, task_id: str) -> Progress | None:
        """Return the last reported progress of a running task."""
        with reachable():
            return self._tracker.last_report(task_id)

    def progress_of(self, task_ids: Sequence[str]) -> dict[str, Progress]:
        """Return the last reported progress of running tasks, by id."""
        with reachable():
            return self._tracker.last_reports(task_ids)

    def cancel(self, task_id: str) -> None:
        """Have the worker that runs a task end it, within a few seconds."""
        with reachable():
            self._tracker.cancel(task_id)

    def dead(self) -> list[DeadTask]:
        """Return the tasks that ended their worker at every start, the latest first."""
        with reachable():
            return self._tracker.dead()

    def waiting(self, queue: str) -> int:
        """Return the number of messages that wait in ``queue``."""
        with reachable():
            length: Any = self._redis.llen(f"{PREFIX}{queue}")
        return int(length)

    def oldest_waiting(self, queue: str, *, now: datetime) -> timedelta:
        """Return how long the first message in ``queue`` has waited, zero where that is unknown."""
        with reachable():
            first: Any = self._redis.lindex(f"{PREFIX}{queue}", -1)
        sent_at = json.loads(first)["headers"].get(SENT_AT) if first else None
        if not sent_at:
            return timedelta(0)
        # The clocks of two machines differ a little.
        return max(timedelta(seconds=now.timestamp() - sent_at), timedelta(0))

    def await_reply(
        self,
        task_id: str,
        task: str,
        *,
        timeout: timedelta,
        on_progress: Callable[[Progress], None] | None = None,
        abandoned: threading.Event | None = None,
        patience: timedelta = timedelta(0),
    ) -> str:
        """Return the reply's text as soon as the task has ended.

        Raises:
            UnavailableError: Redis is away for longer than ``patience``, no reply came in time, or
                the caller gave up.
            LunaError: what the task raised, in its own class.
        """
        deadline = time.monotonic() + timeout.total_seconds()
        while (remaining := deadline - time.monotonic()) > 0:
            if abandoned is not None and abandoned.is_set():
                raise UnavailableError(
                    "nobody waits for the reply any more", field="task", value=task
                )
            progress, ended = outlast(
                partial(self._poll, task_id, min(remaining, _POLL_SECONDS)),
                patience=patience,
                abandoned=abandoned,
            )
            if progress is not None and on_progress is not None:
                on_progress(progress)
            if ended is not None:
                if isinstance(ended, LunaError):
                    raise ended
                return ended
        raise refuse("no-reply", field="task", value=task, seconds=timeout.total_seconds())

    def expire_reply(self, task_id: str, *, after: timedelta) -> None:
        """Expire a task's result after a time by which no message of it can be redelivered."""
        with reachable():
            self._redis.expire(f"{PREFIX}celery-task-meta-{task_id}", min(after, RESULT_EXPIRES))

    def claim(self, task_id: str, *, within: timedelta) -> bool:
        """Claim a task for ``within`` that time; return whether the caller may send its message.

        False where another caller has claimed it, it is running, or it has a result.
        """
        with reachable():
            is_first = self._redis.set(f"{PREFIX}claimed:{task_id}", 1, nx=True, px=within)
            if not is_first or self._tracker.running(task_id):
                return False
            return not self._redis.exists(f"{PREFIX}celery-task-meta-{task_id}")

    def _poll(self, task_id: str, seconds: float) -> tuple[Progress | None, str | LunaError | None]:
        """Return the next progress of a task within ``seconds``, or else its result or error."""
        with reachable():
            progress = self._tracker.next_event(task_id, timeout=max(0.01, seconds))
        if progress is not None:
            return progress, None
        return None, self._read_end(task_id)

    def _read_end(self, task_id: str) -> str | LunaError | None:
        """Return the reply of an ended task as text, or its error; None while it has not ended."""
        with reachable():
            stored: Any = self._redis.get(f"{PREFIX}celery-task-meta-{task_id}")
        # A plan's reply is a string of 100 kB inside this document: parse fast.
        document = from_json(stored) if stored else {"status": "PENDING"}
        if document["status"] == "SUCCESS":
            return str(document["result"])
        return _error(document) if document["status"] in ("FAILURE", "REVOKED") else None


def _error(document: dict[str, Any]) -> LunaError:
    result = document["result"]
    if result["exc_type"] == "TaskFailedError":
        return serialization.decode_error(result["exc_message"][0])
    if result["exc_type"] == "TimeLimitExceeded":
        return refuse("task-beyond-time")
    if result["exc_type"] == "TaskRevokedError":
        return refuse("task-not-begun")
    return refuse("task-failed")
