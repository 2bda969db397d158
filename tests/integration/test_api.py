"""The gateway over HTTP, with a real queue and database behind it."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest
import redis
from sqlalchemy import Engine, text

from luna.contracts import PlanReply
from luna.contracts.fleet import FollowChangesRequest
from luna.energy.errors import MachineError
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import forecasts
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.sites import sites as sites_table
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client
from luna.platform.settings import Settings
from services.api.app import MAX_BODY_BYTES
from services.api.server import listen
from services.api.server import serve as serve_until_told
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.planning.plans import store_plan
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording_pattern
from tests.support.worker.processes import free_port
from tests.support.worker.workers import wait_for, worker_process

PROBLEM = "application/problem+json"
SLOTS = 16
OUTCOMES = "luna:celery-task-meta-*"


def request_document(**changes: object) -> dict[str, Any]:
    """A request for four hours of a home with a battery, with ``changes`` to its top level."""
    series = {"load_kwh": 0.1, "pv_kwh": 0.0, "import_price": 0.25, "export_price": 0.07}
    document = {
        "site": {
            "name": "home",
            "timezone": "Europe/Berlin",
            "currency": "EUR",
            "location": {"latitude": 52.5, "longitude": 13.4},
            "grid": {"import_limit_kw": 11, "export_limit_kw": 8},
            "batteries": [
                {
                    "name": "battery",
                    "capacity_kwh": 10,
                    "charge_limit_kw": 5,
                    "discharge_limit_kw": 5,
                }
            ],
            "tariff": {
                "import": {"kind": "fixed", "price": 0.25},
                "export": {"kind": "fixed", "price": 0.07},
            },
        },
        "start": "2024-02-01T00:00:00Z",
        "outlook": {name: [value] * SLOTS for name, value in series.items()},
        "state": {"batteries": {"battery": {"soc": 0.5}}},
    }
    return document | changes


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    """The gateway with real servers behind it."""
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


@pytest.fixture(scope="module")
def api_without_servers() -> Iterator[httpx.Client]:
    """The gateway where neither database nor queue answers."""
    with serve(
        Addresses(
            database_url="postgresql+psycopg://luna@127.0.0.1:9/luna",
            redis_url="redis://127.0.0.1:9/0",
        )
    ) as client:
        yield client


@pytest.fixture(scope="module")
def planner(redis_url: str, database_url: str) -> Iterator[None]:
    """A worker for the planner's queue, ready to work."""
    with worker_process(redis_url, database_url, "services.planner.tasks"):
        client = Client(redis_url)
        wait_for(
            lambda: any("planner" in queues for queues in client.heartbeats.workers().values())
        )
        client.close()
        yield


def test_an_unknown_address_is_a_problem_document(api: httpx.Client) -> None:
    answer = api.get("/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert answer.json()["remedy"]


def test_a_wrong_method_is_a_problem_document(api: httpx.Client) -> None:
    answer = api.get("/plan")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["allow"]) == (
        405,
        PROBLEM,
        "POST",
    )


def without_state_of_charge() -> dict[str, Any]:
    return request_document(state={"batteries": {"battery": {"soc": 50}}})


def with_wrong_efficiency() -> dict[str, Any]:
    document = request_document()
    document["site"]["batteries"][0]["charge_efficiency"] = 1.3
    return document


