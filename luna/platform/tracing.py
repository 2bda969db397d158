"""Traces: what a request spends its time with, from the gateway through queue and worker to the solver.

Off unless LUNA_TRACES_URL names a collector, and then spans go there by OpenTelemetry's protocol over HTTP; wants the extra ``tracing``. A trace has the id
that log lines and problem documents name.

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

# The header by which a message and a request say which span they come from. Source: W3C Trace Context.
TRACEPARENT = "traceparent"
_NANOSECONDS = 1_000_000_000
# Sent soon: a worker's process may end with its task.
SENT_EVERY_SECONDS = 1.0

Attribute = str | int | float | bool


class Tracer(Protocol):
    """Makes spans."""

    def span(self, name: str, parent: str | None, attributes: Mapping[str, Attribute]) -> AbstractContextManager[None]:
        """Return what makes one around a block; ``parent`` comes from another process, None: the span around."""

    def note(self, name: str, parent: str | None, since: datetime, until: datetime) -> str | None:
        """Make one of what is over, and return what its successors name as their parent."""

    def current(self) -> str | None:
        """Return what another process names as its parent."""


class _Untraced:
    """What is used where nobody collects."""

    def span(self, name: str, parent: str | None, attributes: Mapping[str, Attribute]) -> AbstractContextManager[None]:
        return nullcontext()

    def note(self, name: str, parent: str | None, since: datetime, until: datetime) -> str | None:
        return None

    def current(self) -> str | None:
        return None


_UNTRACED: Tracer = _Untraced()
# The trace that a span without a parent begins.
_REQUESTED: ContextVar[str | None] = ContextVar("requested_trace", default=None)


class _Tracing:
    """What this process traces with. A forked one makes its own: threads that send do not outlive a fork."""

    service: str = ""
    url: str | None = None
    tracer: Tracer = _UNTRACED
    pid: int = 0


def configure_tracing(service: str, url: str | None) -> None:
    """Have spans of this process, and of those it forks, sent to the collector at ``url``; None: nowhere.

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
    _Tracing.service, _Tracing.url, _Tracing.tracer, _Tracing.pid = service, url, _UNTRACED, 0


def span(name: str, *, parent: str | None = None, trace_id: str | None = None, **attributes: Attribute) -> AbstractContextManager[None]:
    """Return what makes a span around a block; does nothing where nobody collects.

    Args:
        name: what is done.
        parent: what another process named (``current_span``); default: the span around.
        trace_id: of the trace that begins here, where there is no parent.
        attributes: what is worth knowing of it; nothing that is secret.
    """
    if _Tracing.url is None:
        return nullcontext()
    return _wanting(trace_id, _tracer().span(name, parent, attributes))


def note_span(name: str, *, parent: str | None, trace_id: str | None, since: datetime, until: datetime) -> str | None:
    """Note a span that is over and return what its successors name as their parent, None where nobody collects."""
    if _Tracing.url is None:
        return None
    with _wanting(trace_id, nullcontext()):
        return _tracer().note(name, parent, since, until)


def current_span() -> str | None:
    """Return what another process is to name as its parent, None where nobody collects."""
    return None if _Tracing.url is None else _tracer().current()


def trace_of(traceparent: str | None) -> str | None:
    """Return the trace that a caller's header names, None where it names none."""
    parts = (traceparent or "").split("-")
    valid = len(parts) == 4 and len(parts[1]) == 32 and set(parts[1]) <= set("0123456789abcdef") and set(parts[1]) != {"0"}
    return new_trace_id(parts[1]) if valid else None


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
        _Tracing.tracer, _Tracing.pid = _Collected(_Tracing.service, str(_Tracing.url)), os.getpid()
    return _Tracing.tracer


def _as_number(trace_id: str) -> int:
    """Return a trace's id as 128 bits: as it stands where it has the form, else its digest."""
    plain = trace_id.lower()
    is_plain = len(plain) == 32 and set(plain) <= set("0123456789abcdef")
    return int(plain, 16) if is_plain else int(sha256(trace_id.encode()).hexdigest()[:32], 16)


class _Collected:
    """Sends spans to a collector, from a thread of its own; a collector that is away costs spans and nothing else."""

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

        resource = Resource.create({"service.name": f"luna-{service}", "service.version": version("luna-energy")})
        self._provider = TracerProvider(resource=resource, id_generator=OwnIds())
        exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=5)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=SENT_EVERY_SECONDS * 1000))
        self._tracer = self._provider.get_tracer("luna")

    @contextmanager
    def span(self, name: str, parent: str | None, attributes: Mapping[str, Attribute]) -> Iterator[None]:
        with self._tracer.start_as_current_span(name, context=_context_of(parent), attributes=dict(attributes)):
            yield

    def note(self, name: str, parent: str | None, since: datetime, until: datetime) -> str | None:
        otel_span = self._tracer.start_span(name, context=_context_of(parent), start_time=int(since.timestamp() * _NANOSECONDS))
        otel_span.end(int(until.timestamp() * _NANOSECONDS))
        return _name_of(otel_span)

    def current(self) -> str | None:
        from opentelemetry.trace import get_current_span

        return _name_of(get_current_span())

    def close(self) -> None:
        self._provider.shutdown()


def _context_of(parent: str | None) -> Any:
    """Return the context that a parent of another process makes, None for that of this one."""
    if parent is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({TRACEPARENT: parent})


def _name_of(otel_span: Any) -> str | None:
    context = otel_span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-01" if context.is_valid else None
