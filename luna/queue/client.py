"""Send a request and receive its reply."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import redis
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from luna.contracts.health import BeatSign, ExecutorSign, NodeSign, RecorderSign
from luna.contracts.job import Job
from luna.contracts.message import Message, Request, queue_of
from luna.errors import InvalidInputError, LunaError, UnavailableError
from luna.queue import serialization
from luna.queue.app import CONNECT_TIMEOUT_SECONDS, PREFIX, SOCKET_TIMEOUT_SECONDS, create_sender
from luna.queue.heartbeats import read_beat, read_executor, read_recorder, read_signs
from luna.queue.task_tracker import DeadTask, Progress, TaskTracker
from luna.telemetry import current_trace_id

# How long one blocking read lasts; below the socket's own timeout.
_POLL_SECONDS = 1.0
# What Redis answers where it cannot write: to its disk, into its memory.
_FULL = ("MISCONF", "'maxmemory'")


@dataclass(frozen=True)
class TaskState:
    """What is known of a submitted task; ``error`` only where it failed, ``reply`` only where it succeeded."""

    status: Literal["waiting", "running", "succeeded", "failed"]
    reply: Message | None = None
    error: LunaError | None = None


class Client:
    """Speaks to the workers behind one Redis. Threads may share it.

    Every method raises UnavailableError within three seconds where Redis is away or full.

    Raises:
        InvalidInputError: no address of a Redis; its value stays unsaid, for it may hold a password.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis = _connect(redis_url)
        self._app = create_sender(redis_url)
        self._ledger = TaskTracker(self._redis)

    def call(
        self, request: Request, *, timeout: timedelta, on_progress: Callable[[Progress], None] | None = None, given_up: threading.Event | None = None
    ) -> Any:
        """Return the reply to ``request``, an instance of its ``reply`` model.

        Args:
            request: an instance of a request model.
            timeout: how long to wait; a task that has not begun by then is dropped.
            on_progress: receives how far the task is.
            given_up: ends the wait within a second of being set; the task itself goes on.

        Raises:
            InvalidInputError: the message is refused; nothing was sent.
            UnavailableError: Redis is away, no reply came in time, or the caller gave up.
            LunaError: what the task raised, in its own class.
        """
        text = self._await(self.submit(request, expires=timeout), request.task, timeout=timeout, on_progress=on_progress, given_up=given_up)
        return serialization.decode_reply(request.reply, text)

    def ask(self, request: Request, *, timeout: timedelta) -> str:
        """Return the reply to a ``request`` that has just been validated, as the worker wrote it: one JSON text, read by nobody on the way.

        Raises:
            UnavailableError, LunaError: as ``call`` does.
        """
        return self._await(self._submit(request, serialization.write_request(request), expires=timeout), request.task, timeout=timeout)

    def _await(
        self,
        task_id: str,
        task: str,
        *,
        timeout: timedelta,
        on_progress: Callable[[Progress], None] | None = None,
        given_up: threading.Event | None = None,
    ) -> str:
        deadline = time.monotonic() + timeout.total_seconds()
        while (left := deadline - time.monotonic()) > 0:
            if given_up is not None and given_up.is_set():
                raise UnavailableError("nobody waits for the reply any more", field="task", value=task)
            with _reachable():
                progress = self._ledger.next_event(task_id, timeout=max(0.01, min(left, _POLL_SECONDS)))
            if progress is not None and on_progress is not None:
                on_progress(progress)
            if progress is None and (ended := self._read_end(task_id)) is not None:
                if isinstance(ended, LunaError):
                    raise ended
                return ended
        raise UnavailableError(f"no reply within {timeout.total_seconds():g} s", field="task", value=task, remedy="Check that a worker runs, then try again.")

    def submit(self, request: Request, *, key: str | None = None, expires: timedelta | None = None) -> str:
        """Send ``request`` and return the task's id.

        Args:
            request: an instance of a request model.
            key: names this piece of work, where the same work may be asked for in different words; default: a digest of the message.
            expires: a task that has not begun by then is dropped.
        """
        return self._submit(request, serialization.encode_request(request), key=key, expires=expires)

    def _submit(self, request: Request, text: str, *, key: str | None = None, expires: timedelta | None = None) -> str:
        task_id = uuid.uuid4().hex
        arguments = {"key": key or serialization.digest(request.task, text), "trace_id": current_trace_id()}
        self._send(request.task, text, arguments, task_id=task_id, expires=expires.total_seconds() if expires else None)
        return task_id

    def notify_job(self, job: Job) -> None:
        """Tell the workers that ``job`` waits; whoever comes takes the request from the row and leaves the reply there."""
        self._send(job.task, "", {"key": job.job_id, "job_id": job.job_id, "trace_id": job.trace_id}, task_id=job.job_id, ignore_result=True)

    def progress(self, task_id: str) -> Progress | None:
        """Return how far a running task was when it last said so."""
        with _reachable():
            return self._ledger.last_report(task_id)

    def fetch(self, task_id: str, request: type[Request]) -> TaskState:
        """Return what is known of a task that answers ``request``; outcomes are kept for an hour."""
        ended = self._read_end(task_id)
        if isinstance(ended, LunaError):
            return TaskState("failed", error=ended)
        if ended is not None:
            return TaskState("succeeded", reply=serialization.decode_reply(request.reply, ended))
        with _reachable():
            return TaskState("running" if self._ledger.running(task_id) else "waiting")

    def dead(self) -> list[DeadTask]:
        """Return the tasks that ended their worker each time they were started, the latest first."""
        with _reachable():
            return self._ledger.dead()

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in ``queue``."""
        with _reachable():
            length: Any = self._redis.llen(f"{PREFIX}{queue}")
        return int(length)

    def workers(self) -> dict[str, list[str]]:
        """Return the queues that each live worker serves."""
        return {name: sorted(sign.queues) for name, sign in self.signs().items()}

    def signs(self) -> dict[str, NodeSign]:
        """Return what each live worker last said of itself."""
        with _reachable():
            return read_signs(self._redis)

    def beat(self) -> BeatSign | None:
        """Return what beat last said of itself, None where none ever turned."""
        with _reachable():
            return read_beat(self._redis)

    def recorder(self) -> RecorderSign | None:
        """Return what the recorder last said of itself, None where none ran within a day."""
        with _reachable():
            return read_recorder(self._redis)

    def executor(self) -> ExecutorSign | None:
        """Return what the executor last said of itself and of what it drives, None where none ran within a day."""
        with _reachable():
            return read_executor(self._redis)

    def ping(self) -> None:
        """Return if Redis answers."""
        with _reachable():
            self._redis.ping()

    def close(self) -> None:
        """Close every connection."""
        self._app.close()
        self._redis.close()

    def _read_end(self, task_id: str) -> str | LunaError | None:
        """Return the reply that a task ended with, as text, or its error; None while it has not ended."""
        with _reachable():
            stored: Any = self._redis.get(f"{PREFIX}celery-task-meta-{task_id}")
        document = json.loads(stored) if stored else {"status": "PENDING"}
        if document["status"] == "SUCCESS":
            return str(document["result"])
        return _error(document) if document["status"] in ("FAILURE", "REVOKED") else None

    def _send(self, task: str, text: str, arguments: dict[str, str], **options: Any) -> None:
        with _reachable():
            self._app.send_task(task, (text,), arguments, queue=queue_of(task), argsrepr=task, kwargsrepr=arguments["key"], **options)


def _connect(redis_url: str) -> "redis.Redis":
    try:
        return redis.Redis.from_url(
            redis_url,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
        )
    except ValueError as exc:
        remedy = "Write redis://:password@host:6379/0, or rediss:// for TLS."
        raise InvalidInputError("no address of a Redis", field="LUNA_REDIS_URL", remedy=remedy) from exc


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError, OperationalError) as exc:
        if any(sign in str(exc) for sign in _FULL):
            remedy = "Free some space where Redis keeps its data, then try again."
            raise UnavailableError("the queue takes nothing: its disk or memory is full", field="redis_url", remedy=remedy) from exc
        if isinstance(exc, redis.ResponseError):
            raise
        raise UnavailableError("the queue does not answer", field="redis_url", remedy="Check that Redis runs, then try again; nothing was lost.") from exc


def _error(document: dict[str, Any]) -> LunaError:
    result = document["result"]
    if result["exc_type"] == "TaskFailedError":
        return serialization.decode_error(result["exc_message"][0])
    if result["exc_type"] == "TimeLimitExceeded":
        return LunaError("the task exceeded its time limit and was ended", remedy="Ask for a smaller piece of work.")
    if result["exc_type"] == "TaskRevokedError":
        return UnavailableError("the task waited too long to begin", remedy="Try again, or run more workers.")
    return LunaError("the task failed unexpectedly", remedy="The worker's log holds the reason.")