@each_row(
    ("document", "field"),
    [
        pytest.param(
            request_document(start="2024-03-31 02:30"), "start", id="a time that the clock skips"
        ),
        pytest.param(request_document(slot_minutes=7), "slot_minutes", id="slot length"),
        pytest.param(request_document(horizon=3), "horizon", id="unknown field"),
        pytest.param(request_document(site="home"), "site", id="text for a site"),
        pytest.param(
            without_state_of_charge(), "state.batteries.battery.soc", id="percentage for a fraction"
        ),
        pytest.param({}, "body", id="neither site nor site_id"),
        pytest.param(
            request_document(
                outlook={
                    "load_kwh": [0.1],
                    "pv_kwh": [],
                    "import_price": [0.2],
                    "export_price": [0.1],
                }
            ),
            "outlook.pv_kwh",
            id="empty series",
        ),
        pytest.param(
            with_wrong_efficiency(), "site.batteries.0.charge_efficiency", id="efficiency above one"
        ),
    ],
)
def test_an_invalid_request_names_field_and_remedy(
    api: httpx.Client, document: dict[str, Any], field: str
) -> None:
    answer = api.post("/plan", json=document)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert answer.json()["field"] == field
    assert answer.json()["remedy"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param("{", "body", id="no JSON"),
        pytest.param("", "body", id="nothing"),
        pytest.param(
            json.dumps(request_document()).replace("0.1,", "NaN,", 1),
            "outlook.load_kwh.0",
            id="not a number",
        ),
    ],
)
def test_a_body_that_cannot_be_read_names_the_place(
    api: httpx.Client, body: str, field: str
) -> None:
    answer = api.post("/plan", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()["field"]) == (
        422,
        PROBLEM,
        field,
    )


def test_a_body_above_the_limit_is_refused(api: httpx.Client) -> None:
    answer = api.post(
        "/plan", content=b" " * (MAX_BODY_BYTES + 1), headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
    assert answer.json()["field"] == "body"


@pytest.mark.usefixtures("planner")
def test_a_plan_comes_back_over_the_queue(api: httpx.Client) -> None:
    answer = api.post("/plan", json=request_document())
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["slots"]) == SLOTS
    assert answer.json()["status"] == "optimal"


@pytest.mark.usefixtures("planner")
def test_a_plan_and_the_entry_of_who_asked_for_it_are_stored_together(
    api: httpx.Client, database: Engine
) -> None:
    def read_entries(request_id: str) -> list[tuple[int, str, str]]:
        query = text(
            "SELECT status, site, xmin::text FROM audit_log WHERE operation = 'make_plan' "
            "AND request_id = :request_id"
        )
        with unit_of_work(database) as connection:
            return [tuple(row) for row in connection.execute(query, {"request_id": request_id})]

    document = request_document(state={"batteries": {"battery": {"soc": 0.4321}}})
    plan_id = api.post("/plan", json=document, headers={"X-Request-Id": "planned-0001"}).json()[
        "plan_id"
    ]
    with unit_of_work(database) as connection:
        transaction = connection.scalar(
            text("SELECT xmin::text FROM plan_history WHERE plan_id = :plan_id"),
            {"plan_id": plan_id},
        )
    assert read_entries("planned-0001") == [(200, "home", transaction)]
    # Under a key another request's task may answer: the gateway writes the entry itself, as it does
    # of what failed.
    api.post(
        "/plan",
        json=document,
        headers={"X-Request-Id": "planned-0002", "Idempotency-Key": "planned-0002"},
    )
    api.post("/plan", json={"site_id": "no-such-site"}, headers={"X-Request-Id": "planned-0003"})
    assert [
        entry[0]
        for request_id in ("planned-0002", "planned-0003")
        for entry in read_entries(request_id)
    ] == [200, 404]


@pytest.mark.usefixtures("planner")
def test_a_plan_that_was_answered_is_soon_let_go_by_the_queue(
    api: httpx.Client, redis_url: str
) -> None:
    with redis.Redis.from_url(redis_url) as store:
        before = set(store.scan_iter(OUTCOMES))
        assert (
            api.post(
                "/plan", json=request_document(state={"batteries": {"battery": {"soc": 0.4123}}})
            ).status_code
            == 200
        )
        (outcome,) = set(store.scan_iter(OUTCOMES)) - before
        wait_for(lambda: 0 < int(store.ttl(outcome)) <= 120)


