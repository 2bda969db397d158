"""Logs, metrics and health, one of each: JSON lines on stderr, Prometheus in the process, checks with their latency.

A log line holds an event and fields; ``trace_id``, ``task_id``, ``task_name`` and ``site_id`` come from the context. A metric is
named ``luna_<service>_<what>_<unit>``. What looks like a secret is never written.
"""

import logging
import re
import sys
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import SecretStr
from structlog.contextvars import bound_contextvars, get_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"
_SECRET_NAMES = re.compile(r"(?:^|[_-])(?:password|passwd|secret|token|authorization|api_?key|credentials?|cookie)(?:$|[_-])", re.IGNORECASE)
_SECRET_IN_URL = re.compile(r"(?<=://)([^\s:/@]*):([^\s@]+)@")
# As headers, cookies and queries have them, in the lines of libraries that write such.
_SECRET_IN_TEXT = re.compile(
    r"""(\b(?:bearer|basic)\s+|(?<![a-z])(?:\w*[_-])?(?:password|passwd|secret|token|session|signature|api_?key)=)[^\s&;,"'\\]+""", re.IGNORECASE
)
_TRACE_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
# Libraries whose INFO says nothing to an operator.
_QUIET = ("alembic", "httpx", "httpcore", "celery.app.trace", "celery.worker.strategy", "kombu", "uvicorn.access")


# The last lines of this process, and of those it started and listens to: a page shows them. About a megabyte.
RECENT_LINES: deque[str] = deque(maxlen=2_000)


_FINAL: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]


class _KeepRecent(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        RECENT_LINES.append(self.format(record))


def configure_logging(service: str, *, level: str = "INFO") -> None:
    """Send every log of this process, also of libraries, to stderr as JSON lines named after ``service``."""
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
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    recent = _KeepRecent()
    for each in (handler, recent):
        each.setFormatter(structlog.stdlib.ProcessorFormatter(processors=_FINAL, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler, recent], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))


@contextmanager
def log_to_file(path: Path | None, *, logger: str, level: str, console: bool) -> Iterator[None]:
    """Within, write what a logger and those below it say from ``level`` on to the end of a file as well, as JSON lines.

    Args:
        path: of the file; None: there is none.
        logger: the name of the logger.
        level: the least level.
        console: False: such lines go to the file alone.
    """
    named = logging.getLogger(logger)
    before = named.level, named.propagate
    handler = None
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=_FINAL, foreign_pre_chain=[structlog.stdlib.add_log_level]))
        named.addHandler(handler)
    named.setLevel(level)
    named.propagate = console and named.propagate
    try:
        yield
    finally:
        # Asked once, a logger remembers which levels it passes on until it is told another.
        named.setLevel(before[0])
        named.propagate = before[1]
        if handler is not None:
            named.removeHandler(handler)
            handler.close()


def ensure_plain_lines() -> None:
    """Where nobody configured logs, as in a program that embeds the gateway, have them written as plain lines: structlog's own name every frame's locals."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback),
        ]
    )


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace what is secret by its name or stands as a password in a URL."""
    return {name: HIDDEN if _SECRET_NAMES.search(name) else without_secrets(value) for name, value in event.items()}


@contextmanager
def log_context(**fields: str | None) -> Iterator[None]:
    """Bind ``fields`` to every log line within; those that are None stay as they are."""
    with bound_contextvars(**{name: value for name, value in fields.items() if value is not None}):
        yield


def current_trace_id() -> str:
    """Return the trace that this context belongs to, or a new one."""
    return str(get_contextvars().get("trace_id") or new_trace_id())


def new_trace_id(candidate: str | None = None) -> str:
    """Return ``candidate`` where it is fit to be a trace's id, else a new one."""
    return candidate if candidate and _TRACE_ID.fullmatch(candidate) else uuid.uuid4().hex


def _name_service(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def without_secrets(value: object) -> object:
    """Return a value, also one of lists and tables, without what is secret by its name or by how it stands in a text."""
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, dict):
        return {name: HIDDEN if _SECRET_NAMES.search(str(name)) else without_secrets(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets(inner) for inner in value]
    return _SECRET_IN_TEXT.sub(rf"\1{HIDDEN}", _SECRET_IN_URL.sub(rf"\1:{HIDDEN}@", value)) if isinstance(value, str) else value
