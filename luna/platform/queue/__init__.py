"""Send typed messages between services.

There is one Celery queue per service, and one request and one reply model per task.
"""

from luna.contracts.job import Progress
from luna.platform.queue.client import Client
from luna.platform.queue.connection import outlast
from luna.platform.queue.heartbeats import Heartbeats
from luna.platform.queue.task import AwaitsJobError, RetryableError, task
from luna.platform.queue.task_context import TaskContext
from luna.platform.queue.task_monitor import TaskMonitor, TaskState
from luna.platform.queue.task_tracker import DeadTask

__all__ = [
    "AwaitsJobError",
    "Client",
    "DeadTask",
    "Heartbeats",
    "Progress",
    "RetryableError",
    "TaskContext",
    "TaskMonitor",
    "TaskState",
    "outlast",
    "task",
]
