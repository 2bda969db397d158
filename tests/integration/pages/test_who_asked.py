"""What owners fix, say and decide is kept under the name of who was signed in.

As long as nobody is set up, as the owner's.
"""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from luna.energy.timeline import SLOT, floor_to
from luna.house.capabilities.registry import CAPABILITIES
from luna.platform.clock import SystemClock
from luna.platform.database import charging_sessions, control, manual_blocks, quarantine, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from services.api.app import describe_routes
from tests.support.control.inverters import describe
from tests.support.gateway.people import NAMES, OWN, Gate, empty_gate, gate_with_people
from tests.support.gateway.server import OWNER
from tests.support.pages.site_with_history import describe_furnished, refuse_row
from tests.support.suite.tables import each_row
from tests.support.worker.workers import worker_process

HOME = f"/ui/sites/{quote(OWN)}"
API = f"/v1/sites/{quote(OWN)}"
FIRST = floor_to(SystemClock().now(), SLOT) + timedelta(hours=8)
SPAN = {"from": FIRST.isoformat(), "to": (FIRST + timedelta(hours=2)).isoformat()}
BLOCK = {"device": "battery", "action": "charge"} | SPAN
DEPARTURE = {"vehicle": "car", "target": "80", "arrival": "40"} | SPAN
SESSION = {"vehicle": "car", "target_soc": 0.8, "arrival_soc": 0.4} | SPAN
OVERRIDE = {"mode": "charge", "until": SPAN["to"]}


def furnish(gate: Gate) -> Gate:
    with unit_of_work(gate.database) as connection:
        sites.save(connection, describe_furnished(OWN, control=describe()))
    return gate


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    with gate_with_people(
        servers.database_url, redis_url, plan_timeout=timedelta(seconds=60)
    ) as gate:
        yield furnish(gate)


@pytest.fixture(scope="module")
def unclaimed(servers: Servers, redis_url: str) -> Iterator[Gate]:
    with empty_gate(servers.database_url, redis_url) as gate:
        yield furnish(gate)


def note_everything(gate: Gate, headers: dict[str, str]) -> list[str | None]:
    """Fix a block, enter a session, override and arm by the pages.

    Take block and stay back; return under whose name each is kept.
    """
    token = {"csrf_token": headers.get("X-CSRF-Token", "")}
    for path, fields in (
        ("planning/blocks", BLOCK),
        ("planning/sessions", DEPARTURE),
        ("home/override", OVERRIDE),
        ("planning/arm", {"sure": "true"}),
    ):
        answer = gate.client.post(f"{HOME}/{path}", data=fields | token, headers=headers)
        assert answer.status_code == 303, answer.text[answer.text.find("<h1") :][:900]
    now = SystemClock().now()
    with unit_of_work(gate.database) as connection:
        block = manual_blocks.read_standing(connection, OWN, first=now)[0]
        session = charging_sessions.read_standing(connection, OWN, first=now)[0]
    for path in (
        f"planning/blocks/{block.block_id}/take-back",
        f"planning/sessions/{session.session_id}/take-back",
    ):
        assert gate.client.post(f"{HOME}/{path}", data=token, headers=headers).status_code == 303
    with unit_of_work(gate.database) as connection:
        (gone,) = manual_blocks.read_history(connection, OWN)
        (left,) = charging_sessions.read_history(connection, OWN)
        state = control.load(connection, OWN)
    assert state.override is not None
    return [
        gone.added_by,
        gone.removed_by,
        left.added_by,
        left.removed_by,
        state.override.by,
        state.armed_by,
    ]


def test_pages_keep_the_name_of_who_was_signed_in(gate: Gate) -> None:
    assert note_everything(gate, gate.session("user", confirmed=True)) == [NAMES["user"]] * 6


def test_as_long_as_nobody_is_set_up_it_is_the_owner(unclaimed: Gate) -> None:
    assert note_everything(unclaimed, OWNER) == ["owner"] * 6


def test_programs_sign_with_the_name_of_their_key_s_owner_and_with_no_other(gate: Gate) -> None:
    key = gate.key("user", "read", "operate")
    own = gate.client.put(f"{API}/control/overrides/batteries", json=OVERRIDE, headers=key)
    named = gate.client.put(
        f"{API}/control/overrides/batteries", json=OVERRIDE | {"by": "anna"}, headers=key
    )
    block = gate.client.post(f"{API}/manual-blocks", json=BLOCK, headers=key)
    assert own.status_code == 200, own.text
    assert own.json()["override"]["by"] == NAMES["user"]
    assert (named.status_code, named.json()["reason"], named.json()["field"]) == (
        422,
        "author-is-caller",
        "by",
    )
    assert block.json()["added_by"] == NAMES["user"]


@each_row("headers", ["key", "session"])
def test_nobody_signs_for_somebody_else(gate: Gate, headers: str) -> None:
    held = (
        gate.key("user", "read", "operate")
        if headers == "key"
        else gate.session("user", confirmed=True)
    )
    for path, document in (("manual-blocks", BLOCK), ("vehicle-sessions", SESSION)):
        foreign = gate.client.post(
            f"{API}/{path}", json=document, params={"by": NAMES["admin"]}, headers=held
        )
        assert (foreign.status_code, foreign.json()["reason"]) == (422, "author-is-caller")
        own = gate.client.post(
            f"{API}/{path}", json=document, params={"by": NAMES["user"]}, headers=held
        )
        assert (own.status_code, own.json()["added_by"]) == (201, NAMES["user"])
        number = own.json().get("block_id") or own.json()["session_id"]
        taken = gate.client.delete(
            f"{API}/{path}/{number}", params={"by": NAMES["admin"]}, headers=held
        )
        assert (taken.status_code, taken.json()["reason"]) == (422, "author-is-caller")
        assert (
            gate.client.delete(f"{API}/{path}/{number}", headers=held).json()["removed_by"]
            == NAMES["user"]
        )


def test_no_operation_takes_another_name_for_who_asks() -> None:
    # Fields that say who did something, beside the filter of a list and what replies say.
    named = {
        (path, parameter["name"])
        for path, methods in describe_routes()["paths"].items()
        for method, operation in methods.items()
        for parameter in operation.get("parameters", ())
        if parameter["name"]
        in {"by", "user", "author", "added_by", "asked_by", "decided_by", "removed_by"}
        and method != "get"
    }
    assert {name for _, name in named} == {"by"}
    signable = {each.path for each in CAPABILITIES if each.signable}
    assert {path for path, _ in named} == signable


def test_who_decided_about_a_refused_row_is_kept_with_it(gate: Gate, redis_url: str) -> None:
    headers = gate.session("admin", confirmed=True)
    with unit_of_work(gate.database) as connection:
        row = refuse_row(connection, OWN, 7, load_kwh=-0.4)
    with worker_process(
        redis_url, gate.database.url.render_as_string(hide_password=False), "services.ingest.tasks"
    ):
        answer = gate.client.post(
            f"{HOME}/data/quarantine/{row}/dismissed", headers=headers, timeout=60
        )
    assert answer.status_code == 303, answer.text
    with unit_of_work(gate.database) as connection:
        (decided,) = quarantine.list_rows(connection, OWN, status="dismissed")
    assert decided.resolved_by == NAMES["admin"]
