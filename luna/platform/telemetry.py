"""Log lines of a process on stderr, as JSON or for people on a terminal.

With context fields, and without secrets.

A log line has an event and fields; ``trace_id``, ``task_id``, ``task_name`` and ``site_id`` come
from the context. Metrics are named ``luna_<service>_<what>_<unit>``.
"""

import json
import logging
import re
import sys
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr
from structlog.contextvars import bound_contextvars, get_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"
_SECRET_NAMES = re.compile(
    r"(?:^|[_-])(?:password|passwd|secret|token|authorization|api_?key|credentials?|"
    r"cookie)(?:$|[_-])",
    re.IGNORECASE,
)
_SECRET_IN_URL = re.compile(r"(?<=://)([^\s:/@]*):([^\s@]+)@")
# In headers, cookies and queries, as libraries log them.
_SECRET_IN_TEXT = re.compile(
    r"(\b(?:bearer|basic)\s+|(?<![a-z])(?:\w*[_-])?"
    r"(?:password|passwd|secret|token|session|signature|api_?key)=)"
    r"""[^\s&;,"'\\]+""",
    re.IGNORECASE,
)
_TRACE_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
# Libraries whose INFO is no use to an operator.
_QUIET = (
    "alembic",
    "httpx",
    "httpcore",
    "celery.app.trace",
    "celery.worker.strategy",
    "kombu",
    "uvicorn.access",
)


# The last log lines of this process and its children, about a megabyte, for a page.
RECENT_LINES: deque[str] = deque(maxlen=2_000)


# Fields that have a place of their own in a line for people, or repeat the event.
_PLACED = ("at", "level", "service", "event", "exception", "color_message")
# Fields that a terminal leaves out; the log page shows them.
_NOT_ON_TERMINAL = ("logger", "trace_id", "task_id")


def parse_line(line: str) -> dict[str, Any] | None:
    """Return the fields of a log line; None where it is no JSON object."""
    event: Any = None
    with suppress(ValueError, RecursionError):
        event = json.loads(line)
    return event if isinstance(event, dict) else None


def describe_event(event: Mapping[str, Any]) -> str:
    """Return a log line for people, without its instant: level, service, event and fields."""
    fields = [f"{name}={value}" for name, value in event.items() if name not in _PLACED]
    place = f"{event.get('level', ''):<8}{event.get('service', '')}"
    line = " ".join([f"{place}: {event.get('event', '')}", *fields])
    return f"{line}\n{event['exception']}" if event.get("exception") else line


def describe_line(line: str) -> str:
    """Return a log line for a terminal, with the machine's clock time.

    A line that is no JSON object as it is.
    """
    event = parse_line(line)
    return line if event is None else _describe_on_terminal(event)


def _describe_on_terminal(event: Mapping[str, Any]) -> str:
    text = describe_event(
        {name: value for name, value in event.items() if name not in _NOT_ON_TERMINAL}
    )
    at = read_instant(event)
    return text if at is None else f"{at.astimezone():%H:%M:%S} {text}"


def read_instant(event: Mapping[str, Any]) -> datetime | None:
    """Return when a line was logged; None where it does not say so."""
    try:
        return datetime.fromisoformat(str(event.get("at")))
    except ValueError:
        return None


def _render_on_terminal(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _describe_on_terminal(event)


_FINAL: list[Processor] = [
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    structlog.processors.JSONRenderer(),
]
_FINAL_ON_TERMINAL: list[Processor] = [
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    _render_on_terminal,
]


class _KeepRecent(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        RECENT_LINES.append(self.format(record))


def configure_logging(service: str, *, level: str = "INFO") -> None:
    """Write all logs of this process, including libraries', to stderr.

    As JSON lines with the field ``service``, on a terminal as lines for people.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        _name_service(service),
        hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=_FINAL_ON_TERMINAL if sys.stderr.isatty() else _FINAL,
            foreign_pre_chain=shared,
        )
    )
    recent = _KeepRecent()
    recent.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=_FINAL, foreign_pre_chain=shared)
    )
    logging.basicConfig(handlers=[handler, recent], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


@contextmanager
def log_to_file(path: Path | None, *, logger: str, level: str, console: bool) -> Iterator[None]:
    """Also append a logger's lines from ``level`` on to a file while the block runs.

    They are JSON.

    Args:
        path: of the file; None: no file.
        logger: its name; includes its children.
        level: the least level.
        console: False: write to the file alone.
    """
    named = logging.getLogger(logger)
    before = named.level, named.propagate
    handler = None
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                processors=_FINAL, foreign_pre_chain=[structlog.stdlib.add_log_level]
            )
        )
        named.addHandler(handler)
    named.setLevel(level)
    named.propagate = console and named.propagate
    try:
        yield
    finally:
        # setLevel also clears the loggers' cached levels.
        named.setLevel(before[0])
        named.propagate = before[1]
        if handler is not None:
            named.removeHandler(handler)
            handler.close()


def ensure_plain_lines() -> None:
    """Configure plain log lines where nothing is configured.

    As in a program that embeds the gateway: structlog's default prints the locals of every frame.
    """
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace values with secret names, and passwords in texts."""
    hidden = {}
    for name, value in event.items():
        is_secret = _SECRET_NAMES.search(name)
        hidden[name] = HIDDEN if is_secret else without_secrets(value)
    return hidden


@contextmanager
def log_context(**fields: str | None) -> Iterator[None]:
    """Bind ``fields`` to every log line of the block; None leaves a field unchanged."""
    with bound_contextvars(**{name: value for name, value in fields.items() if value is not None}):
        yield


def current_trace_id() -> str:
    """Return the trace id of this context, or a new one."""
    return str(get_contextvars().get("trace_id") or new_trace_id())


def new_trace_id(candidate: str | None = None) -> str:
    """Return ``candidate`` if it is a valid trace id, else a new one."""
    return candidate if candidate and _TRACE_ID.fullmatch(candidate) else uuid.uuid4().hex


def _name_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def without_secrets(value: object) -> object:
    """Return a value without secrets, also nested in lists and mappings.

    Secrets are found by name or by pattern.
    """
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, dict):
        plain = {}
        for name, inner in value.items():
            is_secret = _SECRET_NAMES.search(str(name))
            plain[name] = HIDDEN if is_secret else without_secrets(inner)
        return plain
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    if not isinstance(value, str):
        return value
    without_passwords = _SECRET_IN_URL.sub(rf"\1:{HIDDEN}@", value)
    return _SECRET_IN_TEXT.sub(rf"\1{HIDDEN}", without_passwords)
