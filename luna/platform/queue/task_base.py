"""The base class of every task.

It adds decoding, log context, transaction, retries, errors and metrics to the task's body.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

import redis
import structlog
from celery import Task
from celery.exceptions import Ignore, Retry, SoftTimeLimitExceeded, WorkerLostError
from celery.worker.request import Request
from prometheus_client import Counter, Histogram
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry as RedisRetry
from sqlalchemy import Engine

from luna.contracts.job import Progress
from luna.contracts.message import Request as RequestMessage
from luna.energy.errors import LunaError, UnavailableError, find_full_disk
from luna.energy.refusals import refuse
from luna.platform.clock import SystemClock
from luna.platform.database import audit, engine
from luna.platform.database.audit import AuditRecord
from luna.platform.memory import FreedMemory, default_limit, is_want_of_memory, limited
from luna.platform.queue import serialization
from luna.platform.queue.app import LONGEST_LIMIT
from luna.platform.queue.client import Client
from luna.platform.queue.job_attempt import (
    JOB_RETRY,
    AbortedError,
    Conclude,
    DroppedError,
    EndedError,
    JobRunner,
)
from luna.platform.queue.task import Definition, RetryableError
from luna.platform.queue.task_context import TaskContext
from luna.platform.queue.task_monitor import SENT_AT
from luna.platform.queue.task_tracker import MAX_STARTS, DeadTask, TaskTracker
from luna.platform.retry import RetryPolicy
from luna.platform.settings import Settings
from luna.platform.settings.stored import refresh_settings
from luna.platform.telemetry import log_context
from luna.platform.tracing import TRACEPARENT, note_span, span

TASK_SECONDS = Histogram(
    "luna_queue_task_seconds",
    "Time a task ran in its process.",
    ["task"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)
WAIT_SECONDS = Histogram(
    "luna_queue_wait_seconds",
    "Time from a message being sent to its task being begun; a retry counts from the first "
    "sending.",
    ["queue"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
TASKS = Counter("luna_queue_tasks_total", "Tasks by outcome.", ["task", "outcome"])

log = structlog.get_logger("luna.queue")


class MeasuredRequest(Request):  # type: ignore[misc]
    """Celery's request of one delivered message.

    Its outcome is counted in the worker's metrics.
    """

    def __init_subclass__(cls) -> None:
        # Celery's create_request_cls overrides on_success per task without calling super, so the
        # override is wrapped.
        cls.on_success = _counted(cls.on_success)
        super().__init_subclass__()

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        sent_at = self.request_dict.get(SENT_AT)
        if sent_at is not None:
            # Never negative: clocks of two machines may differ a little.
            waited_seconds = max(SystemClock().now().timestamp() - float(sent_at), 0.0)
            WAIT_SECONDS.labels(self.delivery_info["routing_key"]).observe(waited_seconds)
        super().on_accepted(pid, time_accepted)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        if issubclass(exc_info.type, WorkerLostError) and "SIGABRT" in str(exc_info.exception):
            try:
                self.task.process.reporter.note_abort(self.id)
            except redis.RedisError as exc:
                # Without the note the task crashes its worker MAX_STARTS times instead of once.
                log.warning("queue does not answer", error=str(exc))
        # A retry is counted in on_retry; a dropped message did no work.
        if not issubclass(exc_info.type, Ignore | Retry):
            TASKS.labels(self.name, "failed").inc()
        super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)

    def on_retry(self, exc_info: object) -> None:
        TASKS.labels(self.name, "retried").inc()
        super().on_retry(exc_info)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        TASKS.labels(self.name, "timed_out").inc()
        super().on_timeout(soft, timeout)


def _counted(on_success: Callable[..., None]) -> Callable[..., None]:
    def count(
        request: Request,
        failed__retval__runtime: tuple[bool, object, float | None],
        **kwargs: object,
    ) -> None:
        # Acknowledges, so it comes first: a message without acknowledgement occupies its prefetch
        # slot for good.
        on_success(request, failed__retval__runtime, **kwargs)
        failed, _, seconds = failed__retval__runtime
        # Celery gives no run time for a redelivered message whose task had succeeded already.
        if not failed and seconds is not None:
            TASK_SECONDS.labels(request.name).observe(seconds)
            TASKS.labels(request.name, "succeeded").inc()

    return count


# Short pauses, for somebody waits for the reply; full jitter, so that tasks that failed together do
# not come back together.
TASK_RETRY = RetryPolicy(timedelta(seconds=0.5), tries=6, jitter=1.0)
_LONGEST_PAUSE_SECONDS = 2.0
_REDIS_RETRIES = 30


class TaskFailedError(Exception):
    """Carries a LunaError, encoded, into Celery's result backend."""


