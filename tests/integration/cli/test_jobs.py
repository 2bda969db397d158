"""``luna jobs`` as a script and as a person sees it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from luna.contracts import IssueRequest
from luna.contracts.job import Job
from luna.energy.errors import UnavailableError
from luna.energy.timeline import parse_instant
from luna.house.capabilities.jobs import JobReply
from luna.house.desk.work import await_end
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Client
from luna.platform.queue.jobs import retry_job, submit_job
from tests.support.command_line.call import Luna

REQUEST = IssueRequest(site_id="home", at=parse_instant("2023-09-01T00:00:00Z", field="at"))


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    client = Client(redis_url)
    yield client
    client.close()


@pytest.fixture
def dead(database: Engine, client: Client) -> Iterator[Job]:
    """A job that killed its worker each time."""
    job = submit_job(database, client, REQUEST, key="killer")
    with unit_of_work(database) as connection:
        jobs.finish(
            connection,
            jobs.begin(connection, job.job_id),
            status="dead",
            error={"detail": "begun 3 times"},
        )
    yield job
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs"))


def test_jobs_are_listed_and_shown(luna_on_servers: Luna, dead: Job) -> None:
    listed = luna_on_servers("jobs", "list", "--status", "dead", "--json").document
    assert [(job["job_id"], job["attempts"]) for job in listed["jobs"]] == [(dead.job_id, 1)]
    assert luna_on_servers("jobs", "list", "--status", "done", "--json").document["jobs"] == []
    shown = luna_on_servers("jobs", "show", dead.job_id, "--json").document
    assert (shown["request"]["site_id"], shown["error"], shown["reply"]) == (
        "home",
        {"detail": "begun 3 times"},
        None,
    )


def test_a_person_sees_the_same(luna_on_servers: Luna, dead: Job) -> None:
    listed = luna_on_servers("jobs", "list").out
    assert all(shown in listed for shown in (dead.job_id, "forecaster.forecast.issue", "dead"))
    said = luna_on_servers("jobs", "show", dead.job_id).out
    assert all(shown in said for shown in ("killer", "dead", "begun 3 times"))


def test_a_dead_job_is_tried_again_once(luna_on_servers: Luna, dead: Job, client: Client) -> None:
    before = client.tasks.waiting("forecaster")
    again = luna_on_servers("jobs", "retry", dead.job_id, "--json").document
    assert (again["status"], again["attempts"], again["error"]) == ("queued", 0, None)
    assert client.tasks.waiting("forecaster") == before + 1
    refused = luna_on_servers("jobs", "retry", dead.job_id)
    assert (refused.code, refused.problem["status"]) == (1, 409)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param(("show", "unknown"), "job_id", id="unknown job"),
        pytest.param(("retry", "unknown"), "job_id", id="unknown job to retry"),
        pytest.param(("list", "--status", "lost"), "--status", id="unknown status"),
    ],
)
def test_bad_input_is_named_and_ends_with_two(
    luna_on_servers: Luna, words: tuple[str, ...], named: str
) -> None:
    said = luna_on_servers("jobs", *words)
    assert (said.code, said.out, said.problem["field"]) == (2, "", named)


def test_a_job_that_nobody_serves_any_more_is_not_waited_for_and_stays_accepted(
    database: Engine, client: Client, dead: Job
) -> None:
    again = retry_job(database, client, dead.job_id)
    with pytest.raises(UnavailableError, match="queue forecaster") as raised:
        await_end(
            lambda: JobReply(**dict(again)),
            lambda *_: None,
            is_served=lambda: client.is_served(IssueRequest),
            unserved_seconds=0.0,
        )
    assert f"luna jobs watch {again.job_id}" in str(raised.value.remedy)
    with unit_of_work(database) as connection:
        assert jobs.load(connection, again.job_id).status == "queued"


def test_an_open_job_is_cancelled_and_one_that_ended_is_not(
    luna_on_servers: Luna, dead: Job, database: Engine, client: Client
) -> None:
    waiting = submit_job(database, client, REQUEST, key="waits")
    assert (
        luna_on_servers("jobs", "cancel", waiting.job_id, "--json").document["status"]
        == "cancelled"
    )
    assert (
        f"Job {waiting.job_id} is cancelled"
        in luna_on_servers("jobs", "cancel", waiting.job_id).out
    )
    refused = luna_on_servers("jobs", "cancel", dead.job_id)
    assert (refused.code, refused.problem["status"]) == (1, 409)
