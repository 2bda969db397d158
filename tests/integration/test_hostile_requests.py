"""Requests that no well-meaning client sends: each is told what is wrong with it, where, and what
to do.
"""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.sites import sites
from luna.platform.embedded.supervisor import Addresses
from services.api.app import describe_routes
from tests.integration.test_api import request_document
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row

PROBLEM = "application/problem+json"
JSON = {"content-type": "application/json"}
REPLAY = {"site_id": "home", "from_day": "2024-02-01", "to_day": "2024-02-02", "policies": ["idle"]}


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def list_operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in describe_routes()["paths"].items()
        for method, operation in methods.items()
    ]


def list_bodies() -> list[Any]:
    """Return method, path and example of each operation that takes JSON."""
    with_bodies = [
        found for found in list_operations() if "json" in str(found[2].get("requestBody"))
    ]
    assert with_bodies
    contents = [
        (method, path, operation["requestBody"]["content"]["application/json"])
        for method, path, operation in with_bodies
    ]
    return [
        pytest.param(method, path, content["example"], id=path)
        for method, path, content in contents
    ]


# Not a subtest for each: the gateway would write its log into streams that are closed.
@each_row("method, path, example", list_bodies)
def test_each_body_has_an_example_that_is_taken(
    api_without_servers: httpx.Client, method: str, path: str, example: object
) -> None:
    answer = api_without_servers.request(method, re.sub(r"\{.*?\}", "1", path), json=example)
    assert answer.status_code == 503, answer.text


def test_every_error_is_described_as_a_problem_document() -> None:
    described = [
        response
        for *_, operation in list_operations()
        for status, response in operation["responses"].items()
        if status >= "400"
    ]
    assert {tuple(response["content"]) for response in described} == {(PROBLEM,)}


def test_statuses_are_described_where_they_may_come() -> None:
    statuses = {
        (method, path): {status for status in operation["responses"] if status >= "400"}
        for method, path, operation in list_operations()
    }
    assert statuses["post", "/v1/plans"] == {
        "404",
        "408",
        "409",
        "413",
        "415",
        "422",
        "500",
        "503",
        "default",
    }
    assert statuses["get", "/v1/jobs/{job_id}"] == {"404", "422", "500", "503", "default"}
    assert statuses["get", "/health/live"] == {"500", "default"}


@pytest.fixture(scope="module")
def api_without_servers() -> Iterator[httpx.Client]:
    with serve(
        Addresses(
            database_url="postgresql+psycopg://luna@127.0.0.1:9/luna",
            redis_url="redis://127.0.0.1:9/0",
        )
    ) as client:
        yield client


