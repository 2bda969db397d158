"""The queue's client: sends a request to the workers and receives the reply."""

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from luna.contracts.job import Job, Progress
from luna.contracts.message import Request, interactive_queue_of, queue_of
from luna.energy.errors import UnavailableError
from luna.platform.clock import SystemClock
from luna.platform.database.audit import AuditRecord
from luna.platform.queue import serialization
from luna.platform.queue.answer_streams import AnswerStreams
from luna.platform.queue.app import create_sender
from luna.platform.queue.connection import connect, outlast, reachable
from luna.platform.queue.heartbeats import Heartbeats
from luna.platform.queue.live_flows import LiveFlows
from luna.platform.queue.task_monitor import SENT_AT, TaskMonitor
from luna.platform.telemetry import current_trace_id
from luna.platform.tracing import TRACEPARENT, current_span

# Longer than it takes to notice a dead worker and to deliver its messages again.
LEAST_RETENTION = timedelta(minutes=2)
# From the interrupt of a task's body to the end of its process.
REPLY_GRACE = timedelta(seconds=10)
# Less than the whole delay: a delayed task may schedule the next one as soon as it begins.
_CLAIMED_SHARE = 0.9


class Client:
    """Sends requests to the workers behind one Redis; threads may share it.

    ``tasks`` follows a task, ``heartbeats`` lists the live workers, ``answers`` streams an answer
    while it is written, ``live`` has what flows in sites at this moment.

    Every method raises UnavailableError within three seconds where Redis is away or full.

    Raises:
        InvalidInputError: no address of a Redis; the value is not shown, for it may hold a
            password.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis = connect(redis_url)
        self._app = create_sender(redis_url)
        self.tasks = TaskMonitor(self._redis)
        self.heartbeats = Heartbeats(self._redis)
        self.answers = AnswerStreams(self._redis)
        self.live = LiveFlows(self._redis)

    def call(
        self,
        request: Request,
        *,
        timeout: timedelta,
        on_progress: Callable[[Progress], None] | None = None,
        abandoned: threading.Event | None = None,
        patience: timedelta = timedelta(0),
    ) -> Any:
        """Return the reply to ``request``, an instance of its ``reply`` model.

        Args:
            request: an instance of a request model.
            timeout: how long to wait; a task that has not begun by then is dropped.
            on_progress: receives the task's progress.
            abandoned: ends the wait within a second of being set; the task itself goes on.
            patience: how long Redis may be away before the call fails: a long wait survives a
                restart of the server.

        Raises:
            InvalidInputError: the message is refused; nothing was sent.
            UnavailableError: Redis is away, no reply came in time, or the caller gave up.
            LunaError: what the task raised, in its own class.
        """
        text = serialization.encode_request(request)
        task_id = uuid.uuid4().hex
        # One id and one key for every try: a message that was sent twice is done once.
        outlast(
            lambda: self._submit(request, text, task_id=task_id, expires=timeout),
            patience=patience,
            abandoned=abandoned,
        )
        reply = self.tasks.await_reply(
            task_id,
            request.task,
            timeout=timeout,
            on_progress=on_progress,
            abandoned=abandoned,
            patience=patience,
        )
        self.expire_reply(task_id, after=timeout)
        return serialization.decode_reply(request.reply, reply)

    def ask(self, request: Request, *, timeout: timedelta) -> str:
        """Return the reply to a ``request`` as the worker's JSON, unparsed.

        The request has just been validated.

        The request takes the interactive queue, past all jobs. After ``timeout`` the task is
        interrupted, for nobody waits for it any more.

        Args:
            request: an instance of a request model.
            timeout: how long to wait for the reply.

        Raises:
            UnavailableError, LunaError: as ``call`` does.
        """
        task_id, text = self.ask_retained(request, timeout=timeout)
        self.expire_reply(task_id, after=timeout)
        return text

    def ask_retained(
        self,
        request: Request,
        *,
        timeout: timedelta,
        shared_task_id: str | None = None,
        entry: AuditRecord | None = None,
    ) -> tuple[str, str]:
        """Return the id of the task and the reply as ``ask`` does.

        Redis retains the reply for an hour, or until ``expire_reply``.

        Args:
            request: an instance of a request model.
            timeout: how long to wait for the reply.
            shared_task_id: sends the task unless one of this id was sent within the hour, also by
                another process; its reply is returned then.
            entry: of the audit log, committed with what the task stores; not together with
                ``shared_task_id``.

        Raises:
            UnavailableError, LunaError: as ``call`` does.
        """
        task_id = shared_task_id or uuid.uuid4().hex
        if shared_task_id is None or self.tasks.claim(task_id, within=timeout + REPLY_GRACE):
            self.begin(request, timeout=timeout, task_id=task_id, entry=entry)
        return task_id, self.tasks.await_reply(task_id, request.task, timeout=timeout)

    def begin(
        self,
        request: Request,
        *,
        timeout: timedelta,
        task_id: str | None = None,
        entry: AuditRecord | None = None,
    ) -> str:
        """Send a ``request`` as ``ask`` does, and return the task's id without waiting.

        The request has just been validated.
        """
        seconds = timeout.total_seconds()
        limits: dict[str, Any] = {
            "soft_time_limit": seconds,
            "time_limit": seconds + REPLY_GRACE.total_seconds(),
        }
        queue = interactive_queue_of(request.queue())
        return self._submit(
            request,
            serialization.write_request(request),
            task_id=task_id,
            expires=timeout,
            entry=entry,
            queue=queue,
            **limits,
        )

    def submit(
        self, request: Request, *, key: str | None = None, expires: timedelta | None = None
    ) -> str:
        """Send ``request`` and return the task's id.

        Args:
            request: an instance of a request model.
            key: idempotency key, where different messages ask for the same work; default: a digest
                of the message.
            expires: a task that has not begun by then is dropped.
        """
        return self._submit(
            request, serialization.encode_request(request), key=key, expires=expires
        )

    def submit_later(self, request: Request, *, after: timedelta) -> None:
        """Schedule ``request`` for ``after`` that time unless it is scheduled already.

        Its outcome is not reported.
        """
        if self.tasks.claim(f"later:{request.task}", within=_CLAIMED_SHARE * after):
            self._submit(
                request,
                serialization.encode_request(request),
                countdown=after.total_seconds(),
                ignore_result=True,
            )

    def notify_job(self, job: Job) -> None:
        """Send a message that ``job`` waits.

        The worker reads the request from the job's row and stores the reply there.
        """
        self._send(
            job.task,
            "",
            {"key": job.job_id, "job_id": job.job_id, "trace_id": job.trace_id},
            task_id=job.job_id,
            ignore_result=True,
        )

    def is_served(self, request: type[Request], *, interactive: bool = False) -> bool:
        """Return whether a live worker consumes the queue of such requests.

        With ``interactive`` their interactive queue; False while Redis is away.
        """
        queue = interactive_queue_of(request.queue()) if interactive else request.queue()
        try:
            return self.heartbeats.serve(queue)
        except UnavailableError:
            return False

    def expire_reply(self, task_id: str, *, after: timedelta = LEAST_RETENTION) -> None:
        """Drop a reply that was read.

        A plan is a hundred kilobytes, and those of an hour would fill a small machine's memory.
        """
        with suppress(UnavailableError):
            self.tasks.expire_reply(task_id, after=max(after, LEAST_RETENTION))

    def ping(self) -> None:
        """Return if Redis answers."""
        with reachable():
            self._redis.ping()

    def close(self) -> None:
        self._app.close()
        self._redis.close()

    def _submit(
        self,
        request: Request,
        text: str,
        *,
        task_id: str | None = None,
        key: str | None = None,
        expires: timedelta | None = None,
        entry: AuditRecord | None = None,
        **options: Any,
    ) -> str:
        task_id = task_id or uuid.uuid4().hex
        arguments: dict[str, Any] = {
            "key": key or serialization.digest(request.task, text),
            "trace_id": current_trace_id(),
        }
        arguments |= {} if entry is None else {"entry": asdict(entry)}
        self._send(
            request.task,
            text,
            arguments,
            task_id=task_id,
            expires=expires.total_seconds() if expires else None,
            **options,
        )
        return task_id

    def _send(self, task: str, text: str, arguments: dict[str, Any], **options: Any) -> None:
        with reachable():
            headers = {SENT_AT: SystemClock().now().timestamp()} | (
                {TRACEPARENT: parent} if (parent := current_span()) else {}
            )
            self._app.send_task(
                task,
                (text,),
                arguments,
                headers=headers,
                argsrepr=task,
                kwargsrepr=arguments["key"],
                **{"queue": queue_of(task), **options},
            )
