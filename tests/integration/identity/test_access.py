"""Every operation, in the name of every role, on one's own and on a foreign site, against what operations declare."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from luna.contracts.identity import ROLE_SCOPES, Role
from luna.contracts.tasks import list_public
from luna.platform.database import sites, users
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from luna.platform.settings import Settings
from services.api.app import create_app
from services.api.identity.site_access import KINDS
from services.api.json_body import CheckedRoute
from services.api.operation import JOB_SCOPES, Operation
from tests.support.database.site import store_site
from tests.support.gateway.people import FOREIGN, NAMES, OWN, Gate, Things, gate_with_people, store_things
from tests.support.suite.tables import each_row


def list_routes() -> list[CheckedRoute]:
    """Return every route of the gateway."""
    routes = create_app(Settings()).routes
    assert [route for route in routes if not isinstance(route, CheckedRoute)] == [], "routes that ask nobody who calls"
    return [route for route in routes if isinstance(route, CheckedRoute)]


def list_asked() -> list[tuple[str, str, Operation]]:
    return sorted(((route.operation.method, route.path, route.operation) for route in list_routes()), key=lambda each: each[:2])


ASKED = list_asked()
GUARDED = [each for each in ASKED if each[2].scope != "public"]
DOORS = ("/ui/confirm", "/ui/password")
IDS = [f"{method} {path}" for method, path, _ in GUARDED]
ROLES: tuple[Role, ...] = ("user", "analyst", "admin")
START = datetime(2024, 2, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A gateway with things of both sites."""

    gate: Gate
    things: dict[str, Things]

    def address(self, path: str, site: str) -> str:
        """Return a path about a site or something of it."""
        ids = self.things[site]
        values = {"site_id": site, "site": site, "plan_id": ids.plan.plan_id, "job_id": ids.job, "what_if_id": ids.what_if, "quarantine_id": ids.row}
        return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], "1")), path)

    def restore(self) -> None:
        """Store again what was allowed to be deleted."""
        with unit_of_work(self.gate.database) as connection:
            for site in {OWN, FOREIGN}.difference(sites.names(connection)):
                store_site(connection, name=site)
                self.things[site] = store_things(connection, site, name=name_things(site), start=START)
            for role in ("user", "analyst"):
                users.change(connection, NAMES[role], sites=(OWN,))

    def ask(self, method: str, path: str, site: str, headers: dict[str, str]) -> httpx.Response:
        """Ask about a site; where only a query can name it, it does. Of a stream, which has no end, the head alone is read."""
        if method != "GET":
            # What a row before was allowed to delete.
            self.restore()
        query = {} if "{" in path else {"site": site}
        with self.gate.client.stream(method, self.address(path, site), headers=headers, params=query) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
            return answer


@pytest.fixture(scope="module")
def lasting(servers: Servers, redis_url: str) -> Iterator[World]:
    with gate_with_people(servers.database_url, redis_url) as gate:
        with unit_of_work(gate.database) as connection:
            things = {site: store_things(connection, site, name=name_things(site), start=START) for site in (OWN, FOREIGN)}
        yield World(gate, things)


@pytest.fixture
def world(lasting: World) -> World:
    """The gateway with its sites and people; what the test before was allowed to delete is there again."""
    lasting.restore()
    return lasting


def name_things(site: str) -> str:
    return site.split(maxsplit=1)[0]


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.json() if is_problem else {"field": None, "type": None}


def test_every_route_answers_the_one_method_that_its_operation_guards() -> None:
    assert [route.path for route in list_routes() if route.methods != {route.operation.method}] == []


@each_row(("method", "path", "operation"), GUARDED, ids=IDS)
def test_nobody_may_do_nothing(world: World, method: str, path: str, operation: Operation) -> None:
    # From behind a proxy, so that it is not this machine's own monitor.
    answer = world.ask(method, path, OWN, {"X-Forwarded-For": "192.0.2.1"})
    if operation.alone == "a page":
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/ui/login")
    else:
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="luna"')


@pytest.mark.parametrize("role", ROLES)
@each_row(("method", "path", "operation"), GUARDED, ids=IDS)
def test_a_role_may_do_on_its_own_site_what_its_scopes_hold(world: World, role: Role, method: str, path: str, operation: Operation) -> None:
    answer = world.ask(method, path, OWN, world.gate.session(role, confirmed=True))
    # The doors say 401 themselves, where no password comes along.
    refused = answer.status_code in ((403,) if path in DOORS else (401, 403)) or answer.headers.get("location", "").startswith("/ui/login?")
    assert refused == (operation.scope not in ROLE_SCOPES[role]), answer


SITE_BOUND = [each for each in GUARDED if re.search(r"\{(site|site_id|plan_id|job_id|what_if_id|quarantine_id)\}", each[1]) or each[1] == "/data/query"]


@pytest.mark.parametrize("role", ["user", "analyst"])
@each_row(("method", "path", "operation"), SITE_BOUND, ids=[f"{method} {path}" for method, path, _ in SITE_BOUND])
def test_what_is_of_a_foreign_site_is_not_there(world: World, role: Role, method: str, path: str, operation: Operation) -> None:
    answer = world.ask(method, path, FOREIGN, world.gate.session(role, confirmed=True))
    # What the role may not do at all is refused before anybody looks whose it is.
    assert answer.status_code == (404 if operation.scope in ROLE_SCOPES[role] else 403), answer
    assert FOREIGN not in str(problem_of(answer).get("remedy"))