@dataclass
class Process:
    """The parts that the tasks of one worker process share.

    Connections are made after the fork, when first needed.
    """

    settings: Settings
    database_url: str
    redis_url: str
    worker: str = ""
    freed: FreedMemory = field(default_factory=FreedMemory, init=False)
    _stored: bytes = field(default=b"", init=False)

    def refresh(self) -> Settings:
        """Return the settings, with the changes stored since the last task."""
        self.settings, self._stored = refresh_settings(self.settings, self._stored)
        return self.settings

    @cached_property
    def tracker(self) -> TaskTracker:
        """Counts starts and notes ends.

        Retries with back-off: a worker survives a restart of Redis, and the end of a task must not
        be lost.
        """
        retry = RedisRetry(ExponentialBackoff(cap=_LONGEST_PAUSE_SECONDS), retries=_REDIS_RETRIES)
        return TaskTracker(
            redis.Redis.from_url(self.redis_url, retry=retry, socket_connect_timeout=2)
        )

    @cached_property
    def reporter(self) -> TaskTracker:
        """Writes progress reports, without retries: a missing one must not delay the task."""
        return TaskTracker(
            redis.Redis.from_url(
                self.redis_url,
                retry=RedisRetry(NoBackoff(), 0),
                socket_connect_timeout=1,
                socket_timeout=1,
            )
        )

    @cached_property
    def engine(self) -> Engine:
        """The database's engine.

        A task may compute for as long as its limits say before it writes.
        """
        return engine.create(
            self.database_url, application_name="luna-worker", idle_limit=LONGEST_LIMIT
        )

    @cached_property
    def client(self) -> Client:
        """Sends messages to other tasks."""
        return Client(self.redis_url)


