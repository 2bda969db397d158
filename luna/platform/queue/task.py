"""Declare a task: a function from a request and its unit of work to a reply.

    from luna.contracts import PlanReply, PlanRequest
    from luna.platform.queue import TaskContext, task

    @task(PlanRequest, soft_limit=timedelta(minutes=10))
    def solve(request: PlanRequest, work: TaskContext) -> PlanReply:
        site = sites.load(work.connection, request.site_id)
        plan = plan_site(site, ..., now=work.clock.now())
        plans.save(work.connection, ...)
        return plan

Around the body the worker validates the message, binds the log context, records metrics, opens a
unit of work at the first use of ``work.connection`` (committed after the body, rolled back on an
error) and enforces the time limits. ``RetryableError`` is retried up to five times, any other
``LunaError`` reaches the caller in its own class, everything else is logged with its traceback and
reaches the caller without internals. A message may be delivered twice, so writes use natural keys.
The function itself stays callable: ``solve(request, work)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from luna.contracts.message import Message, Request
from luna.energy.errors import UnavailableError
from luna.platform.queue.app import GRACE, LONGEST_LIMIT, SOFT_LIMIT
from luna.platform.queue.task_context import TaskContext

RequestT = TypeVar("RequestT", bound=Request)
# A reply, or its JSON text where the body has serialised it already.
ReplyT = TypeVar("ReplyT", bound=Message | str)


class RetryableError(UnavailableError):
    """A temporary failure of a dependency.

    The task is retried up to five times, then the caller gets this error.
    """


class AwaitsJobError(UnavailableError):
    """Another job has to end first.

    The task is delivered again until then, without counting as an attempt.
    """


@dataclass(frozen=True)
class Definition:
    """A declared task: its request model, body and time limits."""

    request: type[Request]
    body: Callable[[Any, TaskContext], Message | str]
    soft_limit: timedelta
    hard_limit: timedelta

    @property
    def name(self) -> str:
        """The task's name on the queue: ``<service>.<noun>.<verb>``."""
        return self.request.task


_DEFINITIONS: dict[str, Definition] = {}


def task(
    request: type[RequestT],
    *,
    soft_limit: timedelta = SOFT_LIMIT,
    hard_limit: timedelta | None = None,
) -> Callable[
    [Callable[[RequestT, TaskContext], ReplyT]], Callable[[RequestT, TaskContext], ReplyT]
]:
    """Declare the decorated function as the body of the task that serves ``request``.

    Args:
        request: the message model; its ``task`` is the task's name, its ``reply`` the body's return
            type.
        soft_limit: interrupts the body; the caller gets an error.
        hard_limit: ends the process; default: the soft limit and two minutes.

    Raises:
        ValueError: the limits are out of order, or another module declares the same request.
    """
    hard = hard_limit or soft_limit + GRACE
    if not timedelta(0) < soft_limit < hard <= LONGEST_LIMIT:
        raise ValueError(
            f"{request.task}: soft limit {soft_limit}, hard limit {hard}; wanted 0 < soft "
            f"< hard <= {LONGEST_LIMIT}"
        )

    def declare(
        body: Callable[[RequestT, TaskContext], ReplyT],
    ) -> Callable[[RequestT, TaskContext], ReplyT]:
        existing = _DEFINITIONS.get(request.task)
        if existing and existing.body.__module__ != body.__module__:
            raise ValueError(f"{request.task} is already answered by {existing.body.__module__}")
        _DEFINITIONS[request.task] = Definition(request, body, soft_limit, hard)
        return body

    return declare


def definitions() -> dict[str, Definition]:
    """Return every task declared so far, by name."""
    return dict(_DEFINITIONS)
