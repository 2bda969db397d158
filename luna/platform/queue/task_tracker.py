"""Tracks tasks in Redis: starts, progress, cancellation and dead letters.

Keys, all below ``luna:``: ``starts:<key>`` (hash: task id → starts that have not ended),
``running:<task id>``, ``events:<task id>`` (list: its progress, at last its end), ``dead`` (hash:
task id → dead letter), ``cancelled:<task id>`` (the worker that runs it has to end it),
``aborted:<task id>`` (a library ended its process).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import redis

from luna.contracts.job import Progress
from luna.contracts.message import Message
from luna.platform.queue.app import PREFIX, RESULT_EXPIRES, VISIBILITY_TIMEOUT

MAX_STARTS = 3
_MOST_EVENTS = 64
_ENDED = "{}"


class DeadTask(Message):
    """A task that ended its worker each time it was started, and is not tried again."""

    task_id: str
    task: str
    key: str
    starts: int
    died_at: datetime
    request: str


class TaskTracker:
    """Starts, events and dead letters of tasks in one Redis."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def start(self, key: str, task_id: str) -> int:
        """Record a start and return how many starts under ``key`` never ended.

        A second start of a task id is a second delivery: the first start did not end. Equal
        requests that run at the same time have their own ids and count as none. Deletes the events,
        dead letter and cancellation of an earlier start.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hincrby(_starts(key), task_id, 1)
            pipe.expire(_starts(key), VISIBILITY_TIMEOUT)
            pipe.hvals(_starts(key))
            pipe.set(_running(task_id), 1, ex=VISIBILITY_TIMEOUT)
            pipe.delete(_events(task_id))
            pipe.hdel(f"{PREFIX}dead", task_id)
            pipe.delete(_cancelled(task_id))
            counts: list[Any] = pipe.execute()[2]
        return sum(int(count) - 1 for count in counts)

    def end(self, key: str, task_id: str, *, final: bool = True) -> None:
        """Record the end of a start.

        ``final`` wakes the clients that wait for the result.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hdel(_starts(key), task_id)
            pipe.delete(_running(task_id))
            if final:
                self._note(pipe, task_id, _ENDED)
            pipe.execute()

    def dead_letter(self, dead: DeadTask) -> None:
        """Store a dead letter; the starts of its key count from zero again."""
        with self._redis.pipeline() as pipe:
            pipe.hset(f"{PREFIX}dead", dead.task_id, dead.model_dump_json())
            pipe.delete(_starts(dead.key))
            pipe.execute()

    def dead(self) -> list[DeadTask]:
        """Return the dead letters, the latest first."""
        buried: list[Any] = self._redis.hvals(f"{PREFIX}dead")
        return sorted(
            (DeadTask.model_validate_json(text) for text in buried),
            key=lambda task: task.died_at,
            reverse=True,
        )

    def cancel(self, task_id: str) -> None:
        """Mark a task as cancelled; its worker ends it."""
        self._redis.set(_cancelled(task_id), 1, ex=VISIBILITY_TIMEOUT)

    def find_cancelled(self, task_ids: Sequence[str]) -> set[str]:
        """Return those of ``task_ids`` that are cancelled."""
        marks: Any = (
            self._redis.mget([_cancelled(task_id) for task_id in task_ids]) if task_ids else []
        )
        return {task_id for task_id, mark in zip(task_ids, marks, strict=True) if mark}

    def report(self, task_id: str, progress: Progress) -> None:
        """Record a task's progress."""
        with self._redis.pipeline(transaction=False) as pipe:
            self._note(pipe, task_id, progress.model_dump_json())
            pipe.execute()

    def last_report(self, task_id: str) -> Progress | None:
        """Return the last progress of a task, None where it has reported none or has ended."""
        event: Any = self._redis.lindex(_events(task_id), -1)
        return _progress(event)

    def note_abort(self, task_id: str) -> None:
        """Record that a library ended the process of a task."""
        self._redis.set(f"{PREFIX}aborted:{task_id}", 1, ex=VISIBILITY_TIMEOUT)

    def forget_abort(self, task_id: str) -> bool:
        """Return whether a library ended the task's last start, and delete the record.

        It ended the process.
        """
        return bool(self._redis.delete(f"{PREFIX}aborted:{task_id}"))

    def last_reports(self, task_ids: Sequence[str]) -> dict[str, Progress]:
        """Return the last progress of tasks.

        Without those that have reported none or have ended.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            for task_id in task_ids:
                pipe.lindex(_events(task_id), -1)
            events: list[Any] = pipe.execute()
        reports = {}
        for task_id, event in zip(task_ids, events, strict=True):
            report = _progress(event)
            if report is not None:
                reports[task_id] = report
        return reports

    def running(self, task_id: str) -> bool:
        """Return whether a task has started and not ended."""
        return bool(self._redis.exists(_running(task_id)))

    def next_event(self, task_id: str, *, timeout: float) -> Progress | None:
        """Wait up to ``timeout`` seconds for the next progress of a task.

        None on a time-out or its end.
        """
        event: Any = self._redis.blpop([_events(task_id)], timeout=timeout)
        return _progress(event and event[1])

    def _note(self, pipe: "redis.client.Pipeline", task_id: str, event: str) -> None:
        pipe.rpush(_events(task_id), event)
        pipe.ltrim(_events(task_id), -_MOST_EVENTS, -1)
        pipe.expire(_events(task_id), RESULT_EXPIRES)


def _progress(event: str | bytes | None) -> Progress | None:
    return None if event in (None, _ENDED, _ENDED.encode()) else Progress.model_validate_json(event)


def _starts(key: str) -> str:
    return f"{PREFIX}starts:{key}"


def _cancelled(task_id: str) -> str:
    return f"{PREFIX}cancelled:{task_id}"


def _running(task_id: str) -> str:
    return f"{PREFIX}running:{task_id}"


def _events(task_id: str) -> str:
    return f"{PREFIX}events:{task_id}"
