"""Two sites with one of everything: every operation, asked by every identifier with a key for one
of them, and by an admin.
"""

import re
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Connection

from luna.contracts.agent_control import GateVerdict
from luna.contracts.answers import Answer, StoredAnswer
from luna.contracts.charging_sessions import NewSession
from luna.contracts.identity import KeyScope, NewKey, NewUser
from luna.contracts.operator_limits import NewLimit
from luna.contracts.owner import ManualBlock
from luna.energy.timeline import SLOT, floor_to
from luna.platform import passwords
from luna.platform.clock import SystemClock
from luna.platform.database import (
    agent_plans,
    answers,
    api_keys,
    documents,
    manual_blocks,
    notifications,
    operator_limits,
    sites,
    training_runs,
    users,
)
from luna.platform.database import charging_sessions as sessions
from luna.platform.database.agent_plans import ShadowPlan
from luna.platform.database.documents import NewDocument
from luna.platform.database.engine import unit_of_work
from luna.platform.database.notifications import NewNotification
from luna.platform.database.training_runs import TrainingRun
from luna.platform.embedded.supervisor import Servers
from services.api.app import OPERATIONS, describe_routes
from services.api.identity.site_access import ABOUT_NO_SITE
from services.api.operation import Operation
from tests.support.database.site import store_site
from tests.support.gateway.people import (
    NAMES,
    PASSWORD,
    Gate,
    empty_gate,
    store_things,
)
from tests.support.planning.plans import as_columns
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

