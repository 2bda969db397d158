"""Typed messages between services: one Celery queue per service, one request and one reply model per task."""

from luna.queue.client import Client
from luna.queue.connection import outlast
from luna.queue.heartbeats import Heartbeats
from luna.queue.task import AwaitsJobError, RetryableError, task
from luna.queue.task_context import TaskContext
from luna.queue.task_monitor import TaskMonitor, TaskState
from luna.queue.task_tracker import DeadTask, Progress

__all__ = ["AwaitsJobError", "Client", "DeadTask", "Heartbeats", "Progress", "RetryableError", "TaskContext", "TaskMonitor", "TaskState", "outlast", "task"]
