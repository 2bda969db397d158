"""Every operation, in the name of every role, on one's own and on a foreign site, against what
operations declare.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from luna.contracts.identity import ROLE_SCOPES, Role
from luna.contracts.tasks import list_public
from luna.platform.database import audit, sites, users
from luna.platform.database.audit import AuditFilter
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from luna.platform.settings import Settings
from services.api.app import create_app, describe_routes
from services.api.identity.site_access import KINDS
from services.api.json_body import CheckedRoute
from services.api.operation import JOB_SCOPES, Operation
from tests.support.database.site import store_site
from tests.support.gateway.people import (
    FOREIGN,
    NAMES,
    OWN,
    Gate,
    Things,
    gate_with_people,
    store_things,
)
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row


def list_routes() -> list[CheckedRoute]:
    """Return every route of the gateway."""
    routes = create_app(Settings()).routes
    assert [route for route in routes if not isinstance(route, CheckedRoute)] == [], (
        "routes that ask nobody who calls"
    )
    return [route for route in routes if isinstance(route, CheckedRoute)]


def list_asked() -> list[tuple[str, str, Operation]]:
    return sorted(
        ((route.operation.method, route.path, route.operation) for route in list_routes()),
        key=lambda each: each[:2],
    )


ASKED = list_asked()
GUARDED = [each for each in ASKED if each[2].scope != "public"]
DOORS = ("/ui/confirm", "/ui/password")
IDS = [f"{method} {path}" for method, path, _ in GUARDED]
ROLES: tuple[Role, ...] = ("user", "analyst", "admin")
# An admin has every site.
BOUND_ROLES: tuple[Role, ...] = ("user", "analyst")
Row = tuple[Role, str, str, Operation]
START = datetime(2024, 2, 1, tzinfo=UTC)


def take_turns(roles: Sequence[Role], number: int) -> Sequence[Role]:
    """Return all roles in a long run, in a short one the one whose turn an operation is."""
    return roles if LONG or not roles else (roles[number % len(roles)],)


def list_rows(*, allowed: bool) -> list[Row]:
    """Return the operations with the roles that may do them, or those that may not.

    In a short run of those that may one with the fewest scopes.
    """
    rows = []
    for number, (method, path, operation) in enumerate(GUARDED):
        roles = [role for role in ROLES if (operation.scope in ROLE_SCOPES[role]) == allowed]
        fewest = min((len(ROLE_SCOPES[role]) for role in roles), default=0)
        tried = roles if LONG else [role for role in roles if len(ROLE_SCOPES[role]) == fewest]
        rows += [(role, method, path, operation) for role in take_turns(tried, number)]
    return rows


def list_foreign_rows() -> list[Row]:
    """Return what is asked about a foreign site, in a short run by a role that could do it on its
    own.
    """
    rows = []
    for number, (method, path, operation) in enumerate(SITE_BOUND):
        able = [role for role in BOUND_ROLES if operation.scope in ROLE_SCOPES[role]]
        rows += [
            (role, method, path, operation)
            for role in take_turns(BOUND_ROLES if LONG else able or BOUND_ROLES, number)
        ]
    return rows


SITE_BOUND = [
    each
    for each in GUARDED
    if re.search(r"\{(site|site_id|plan_id|job_id|what_if_id|quarantine_id)\}", each[1])
    or each[1] == "/data/query"
]
# What each operation does is proved elsewhere; here one of three shows that the guard lets in.
ALLOWED = list_rows(allowed=True)[:: 1 if LONG else 3]
READING = [row for row in ALLOWED if row[1] == "GET"]
CHANGING = [row for row in ALLOWED if row[1] != "GET"]
REFUSED = list_rows(allowed=False)
FOREIGN_TO = list_foreign_rows()
# Whose site it is was asked of every operation before.
ADMINISTERED = SITE_BOUND if LONG else SITE_BOUND[::4]


def name_rows(rows: list[Row]) -> list[str]:
    return [f"{method} {path} by {role}" for role, method, path, _ in rows]


@dataclass
class World:
    """A gateway with things of both sites."""

    gate: Gate
    things: dict[str, Things]
    changed: bool = False
    sessions: dict[Role, dict[str, str]] = field(default_factory=dict)

    def session(self, role: Role) -> dict[str, str]:
        """Return the headers of a confirmed session, a new one where the last may have been
        ended.
        """
        self.restore()
        if role not in self.sessions:
            self.sessions[role] = self.gate.session(role, confirmed=True)
        return self.sessions[role]

    def address(self, path: str, site: str) -> str:
        """Return a path about a site or something of it."""
        ids = self.things[site]
        values = {
            "site_id": site,
            "site": site,
            "plan_id": ids.plan.plan_id,
            "job_id": ids.job,
            "what_if_id": ids.what_if,
            "quarantine_id": ids.row,
        }
        return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], "1")), path)

    def restore(self) -> None:
        """Store again what was allowed to be deleted."""
        if not self.changed:
            return
        self.changed = False
        self.sessions.clear()
        with unit_of_work(self.gate.database) as connection:
            gone = {OWN, FOREIGN}.difference(sites.names(connection))
            for site in gone:
                store_site(connection, name=site)
                self.things[site] = store_things(
                    connection, site, name=name_things(site), start=START
                )
            for role in ("user", "analyst") if gone else ():
                users.change(connection, NAMES[role], sites=(OWN,))

    def ask(self, method: str, path: str, site: str, headers: dict[str, str]) -> httpx.Response:
        """Ask about a site.

        Where only a query can name it, it does. Of a stream, which has no end, the head alone is
        read.
        """
        self.restore()
        query = {} if "{" in path else {"site": site}
        with self.gate.client.stream(
            method, self.address(path, site), headers=headers, params=query
        ) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
            # What is refused is rolled back.
            self.changed = (
                method != "GET" and not answer.is_error and not is_sent_to_sign_in(answer)
            )
            return answer


def is_sent_to_sign_in(answer: httpx.Response) -> bool:
    return answer.headers.get("location", "").startswith("/ui/login?")


@pytest.fixture(scope="module")
def lasting(servers: Servers, redis_url: str) -> Iterator[World]:
    with gate_with_people(servers.database_url, redis_url) as gate:
        with unit_of_work(gate.database) as connection:
            things = {
                site: store_things(connection, site, name=name_things(site), start=START)
                for site in (OWN, FOREIGN)
            }
        # A second and a half that no row should take.
        describe_routes()
        yield World(gate, things)


@pytest.fixture
def world(lasting: World) -> World:
    """The gateway with its sites and people.

    What the test before was allowed to delete is there again.
    """
    lasting.restore()
    return lasting


def name_things(site: str) -> str:
    return site.split(maxsplit=1)[0]


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.json() if is_problem else {"field": None, "type": None}


def test_every_route_answers_the_one_method_that_its_operation_guards() -> None:
    assert [
        route.path for route in list_routes() if route.methods != {route.operation.method}
    ] == []


@each_row(("method", "path", "operation"), GUARDED, ids=IDS)
def test_nobody_may_do_nothing(world: World, method: str, path: str, operation: Operation) -> None:
    # From behind a proxy, so that it is not this machine's own monitor.
    answer = world.ask(method, path, OWN, {"X-Forwarded-For": "192.0.2.1"})
    if operation.alone == "a page":
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
            303,
            "/ui/login",
        )
    else:
        assert (answer.status_code, answer.headers["www-authenticate"]) == (
            401,
            'Bearer realm="luna"',
        )


@each_row(("role", "method", "path", "operation"), REFUSED, ids=name_rows(REFUSED))
def test_a_role_may_not_do_what_its_scopes_do_not_hold(
    world: World, role: Role, method: str, path: str, operation: Operation
) -> None:
    answer = world.ask(method, path, OWN, world.session(role))
    assert answer.status_code == 403, answer


def may(world: World, role: Role, method: str, path: str) -> bool:
    answer = world.ask(method, path, OWN, world.session(role))
    # The doors say 401 themselves, where no password comes along.
    is_refused = answer.status_code in (
        (403,) if path in DOORS else (401, 403)
    ) or is_sent_to_sign_in(answer)
    return not is_refused


@each_row(("role", "method", "path", "operation"), READING, ids=name_rows(READING))
def test_a_role_may_read_on_its_own_site_what_its_scopes_hold(
    world: World, role: Role, method: str, path: str, operation: Operation
) -> None:
    assert may(world, role, method, path)


@each_row(("role", "method", "path", "operation"), CHANGING, ids=name_rows(CHANGING))
def test_a_role_may_change_on_its_own_site_what_its_scopes_hold_and_the_audit_tells_of_it(
    world: World, role: Role, method: str, path: str, operation: Operation
) -> None:
    assert may(world, role, method, path)
    with unit_of_work(world.gate.database) as connection:
        (entry,), _ = audit.list_before(connection, AuditFilter(operation=operation.name), limit=1)
    assert (entry.user, entry.means) == (NAMES[role], "session")


@each_row(("role", "method", "path", "operation"), FOREIGN_TO, ids=name_rows(FOREIGN_TO))
def test_what_is_of_a_foreign_site_is_not_there(
    world: World, role: Role, method: str, path: str, operation: Operation
) -> None:
    answer = world.ask(method, path, FOREIGN, world.session(role))
    # What the role may not do at all is refused before anybody looks whose it is.
    assert answer.status_code == (404 if operation.scope in ROLE_SCOPES[role] else 403), answer
    assert FOREIGN not in str(problem_of(answer).get("remedy"))


@each_row(
    ("method", "path", "operation"),
    ADMINISTERED,
    ids=[f"{method} {path}" for method, path, _ in ADMINISTERED],
)
def test_an_admin_has_every_site(
    world: World, method: str, path: str, operation: Operation
) -> None:
    answer = world.ask(method, path, FOREIGN, world.session("admin"))
    assert answer.status_code not in (401, 403, 500)
    assert (answer.status_code, problem_of(answer)["field"]) not in [
        (404, field) for field in ("site", *KINDS)
    ]


def test_a_foreign_site_is_told_in_the_words_of_one_that_is_not_there(world: World) -> None:
    headers = world.gate.session("user")
    told = [
        problem_of(world.gate.client.get(f"/v1/sites/{name}/quarantine", headers=headers))
        for name in (FOREIGN, "nowhere")
    ]
    said = [
        {name: value for name, value in each.items() if name not in ("trace_id", "value", "detail")}
        for each in told
    ]
    assert said[0] == said[1]
    assert said[0]["remedy"] == f"Known sites: {OWN}."


@each_row(
    ("method", "path", "body"),
    [
        pytest.param("POST", "/plan", {"site_id": FOREIGN}, id="a stored site's plan"),
        pytest.param(
            "POST", "/plan", {"site": {"name": FOREIGN}}, id="a site that calls itself so"
        ),
        pytest.param(
            "POST",
            "/v1/plans/pareto",
            {"plan": {"site_id": FOREIGN}, "figures": ["cost"]},
            id="inside another message",
        ),
        pytest.param("POST", "/v1/what-ifs", {"site_id": FOREIGN}, id="a question"),
        pytest.param(
            "POST",
            "/v1/jobs",
            {"task": "planner.replay.run", "request": {"site_id": FOREIGN}},
            id="a job",
        ),
        pytest.param(
            "POST",
            "/v1/jobs",
            {"task": "planner.replay.spread", "request": {"site_ids": [OWN, FOREIGN]}},
            id="one of several",
        ),
        pytest.param(
            "GET",
            "/v1/plans/plan-own/changes?before_id=plan-foreign",
            None,
            id="a plan to compare with",
        ),
        pytest.param("GET", f"/data/query?site={OWN}&site={FOREIGN}", None, id="said twice"),
        pytest.param("POST", "/v1/keys", {"name": "key", "sites": [FOREIGN]}, id="a key"),
    ],
)
def test_a_foreign_site_is_found_wherever_a_request_hides_it(
    world: World, method: str, path: str, body: Any
) -> None:
    answer = world.gate.client.request(
        method, path, json=body, headers=world.gate.session("user", confirmed=True)
    )
    assert answer.status_code == 404, answer.text


def test_a_file_is_not_loaded_into_a_foreign_site(world: World) -> None:
    form: dict[str, Any] = {
        "site": (None, FOREIGN),
        "kind": (None, "observations"),
        "file": ("file.csv", b"slot_start,load_kwh\n"),
    }
    answer = world.gate.client.post("/data/load", files=form, headers=world.gate.session("analyst"))
    assert (answer.status_code, answer.json()["field"]) == (404, "site")


def test_jobs_of_foreign_sites_are_not_listed(world: World) -> None:
    listed = [
        job["job_id"]
        for job in world.gate.client.get("/v1/jobs", headers=world.gate.session("user")).json()[
            "jobs"
        ]
    ]
    assert world.things[OWN].job in listed
    assert world.things[FOREIGN].job not in listed


def test_every_task_has_the_scope_that_it_takes() -> None:
    assert set(JOB_SCOPES) == set(list_public())


@each_row(
    ("role", "task", "request_", "status"),
    [
        pytest.param(
            "user", "ingest.slots.build", {"site_id": OWN}, 403, id="a user loads no data"
        ),
        pytest.param(
            "analyst",
            "forecaster.version.promote",
            {"site_id": OWN},
            403,
            id="an analyst operates nothing",
        ),
        pytest.param("analyst", "ingest.weather.fetch", {}, 403, id="work of every site"),
        pytest.param("user", "ingest.demo.load", {}, 403, id="the demo is the installation's"),
        pytest.param("user", "no.such.task", {"site_id": OWN}, 403, id="a task nobody knows"),
        pytest.param("user", ["planner.replay.run"], {"site_id": OWN}, 422, id="no name of a task"),
    ],
)
def test_a_job_takes_the_scope_of_its_task(
    world: World, role: Role, task: Any, request_: Any, status: int
) -> None:
    answer = world.gate.client.post(
        "/v1/jobs", json={"task": task, "request": request_}, headers=world.gate.session(role)
    )
    assert answer.status_code == status, answer.text


def test_nobody_meets_anothers_job_by_the_name_they_give_it(world: World) -> None:
    request = {"site_id": FOREIGN, "from_day": "2024-01-01", "to_day": "2024-01-02"}
    own = request | {"site_id": OWN}
    theirs = world.gate.client.post(
        "/v1/jobs",
        json={"task": "planner.replay.run", "request": request, "key": "nightly"},
        headers=world.gate.session("admin"),
    )
    mine = world.gate.client.post(
        "/v1/jobs",
        json={"task": "planner.replay.run", "request": own, "key": "nightly"},
        headers=world.gate.session("user"),
    )
    assert (theirs.status_code, mine.status_code) == (202, 202)
    assert mine.json()["request"]["site_id"] == OWN


CRITICAL = [each for each in ASKED if each[2].critical]


@each_row(
    ("method", "path", "operation"),
    CRITICAL,
    ids=[f"{method} {path}" for method, path, _ in CRITICAL],
)
@each_row("means", ["session", "key"])
def test_what_is_critical_asks_for_the_password_again(
    world: World, means: str, method: str, path: str, operation: Operation
) -> None:
    ways = {
        "session": world.gate.session("admin"),
        "key": world.gate.key("admin", "read", "administer", "operate", "configure"),
    }
    answer = world.ask(method, path, OWN, ways[means])
    if operation.alone == "a page":
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
            303,
            "/ui/confirm",
        )
    else:
        assert (answer.status_code, problem_of(answer)["type"]) == (
            403,
            "urn:luna:problem:confirmation-needed",
        )