@each_row(("method", "path", "operation"), SITE_BOUND, ids=[f"{method} {path}" for method, path, _ in SITE_BOUND])
def test_an_admin_has_every_site(world: World, method: str, path: str, operation: Operation) -> None:
    answer = world.ask(method, path, FOREIGN, world.gate.session("admin", confirmed=True))
    assert answer.status_code not in (401, 403, 500)
    assert (answer.status_code, problem_of(answer)["field"]) not in [(404, field) for field in ("site", *KINDS)]


def test_a_foreign_site_is_told_in_the_words_of_one_that_is_not_there(world: World) -> None:
    headers = world.gate.session("user")
    told = [problem_of(world.gate.client.get(f"/v1/sites/{name}/quarantine", headers=headers)) for name in (FOREIGN, "nowhere")]
    said = [{name: value for name, value in each.items() if name not in ("trace_id", "value", "detail")} for each in told]
    assert said[0] == said[1]
    assert said[0]["remedy"] == f"Known sites: {OWN}."


@each_row(
    ("method", "path", "body"),
    [
        pytest.param("POST", "/plan", {"site_id": FOREIGN}, id="a stored site's plan"),
        pytest.param("POST", "/plan", {"site": {"name": FOREIGN}}, id="a site that calls itself so"),
        pytest.param("POST", "/v1/plans/pareto", {"plan": {"site_id": FOREIGN}, "figures": ["cost"]}, id="inside another message"),
        pytest.param("POST", "/v1/what-ifs", {"site_id": FOREIGN}, id="a question"),
        pytest.param("POST", "/v1/jobs", {"task": "planner.replay.run", "request": {"site_id": FOREIGN}}, id="a job"),
        pytest.param("POST", "/v1/jobs", {"task": "planner.replay.spread", "request": {"site_ids": [OWN, FOREIGN]}}, id="one of several"),
        pytest.param("GET", "/v1/plans/plan-own/changes?before_id=plan-foreign", None, id="a plan to compare with"),
        pytest.param("GET", f"/data/query?site={OWN}&site={FOREIGN}", None, id="said twice"),
        pytest.param("POST", "/v1/keys", {"name": "key", "sites": [FOREIGN]}, id="a key"),
    ],
)
def test_a_foreign_site_is_found_wherever_a_request_hides_it(world: World, method: str, path: str, body: Any) -> None:
    answer = world.gate.client.request(method, path, json=body, headers=world.gate.session("user", confirmed=True))
    assert answer.status_code == 404, answer.text


def test_a_file_is_not_loaded_into_a_foreign_site(world: World) -> None:
    form: dict[str, Any] = {"site": (None, FOREIGN), "kind": (None, "observations"), "file": ("file.csv", b"slot_start,load_kwh\n")}
    answer = world.gate.client.post("/data/load", files=form, headers=world.gate.session("analyst"))
    assert (answer.status_code, answer.json()["field"]) == (404, "site")


def test_jobs_of_foreign_sites_are_not_listed(world: World) -> None:
    listed = [job["job_id"] for job in world.gate.client.get("/v1/jobs", headers=world.gate.session("user")).json()["jobs"]]
    assert world.things[OWN].job in listed
    assert world.things[FOREIGN].job not in listed


def test_every_task_has_the_scope_that_it_takes() -> None:
    assert set(JOB_SCOPES) == set(list_public())


@each_row(
    ("role", "task", "request_", "status"),
    [
        pytest.param("user", "ingest.slots.build", {"site_id": OWN}, 403, id="a user loads no data"),
        pytest.param("analyst", "forecaster.version.promote", {"site_id": OWN}, 403, id="an analyst operates nothing"),
        pytest.param("analyst", "ingest.weather.fetch", {}, 403, id="work of every site"),
        pytest.param("user", "ingest.demo.load", {}, 403, id="the demo is the installation's"),
        pytest.param("user", "no.such.task", {"site_id": OWN}, 403, id="a task nobody knows"),
        pytest.param("user", ["planner.replay.run"], {"site_id": OWN}, 422, id="no name of a task"),
    ],
)
def test_a_job_takes_the_scope_of_its_task(world: World, role: Role, task: Any, request_: Any, status: int) -> None:
    answer = world.gate.client.post("/v1/jobs", json={"task": task, "request": request_}, headers=world.gate.session(role))
    assert answer.status_code == status, answer.text


def test_nobody_meets_anothers_job_by_the_name_they_give_it(world: World) -> None:
    request = {"site_id": FOREIGN, "from_day": "2024-01-01", "to_day": "2024-01-02"}
    own = request | {"site_id": OWN}
    theirs = world.gate.client.post("/v1/jobs", json={"task": "planner.replay.run", "request": request, "key": "nightly"}, headers=world.gate.session("admin"))
    mine = world.gate.client.post("/v1/jobs", json={"task": "planner.replay.run", "request": own, "key": "nightly"}, headers=world.gate.session("user"))
    assert (theirs.status_code, mine.status_code) == (202, 202)
    assert mine.json()["request"]["site_id"] == OWN


CRITICAL = [each for each in ASKED if each[2].critical]


@each_row(("method", "path", "operation"), CRITICAL, ids=[f"{method} {path}" for method, path, _ in CRITICAL])
@each_row("means", ["session", "key"])
def test_what_is_critical_asks_for_the_password_again(world: World, means: str, method: str, path: str, operation: Operation) -> None:
    ways = {"session": world.gate.session("admin"), "key": world.gate.key("admin", "read", "administer", "operate", "configure")}
    answer = world.ask(method, path, OWN, ways[means])
    if operation.alone == "a page":
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/ui/confirm")
    else:
        assert (answer.status_code, problem_of(answer)["type"]) == (403, "urn:luna:problem:confirmation-needed")
