"""The page Camera lab and its routes: what a finished run came to in both languages, what is not
measured by name, and how to begin without any run.
"""

import json
import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine, delete

from luna.contracts.edge import EdgeRunRequest
from luna.contracts.edge_summary import EdgeSummary
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.schema.work import jobs as job_table
from luna.platform.embedded.supervisor import Addresses
from services.edge.analytics.runs import RowAt, RunRow
from services.edge.analytics.summary import summarise
from tests.support.cameras.results import LAB, Batch, draw_runs
from tests.support.gateway.server import serve
from tests.support.words.wording import wording, wording_pattern


@pytest.fixture(scope="module")
def summary() -> EdgeSummary:
    controllers = {name: LAB[name] for name in ("rule", "custom", "oracle")}
    batch = Batch(controllers, weeks=1, variations=1)
    rows = [
        RowAt("runs-0001.jsonl", number, RunRow.model_validate(row))
        for number, row in enumerate(draw_runs(batch), start=1)
    ]
    return summarise([*rows, RowAt("runs-0001.jsonl", 500, None, "half <a> line")], seed=1)


@pytest.fixture
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    forget(database)
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client
    forget(database)


def forget(database: Engine) -> None:
    with unit_of_work(database) as connection:
        connection.execute(delete(job_table).where(job_table.c.task == EdgeRunRequest.task))


def store(database: Engine, run_id: str, reply: dict[str, object] | None) -> str:
    """Store a run as its worker would: done with a reply, or failed without one."""
    with unit_of_work(database) as connection:
        accepted = jobs.accept(
            connection,
            task=EdgeRunRequest.task,
            key=run_id,
            request=json.dumps({"run_id": run_id}),
            trace_id="t",
        )
        begun = jobs.begin(connection, accepted.job_id)
        if reply is None:
            jobs.finish(connection, begun, status="failed", error={"detail": "the disk is full"})
        else:
            jobs.finish(
                connection, begun, status="done", reply=json.dumps({"run_id": run_id, **reply})
            )
        return accepted.job_id


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return re.sub(
        r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)).replace("\u00a0", " ")
    )


def test_without_a_run_the_page_says_how_to_begin(api: httpx.Client, database: Engine) -> None:
    text = read(api, "/ui/edge")
    assert wording("edge", "empty_title") in text
    assert wording("edge", "start") in text
    assert api.get("/v1/edge/runs").json() == {"runs": [], "cursor": None}
    store(database, "broken", None)
    failed = wording("edge", "failed", "de", run="broken")
    text = read(api, "/ui/edge", "de")
    assert f"{failed} {wording('error_codes', 'sentence_internal', 'de')}" in text
    assert "disk" not in text


def test_the_page_says_what_the_newest_run_came_to(
    api: httpx.Client, database: Engine, summary: EdgeSummary
) -> None:
    older = store(database, "older", {"summary": summary.model_dump(mode="json")})
    newest = store(database, "newest", {"summary": summary.model_dump(mode="json")})
    text = read(api, "/ui/edge")
    share = next(each.share.value for each in summary.oracle_shares if each.controller == "custom")
    assert share is not None
    finding = wording_pattern(
        "camera_lab", "insight_oracle_share", Controller="Learned controller", value=f"{share:.1%}"
    )
    assert finding.search(text)
    assert wording("edge", "stand_in_title") in text
    assert "California, Florida, Northwest and New York" in text
    assert "runs-0001.jsonl, line 500" in text
    assert f"?job={older}" in api.get("/ui/edge").text
    german = read(api, f"/ui/edge?job={newest}", "de")
    german_figures = {
        "Controller": "Gelernte Steuerung",
        "value": f"{share * 100:.1f} %".replace(".", ","),
    }
    assert wording_pattern("camera_lab", "insight_oracle_share", "de", **german_figures).search(
        german
    )
    assert wording("edge", "stand_in_title", "de") in german


def test_routes_give_the_same_figures(
    api: httpx.Client, database: Engine, summary: EdgeSummary
) -> None:
    first, second = (
        store(database, name, {"summary": summary.model_dump(mode="json")})
        for name in ("first", "second")
    )
    page = api.get("/v1/edge/runs", params={"limit": 1}).json()
    assert [run["run_id"] for run in page["runs"]] == ["second"]
    rest = api.get("/v1/edge/runs", params={"cursor": page["cursor"]}).json()
    assert [run["job_id"] for run in rest["runs"]] == [first]
    told = api.get(f"/v1/edge/runs/{second}").json()
    assert EdgeSummary.model_validate(told["summary"]) == summary


def test_what_is_no_run_of_the_lab_is_not_found(api: httpx.Client, database: Engine) -> None:
    with unit_of_work(database) as connection:
        other = jobs.accept(
            connection, task="planner.plans.check", key="edge-test", request="{}", trace_id="t"
        ).job_id
    assert api.get(f"/v1/edge/runs/{other}").status_code == 404
    assert api.get("/ui/edge", params={"job": other}).status_code == 404
    with unit_of_work(database) as connection:
        connection.execute(delete(job_table).where(job_table.c.job_id == other))


def test_results_of_another_version_are_refused_in_words(
    api: httpx.Client, database: Engine
) -> None:
    job_id = store(database, "old", {"summary": {"runs": 3}})
    answer = api.get(f"/v1/edge/runs/{job_id}")
    assert answer.status_code == 409
    assert "another version" in answer.json()["detail"]
