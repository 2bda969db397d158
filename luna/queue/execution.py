"""What happens around a task's body in the worker: one base class for every task."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import redis
import structlog
from celery import Task
from celery.exceptions import SoftTimeLimitExceeded
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from sqlalchemy import Engine

from luna.contracts.message import Request as RequestMessage
from luna.database import engine
from luna.errors import LunaError
from luna.queue import wire
from luna.queue.ledger import MAX_STARTS, DeadTask, Ledger
from luna.queue.requests import MeasuredRequest
from luna.queue.task import Definition, RetryableError
from luna.queue.work import Progress, Work
from luna.settings import Settings
from luna.telemetry import log_context
from luna.timeline import SystemClock

MAX_RETRIES = 5
_FIRST_BACKOFF_SECONDS = 0.5
_REPORT_EVERY_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 2.0
_REDIS_RETRIES = 30

log = structlog.get_logger("luna.queue")


class TaskFailedError(Exception):
    """Carries an error, encoded, into Celery's result."""


@dataclass
class Process:
    """What the tasks of one worker process share; connections are made after the fork, when first needed."""

    settings: Settings
    database_url: str
    redis_url: str

    @cached_property
    def ledger(self) -> Ledger:
        """The book in Redis."""
        # A worker outlives a restart of Redis: what it has done is noted as soon as it is back.
        patience = Retry(ExponentialBackoff(cap=_LONGEST_PAUSE_SECONDS), retries=_REDIS_RETRIES)
        return Ledger(redis.Redis.from_url(self.redis_url, retry=patience, socket_connect_timeout=2))

    @cached_property
    def engine(self) -> Engine:
        """The database's engine."""
        return engine.create(self.database_url)


class LunaTask(Task):  # type: ignore[misc]
    """The base class of every task: decodes, binds the log context, holds a unit of work, sorts errors."""

    Request = MeasuredRequest
    throws = (TaskFailedError,)
    max_retries = None
    definition: ClassVar[Definition]
    process: ClassVar[Process]

    def run(self, text: str, *, key: str, trace_id: str | None = None) -> str:
        with log_context(trace_id=trace_id, task_id=self.request.id, task_name=self.name):
            if self.process.ledger.start(key, self.request.id) >= MAX_STARTS:
                raise self._bury(text, key)
            return self._answer(text, key)

    def after_return(self, status: str, retval: object, task_id: str, args: tuple[str], kwargs: dict[str, str], einfo: object) -> None:  # noqa: PLR0917 - Celery's signature
        self.process.ledger.end(kwargs["key"], task_id)

    def _answer(self, text: str, key: str) -> str:
        try:
            request = wire.decode_request(self.definition.request, text)
            return self._perform(request)
        except RetryableError as error:
            if self.request.retries >= MAX_RETRIES:
                raise self._failed(error) from error
            self.process.ledger.end(key, self.request.id, final=False)
            log.warning("task failed, comes again", error=str(error), retries=self.request.retries)
            raise self.retry(exc=error, countdown=backoff_seconds(self.request.retries)) from error
        except LunaError as error:
            log.info("task refused", error=str(error), code=error.code)
            raise self._failed(error) from error
        except SoftTimeLimitExceeded as error:
            raise self._failed(self._too_slow()) from error
        except Exception as error:
            log.exception("task failed")
            hidden = LunaError("the task failed unexpectedly", field="task", value=self.name, remedy="The worker's log holds the reason.")
            raise self._failed(hidden) from error

    def _perform(self, request: RequestMessage) -> str:
        report = throttle(lambda progress: self.process.ledger.report(self.request.id, progress))
        with (
            log_context(site_id=getattr(request, "site_id", None)),
            Work(self.process.settings, lambda: self.process.engine, SystemClock(), report) as work,
        ):
            reply = self.definition.body(request, work)
        return wire.encode_reply(reply)

    def _failed(self, error: LunaError) -> TaskFailedError:
        return TaskFailedError(wire.encode_error(error))

    def _too_slow(self) -> LunaError:
        log.warning("task too slow", soft_limit=str(self.definition.soft_limit))
        return LunaError(f"the task took longer than {self.definition.soft_limit}", field="task", value=self.name, remedy="Ask for a smaller piece of work.")

    def _bury(self, text: str, key: str) -> TaskFailedError:
        now = SystemClock().now()
        self.process.ledger.bury(DeadTask(task_id=self.request.id, task=self.name, key=key, starts=MAX_STARTS, died_at=now, request=text))
        log.error("task dead", key=key, starts=MAX_STARTS)
        return self._failed(
            LunaError(f"the task ended its worker {MAX_STARTS} times", field="task", value=self.name, remedy="It is kept among the dead tasks; see the log.")
        )


def register(app: object, definition: Definition, process: Process) -> None:
    """Make ``definition`` known to the Celery application as a task."""
    kind = type(
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
    app.register_task(kind())  # type: ignore[attr-defined]


def backoff_seconds(retries: int) -> float:
    """Return how long to wait before the next try: exponential with full jitter, so that failures do not come back together."""
    return random.uniform(0, _FIRST_BACKOFF_SECONDS * 2**retries)  # noqa: S311 - spreads load, hides nothing


def throttle(report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Return ``report`` at five calls a second at most; the last step always passes."""
    next_at = 0.0

    def pass_on(progress: Progress) -> None:
        nonlocal next_at
        now = time.monotonic()
        if now >= next_at or progress.done >= progress.total:
            next_at = now + _REPORT_EVERY_SECONDS
            report(progress)

    return pass_on
