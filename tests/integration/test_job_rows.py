"""The rows of jobs: which are due, who holds one, whose word counts."""

from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from luna.contracts.job import Job
from luna.energy.errors import InvalidInputError
from luna.platform.database import jobs

pytestmark = pytest.mark.every_database


@pytest.fixture
def connection(connection: Connection) -> Connection:
    """A connection to a database without the jobs that other tests left."""
    connection.execute(text("DELETE FROM jobs"))
    return connection


def accept(connection: Connection, key: str = "one") -> Job:
    return jobs.accept(
        connection, task="errand.value.store", key=key, request="{}", trace_id="trace-0001"
    )


def age(connection: Connection, job: Job, *, submitted: str, sent: str) -> None:
    times = {"submitted": submitted, "sent": sent, "job_id": job.job_id}
    query = (
        "UPDATE jobs SET submitted_at = now() - CAST(:submitted AS interval), sent_at = now() "
        "- CAST(:sent AS interval) WHERE job_id = :job_id"
    )
    connection.execute(text(query), times)


def hold(
    database: Engine, job_id: str, *, worker: str = "one", alive: str = "one"
) -> AbstractContextManager[bool]:
    return jobs.hold(database, job_id, worker=worker, is_alive=alive.__eq__)


def due(connection: Connection) -> list[str]:
    is_any = jobs.is_any_due(connection)
    found = [job.key for job in jobs.take_due(connection)]
    assert is_any is bool(found)
    return found


def test_a_job_never_sent_is_due_and_one_just_sent_is_not(connection: Connection) -> None:
    accept(connection, "never")
    jobs.mark_sent(connection, [accept(connection, "now").job_id])
    assert due(connection) == ["never"]


@pytest.mark.parametrize(
    ("submitted", "sent", "expected"),
    [
        pytest.param("110 seconds", "110 seconds", [], id="sent less than two minutes ago"),
        pytest.param("130 seconds", "130 seconds", ["one"], id="sent more than two minutes ago"),
        pytest.param(
            "9 minutes", "4 minutes", [], id="sent again after five minutes, silent for four"
        ),
        pytest.param(
            "11 minutes", "6 minutes", ["one"], id="sent again after five minutes, silent for six"
        ),
        pytest.param(
            "2 days", "16 minutes", ["one"], id="at the latest after a quarter of an hour"
        ),
        pytest.param("-1 day", "-1 day", ["one"], id="sent by a clock that ran a day ahead"),
    ],
)
def test_a_silent_job_is_due_after_as_long_again(
    connection: Connection, submitted: str, sent: str, expected: list[str]
) -> None:
    age(connection, accept(connection), submitted=submitted, sent=sent)
    assert due(connection) == expected


def test_a_running_job_is_due_only_where_no_worker_holds_its_lock(
    connection: Connection, database: Engine
) -> None:
    job = accept(connection)
    jobs.begin(connection, job.job_id)
    age(connection, job, submitted="1 hour", sent="1 hour")
    with hold(database, job.job_id) as held:
        assert (held, due(connection)) == (True, [])
    assert due(connection) == ["one"]


def test_an_ended_job_is_not_due(connection: Connection) -> None:
    job = accept(connection)
    jobs.finish(connection, jobs.begin(connection, job.job_id), status="done", reply="{}")
    assert due(connection) == []


def test_a_lock_has_one_holder_and_is_free_when_its_block_ends(database: Engine) -> None:
    with (
        hold(database, "one") as first,
        hold(database, "one") as second,
        hold(database, "two") as other,
    ):
        assert (first, second, other) == (True, False, True)
    with hold(database, "one") as next_one:
        assert next_one


def test_a_holder_without_a_sign_of_life_loses_the_lock_to_who_asks(database: Engine) -> None:
    with (
        hold(database, "one", worker="gone") as first,
        hold(database, "one", worker="one") as second,
        hold(database, "one", worker="two") as third,
    ):
        assert (first, second, third) == (True, True, False)


def test_an_attempt_that_was_superseded_stores_nothing(connection: Connection) -> None:
    job = accept(connection)
    lost = jobs.begin(connection, job.job_id)
    current = jobs.begin(connection, job.job_id)
    with pytest.raises(jobs.SupersededError):
        jobs.finish(connection, lost, status="done", reply='{"by": 1}')
    jobs.put_back(connection, lost)
    jobs.finish(connection, current, status="done", reply='{"by": 2}')
    assert jobs.load(connection, job.job_id).reply == {"by": 2}
    with pytest.raises(jobs.SupersededError):
        jobs.begin(connection, job.job_id)


def test_a_request_that_the_database_cannot_hold_is_refused(connection: Connection) -> None:
    with pytest.raises(InvalidInputError, match="NUL or half a character"):
        jobs.accept(
            connection,
            task="errand.value.store",
            key="one",
            request='{"site_id": "a\\u0000b"}',
            trace_id="trace-0001",
        )


def test_jobs_are_listed_newest_first_and_counted_by_status(connection: Connection) -> None:
    before = jobs.count(connection)
    old, new, dead = (accept(connection, key) for key in ("old", "new", "dead"))
    age(connection, old, submitted="1 day", sent="1 day")
    age(connection, new, submitted="1 second", sent="1 second")
    age(connection, dead, submitted="1 hour", sent="1 hour")
    jobs.begin(connection, new.job_id)
    jobs.finish(
        connection, jobs.begin(connection, dead.job_id), status="dead", error={"detail": "killed"}
    )
    assert [job.key for job in jobs.list_newest(connection)][:3] == ["new", "dead", "old"]
    assert [job.key for job in jobs.list_newest(connection, limit=1)] == ["new"]
    assert [job.key for job in jobs.list_newest(connection, status="open")] == ["new", "old"]
    assert [job.error for job in jobs.list_newest(connection, status="dead")] == [
        {"detail": "killed"}
    ]
    job_counts = jobs.count(connection)
    assert (
        job_counts.queued - before.queued,
        job_counts.running - before.running,
        job_counts.dead - before.dead,
    ) == (1, 1, 1)
    assert job_counts.oldest_open_seconds == pytest.approx(86_400, abs=60)


def test_ended_jobs_go_when_they_are_old_and_open_ones_never(connection: Connection) -> None:
    for status, days in (
        ("done", 91),
        ("done", 89),
        ("failed", 91),
        ("cancelled", 91),
        ("dead", 364),
        ("dead", 366),
        ("queued", 400),
    ):
        job = accept(connection, f"{status} {days}")
        ended = None if status == "queued" else f"{days} days"
        connection.execute(
            text(
                "UPDATE jobs SET status = :status, finished_at = now() - CAST(:ended AS "
                "interval) WHERE job_id = :job_id"
            ),
            {"status": status, "ended": ended, "job_id": job.job_id},
        )
    ages = {"after": timedelta(days=90), "dead_after": timedelta(days=365)}
    assert jobs.forget_ended(connection, **ages) == 4
    assert jobs.forget_ended(connection, **ages) == 0
    assert set(connection.scalars(text("SELECT key FROM jobs"))) == {
        "done 89",
        "dead 364",
        "queued 400",
    }