@pytest.mark.usefixtures("planner")
def test_a_load_a_thousand_times_the_connection_is_planned_with_a_note(api: httpx.Client) -> None:
    document = request_document(options={"language": "en"})
    document["outlook"]["load_kwh"] = [4_000.0] * SLOTS
    answer = api.post("/plan", json=document)
    assert (answer.status_code, len(answer.json()["slots"])) == (200, SLOTS), answer.text
    note = next(note for note in answer.json()["notes"] if note["code"] == "load_beyond_site")
    # A quarter-hour of 4,000 kWh is 16 MW; connection and battery bring 11 and 5 kW.
    assert (
        note["assumed"],
        note["figures"]["kw"],
        note["figures"]["limit_kw"],
        note["figures"]["times"],
    ) == (True, 16_000.0, 16.0, 1_000.0)


@pytest.mark.usefixtures("planner")
def test_a_trade_off_comes_back_over_the_queue(api: httpx.Client) -> None:
    answer = api.post(
        "/v1/plans/pareto",
        json={"plan": request_document(), "figures": ["cost", "self_sufficiency"], "points": 3},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["figures"] == ["cost", "self_sufficiency"]
    assert answer.json()["points"][0]["cost"] == pytest.approx(16 * 0.1 * 0.25)


@pytest.fixture
def parked_car(database: Engine) -> Iterator[str]:
    """A stored site in Berlin with a car, and a forecast for two days that are still to come."""
    instant = datetime(2099, 2, 1, 11, tzinfo=UTC)
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    with unit_of_work(database) as connection:
        store_site(
            connection, name="parked car", vehicles=[{"capacity_kwh": 60, "charge_limit_kw": 11}]
        )
        forecasts.upsert(
            connection,
            "parked car",
            [Forecast(Timeline(instant, SLOT, 192), instant, DEFAULT_VERSION, load, sun)],
        )
    yield "parked car"
    with unit_of_work(database) as connection:
        connection.execute(sites_table.delete().where(sites_table.c.name == "parked car"))


@pytest.mark.usefixtures("planner")
def test_a_session_stored_over_http_is_planned_and_its_target_reached(
    api: httpx.Client, parked_car: str
) -> None:
    path = f"/v1/sites/{parked_car}/vehicle-sessions"
    # By the site's clock: noon is 11:00 UTC.
    session = {
        "vehicle": "car",
        "from": "2099-02-01 12:00",
        "to": "2099-02-01 18:00",
        "arrival_soc": 0.4,
        "target_soc": 0.8,
    }
    added = api.post(path, json=session, params={"by": "anna"})
    assert added.status_code == 201, added.text
    assert (added.json()["from"], added.json()["added_by"]) == ("2099-02-01T11:00:00Z", "anna")
    assert api.get(path).json()["sessions"] == [added.json()]
    planned = api.post("/plan", json={"site_id": parked_car, "start": "2099-02-01T11:00:00Z"})
    assert planned.status_code == 200, planned.text
    # The last of 24 quarter-hours ends when it leaves.
    assert planned.json()["slots"][23]["vehicles"]["car"]["soc_end"] >= 0.8 - 1e-6
    refused = api.post(path, json=session | {"vehicle": "bus"})
    assert (refused.status_code, refused.json()["field"]) == (422, "vehicle")
    removed = api.delete(f"{path}/{added.json()['session_id']}")
    assert (removed.status_code, api.get(path).json()["sessions"]) == (200, [])
    assert [
        each["removed_by"] for each in api.get(path, params={"history": True}).json()["sessions"]
    ] == ["owner"]
    assert api.delete(f"{path}/4711").status_code == 404
    assert api.get("/v1/sites/nowhere/vehicle-sessions").status_code == 404


@pytest.fixture
def car_at_home(database: Engine) -> Iterator[str]:
    """A stored site with a car, and a forecast from now on; nobody arms it."""
    instant = floor_to(SystemClock().now(), SLOT)
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    with unit_of_work(database) as connection:
        store_site(
            connection, name="car at home", vehicles=[{"capacity_kwh": 60, "charge_limit_kw": 11}]
        )
        forecasts.upsert(
            connection,
            "car at home",
            [Forecast(Timeline(instant, SLOT, 192), instant, DEFAULT_VERSION, load, sun)],
        )
    yield "car at home"
    with unit_of_work(database) as connection:
        connection.execute(sites_table.delete().where(sites_table.c.name == "car at home"))


@pytest.mark.usefixtures("planner")
def test_a_session_stored_over_http_has_its_site_planned_by_itself(
    api: httpx.Client, car_at_home: str, redis_url: str
) -> None:
    now = SystemClock().now()

    def look_and_read_charge() -> float | None:
        # As beat asks every five seconds.
        client.begin(FollowChangesRequest(), timeout=timedelta(seconds=5))
        latest = api.get(f"/v1/sites/{car_at_home}/plans/latest")
        if latest.status_code != httpx.codes.OK:
            return None
        return float(
            sum(
                slot["vehicles"].get("car", {"charge_kwh": 0.0})["charge_kwh"]
                for slot in latest.json()["slots"]
            )
        )

    with closing(Client(redis_url)) as client:
        wait_for(lambda: look_and_read_charge() == 0)
        session = {
            "vehicle": "car",
            "from": now.isoformat(),
            "to": (now + timedelta(hours=6)).isoformat(),
            "arrival_soc": 0.4,
            "target_soc": 0.6,
        }
        stored = api.post(f"/v1/sites/{car_at_home}/vehicle-sessions", json=session)
        assert stored.status_code == 201, stored.text
        wait_for(lambda: (look_and_read_charge() or 0) > 10)
        assert (
            api.delete(
                f"/v1/sites/{car_at_home}/vehicle-sessions/{stored.json()['session_id']}"
            ).status_code
            == 200
        )
        wait_for(lambda: look_and_read_charge() == 0)


@pytest.fixture
def stored_home(database: Engine) -> Iterator[str]:
    """A stored site in Berlin that names no tariff, with a forecast that covers noon of 1 February
    2024.
    """
    instant = datetime(2024, 2, 1, 11, tzinfo=UTC)
    load = Quantiles.exact(np.full(192, 0.1))
    sun = Quantiles.exact(np.zeros(192))
    battery = {"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    with unit_of_work(database) as connection:
        store_site(connection, name="noted home", batteries=[battery])
        forecasts.upsert(
            connection,
            "noted home",
            [Forecast(Timeline(instant, SLOT, 192), instant, DEFAULT_VERSION, load, sun)],
        )
    yield "noted home"
    with unit_of_work(database) as connection:
        connection.execute(sites_table.delete().where(sites_table.c.name == "noted home"))


@pytest.mark.usefixtures("planner")
def test_a_stored_site_is_planned_from_its_clock_time_and_says_what_that_rests_on(
    api: httpx.Client, stored_home: str
) -> None:
    answer = api.post(
        "/plan",
        json={"site_id": stored_home, "start": "2024-02-01 12:00", "options": {"language": "de"}},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["slots"][0]["start"] == "2024-02-01T11:00:00Z"
    notes = {note["code"]: note for note in answer.json()["notes"]}
    assert [code for code, note in notes.items() if note["assumed"]] == [
        "soc_assumed",
        "tariff_default",
    ]
    assert wording_pattern("notes", "note_soc_assumed", "de").fullmatch(
        notes["soc_assumed"]["text"]
    )
    assert (
        api.get(f"/v1/plans/{answer.json()['plan_id']}").json()["notes"] == answer.json()["notes"]
    )


@pytest.mark.usefixtures("planner")
def test_an_unknown_site_is_not_found(api: httpx.Client) -> None:
    answer = api.post("/plan", json={"site_id": "no-such-site"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)


def test_an_issued_plan_can_be_read_and_an_unknown_one_is_not_found(
    api: httpx.Client, database: Engine
) -> None:
    instant = datetime(2024, 2, 1, tzinfo=UTC)
    flow = {
        "load_kwh": 0.1,
        "pv_kwh": 0,
        "curtailed_kwh": 0,
        "import_kwh": 0.1,
        "export_kwh": 0,
        "import_price": 0.25,
        "export_price": 0.07,
    }
    plan = PlanReply.model_validate(
        {
            "plan_id": "6f8c7d1e-test-api",
            "status": "optimal",
            "gap": 0,
            "cost": {"total": 0.025, "import": 0.025, "export": 0, "wear": 0},
            "timing_ms": {},
            "slots": [
                {
                    "start": instant,
                    "mode": "hold",
                    **flow,
                    "batteries": {},
                    "reason": {"code": "hold", "text": "hold"},
                }
            ],
            "site": "home-of-an-issued-plan",
            "timezone": "Europe/Berlin",
            "currency": "EUR",
            "slot_minutes": 15,
            "issued_at": instant,
        }
    )
    with database.begin() as connection:
        store_plan(connection, "home-of-an-issued-plan", plan, inputs_digest="digest")
    assert api.get(f"/v1/plans/{plan.plan_id}").json() == plan.model_dump(
        mode="json", by_alias=True
    )
    answer = api.get("/v1/plans/unknown")
    assert (answer.status_code, answer.headers["content-type"], answer.json()["field"]) == (
        404,
        PROBLEM,
        "plan_id",
    )


@pytest.mark.usefixtures("planner")
def test_readiness_shows_each_dependency_with_its_latency(api: httpx.Client) -> None:
    answer = api.get("/health/ready")
    assert answer.status_code == 200, answer.text
    assert {check["name"]: check["ok"] for check in answer.json()["checks"]} == {
        "database": True,
        "redis": True,
        "worker": True,
    }


def test_without_servers_the_gateway_lives_but_is_not_ready(
    api_without_servers: httpx.Client,
) -> None:
    assert api_without_servers.get("/health/live").status_code == 200
    answer = api_without_servers.get("/health/ready")
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert {check["name"]: check["ok"] for check in answer.json()["checks"]} == {
        "database": False,
        "redis": False,
        "worker": False,
    }


# What browsers keep to, of pages and of problem documents alike.
POLICY = ("default-src 'self'", "img-src 'self' data:", "object-src 'none'", "base-uri 'none'")
FRAMES = ("form-action 'self'", "frame-ancestors 'none'")
SENSES = ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone")
SAFE_HEADERS = {
    "content-security-policy": "; ".join((*POLICY, *FRAMES)),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": ", ".join(f"{name}=()" for name in (*SENSES, "payment", "usb")),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-type": PROBLEM,
    "x-request-id": "trace-0001",
    "x-trace-id": "trace-0001",
}
ALLOWED = {"allow": "POST"}
LATER = {"cache-control": "no-store", "retry-after": "5"}


@pytest.mark.parametrize(
    ("method", "address", "status", "code", "field", "headers"),
    [
        pytest.param("GET", "/nothing", 404, "not-found", "path", {}, id="address"),
        pytest.param("PUT", "/plan", 405, "method-not-allowed", "method", ALLOWED, id="method"),
        pytest.param("GET", "/v1/jobs", 503, "unavailable", "database_url", LATER, id="database"),
    ],
)
def test_a_refusal_has_its_code_and_the_headers_of_every_answer(
    api_without_servers: httpx.Client,
    method: str,
    address: str,
    status: int,
    code: str,
    field: str,
    headers: dict[str, str],
) -> None:
    answer = api_without_servers.request(method, address, headers={"X-Trace-Id": "trace-0001"})
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert (problem["type"], problem["field"]) == (f"urn:luna:problem:{code}", field)
    assert problem["trace_id"] == "trace-0001"
    assert answer.headers.items() >= (SAFE_HEADERS | headers).items()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        pytest.param("POST", "/plan", id="queue"),
        pytest.param("GET", "/v1/plans/some", id="database"),
    ],
)
def test_a_dependency_that_is_away_is_unavailable_with_a_time_to_retry(
    api_without_servers: httpx.Client, method: str, address: str
) -> None:
    answer = api_without_servers.request(method, address, json=request_document())
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert int(answer.headers["retry-after"]) > 0


def test_a_trace_id_goes_through_or_is_made(api: httpx.Client) -> None:
    assert (
        api.get("/health/live", headers={"X-Trace-Id": "caller-0001"}).headers["x-trace-id"]
        == "caller-0001"
    )
    assert (
        len(api.get("/health/live", headers={"X-Trace-Id": "bad id!"}).headers["x-trace-id"]) == 32
    )


def test_requests_are_measured_by_route_template(api: httpx.Client) -> None:
    api.get("/v1/plans/some-plan")
    metrics = api.get("/metrics").text
    assert (
        'luna_api_request_seconds_count{method="GET",route="/v1/plans/{plan_id}",'
        'status_class="4xx"}'
    ) in metrics
    assert "some-plan" not in metrics


def test_metrics_are_served_without_servers(api_without_servers: httpx.Client) -> None:
    assert "luna_queue_reachable_bool 0.0" in api_without_servers.get("/metrics").text


def test_the_documentation_asks_nothing_from_anywhere(api: httpx.Client) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    assert "/v1/plans/{plan_id}" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not [
        mark for mark in ("<script", "src=", 'href="http', "@import", "url(") if mark in page.text
    ]


def test_a_port_in_use_is_named_with_a_remedy(database_url: str, redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MachineError) as raised:
            serve_until_told(
                Settings(api_port=port), Addresses(database_url=database_url, redis_url=redis_url)
            )
    assert (raised.value.field, raised.value.value) == ("api_port", port)


def test_answers_do_not_wait_for_the_callers_acknowledgement() -> None:
    with (
        listen(Settings(api_port=free_port())) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.usefixtures("planner")
def test_a_plan_says_what_it_changes_beside_the_one_before_it(api: httpx.Client) -> None:
    site = request_document()["site"] | {"name": "changed"}
    ids = [
        api.post("/plan", json=request_document(site=site, start=start), timeout=60).json()[
            "plan_id"
        ]
        for start in ("2024-02-01T00:00Z", "2024-02-01T01:00Z")
    ]
    told = api.get(f"/v1/plans/{ids[1]}/changes", params={"language": "de"}, timeout=60).json()
    # Three of the four hours are in both; a battery that was half full an hour ago is not where it
    # was expected.
    assert (
        told["before_id"],
        told["slots"],
        {cause["code"] for cause in told["causes"]} - {"horizon"},
    ) == (ids[0], SLOTS - 4, {"soc"})
    assert api.get(f"/v1/plans/{ids[0]}/changes", timeout=60).status_code == httpx.codes.NOT_FOUND


@pytest.mark.usefixtures("planner")
def test_a_stored_plan_answers_what_would_be_otherwise(api: httpx.Client) -> None:
    plan_id = api.post("/plan", json=request_document(), timeout=60).json()["plan_id"]
    alternative = {"slot": "2024-02-01T01:00Z", "mode": "charge", "power_kw": 2, "language": "de"}
    told = api.post(f"/v1/plans/{plan_id}/why-not", json=alternative, timeout=60).json()
    assert told["cost"]["import"] > 0
    assert told["text"].startswith("Alternative „Laden“ ab Do. 02:00 (Batterie): ")
    full = api.post(f"/v1/plans/{plan_id}/why-not", json=alternative | {"power_kw": 9}, timeout=60)
    assert (full.status_code, full.json()["field"]) == (422, "alternative.power_kw")
    variant = {"variant": {"name": "none", "site": {"batteries": {"battery": None}}}}
    assert api.post(f"/v1/plans/{plan_id}/what-if", json=variant, timeout=60).json()["after"][
        "total"
    ] == pytest.approx(SLOTS * 0.1 * 0.25)
    for address, body in (("why-not", alternative), ("what-if", variant)):
        assert (
            api.post(f"/v1/plans/unknown/{address}", json=body, timeout=60).status_code
            == httpx.codes.NOT_FOUND
        )
