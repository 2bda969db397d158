"""Answers and conversations are their asker's; everybody's are an admin's to read."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from luna.contracts.answers import Answer, StoredAnswer
from luna.platform.database import answers
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from tests.support.gateway.people import FOREIGN, NAMES, Gate, gate_with_people

NOON = datetime(2026, 5, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def gate(servers: Servers, redis_url: str) -> Iterator[Gate]:
    with gate_with_people(servers.database_url, redis_url) as running:
        yield running


@pytest.fixture
def asked(gate: Gate) -> Answer:
    """An answer of the analyst's."""
    parts = {
        "answer_id": uuid.uuid4().hex,
        "conversation_id": uuid.uuid4().hex,
        "question": "?",
        "language": "de",
        "answer": "!",
        "prompt_version": "1",
    }
    answer = Answer(**parts, refused=False, answered_at=NOON, latency_seconds=0.5)  # type: ignore[arg-type]
    with unit_of_work(gate.database) as connection:
        answers.begin_conversation(
            connection, answer.conversation_id, asked_by=NAMES["analyst"], site_id=None, at=NOON
        )
        answers.save(connection, StoredAnswer(answer=answer, asked_by=NAMES["analyst"]))
    return answer


def addresses(answer: Answer) -> list[str]:
    return [f"/v1/answers/{answer.answer_id}", f"/v1/conversations/{answer.conversation_id}"]


def test_nobody_reads_without_saying_who_asks(gate: Gate, asked: Answer) -> None:
    # From behind a proxy, so that it is not this machine itself, which may know for a moment that
    # nobody is set up.
    elsewhere = {"X-Forwarded-For": "192.0.2.1"}
    asked_for = (*addresses(asked), "/v1/answers", "/v1/audit/answers")
    assert [gate.client.get(address, headers=elsewhere).status_code for address in asked_for] == [
        401
    ] * 4


def test_somebody_elses_look_absent(gate: Gate, asked: Answer) -> None:
    key = gate.key("user")
    assert [gate.client.get(address, headers=key).status_code for address in addresses(asked)] == [
        404,
        404,
    ]
    assert gate.client.delete(addresses(asked)[1], headers=key).status_code == 404
    assert (
        gate.client.post(
            f"{addresses(asked)[0]}/feedback", json={"feedback": "helpful"}, headers=key
        ).status_code
        == 404
    )
    assert gate.client.get("/v1/answers", headers=key).json()["answers"] == []
    question = {"question": "Und gestern?", "conversation_id": asked.conversation_id}
    assert gate.client.post("/v1/answers", json=question, headers=key).status_code == 404


def test_ones_own_are_read_and_an_admin_reads_all(gate: Gate, asked: Answer) -> None:
    own = gate.key("analyst")
    admin = gate.key("admin", "administer", "read")
    assert [gate.client.get(address, headers=own).status_code for address in addresses(asked)] == [
        200,
        200,
    ]
    assert gate.client.get("/v1/audit/answers", headers=own).status_code == 403
    found = gate.client.get(
        "/v1/audit/answers", params={"asked_by": NAMES["analyst"]}, headers=admin
    ).json()["answers"]
    assert asked.answer_id in [each["answer"]["answer_id"] for each in found]


@pytest.mark.parametrize(
    "part", [{"site_id": FOREIGN}, {"filter": {"site_id": FOREIGN}}], ids=["site", "filter"]
)
def test_a_site_that_is_not_theirs_looks_absent(gate: Gate, part: dict[str, object]) -> None:
    assert (
        gate.client.post(
            "/rag/ask",
            json={"question": "Wie hoch ist der Preis?", **part},
            headers=gate.key("user"),
        ).status_code
        == 404
    )
