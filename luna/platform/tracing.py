"""Trace requests with OpenTelemetry spans, from the gateway to the solver.

They pass queue and worker.

Off unless LUNA_TRACES_URL names a collector, which receives spans over OTLP/HTTP; needs the extra
``tracing``. The trace id is the one in log lines and problem documents.

    with span("planner.plan", site="home"):
        ...
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Protocol

from luna.energy.refusals import refuse
from luna.platform.telemetry import new_trace_id

# Header with the parent span of a message or request. Source: W3C Trace Context.
TRACEPARENT = "traceparent"
_NANOSECONDS = 1_000_000_000
# Short, because a worker's process may end with its task.
SENT_EVERY_SECONDS = 1.0

Attribute = str | int | float | bool


class Tracer(Protocol):
    def span(
        self, name: str, parent: str | None, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[None]:
        """Return a context manager for a span around a block.

        ``parent`` is another process's traceparent, None: the enclosing span.
        """

    def note(self, name: str, parent: str | None, since: datetime, until: datetime) -> str | None:
        """Record a completed span, and return its traceparent for its successors."""

    def current(self) -> str | None:
        """Return the traceparent for another process."""


class _Untraced:
    """The tracer without a collector."""

    def span(
        self, name: str, parent: str | None, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[None]:
        return nullcontext()

    def note(self, name: str, parent: str | None, since: datetime, until: datetime) -> str | None:
        return None

    def current(self) -> str | None:
        return None


_UNTRACED: Tracer = _Untraced()
# Trace id of a span without a parent.
_REQUESTED: ContextVar[str | None] = ContextVar("requested_trace", default=None)


class _Tracing:
    """This process's tracer.

    A forked process creates its own, because exporter threads do not survive a fork.
    """

    service: str = ""
    url: str | None = None
    tracer: Tracer = _UNTRACED
    pid: int = 0


def configure_tracing(service: str, url: str | None) -> None:
    """Export spans of this process, and of its forks, to the collector at ``url``.

    None: nowhere.

    Raises:
        MachineError: the libraries for it are not installed.
    """
    if url is not None:
        try:
            import opentelemetry.exporter.otlp.proto.http
            import opentelemetry.sdk.trace  # noqa: F401
        except ImportError as exc:
            raise refuse("tracing-libraries", field="LUNA_TRACES_URL", value=url) from exc
    if isinstance(_Tracing.tracer, _Collected) and _Tracing.pid == os.getpid():
        _Tracing.tracer.close()
    _Tracing.service = service
    _Tracing.url = url
    _Tracing.tracer = _UNTRACED
    _Tracing.pid = 0


def span(
    name: str, *, parent: str | None = None, trace_id: str | None = None, **attributes: Attribute
) -> AbstractContextManager[None]:
    """Return a context manager for a span around a block.

    A no-op without a collector.

    Args:
        name: of the operation.
        parent: another process's traceparent (``current_span``); default: the enclosing span.
        trace_id: of a new trace, where there is no parent.
        attributes: of the span; no secrets.
    """
    if _Tracing.url is None:
        return nullcontext()
    return _wanting(trace_id, _tracer().span(name, parent, attributes))


def note_span(
    name: str, *, parent: str | None, trace_id: str | None, since: datetime, until: datetime
) -> str | None:
    """Record a completed span and return its traceparent, None without a collector."""
    if _Tracing.url is None:
        return None
    with _wanting(trace_id, nullcontext()):
        return _tracer().note(name, parent, since, until)


def current_span() -> str | None:
    """Return the traceparent for another process, None without a collector."""
    return None if _Tracing.url is None else _tracer().current()


def trace_of(traceparent: str | None) -> str | None:
    """Return the trace id in a caller's traceparent, None where it has no valid one."""
    parts = (traceparent or "").split("-")
    if len(parts) != 4 or len(parts[1]) != 32:
        return None
    digits = set(parts[1])
    is_hexadecimal = digits <= set("0123456789abcdef")
    return new_trace_id(parts[1]) if is_hexadecimal and digits != {"0"} else None


@contextmanager
def _wanting(trace_id: str | None, inner: AbstractContextManager[None]) -> Iterator[None]:
    token = _REQUESTED.set(trace_id)
    try:
        with inner:
            yield
    finally:
        _REQUESTED.reset(token)


def _tracer() -> Tracer:
    if _Tracing.pid != os.getpid():
        _Tracing.tracer = _Collected(_Tracing.service, str(_Tracing.url))
        _Tracing.pid = os.getpid()
    return _Tracing.tracer


def _as_number(trace_id: str) -> int:
    """Return a trace id as 128 bits.

    Itself if it is 32 hexadecimal digits, else its digest.
    """
    plain = trace_id.lower()
    is_plain = len(plain) == 32 and set(plain) <= set("0123456789abcdef")
    return int(plain, 16) if is_plain else int(sha256(trace_id.encode()).hexdigest()[:32], 16)


class _Collected:
    """Exports spans to a collector from a separate thread.

    Without the collector only spans are lost.
    """

    def __init__(self, service: str, url: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        class OwnIds(RandomIdGenerator):
            def generate_trace_id(self) -> int:
                trace_id = _REQUESTED.get()
                return _as_number(trace_id) if trace_id else super().generate_trace_id()

        resource = Resource.create(
            {"service.name": f"luna-{service}", "service.version": version("luna-energy")}
        )
        self._provider = TracerProvider(resource=resource, id_generator=OwnIds())
        exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=5)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=SENT_EVERY_SECONDS * 1000)
        )
        self._tracer = self._provider.get_tracer("luna")

    @contextmanager
    def span(
        self, name: str, parent: str | None, attributes: Mapping[str, Attribute]
    ) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name, context=_context_of(parent), attributes=dict(attributes)
        ):
            yield

    def note(self, name: str, parent: str | None, since: datetime, until: datetime) -> str | None:
        otel_span = self._tracer.start_span(
            name, context=_context_of(parent), start_time=int(since.timestamp() * _NANOSECONDS)
        )
        otel_span.end(int(until.timestamp() * _NANOSECONDS))
        return _name_of(otel_span)

    def current(self) -> str | None:
        from opentelemetry.trace import get_current_span

        return _name_of(get_current_span())

    def close(self) -> None:
        self._provider.shutdown()


def _context_of(parent: str | None) -> Any:
    """Return the context of another process's traceparent, None for this process's own."""
    if parent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({TRACEPARENT: parent})


def _name_of(otel_span: Any) -> str | None:
    context = otel_span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01" if context.is_valid else None
