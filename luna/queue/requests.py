"""Counts tasks in the worker's main process, where one registry sees the outcomes of all pool processes."""

from collections.abc import Callable
from typing import Any

from celery.exceptions import Ignore, Retry
from celery.worker.request import Request
from prometheus_client import Counter, Histogram

TASK_SECONDS = Histogram(
    "luna_queue_task_seconds",
    "Time a task ran in its process.",
    ["task"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200),
)
TASKS = Counter("luna_queue_tasks_total", "Tasks by outcome.", ["task", "outcome"])


class MeasuredRequest(Request):  # type: ignore[misc]
    """Celery's view of one delivered message, with its outcome counted."""

    def __init_subclass__(cls) -> None:
        # Celery derives a class per task whose on_success calls no other, so that one is wrapped.
        cls.on_success = _counted(cls.on_success)
        super().__init_subclass__()

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        # A retry is counted by itself; a message that was dropped did no work.
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
    def count(request: Request, failed__retval__runtime: tuple[bool, object, float], **kwargs: object) -> None:
        failed, _, seconds = failed__retval__runtime
        if not failed:
            TASK_SECONDS.labels(request.name).observe(seconds)
            TASKS.labels(request.name, "succeeded").inc()
        on_success(request, failed__retval__runtime, **kwargs)

    return count