def told(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem document of an answer that names field, value's place and remedy."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    document: dict[str, Any] = answer.json()
    assert document["remedy"]
    assert document["detail"]
    return document


def test_a_typing_error_in_a_time_zone_names_field_value_and_remedy(api: httpx.Client) -> None:
    site = request_document()["site"] | {"timezone": "Europe/Berlni"}
    wrong = told(api.post("/plan", json=request_document(site=site)), 422)
    assert (wrong["field"], wrong["value"]) == ("site.timezone", "Europe/Berlni")
    assert "Europe/Berlin" in wrong["remedy"]


@each_row(
    "instant",
    [
        "9999-12-31T23:00:00Z",
        "9999-12-31T23:00:00-14:00",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
@each_row(
    ("method", "address", "field"),
    [
        ("POST", "/plan", "start"),
        ("POST", "/v1/plans/pareto", "plan.start"),
        ("POST", "/v1/sites/home/manual-blocks", "from"),
        ("POST", "/v1/plans/some/why-not", "slot"),
    ],
)
def test_an_instant_at_the_end_of_the_calendar_is_refused(
    api: httpx.Client, method: str, address: str, field: str, instant: object
) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "start": request_document(start=instant),
        "plan.start": {
            "plan": request_document(start=instant),
            "figures": ["cost", "self_sufficiency"],
        },
        "from": {
            "from": instant,
            "to": "2024-02-01T00:00:00Z",
            "kind": "battery",
            "name": "battery",
            "mode": "hold",
        },
        "slot": {"slot": instant, "mode": "charge"},
    }
    wrong = told(api.request(method, address, json=bodies[field]), 422)
    assert field in wrong["detail"]


@each_row("instant", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31", "0001-01-01"])
@each_row("name", ["from", "to", "known_at", "issued_at"])
def test_an_instant_of_a_query_at_the_end_of_the_calendar_is_refused(
    api: httpx.Client, stored: str, name: str, instant: str
) -> None:
    question = {
        "site": stored,
        "series": "plans:charge_kwh",
        "from": "2024-02-01T00:00:00Z",
        "to": "2024-02-02T00:00:00Z",
    }
    assert told(api.get("/data/query", params=question | {name: instant}), 422)["field"] == name


@pytest.fixture(scope="module")
def stored(database: Engine) -> Iterator[str]:
    with unit_of_work(database) as connection:
        store_site(connection, name="attacked")
    yield "attacked"
    with unit_of_work(database) as connection:
        connection.execute(sites.delete().where(sites.c.name == "attacked"))


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_at_the_end_of_the_calendar_is_refused(api: httpx.Client, day: str) -> None:
    question = {
        "site_id": "home",
        "from_day": "2024-01-01",
        "to_day": day,
        "variants": [{"name": "none", "site": {}}],
    }
    assert "day" in told(api.post("/v1/what-ifs", json=question), 422)["detail"]
    assert (
        "day"
        in told(
            api.post(
                "/v1/jobs", json={"task": "planner.replay.run", "request": REPLAY | {"to_day": day}}
            ),
            422,
        )["detail"]
    )


def raw(site: str = "", body: str = "") -> str:
    return body or json.dumps(request_document()).replace('"name": "home"', f'"name": "{site}"')


@each_row(
    ("body", "field"),
    [
        pytest.param(raw("ho\\u0000me"), "site.name", id="NUL"),
        pytest.param(raw("\\ud800"), "site.name", id="lone surrogate"),
        pytest.param(raw("\\udc00\\ud800"), "site.name", id="surrogates in the wrong order"),
        pytest.param(raw(body='{"site_id": "\\ud800"}'), "site_id", id="lone surrogate in a name"),
        pytest.param(raw(body='{"\\ud800": 1}'), "body", id="lone surrogate in a field's name"),
        pytest.param(
            raw(body='{"site_id": "home", "start": 1e400}'), "start", id="number beyond all"
        ),
        pytest.param(
            raw(body='{"site_id": "home", "slot_minutes": -1e400}'),
            "slot_minutes",
            id="number below all",
        ),
        pytest.param(
            raw(body='{"site_id": "home", "slot_minutes": 1' + "0" * 5000 + "}"),
            "body",
            id="number of 5001 digits",
        ),
        pytest.param(
            raw(body='{"site_id": "home", "slot_minutes": 1' + "0" * 400 + "}"),
            "slot_minutes",
            id="number of 401 digits",
        ),
        pytest.param(raw(body='{"site": ' + "[" * 100_000), "body", id="deep, cut off"),
        pytest.param(
            raw(body='{"site": ' + "[" * 100_000 + "]" * 100_000 + "}"), "body", id="very deep"
        ),
        pytest.param(
            raw(body='{"site": ' + '{"a":' * 500 + "1" + "}" * 501), "site.a.a.a", id="deep"
        ),
        pytest.param(raw(body="NaN"), "body", id="no number"),
        pytest.param(
            raw(body='{"outlook": {"load_kwh": [0.1, NaN, 1]}}'),
            "outlook.load_kwh.1",
            id="no number among others",
        ),
        pytest.param(
            raw(body='{"outlook": {"load_kwh": [0.1, -1e400]}}'),
            "outlook.load_kwh.1",
            id="number below all among others",
        ),
        pytest.param(
            raw(body='{"outlook": {"load_kwh": [0.1, 9223372036854775808]}}'),
            "outlook.load_kwh.1",
            id="whole number beyond all among others",
        ),
    ],
)
@each_row(
    "address",
    [
        "/plan",
        "/v1/what-ifs",
        "/v1/jobs",
        "/v1/plans/pareto",
        "/v1/plans/some/what-if",
        "/v1/sites/home/manual-blocks",
    ],
)
def test_json_that_cannot_be_meant_is_refused_with_its_place(
    api: httpx.Client, address: str, body: str, field: str
) -> None:
    wrong = told(api.post(address, content=body.encode(), headers=JSON), 422)
    assert wrong["field"] == field


@each_row(
    "kind",
    [
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json;charset=nonsense",
        "application/json; charset=",
    ],
)
def test_json_is_utf8_whatever_else_is_declared(api: httpx.Client, kind: str) -> None:
    wrong = told(
        api.post(
            "/plan", content=json.dumps(request_document()).encode(), headers={"content-type": kind}
        ),
        415,
    )
    assert "UTF-8" in wrong["remedy"]


@pytest.mark.parametrize(
    "body",
    [b'{"site_id": "\xfcbung"}', b"\xff\xfe{\x00}\x00", b"\x80"],
    ids=["latin-1", "utf-16", "nonsense"],
)
def test_bytes_that_are_no_utf8_are_refused(api: httpx.Client, body: bytes) -> None:
    wrong = told(api.post("/plan", content=body, headers=JSON), 422)
    assert wrong["field"] == "body"
    assert "UTF-8" in wrong["remedy"]


@each_row(
    "kind",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/json",
        "nonsense",
        "application/xml; charset=utf-8",
    ],
)
@each_row(
    "address",
    [
        "/plan",
        "/v1/jobs",
        "/v1/what-ifs",
        "/v1/sites/home/manual-blocks",
        "/v1/sites/home/quarantine/1/correct",
        "/v1/sites/home/forecast-versions/promote",
    ],
)
def test_a_body_of_another_type_is_unsupported(
    api: httpx.Client, address: str, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    wrong = told(
        api.post(address, content=json.dumps(request_document()).encode(), headers=headers), 415
    )
    assert "Content-Type: application/json" in wrong["remedy"]
    assert wrong["field"] == "Content-Type"


@each_row(
    "address",
    [
        "/v1/plans/%00",
        "/v1/jobs/%00",
        "/v1/plans/a%00b/changes",
        "/v1/what-ifs/%00",
        "/v1/sites/%00/manual-blocks",
        "/v1/sites/home/manual-blocks?history=%00",
        "/v1/sites/%00/forecast-versions",
        "/v1/sites/%00/quarantine",
        "/data/query?site=%00&series=load_kwh&from=2024-01-01&to=2024-01-02",
        "/v1/sites/%00/forecasts/explanation?at=2024-01-01",
        "/v1/jobs?status=%00",
        "/v1/plans/%ff%fe",
        "/v1/jobs?limit=1e400",
        "/v1/jobs?limit=" + "9" * 5000,
        # [99999999999999999999], beyond all rows.
        "/v1/sites/home/quarantine?cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ",
        "/nowhere/%00",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(api: httpx.Client, address: str) -> None:
    answer = api.get(address)
    assert answer.status_code in {404, 422}
    told(answer, answer.status_code)


@pytest.mark.parametrize(
    "instant", ["2024-02-01T00:00:00 02:00", "2024-02-01T00:00 02:00", "2024-02-01T00:00:00.5 0200"]
)
def test_an_offset_whose_plus_sign_was_not_escaped_is_explained(
    api: httpx.Client, instant: str
) -> None:
    wrong = told(api.get("/v1/sites/home/forecasts/explanation", params={"at": instant}), 422)
    assert wrong["field"] == "at"
    assert "%2B" in wrong["remedy"]
    assert "Z" in wrong["remedy"]


@each_row(
    ("method", "address", "body", "unsaid"),
    [
        ("GET", "/v1/plans/a:b/changes", None, "site.yaml"),
        ("GET", "/v1/jobs/a:b", None, "site.yaml"),
        ("GET", "/v1/jobs?limit=501", None, "fractions"),
        ("GET", "/v1/sites/home/quarantine/?limit=2000", None, "fractions"),
        ("POST", "/v1/sites/home/quarantine/99999999999999999999/release", None, "fractions"),
        ("DELETE", "/v1/sites/home/manual-blocks/99999999999999999999", None, "fractions"),
        (
            "POST",
            "/v1/sites/home/forecast-versions/promote",
            {"forecast_version": "A B"},
            "site.yaml",
        ),
        ("POST", "/plan", {"site_id": 5}, "YAML"),
        ("POST", "/plan", [], "site.yaml"),
    ],
)
def test_a_remedy_fits_its_field(
    api: httpx.Client, method: str, address: str, body: object, unsaid: str
) -> None:
    answer = api.request(method, address, json=body, follow_redirects=True)
    assert unsaid not in told(answer, 422)["remedy"]


def test_a_fraction_given_in_percent_is_told_to_be_one(api: httpx.Client) -> None:
    wrong = told(
        api.post("/plan", json=request_document(state={"batteries": {"battery": {"soc": 50}}})), 422
    )
    assert "between 0 and 1" in wrong["remedy"]


def test_files_that_stall_leave_room_for_other_requests(api: httpx.Client) -> None:
    head = (
        "POST /data/load HTTP/1.1\r\nHost: luna\r\nContent-Type: multipart/form-data; "
        "boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n"
    )
    address = (str(api.base_url.host), int(api.base_url.port or 80))
    with ExitStack() as stalled:
        # More than there are threads for requests.
        for _ in range(60):
            stalled.enter_context(socket.create_connection(address)).sendall(head.encode())
        assert api.get("/v1/jobs").status_code == 200


def test_what_a_route_makes_of_a_query_and_a_service_would_refuse_is_named(
    api: httpx.Client,
) -> None:
    assert told(api.get("/v1/recommendations", params={"site_id": ""}), 422)["field"] == "site_id"
