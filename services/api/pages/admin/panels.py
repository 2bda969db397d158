"""The panels of the admin pages.

Each is read separately, so that one failure does not affect the others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from luna.contracts.job import JobFilter
from luna.energy.errors import LunaError
from luna.platform.clock import SystemClock
from luna.platform.database import answers, audit, jobs, training_runs, volume
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.services import SERVICES
from luna.platform.telemetry import (
    RECENT_LINES,
    current_trace_id,
    describe_event,
    parse_line,
    read_instant,
)
from services.api.gateway import Gateway
from services.api.pages.job_part import find_progress
from services.api.service_status import service_status

MOST_JOBS = 50
MOST_RUNS = 20
MOST_ENTRIES = 100
MOST_LINES = 200
MOST_ANSWERS = 50
# Routes of who watches the installation: these pages with what they load, and monitors.
WATCHING = ("/ui/admin", "/static", "/health", "/metrics")


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """The parameters of a panel."""

    status: JobFilter | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its content or its error; ``every_seconds``: refresh interval."""

    name: str
    at: datetime
    every_seconds: int
    content: Mapping[str, Any] = field(default_factory=dict)
    error: LunaError | None = None
    trace_id: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.error is None and not any(self.content.values())


def read_panel(gateway: Gateway, name: str, question: PanelQuery) -> Panel:
    """Read a panel; a failure becomes its error."""
    load, every = PANELS[name]
    now = SystemClock().now()
    try:
        return Panel(name, now, every, load(gateway, question))
    except LunaError as error:
        return Panel(name, now, every, error=error, trace_id=current_trace_id())


def _services(gateway: Gateway, _question: PanelQuery) -> Mapping[str, Any]:
    return {"services": service_status(gateway, now=SystemClock().now()).services}


def _queues(gateway: Gateway, _question: PanelQuery) -> Mapping[str, Any]:
    with unit_of_work(gateway.database) as connection:
        counts = jobs.count(connection)
    tasks = gateway.queue.tasks
    return {
        "waiting": {name: tasks.waiting(name) for name in SERVICES},
        "counts": counts,
        "dead": tasks.dead(),
    }


def _volume(gateway: Gateway, _question: PanelQuery) -> Mapping[str, Any]:
    with unit_of_work(gateway.database) as connection:
        tables = volume.list_tables(connection)
        whole = volume.measure_database(connection)
    return {"tables": tables, "size_bytes": whole, "objects": gateway.objects.probe()}


def _jobs(gateway: Gateway, question: PanelQuery) -> Mapping[str, Any]:
    with unit_of_work(gateway.database) as connection:
        listed = jobs.list_newest(connection, status=question.status, limit=MOST_JOBS)
        if not listed:
            return {}
        running = [jobs.load(connection, job.job_id) for job in listed if job.status == "running"]
    return {
        "jobs": listed,
        "progress": {job.job_id: find_progress(gateway, job) for job in running},
    }


def _models(gateway: Gateway, _question: PanelQuery) -> Mapping[str, Any]:
    with unit_of_work(gateway.database) as connection:
        return {"runs": training_runs.list_newest(connection, limit=MOST_RUNS)}


def _audit(gateway: Gateway, _question: PanelQuery) -> Mapping[str, Any]:
    with unit_of_work(gateway.database) as connection:
        entries, _ = audit.list_before(connection, audit.AuditFilter(), limit=MOST_ENTRIES)
    return {"entries": entries}


def _answers(gateway: Gateway, _question: PanelQuery) -> Mapping[str, Any]:
    with unit_of_work(gateway.database) as connection:
        return {
            "answers": answers.list_before(connection, answers.AnswerFilter(), limit=MOST_ANSWERS)
        }


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log line: when, where it says so, and the rest for people."""

    at: datetime | None
    text: str


def _logs(_gateway: Gateway, _question: PanelQuery) -> Mapping[str, Any]:
    return {"lines": [*islice(_list_lines(), MOST_LINES)]}


def _list_lines() -> Iterator[LogRow]:
    """Yield the last log lines, the newest first, without requests of who only watches."""
    for line in list(RECENT_LINES)[::-1]:
        event = parse_line(line)
        if event is None:
            yield LogRow(None, line)
        elif not _is_watching(event):
            yield LogRow(read_instant(event), describe_event(event))


def _is_watching(event: Mapping[str, Any]) -> bool:
    """Return whether a log line is of an admin page or a monitor."""
    is_read = event.get("event") == "request" and event.get("method") == "GET"
    return is_read and str(event.get("route")).startswith(WATCHING)


# Reader and refresh interval in seconds, by name.
PANELS: Mapping[str, tuple[Callable[[Gateway, PanelQuery], Mapping[str, Any]], int]] = {
    "services": (_services, 5),
    "queues": (_queues, 5),
    "volume": (_volume, 60),
    "jobs": (_jobs, 3),
    "models": (_models, 30),
    "audit": (_audit, 15),
    # Long, since a refresh closes what the reader has opened.
    "answers": (_answers, 300),
    "logs": (_logs, 5),
}
# The panels of each page.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "status": ("services", "queues", "volume", "models"),
    "jobs": ("jobs",),
    "audit": ("audit",),
    "answers": ("answers",),
    "logs": ("logs",),
}
