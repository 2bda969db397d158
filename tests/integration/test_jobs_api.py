"""Jobs over HTTP: accepted, looked after, tried again."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, text

from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Client, Progress
from luna.platform.queue.task_tracker import TaskTracker
from tests.integration.test_api import request_document as plan_document
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row

PROBLEM = "application/problem+json"
REPLAY = {"site_id": "home", "from_day": "2023-09-01", "to_day": "2023-09-07"}
NO_REDIS = "redis://127.0.0.1:9/0"
NO_DATABASE = "postgresql+psycopg://luna@127.0.0.1:9/luna"


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


@pytest.fixture(scope="module")
def api_without_redis(database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=NO_REDIS)) as client:
        yield client


@pytest.fixture(scope="module")
def api_without_database(redis_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=NO_DATABASE, redis_url=redis_url)) as client:
        yield client


@pytest.fixture(autouse=True)
def no_jobs(database: Engine) -> Iterator[None]:
    yield
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs"))


def submission(**changes: Any) -> dict[str, Any]:
    return {"task": "planner.replay.run", "request": REPLAY} | changes


def accept(api: httpx.Client, **changes: Any) -> str:
    answer = api.post("/v1/jobs", json=submission(**changes))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def end(database: Engine, job_id: str, status: str, **outcome: Any) -> None:
    """Let a worker have begun a job and ended it."""
    with unit_of_work(database) as connection:
        jobs.finish(connection, jobs.begin(connection, job_id), status=status, **outcome)


def test_work_is_accepted_with_its_address_and_waits_in_the_queue(
    api: httpx.Client, redis_url: str
) -> None:
    client = Client(redis_url)
    before = client.tasks.waiting("planner")
    answer = api.post(
        "/v1/jobs", json=submission(key="tonight"), headers={"X-Trace-Id": "caller-0001"}
    )
    assert (answer.status_code, answer.headers["location"]) == (
        202,
        f"/v1/jobs/{answer.json()['job_id']}",
    )
    assert {
        name: answer.json()[name] for name in ("task", "key", "status", "attempts", "trace_id")
    } == {
        "task": "planner.replay.run",
        "key": "tonight",
        "status": "queued",
        "attempts": 0,
        "trace_id": "caller-0001",
    }
    # Stored with the contract's defaults: what runs later is what was accepted.
    assert (
        answer.json()["request"].items()
        >= (REPLAY | {"every_minutes": 60, "system_id": "simulation"}).items()
    )
    assert client.tasks.waiting("planner") == before + 1
    client.close()


def test_equal_work_is_accepted_once_while_it_is_open(api: httpx.Client, database: Engine) -> None:
    first = accept(api)
    assert accept(api) == first
    assert accept(api, request=REPLAY | {"every_minutes": 30}) != first
    end(database, first, "done", reply="{}")
    assert accept(api) != first


@each_row(
    ("document", "field"),
    [
        pytest.param({}, "task", id="nothing"),
        pytest.param(submission(task="planner.dream"), "task", id="unknown task"),
        pytest.param(
            submission(task="ingest.jobs.resend", request={}),
            "task",
            id="the platform's own upkeep",
        ),
        pytest.param(
            submission(request=REPLAY | {"from_day": "yesterday"}), "request.from_day", id="no day"
        ),
        pytest.param(
            submission(request=REPLAY | {"speed": 2}), "request.speed", id="unknown field"
        ),
        pytest.param(submission(request={}), "request.site_id", id="empty request"),
        pytest.param(submission(request="home"), "request", id="text for a request"),
        pytest.param(
            submission(request=REPLAY | {"site_id": "a\u0000b"}),
            "request.site_id",
            id="null character",
        ),
        pytest.param(submission(key=""), "key", id="empty key"),
        pytest.param(submission(key="a\u0000b"), "key", id="null character in the key"),
        pytest.param(submission(priority=1), "priority", id="unknown member"),
    ],
)
def test_invalid_work_is_refused_with_field_and_remedy(
    api: httpx.Client, document: dict[str, Any], field: str
) -> None:
    answer = api.post("/v1/jobs", json=document)
    assert (answer.status_code, answer.headers["content-type"], answer.json()["field"]) == (
        422,
        PROBLEM,
        field,
    )
    assert answer.json()["remedy"]


@each_row(
    ("task", "request_document"),
    [
        pytest.param("planner.replay.run", REPLAY, id="replay"),
        pytest.param(
            "forecaster.model.train",
            {"site_id": "home", "until": "2023-09-01T00:00:00Z"},
            id="train",
        ),
        pytest.param(
            "forecaster.forecast.issue",
            {"site_id": "home", "at": "2023-09-01T00:00:00Z"},
            id="issue",
        ),
        pytest.param(
            "forecaster.scenario.issue",
            {"site_id": "home", "at": "2023-09-01T00:00:00Z"},
            id="scenarios",
        ),
        pytest.param(
            "forecaster.forecast.evaluate", {**REPLAY, "versions": ["aurora_v1.0"]}, id="evaluate"
        ),
        pytest.param("ingest.demo.load", {}, id="demo"),
    ],
)
def test_every_task_on_the_list_can_be_asked_for(
    api: httpx.Client, task: str, request_document: dict[str, Any]
) -> None:
    assert accept(api, task=task, request=request_document)


def test_work_is_accepted_while_redis_is_away(
    api_without_redis: httpx.Client, database: Engine
) -> None:
    job_id = accept(api_without_redis)
    with unit_of_work(database) as connection:
        assert [job.job_id for job in jobs.take_due(connection)] == [job_id]
    answer = api_without_redis.post("/plan", json=plan_document())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


@each_row(
    ("method", "address"),
    [
        pytest.param("POST", "/v1/jobs", id="accept"),
        pytest.param("GET", "/v1/jobs", id="list"),
        pytest.param("GET", "/v1/jobs/some", id="read"),
        pytest.param("POST", "/v1/jobs/some/retry", id="retry"),
        pytest.param("DELETE", "/v1/jobs/some", id="cancel"),
    ],
)
def test_without_a_database_nothing_is_accepted_or_said(
    api_without_database: httpx.Client, method: str, address: str
) -> None:
    answer = api_without_database.request(method, address, json=submission())
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert int(answer.headers["retry-after"]) > 0


def test_a_job_is_read_with_its_reply(api: httpx.Client, database: Engine) -> None:
    job_id = accept(api)
    end(database, job_id, "done", reply='{"slots": 672}')
    job = api.get(f"/v1/jobs/{job_id}").json()
    assert (job["status"], job["attempts"], job["reply"], job["error"], job["progress"]) == (
        "done",
        1,
        {"slots": 672},
        None,
        None,
    )
    assert job["submitted_at"] < job["started_at"] <= job["finished_at"]


def test_a_running_job_shows_how_far_it_is(
    api: httpx.Client, api_without_redis: httpx.Client, database: Engine, redis_url: str
) -> None:
    job_id = accept(api)
    with unit_of_work(database) as connection:
        jobs.begin(connection, job_id)
    assert api.get(f"/v1/jobs/{job_id}").json()["progress"] is None
    report(redis_url, job_id)
    assert api.get(f"/v1/jobs/{job_id}").json()["progress"] == {
        "done": 3,
        "total": 7,
        "label": "mpc",
    }
    assert api_without_redis.get(f"/v1/jobs/{job_id}").json()["status"] == "running"


def report(redis_url: str, job_id: str) -> None:
    with redis.Redis.from_url(redis_url) as queue:
        TaskTracker(queue).report(job_id, Progress(done=3, total=7, label="mpc"))


@pytest.mark.parametrize(
    ("method", "address"),
    [
        pytest.param("GET", "/v1/jobs/unknown", id="read"),
        pytest.param("POST", "/v1/jobs/unknown/retry", id="retry"),
        pytest.param("DELETE", "/v1/jobs/unknown", id="cancel"),
    ],
)
def test_an_unknown_job_is_not_found(api: httpx.Client, method: str, address: str) -> None:
    answer = api.request(method, address)
    assert (answer.status_code, answer.headers["content-type"], answer.json()["field"]) == (
        404,
        PROBLEM,
        "job_id",
    )


def test_an_id_that_cannot_be_one_is_refused(api: httpx.Client) -> None:
    assert api.get("/v1/jobs/a%00b").status_code == 422
    assert api.get(f"/v1/jobs/{'a' * 65}").status_code == 422


def test_jobs_are_listed_newest_first_by_status(api: httpx.Client, database: Engine) -> None:
    first, second, third = (accept(api, key=key) for key in ("one", "two", "three"))
    end(database, second, "dead", error={"detail": "killed"})
    assert [job["job_id"] for job in api.get("/v1/jobs").json()["jobs"]] == [third, second, first]
    assert [job["job_id"] for job in api.get("/v1/jobs?status=open&limit=1").json()["jobs"]] == [
        third
    ]
    assert [job["error"] for job in api.get("/v1/jobs?status=dead").json()["jobs"]] == [
        {"detail": "killed"}
    ]
    assert api.get("/v1/jobs?status=done").json() == {"jobs": [], "cursor": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("status=lost", "status", id="unknown status"),
        pytest.param("limit=0", "limit", id="limit out of bounds"),
    ],
)
def test_a_list_that_cannot_be_made_is_refused(api: httpx.Client, query: str, field: str) -> None:
    answer = api.get(f"/v1/jobs?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("status", ["failed", "dead"])
def test_a_job_that_ended_badly_is_tried_again_from_nought(
    api: httpx.Client, database: Engine, status: str
) -> None:
    job_id = accept(api)
    end(database, job_id, status, error={"detail": "no"})
    answer = api.post(f"/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/jobs/{job_id}")
    assert {
        name: answer.json()[name] for name in ("status", "attempts", "error", "finished_at")
    } == {
        "status": "queued",
        "attempts": 0,
        "error": None,
        "finished_at": None,
    }


def test_a_job_that_is_open_or_done_is_not_tried_again(api: httpx.Client, database: Engine) -> None:
    job_id = accept(api)
    assert api.post(f"/v1/jobs/{job_id}/retry").status_code == 409
    end(database, job_id, "done", reply="{}")
    answer = api.post(f"/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM)
    assert "done" in answer.json()["detail"]


def test_metrics_show_open_and_dead_jobs_and_the_age_of_the_oldest(
    api: httpx.Client, database: Engine
) -> None:
    queued, running, dead = (accept(api, key=key) for key in ("one", "two", "three"))
    end(database, dead, "dead", error={"detail": "killed"})
    with unit_of_work(database) as connection:
        jobs.begin(connection, running)
        connection.execute(
            text("UPDATE jobs SET submitted_at = now() - interval '1 hour' WHERE job_id = :id"),
            {"id": queued},
        )
    lines = dict(
        line.rsplit(" ", 1)
        for line in api.get("/metrics").text.splitlines()
        if line.startswith("luna_jobs")
    )
    assert {name: lines[name] for name in lines if "oldest" not in name} == {
        'luna_jobs_open{status="queued"}': "1.0",
        'luna_jobs_open{status="running"}': "1.0",
        "luna_jobs_dead": "1.0",
    }
    assert float(lines["luna_jobs_oldest_open_seconds"]) == pytest.approx(3600, abs=60)


def test_a_job_is_cancelled_once_with_the_same_answer_and_can_be_tried_again(
    api: httpx.Client,
) -> None:
    job_id = accept(api)
    first, second = (api.delete(f"/v1/jobs/{job_id}") for _ in range(2))
    assert (first.status_code, first.json()["status"], first.json()["attempts"]) == (
        200,
        "cancelled",
        0,
    )
    assert second.json() == first.json()
    assert [
        job["job_id"] for job in api.get("/v1/jobs", params={"status": "cancelled"}).json()["jobs"]
    ] == [job_id]
    assert api.post(f"/v1/jobs/{job_id}/retry").json()["status"] == "queued"


@pytest.mark.parametrize("status", ["done", "failed", "dead"])
def test_a_job_that_has_ended_otherwise_cannot_be_cancelled(
    api: httpx.Client, database: Engine, status: str
) -> None:
    job_id = accept(api)
    end(database, job_id, status)
    refused = api.delete(f"/v1/jobs/{job_id}")
    assert (refused.status_code, refused.json()["field"], refused.json()["value"]) == (
        409,
        "job_id",
        job_id,
    )
    assert api.get(f"/v1/jobs/{job_id}").json()["status"] == status


def test_a_job_is_cancelled_while_redis_is_away(api_without_redis: httpx.Client) -> None:
    assert (
        api_without_redis.delete(f"/v1/jobs/{accept(api_without_redis)}").json()["status"]
        == "cancelled"
    )


def test_metrics_without_a_database_claim_no_number_of_jobs(
    api_without_database: httpx.Client,
) -> None:
    assert "luna_jobs_oldest_open_seconds NaN" in api_without_database.get("/metrics").text


def test_the_documentation_shows_what_can_be_asked_for(api: httpx.Client) -> None:
    page = api.get("/docs").text
    for shown in (
        "/v1/jobs/{job_id}/retry",
        "JobSubmission",
        "JobReply",
        "planner.replay.run",
        "ReplayRequest",
        "DemoLoadRequest",
    ):
        assert shown in page
