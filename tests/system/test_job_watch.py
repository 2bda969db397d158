"""Jobs watched over HTTP: each change is told once, to two hundred at a time, whatever is away."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import Engine, text

from luna.contracts.job import Job
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.platform.queue import Progress
from luna.platform.queue.task_tracker import TaskTracker
from tests.support.gateway.server import serve

NO_REDIS = "redis://127.0.0.1:9/0"
WATCHERS = 200


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


@pytest.fixture
def running(database: Engine) -> Iterator[Job]:
    """A job that a worker has begun."""
    with unit_of_work(database) as connection:
        job = jobs.accept(
            connection,
            task="planner.replay.run",
            key="watched",
            request="{}",
            trace_id="trace-0001",
        )
        begun = jobs.begin(connection, job.job_id)
    yield begun
    with unit_of_work(database) as connection:
        connection.execute(text("DELETE FROM jobs"))


def end(database: Engine, job: Job) -> None:
    with unit_of_work(database) as connection:
        jobs.finish(connection, job, status="done", reply='{"days": 7}')


def events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read a stream's events, each with its name, id and data.

    Comments and the time to come again are no events.
    """
    event: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        event |= (
            {name: json.loads(value) if name == "data" else value}
            if name and name != "retry"
            else {}
        )
        if not line and "data" in event:
            yield event
        event = event if line else {}


def test_progress_is_told_as_it_comes_and_the_end_ends_the_stream(
    api: httpx.Client, running: Job, database: Engine, redis_url: str
) -> None:
    with api.stream("GET", f"/v1/jobs/{running.job_id}/events") as stream:
        assert (stream.status_code, stream.headers["content-type"]) == (
            200,
            "text/event-stream; charset=utf-8",
        )
        assert stream.headers["cache-control"] == "no-store"
        told = events(stream.iter_lines())
        first = next(told)
        assert (first["event"], first["data"]["status"], first["data"]["progress"]) == (
            "progress",
            "running",
            None,
        )
        with redis.Redis.from_url(redis_url) as queue:
            TaskTracker(queue).report(running.job_id, Progress(done=3, total=7, label="mpc"))
        second = next(told)
        assert second["data"]["progress"] == {"done": 3, "total": 7, "label": "mpc"}
        end(database, running)
        last = next(told)
        assert (last["event"], last["data"]["status"], last["data"]["progress"]) == (
            "end",
            "done",
            None,
        )
        assert next(told, None) is None
    assert len({first["id"], second["id"], last["id"]}) == 3


def test_who_comes_again_hears_only_what_is_new(
    api: httpx.Client, running: Job, database: Engine
) -> None:
    address = f"/v1/jobs/{running.job_id}/events"
    with api.stream("GET", address) as stream:
        seen = next(events(stream.iter_lines()))["id"]
    with api.stream("GET", address, headers={"Last-Event-ID": seen}) as stream:
        end(database, running)
        [last] = events(stream.iter_lines())
    assert last["event"] == "end"
    again = api.get(address)
    assert [event["id"] for event in events(iter(again.text.split("\n")))] == [last["id"]]
    # At this a browser stops coming again.
    assert api.get(address, headers={"Last-Event-ID": last["id"]}).status_code == 204


def test_an_unknown_job_cannot_be_watched(api: httpx.Client) -> None:
    answer = api.get("/v1/jobs/unknown/events")
    assert (answer.status_code, answer.json()["field"]) == (404, "job_id")


def test_a_job_that_is_deleted_ends_its_stream(
    api: httpx.Client, running: Job, database: Engine
) -> None:
    with api.stream("GET", f"/v1/jobs/{running.job_id}/events") as stream:
        told = events(stream.iter_lines())
        next(told)
        with unit_of_work(database) as connection:
            connection.execute(text("DELETE FROM jobs"))
        assert list(told) == []


def test_a_job_is_watched_while_redis_is_away(
    database_url: str, running: Job, database: Engine
) -> None:
    with (
        serve(Addresses(database_url=database_url, redis_url=NO_REDIS)) as api,
        api.stream("GET", f"/v1/jobs/{running.job_id}/events") as stream,
    ):
        told = events(stream.iter_lines())
        assert next(told)["data"]["status"] == "running"
        end(database, running)
        assert next(told)["data"]["status"] == "done"


def test_a_gateway_that_stops_does_not_wait_for_those_who_listen(
    database_url: str, redis_url: str, running: Job
) -> None:
    with ExitStack() as listening:
        with serve(Addresses(database_url=database_url, redis_url=redis_url)) as api:
            stream = listening.enter_context(api.stream("GET", f"/v1/jobs/{running.job_id}/events"))
            told = events(stream.iter_lines())
            assert next(told)["event"] == "progress"
            listening.pop_all()
        # The gateway has ended: it would wait for an answer that is on its way.
        with pytest.raises(httpx.TransportError):
            list(told)


def test_two_hundred_watch_without_a_thread_of_their_own(
    api: httpx.Client, running: Job, database: Engine
) -> None:
    heard: list[str] = []

    async def watch(client: httpx.AsyncClient, begun: asyncio.Semaphore) -> None:
        async with client.stream("GET", f"/v1/jobs/{running.job_id}/events") as stream:
            begun.release()
            names = [
                line.removeprefix("event: ")
                async for line in stream.aiter_lines()
                if line.startswith("event: ")
            ]
        heard.append(names[-1])

    async def watch_all() -> int:
        limits = httpx.Limits(max_connections=WATCHERS)
        async with httpx.AsyncClient(
            base_url=api.base_url, headers=api.headers, limits=limits, timeout=60
        ) as client:
            begun = asyncio.Semaphore(0)
            watchers = [asyncio.create_task(watch(client, begun)) for _ in range(WATCHERS)]
            for _ in watchers:
                await begun.acquire()
            threads = threading.active_count()
            end(database, running)
            await asyncio.gather(*watchers)
            return threads

    # The gateway's pool for routes that wait has forty threads; who watches adds none.
    assert asyncio.run(watch_all()) < WATCHERS / 2
    assert heard == ["end"] * WATCHERS
