"""Ends the process of a job that was cancelled; the pool replaces it.

What the attempt did is rolled back with its connection, and its row is ended already, so that its message, should it come again, finds nothing to do.
"""

import redis
import structlog
from celery.worker.state import active_requests

from luna.platform.queue.connection import connect
from luna.platform.queue.task_base import TASKS
from luna.platform.queue.task_tracker import TaskTracker

log = structlog.get_logger("luna.queue")


class Cancellation:
    """Looks which of this worker's running jobs were cancelled. Belongs to the event loop, where no process is given another task meanwhile.

    Args:
        redis_url: the queue; impatient, because the loop has other work.
    """

    def __init__(self, redis_url: str) -> None:
        self._tracker = TaskTracker(connect(redis_url))

    def look(self, pool: object) -> None:
        """End what was cancelled; without Redis, at the next look."""
        running = [request for request in list(active_requests) if "job_id" in request.kwargs]
        try:
            cancelled = self._tracker.find_cancelled(sorted({request.id for request in running}))
            for request in running:
                if request.id in cancelled:
                    # Not to be caught: a body inside a library would hear of nothing gentler.
                    request.terminate(pool, signal="KILL")
                    TASKS.labels(request.name, "cancelled").inc()
                    # A start that was ended from outside is no death.
                    self._tracker.end(request.id, request.id)
                    log.info("job cancelled, its process is ended", task_id=request.id, task_name=request.name)
        except redis.RedisError as exc:
            log.warning("queue does not answer", error=str(exc))