ALPHA = "alpha"
BRAVO = "bravo"
PARTS: dict[str, Any] = {
    "batteries": [{"capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "vehicles": [{"name": "car", "capacity_kwh": 50, "charge_limit_kw": 11}],
    "tariff": {
        "import": {"kind": "fixed", "price": 0.3},
        "export": {"kind": "fixed", "price": 0.08},
    },
}
# All that a key bound to a site can have: who administers has every site.
SCOPES: tuple[KeyScope, ...] = ("read", "analyse", "operate", "data", "configure")
# What a path names beside things of a site, and why nobody's site hides it.
OF_NO_SITE = {
    "name": "a tool, a file of the page, a person, whom an admin alone may change",
    "lab_job_id": "the camera lab is nobody's site",
    "draft_id": "a site that is not there yet, an admin's alone",
    "recommendation_id": "its reader's alone",
    "device": "by the site before it",
    "departure_id": "computed from the stays of the site before it",
    "series": "by the site before it",
    "upload_id": "by the site before it",
    "day": "by the site before it",
    "resolution": "a word of the address",
    "step": "a word of the address",
    "section": "a word of the address",
    "part": "a word of the address",
}
IDENTIFIERS = {
    *(
        "plan_id",
        "job_id",
        "what_if_id",
        "quarantine_id",
        "answer_id",
        "conversation_id",
        "document_id",
        "block_id",
        "limit_id",
        "session_id",
        "run_id",
    ),
    *("shadow_id", "prefix"),
}
# Lists of every site, each with what of a site's it tells.
LISTS = {
    "list_sites": "name",
    "list_answers": "question",
    "list_keys": "key",
    "list_jobs": "job_id",
    "list_notifications": "message",
    "list_documents": "document",
    "show_keys": "key",
}
# What names its site in the body or query, as it is named there.
BODIES: dict[str, dict[str, Any]] = {
    "make_plan": {"site_id": BRAVO},
    "trace_pareto": {"plan": {"site_id": BRAVO}, "figures": ["cost"]},
    "ask_what_if": {"site_id": BRAVO},
    "search_passages": {"query": "bravo", "filter": {"site_id": BRAVO}},
    "ask_question": {"question": "bravo?", "site_id": BRAVO},
    "list_recommendations": {"site_id": BRAVO},
    "accept_job": {"task": "planner.replay.run", "request": {"site_id": BRAVO}},
    "create_key": {"name": "key", "sites": [BRAVO]},
    "query_data": {"site": BRAVO},
    "add_documents": {"site_id": BRAVO},
    "load_data": {"site": BRAVO},
    "fetch_document": {"site_id": BRAVO, "url": "https://192.0.2.1/"},
}
FORMS = ("add_documents", "load_data")
# What tells nothing of a site, or of the caller's own alone.
TELLS_NOTHING = {
    *(
        "embed_texts",
        "list_tools",
        "answer_assistant",
        "test_notifications",
        "record_events",
        "list_edge_runs",
        "show_edge",
    ),
    *(
        "list_services",
        "show_documentation",
        "read_description",
        "sign_out",
        "sign_out_page",
        "confirm_password",
        "read_me",
        "change_password",
    ),
    *(
        "open_first",
        "show_confirm",
        "confirm_page",
        "show_password",
        "change_password_page",
        "make_key",
        "create_site",
    ),
}


def names_in(path: str) -> list[str]:
    return [
        name for name in re.findall(r"\{(\w+)(?::\w+)?\}", path) if name not in ("site_id", "site")
    ]


GUARDED = [each for each in OPERATIONS if each.scope not in ("public", "administer")]
BY_SITE = [each for each in GUARDED if "{site" in each.path]
BY_IDENTIFIER = [
    (each, name) for each in GUARDED for name in names_in(each.path) if name not in OF_NO_SITE
]
BY_NOTHING = [
    each
    for each in GUARDED
    if "{site" not in each.path and not set(names_in(each.path)) - OF_NO_SITE.keys()
]


@dataclass
class World:
    """A gateway with two sites, and the headers of a key for the first."""

    gate: Gate
    key: dict[str, str]
    things: dict[str, dict[str, Any]] = field(default_factory=dict)

    def store(self) -> dict[str, dict[str, Any]]:
        """Store a thing of every kind of both sites, anew where something was changed since, and
        return their identifiers.
        """
        missing = {ALPHA, BRAVO}.difference(self.things)
        if missing:
            self._store(missing)
        return self.things

    def _store(self, missing: Collection[str]) -> None:
        with unit_of_work(self.gate.database) as connection:
            for name in {ALPHA, BRAVO}.difference(sites.names(connection)):
                store_site(connection, name=name, **PARTS)
            owner = self.gate.user_id("admin")
            self.things |= {site: store_everything(connection, site, owner) for site in missing}

    def ask(
        self, operation: Operation, values: Mapping[str, Any], headers: dict[str, str]
    ) -> httpx.Response:
        """Ask by these identifiers, with nothing else said; of a stream the head alone is read."""
        path = re.sub(
            r"\{(\w+)(?::\w+)?\}", lambda match: str(values.get(match[1], "1")), operation.path
        )
        confirmed = headers | {"X-Confirm-Password": PASSWORD.replace(" ", "%20")}
        # What replaces something says nothing of it: without a body it is no request.
        with self.gate.client.stream(
            operation.method,
            path,
            headers=confirmed,
            json={} if operation.method == "PUT" else None,
        ) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                answer.read()
            # What is refused is rolled back.
            if operation.method != "GET" and not answer.is_error:
                self.things.pop(values.get("site", ""), None)
            return answer


def store_everything(connection: Connection, site: str, owner: int) -> dict[str, Any]:
    now = floor_to(SystemClock().now(), SLOT)
    unique = uuid.uuid4().hex[:8]
    named = f"{site}-{unique}"
    things = store_things(connection, site, name=named, start=now)
    # Of the site by what it tells, though its conversation began without one.
    answers.begin_conversation(
        connection, f"talk-{named}", asked_by=NAMES["admin"], site_id=None, at=now
    )
    parts = {
        "answer_id": f"answer-{named}",
        "conversation_id": f"talk-{named}",
        "question": f"what of {named}?",
        "answer": "!",
        "prompt_version": "1",
    }
    answer = Answer(
        **parts, language="en", refused=False, answered_at=SystemClock().now(), latency_seconds=0.5
    )
    answers.save(connection, StoredAnswer(answer=answer, asked_by=NAMES["admin"], sites=[site]))
    file = NewDocument(
        f"{named}.md",
        site,
        named,
        "other",
        "en",
        None,
        None,
        None,
        "upload",
        None,
        unique,
        f"documents/{unique}",
        1,
        "test",
    )
    document = documents.add(connection, file)
    new = NewNotification(
        "plan",
        "no_plan",
        unique,
        "No plan",
        f"Message of {named}.",
        urgent=True,
        expires_at=now + timedelta(days=1),
    )
    notifications.add(connection, site, new, targets=[], due_at=now)
    span = {"from": now + SLOT, "to": now + 2 * SLOT}
    block = manual_blocks.add(
        connection,
        site,
        ManualBlock.model_validate({"device": "battery", "action": "hold"} | span),
        by="owner",
        now=now,
    )
    limit = operator_limits.store(connection, site, NewLimit(import_kw=10.0), source="api", now=now)
    for each in sessions.read_standing(connection, site, first=now):
        sessions.remove(connection, site, each.session_id, by="owner")
    session = sessions.add(
        connection,
        site,
        NewSession.model_validate({"vehicle": "car", "arrival_soc": 0.5, "target_soc": 0.8} | span),
        by="owner",
        now=now,
    )
    run = TrainingRun(
        f"run-{named}",
        "agent_value_v1",
        now - timedelta(days=9),
        now - timedelta(days=7),
        "test",
        0,
        42.0,
        {"score": 94.1},
    )
    training_runs.save(connection, site, run)
    verdict = GateVerdict(code="agent_cheaper", follow="export", expected_gain=0.02)
    plan = things.plan
    shadow = plan.model_copy(update={"plan_id": f"shadow-{named}"})
    times = (plan.slots[0].start, plan.slots[0].start, plan.slots[-1].start + SLOT)
    agent_plans.save(
        connection,
        site,
        ShadowPlan(
            plan.plan_id, "antares", *times, verdict, run.run_id, {"slots": 96.0}, shadow.plan_id
        ),
        as_columns(shadow),
    )
    key = api_keys.make(
        connection,
        owner,
        NewKey(name=f"key of {named}", scopes=("read",), sites=(site,), days=1),
        now=now,
    )
    return {
        "site_id": site,
        "site": site,
        "plan_id": plan.plan_id,
        "job_id": things.job,
        "what_if_id": things.what_if,
        "quarantine_id": things.row,
        "answer_id": answer.answer_id,
        "conversation_id": answer.conversation_id,
        "document_id": document.document_id,
        "block_id": block.block_id,
        "limit_id": limit.limit_id,
        "session_id": session.session_id,
        "run_id": run.run_id,
        "shadow_id": shadow.plan_id,
        "prefix": key.prefix,
        "name": site,
        "question": f"what of {named}?",
        "key": f"key of {named}",
        "message": f"Message of {named}.",
        "document": f"{named}.md",
    }


@pytest.fixture(scope="module")
def world(servers: Servers, redis_url: str) -> Iterator[World]:
    with empty_gate(servers.database_url, redis_url) as gate:
        with unit_of_work(gate.database) as connection:
            users.add(
                connection,
                NewUser(name=NAMES["admin"], password=SecretStr(PASSWORD), role="admin"),
                passwords.hash_password(PASSWORD),
            )
            for name in (ALPHA, BRAVO):
                store_site(connection, name=name, **PARTS)
        # A second and a half that no row should take.
        describe_routes()
        yield World(gate, gate.key("admin", *SCOPES, sites=(ALPHA,)))


def field_of(answer: httpx.Response) -> Any:
    return (
        answer.json()["field"]
        if answer.headers.get("content-type", "").startswith("application/problem+json")
        else None
    )


def test_every_operation_has_a_row() -> None:
    told = {*LISTS, *BODIES, *TELLS_NOTHING}
    assert {each.name for each in BY_NOTHING if "{" not in each.path} == told
    assert {name for _, name in BY_IDENTIFIER} == IDENTIFIERS


# The guard asks whose site it is before any operation looks at anything.
@each_row("operation", BY_SITE if LONG else BY_SITE[::4], ids=lambda each: each.name)
def test_another_site_is_not_there_for_a_key(world: World, operation: Operation) -> None:
    answer = world.ask(operation, world.store()[BRAVO], world.key)
    assert answer.status_code == httpx.codes.NOT_FOUND, answer.text
    assert BRAVO not in str(answer.json().get("remedy") if field_of(answer) else "")


@each_row(
    ("operation", "name"),
    BY_IDENTIFIER,
    ids=[f"{each.name} by {name}" for each, name in BY_IDENTIFIER],
)
def test_a_thing_of_another_site_is_not_there_for_a_key(
    world: World, operation: Operation, name: str
) -> None:
    things = world.store()
    # The path's site is the key's own: the thing is what does not belong to it.
    answer = world.ask(operation, things[ALPHA] | {name: things[BRAVO][name]}, world.key)
    assert answer.status_code == httpx.codes.NOT_FOUND, answer.text


@each_row(
    ("number", "operation", "name"),
    [(number, *row) for number, row in enumerate(BY_IDENTIFIER)],
    ids=[f"{each.name} by {name}" for each, name in BY_IDENTIFIER],
)
def test_the_same_is_there_for_an_admin_and_for_the_key_of_its_own_site(
    world: World, number: int, operation: Operation, name: str
) -> None:
    callers = ((BRAVO, world.gate.session("admin", confirmed=True)), (ALPHA, world.key))
    # In a short run they take turns.
    for site, headers in callers if LONG else callers[number % 2 :][:1]:
        answer = world.ask(operation, world.store()[site], headers)
        assert answer.status_code not in (401, 403, 500), answer.text
        assert (answer.status_code, field_of(answer)) != (404, name), answer.text


@each_row("name", LISTS)
def test_a_list_tells_a_key_of_its_own_site_alone(world: World, name: str) -> None:
    things = world.store()
    operation = next(each for each in OPERATIONS if each.name == name)
    own = things[ALPHA][LISTS[name]]
    others = things[BRAVO][LISTS[name]]
    for headers, seen in ((world.key, False), (world.gate.session("admin"), True)):
        told = world.ask(operation, {}, headers).raise_for_status().text
        assert own in told
        assert (others in told) == seen


@each_row("name", BODIES)
def test_another_site_is_found_wherever_a_request_names_it(world: World, name: str) -> None:
    world.store()
    operation = next(each for each in OPERATIONS if each.name == name)
    body = BODIES[name]
    headers = world.key | {"X-Confirm-Password": PASSWORD.replace(" ", "%20")}
    if operation.method == "GET":
        answer = world.gate.client.get(operation.path, params=body, headers=headers)
    elif name in FORMS:
        form: dict[str, Any] = {field: (None, value) for field, value in body.items()}
        file = (
            {"kind": (None, "observations"), "file": ("file.csv", b"slot_start,load_kwh\n")}
            if name == "load_data"
            else {"file": ("a.md", b"# a\n")}
        )
        answer = world.gate.client.post(operation.path, files=form | file, headers=headers)
    else:
        answer = world.gate.client.post(operation.path, json=body, headers=headers)
    assert answer.status_code == httpx.codes.NOT_FOUND, answer.text


def test_a_key_goes_on_with_no_conversation_that_told_of_another_site(world: World) -> None:
    things = world.store()
    question = {"question": "And yesterday?", "conversation_id": things[BRAVO]["conversation_id"]}
    assert (
        world.gate.client.post("/v1/answers", json=question, headers=world.key).status_code
        == httpx.codes.NOT_FOUND
    )


def test_what_tells_nothing_is_asked_and_tells_nothing(world: World) -> None:
    things = world.store()
    for operation in BY_NOTHING:
        if operation.name in TELLS_NOTHING - ABOUT_NO_SITE and operation.method == "GET":
            told = world.ask(operation, {}, world.key).text
            assert [
                each
                for each in map(str, things[BRAVO].values())
                if len(each) > len(BRAVO) and each in told
            ] == []
