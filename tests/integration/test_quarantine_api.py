"""Refused rows over HTTP: listed, released, corrected, dismissed."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from luna.energy.row_fault import RowFault
from luna.platform.database import quarantine
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words.quarantine import say_row_fault
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row
from tests.support.worker.workers import worker_process

PROBLEM = "application/problem+json"
NO_REDIS = "redis://127.0.0.1:9/0"
PATH = "/v1/sites/refusing/quarantine"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with (
        worker_process(redis_url, database_url, "services.ingest.tasks"),
        serve(Addresses(database_url=database_url, redis_url=redis_url)) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def _home(database: Engine) -> Iterator[None]:
    faults = {
        line: RowFault.of("above_site", series="pv_kwh", limit=float(line), minutes=15)
        for line in (1, 2, 3)
    }
    rows = [
        (line, fault.text, json.dumps({"slot_start": f"2024-01-01T0{line}:00:00Z", "pv_kwh": "2"}))
        for line, fault in faults.items()
    ]
    with unit_of_work(database) as connection:
        store_site(connection, name="refusing", timezone="UTC", pv=[{"peak_kw": 5}])
        quarantine.begin(connection)
        quarantine.add(connection, rows)
        quarantine.finish(
            connection, "refusing", kind="observations", source="digest", step_minutes=15
        )
    yield
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM quarantine"))


def rows(api: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    answer = api.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_refused_rows_are_listed_with_reason_and_row(api: httpx.Client) -> None:
    found = rows(api)
    assert [row["line"] for row in found] == [3, 2, 1]
    assert found[0]["reason"] == say_row_fault(
        RowFault.of("above_site", series="pv_kwh", limit=3.0, minutes=15)
    )
    assert (found[0]["raw"]["pv_kwh"], found[0]["resolution"]) == ("2", None)
    assert found[0]["fault"] == {
        "code": "above_site",
        "parameters": {"series": "pv_kwh", "limit": 3.0, "minutes": 15},
    }
    assert [
        row["line"]
        for row in rows(api, limit=2, cursor=api.get(PATH, params={"limit": 1}).json()["cursor"])
    ] == [2, 1]


def test_rows_are_released_corrected_and_dismissed_and_listed_as_such(api: httpx.Client) -> None:
    third, second, first = (row["quarantine_id"] for row in rows(api))
    released = api.post(f"{PATH}/{first}/release")
    assert (
        released.status_code,
        released.json()["row"]["resolution"],
        released.json()["slots_changed"],
    ) == (200, "released", 1)
    corrected = api.post(f"{PATH}/{second}/correct", json={"values": {"pv_kwh": 0.5}})
    assert (corrected.status_code, corrected.json()["row"]["corrected"]) == (200, {"pv_kwh": 0.5})
    assert api.post(f"{PATH}/{third}/dismiss").json()["row"]["resolution"] == "dismissed"
    assert rows(api) == []
    assert [row["quarantine_id"] for row in rows(api, status="released")] == [first]


def test_nobody_decides_twice(api: httpx.Client) -> None:
    number = rows(api)[0]["quarantine_id"]
    api.post(f"{PATH}/{number}/dismiss")
    answers = [api.post(f"{PATH}/{number}/{verb}") for verb in ("release", "dismiss")]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].headers["content-type"] == PROBLEM


@pytest.mark.parametrize("verb", ["release", "dismiss"])
def test_a_row_that_is_not_there_is_not_found(api: httpx.Client, verb: str) -> None:
    answer = api.post(f"{PATH}/999999999/{verb}")
    assert (answer.status_code, answer.json()["field"]) == (404, "quarantine_id")


@each_row(
    ("path", "body", "field"),
    [
        ("0/release", None, "quarantine_id"),
        ("99999999999999999999/dismiss", None, "quarantine_id"),
        ("1/correct", {"values": {}}, "values"),
        ("1/correct", {}, "values"),
        ("1/correct", {"values": {"pv_kwh": [1]}}, "values.pv_kwh"),
    ],
    ids=["no number of a row", "beyond all rows", "no values", "nothing", "a list"],
)
def test_what_cannot_be_meant_is_refused(
    api: httpx.Client, path: str, body: Any, field: str
) -> None:
    answer = api.post(f"{PATH}/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert answer.json()["field"].startswith(field)


def test_a_correction_that_breaks_a_rule_changes_nothing(api: httpx.Client) -> None:
    number = rows(api)[0]["quarantine_id"]
    # A roof of 5 kW gives 1.5625 kWh in a quarter-hour at most.
    answer = api.post(f"{PATH}/{number}/correct", json={"values": {"pv_kwh": 1.9}})
    assert (answer.status_code, answer.json()["reason"]) == (422, "row-not-let-in")
    figures = {"series": "pv_kwh", "limit": 1.5625, "minutes": 15}
    assert answer.json()["parameters"]["why"] == {"code": "above_site", "parameters": figures}
    assert len(rows(api)) == 3


def test_a_site_or_status_nobody_knows_is_refused(api: httpx.Client) -> None:
    assert api.get("/v1/sites/nowhere/quarantine").status_code == 404
    assert api.get(PATH, params={"status": "lost"}).status_code == 422


def test_without_a_queue_rows_are_still_listed_and_a_decision_is_asked_for_again(
    api: httpx.Client, database_url: str
) -> None:
    with serve(Addresses(database_url=database_url, redis_url=NO_REDIS)) as without:
        number = rows(without)[0]["quarantine_id"]
        answer = without.post(f"{PATH}/{number}/dismiss")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert len(rows(api)) == 3
