"""One plan, asked of the gateway and made by a worker's own process, as it is seen from outside."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from luna.platform.embedded.supervisor import Addresses
from luna.platform.tracing import configure_tracing, current_span, span
from tests.support.gateway.server import serve
from tests.support.worker.processes import free_port, luna_process, says
from tests.support.worker.workers import wait_for

REQUEST: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "examples" / "plan_request.json").read_text(encoding="utf-8")
)


class Collector:
    """Takes spans as a collector does: OpenTelemetry's protocol over HTTP, in protobuf."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                plain = (
                    gzip.decompress(body)
                    if self.headers.get("Content-Encoding") == "gzip"
                    else body
                )
                for resource in ExportTraceServiceRequest.FromString(plain).resource_spans:
                    service = next(
                        each.value.string_value
                        for each in resource.resource.attributes
                        if each.key == "service.name"
                    )
                    collector.spans += [
                        (service, made) for scope in resource.scope_spans for made in scope.spans
                    ]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def of_trace(self, trace_id: str) -> dict[str, tuple[str, Span]]:
        return {
            made.name: (service, made)
            for service, made in self.spans
            if made.trace_id.hex() == trace_id
        }


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture
def traced(collector: Collector) -> Iterator[Collector]:
    """The collector, for a test in whose process spans are made."""
    yield collector
    configure_tracing("", None)


@pytest.fixture(scope="module")
def worker(
    redis_url: str,
    database_url: str,
    collector: Collector,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[int]:
    """The port of the metrics of a worker for plans, whose spans the collector takes."""
    port = free_port()
    arguments = (
        "planner",
        "--only",
        "interactive",
        "--processes",
        "1",
        "--beat-seconds",
        "0.5",
        "--health-port",
        str(port),
    )
    folder = tmp_path_factory.mktemp("worker")
    own = {
        "redis_url": redis_url,
        "database_url": database_url,
        "data_folder": str(folder),
        "traces_url": collector.url,
    }
    with luna_process("luna.platform.queue.worker", *arguments, **own):
        wait_for(lambda: says(port, "ready", 200))
        yield port


def read(port: int) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    return {
        name: float(value)
        for name, value in (
            line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("luna_")
        )
    }


# The first that asks for plans: it counts them.
def test_what_a_task_counts_in_its_own_process_is_read_from_the_worker(
    worker: int, database_url: str, redis_url: str
) -> None:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as api:
        for _ in range(2):
            api.post("/plan", json=REQUEST).raise_for_status()
    plans = 'luna_planner_plan_status_total{status="optimal"}'
    wait_for(lambda: read(worker).get(plans) == 2)
    found = read(worker)
    assert found["luna_planner_plan_gap_ratio_count"] == 2
    assert found["luna_planner_solve_seconds_count"] == 2
    assert found['luna_queue_wait_seconds_count{queue="planner.interactive"}'] == 2
    assert found['luna_queue_tasks_total{outcome="succeeded",task="planner.schedule.solve"}'] == 2


WHOLE = ["POST request", "queue planner", "planner.schedule.solve", "planner.plan", "solver.run"]


@pytest.mark.usefixtures("worker")
def test_a_plan_is_one_trace_from_the_gateway_to_the_solver(
    traced: Collector, database_url: str, redis_url: str
) -> None:
    # A second battery makes it a mixed-integer model.
    battery = REQUEST["site"]["batteries"][0]
    several = {"batteries": [battery, battery | {"name": "second", "charge_limit_kw": 2}]}
    two = REQUEST | {
        "site": REQUEST["site"] | several,
        "state": {"batteries": {"battery": {"soc": 0.2}, "second": {"soc": 0.5}}},
    }
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, traces_url=traced.url) as api:
        trace_id = api.post("/plan", json=two).raise_for_status().headers["X-Trace-Id"]
        wait_for(lambda: set(WHOLE) <= set(traced.of_trace(trace_id)))
    found = traced.of_trace(trace_id)
    services = [found[name][0] for name in WHOLE]
    assert services == ["luna-api", *["luna-planner"] * 4]
    # Each follows the one before it, across processes.
    assert [found[name][1].parent_span_id for name in WHOLE[1:]] == [
        found[name][1].span_id for name in WHOLE[:-1]
    ]
    assert all(
        found[name][1].start_time_unix_nano <= found[name][1].end_time_unix_nano for name in WHOLE
    )


def test_a_callers_trace_goes_on_and_its_id_is_that_of_answers_and_problems(
    traced: Collector, database_url: str, redis_url: str
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    parent = "00f067aa0ba902b7"
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url), traces_url=traced.url
    ) as api:
        answer = api.post("/plan", json={}, headers={"traceparent": f"00-{trace}-{parent}-01"})
        wait_for(lambda: "POST request" in traced.of_trace(trace))
    assert (answer.status_code, answer.headers["X-Trace-Id"], answer.json()["trace_id"]) == (
        422,
        trace,
        trace,
    )
    _, made = traced.of_trace(trace)["POST request"]
    assert made.parent_span_id.hex() == parent


def test_without_a_collector_nothing_is_made() -> None:
    configure_tracing("api", None)
    with span("anything"):
        assert current_span() is None