class LunaTask(Task):  # type: ignore[misc]
    """The base class of every task.

    ``run`` is called by Celery with the message's arguments.
    """

    Request = MeasuredRequest
    throws = (TaskFailedError,)
    max_retries = None
    definition: ClassVar[Definition]
    process: ClassVar[Process]

    def run(
        self,
        text: str,
        *,
        key: str,
        trace_id: str | None = None,
        job_id: str | None = None,
        entry: dict[str, Any] | None = None,
    ) -> str:
        with (
            log_context(trace_id=trace_id, task_id=self.request.id, task_name=self.name),
            span(self.name, parent=self._note_wait(trace_id), trace_id=trace_id),
        ):
            if job_id is not None:
                return self._run_job(job_id)
            crashes = self._start(key)
            if crashes and self.process.tracker.forget_abort(self.request.id):
                raise self._failed(self._explain(AbortedError()))
            if crashes >= MAX_STARTS:
                now = SystemClock().now()
                self.process.tracker.dead_letter(
                    DeadTask(
                        task_id=self.request.id,
                        task=self.name,
                        key=key,
                        starts=MAX_STARTS,
                        died_at=now,
                        request=text,
                    )
                )
                log.error("task dead", key=key, starts=MAX_STARTS)
                raise self._failed(
                    refuse("task-ended-worker", field="task", value=self.name, starts=MAX_STARTS)
                )
            return self._run_request(text, key, entry)

    def _start(self, key: str) -> int:
        """Count this start; return how many earlier ones crashed their process."""
        try:
            return self.process.tracker.start(key, self.request.id)
        except redis.RedisError as exc:
            raise self._failed(refuse("queue-away-unchanged", field="redis_url")) from exc

    def _note_wait(self, trace_id: str | None) -> str | None:
        """Record a span of the wait in the queue; return the parent of the task's span."""
        sent_at = getattr(self.request, SENT_AT, None)
        parent = getattr(self.request, TRACEPARENT, None)
        if sent_at is None:
            return parent
        now = SystemClock().now()
        queue = f"queue {self.name.partition('.')[0]}"
        return note_span(
            queue,
            parent=parent,
            trace_id=trace_id,
            since=min(datetime.fromtimestamp(sent_at, tz=UTC), now),
            until=now,
        )

    def after_return(  # noqa: PLR0917
        self,
        status: str,
        retval: object,
        task_id: str,
        args: tuple[str],
        kwargs: dict[str, str],
        einfo: object,
    ) -> None:
        if "job_id" not in kwargs:
            self.process.tracker.end(kwargs["key"], task_id)
        self.process.freed.give_back()

    def _run_request(self, text: str, key: str, entry: dict[str, Any] | None) -> str:
        def record(work: TaskContext, _: str) -> None:
            # The audit entry shares the task's commit: a second one would wait for the disk again.
            if entry is not None:
                audit.write(work.connection, AuditRecord(**entry))

        try:
            request = serialization.decode_request(self.definition.request, text)
            return self._perform(request, record)
        except RetryableError as error:
            failures = self.request.retries + 1
            if TASK_RETRY.gives_up(failures):
                raise self._failed(error) from error
            self.process.tracker.end(key, self.request.id, final=False)
            log.warning("task failed, comes again", error=str(error), retries=self.request.retries)
            pause = TASK_RETRY.pause(failures)
            raise self.retry(exc=error, countdown=pause.total_seconds()) from error
        except Exception as error:
            raise self._failed(self._explain(error)) from error

    def _run_job(self, job_id: str) -> str:
        process = self.process
        is_alive = process.client.heartbeats.is_alive
        try:
            return JobRunner(
                process.engine,
                process.tracker,
                self._perform_job,
                self._explain,
                process.worker,
                is_alive,
            ).run(job_id)
        except DroppedError as error:
            log.info("message dropped", reason=str(error))
            raise Ignore from error
        except UnavailableError as error:
            log.warning("job comes again", error=str(error), retries=self.request.retries)
            pause = JOB_RETRY.pause(self.request.retries + 1)
            raise self.retry(exc=error, countdown=pause.total_seconds()) from error
        except EndedError as error:
            raise self._failed(error.error) from error
        except Exception as error:
            raise self._failed(self._explain(error)) from error

    def _perform_job(self, text: str, conclude: Conclude) -> str:
        request = serialization.decode_request(self.definition.request, text)

        def finish(work: TaskContext, reply: str) -> None:
            conclude(work.connection, reply)

        return self._perform(request, finish)

    def _perform(
        self, request: RequestMessage, conclude: Callable[[TaskContext, str], None]
    ) -> str:
        report = throttle(self._report)
        with (
            limited(self._most_bytes),
            log_context(site_id=getattr(request, "site_id", None)),
            TaskContext(
                self.process.refresh(),
                lambda: self.process.engine,
                SystemClock(),
                report,
                queue=lambda: self.process.client,
            ) as work,
        ):
            reply = self.definition.body(request, work)
            text = reply if isinstance(reply, str) else serialization.encode_reply(reply)
            conclude(work, text)
        return text

    def _report(self, progress: Progress) -> None:
        try:
            self.process.reporter.report(self.request.id, progress)
        except redis.RedisError as exc:
            log.debug("progress is not reported", error=str(exc))

    def _explain(self, error: Exception) -> LunaError:
        """Log an error of the task and return what its caller is told."""
        if isinstance(error, LunaError):
            log.info("task refused", error=str(error), code=error.code)
            return error
        if isinstance(error, SoftTimeLimitExceeded):
            # The sender may have set a shorter limit than the task's definition.
            limits: list[float | None] = getattr(self.request, "timelimit", None) or [None, None]
            limit = timedelta(seconds=limits[1]) if limits[1] else self.definition.soft_limit
            log.warning("task too slow", soft_limit=str(limit))
            return refuse("task-too-slow", field="task", value=self.name, limit=limit)
        if isinstance(error, AbortedError) or is_want_of_memory(error):
            is_aborted = isinstance(error, AbortedError)
            log.error("task took too much memory", most_bytes=self._most_bytes, aborted=is_aborted)
            reason = "task-ended-by-library" if is_aborted else "task-too-large"
            return refuse(reason, field="task", value=self.name, most=self._most_bytes / 1e6)
        log.error("task failed", exc_info=error)
        return find_full_disk(error) or refuse("task-failed", field="task", value=self.name)

    @property
    def _most_bytes(self) -> int:
        settings = self.process.settings
        return settings.job_memory_bytes or default_limit(settings.worker_processes)

    def _failed(self, error: LunaError) -> TaskFailedError:
        return TaskFailedError(serialization.encode_error(error))


def register(app: object, definition: Definition, process: Process) -> None:
    """Register ``definition`` with the Celery application as a subclass of LunaTask."""
    task_class = type(
        definition.name,
        (LunaTask,),
        {
            "name": definition.name,
            "definition": definition,
            "process": process,
            "soft_time_limit": definition.soft_limit.total_seconds(),
            "time_limit": definition.hard_limit.total_seconds(),
        },
    )
    app.register_task(task_class())  # type: ignore[attr-defined]


_REPORT_EVERY_SECONDS = 0.2


def throttle(report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Return ``report`` limited to one call per ``_REPORT_EVERY_SECONDS``.

    The last step always passes.
    """
    next_at = 0.0

    def report_throttled(progress: Progress) -> None:
        nonlocal next_at
        now = time.monotonic()
        if now >= next_at or progress.done >= progress.total:
            next_at = now + _REPORT_EVERY_SECONDS
            report(progress)

    return report_throttled
