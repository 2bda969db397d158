"""The routes of recommendations: whose they are, what is refused, and that both say the same."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from luna.platform.database import recommendation_items, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from tests.support.documents.recommended_items import NOON, describe_item, store_items
from tests.support.gateway.people import FOREIGN, NAMES, OWN, Gate, gate_with_people
from tests.support.suite.tables import each_row
from tests.support.worker.workers import worker_process

PATHS = ("/v1/recommendations", "/recommend")


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    """People at a gateway with a worker; five documents of everybody and a tip of each site."""
    with gate_with_people(servers.database_url, redis_url, plan_timeout="PT60S") as gate:
        with unit_of_work(gate.database) as connection:
            store_items(connection, 5)
            for number, name in enumerate((OWN, FOREIGN)):
                tip = describe_item(50 + number, item_id=f"tip of {name}", kind="tip")
                recommendation_items.write(
                    connection,
                    [tip],
                    site_key=sites.key_of(connection, name),
                    kinds=["tip"],
                    now=NOON,
                )
        url = gate.database.url.render_as_string(hide_password=False).replace(
            "postgresql+psycopg", "postgresql"
        )
        with worker_process(redis_url, url, "services.rag.tasks"):
            yield gate


def ask(gate: Gate, role: str = "user", path: str = PATHS[0], **query: object) -> httpx.Response:
    return gate.client.get(path, params=query, headers=gate.key(role))  # type: ignore[arg-type]


def report(
    gate: Gate, recommendation_id: str, role: str = "user", **changes: object
) -> httpx.Response:
    event = {
        "event_id": f"event-{recommendation_id}",
        "recommendation_id": recommendation_id,
        "action": "opened",
        "happened_at": NOON.isoformat(),
    } | changes
    return gate.client.post("/v1/events", json={"events": [event]}, headers=gate.key(role))  # type: ignore[arg-type]


def items_of(answer: httpx.Response) -> set[str]:
    return {each["item_id"] for each in answer.raise_for_status().json()["recommendations"]}


@pytest.mark.parametrize("path", PATHS)
def test_a_reader_is_shown_what_is_theirs_and_everybodys(gate: Gate, path: str) -> None:
    found = items_of(ask(gate, path=path, k=50))
    assert f"tip of {OWN}" in found
    assert f"tip of {FOREIGN}" not in found


def test_another_site_is_as_unknown_as_none(gate: Gate) -> None:
    foreign, nowhere = (ask(gate, site_id=name) for name in (FOREIGN, "nowhere"))
    assert foreign.status_code == nowhere.status_code == 404
    assert foreign.json()["detail"] == nowhere.json()["detail"].replace("nowhere", FOREIGN)


def test_nobody_is_shown_anything(gate: Gate) -> None:
    assert gate.client.get(PATHS[0]).status_code == 401
    assert gate.client.post("/v1/events", json={"events": []}).status_code == 401


@each_row(
    "query",
    [{"k": 0}, {"k": 51}, {"kind": "advert"}, {"about": "x" * 501}, {"language": "fr"}],
    ids=str,
)
def test_what_cannot_be_asked_is_refused(gate: Gate, query: dict[str, Any]) -> None:
    assert ask(gate, **query).status_code == 422


def test_an_event_counts_once_and_another_readers_is_unknown(gate: Gate) -> None:
    shown = ask(gate, k=1).json()["recommendations"][0]["recommendation_id"]
    first = report(gate, shown)
    again = report(gate, shown)
    foreign = report(gate, shown, role="analyst")
    assert first.json() == {"accepted": 1, "duplicated": 0, "unknown": []}
    assert again.json() == {"accepted": 0, "duplicated": 1, "unknown": []}
    assert foreign.json() == {"accepted": 0, "duplicated": 0, "unknown": [f"event-{shown}"]}


@each_row(
    "wrong",
    [
        {"action": "bought"},
        {"seconds": -1},
        {"seconds": 1e9},
        {"event_id": "x"},
        {"happened_at": "yesterday"},
        {"reader": NAMES["admin"]},
    ],
    ids=str,
)
def test_events_that_make_no_sense_are_refused(gate: Gate, wrong: dict[str, Any]) -> None:
    assert report(gate, "anything", **wrong).status_code == 422


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_reading_time_that_is_no_number_is_refused(gate: Gate, number: str) -> None:
    event = (
        f'{{"event_id": "event-nan", "recommendation_id": "x", "action": "read", '
        f'"happened_at": "{NOON.isoformat()}", "seconds": {number}}}'
    )
    headers = gate.key("user") | {"Content-Type": "application/json"}
    assert gate.client.post(
        "/v1/events", content=f'{{"events": [{event}]}}', headers=headers
    ).status_code in (400, 422)
