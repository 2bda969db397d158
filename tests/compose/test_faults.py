"""What goes wrong sooner or later: each time nothing accepted is lost, and the platform comes back
by itself.
"""

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.compose.jobs import Jobs
from tests.compose.stack import FAST, SLOW, Stack, run, wait_for

Recovered = Callable[[str, float], None]
REDIS_AWAY_SECONDS = 20
# More of a processor than others: what asks the database runs in its container as well.
SLOW_DATABASE = 0.1
# What some of Luna's services need and the others do not: of each server, what it is to them, and
# who names it.
OPTIONAL = {
    "qdrant": ("vectors", {"rag"}),
    "minio": ("objects", {"forecaster", "ingest", "agent", "rag"}),
    "ollama": ("language", {"rag"}),
}

pytestmark = pytest.mark.usefixtures("demo")


def holder_of(stack: Stack, service: str) -> str:
    """Return the container of a service whose worker runs a job: the one that holds a lock in the
    database.
    """
    holding = stack.sql(
        "SELECT client_addr FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype "
        "= 'advisory' AND granted"
    ).split()
    for container in stack.ids(service):
        networks = json.loads(run("docker", "inspect", container))[0]["NetworkSettings"][
            "Networks"
        ].values()
        if any(network["IPAddress"] in holding for network in networks):
            return container
    raise AssertionError(f"no worker of {service} runs a job")


def who_misses(dependency: str, services: dict[str, dict[str, Any]]) -> set[str]:
    """Return the services that are not ready and name a dependency."""
    return {
        name
        for name, service in services.items()
        if not service["ready"] and dependency in service["missing"]
    }


def complaints(stack: Stack) -> list[str]:
    """Return what every service complains of, and those that have nobody to complain."""
    said = stack.services()
    failed = [
        (name, each["name"], check)
        for name, service in said.items()
        for each in service["instances"]
        for check in each["checks"]
        if not check["ok"]
    ]
    absent = [
        f"{name}: no instance" for name, service in said.items() if "instance" in service["missing"]
    ]
    return [
        *absent,
        *(
            f"{name} ({instance}): {check['name']}: {check['detail']}"
            for name, instance, check in failed
        ),
    ]


def test_killed_workers_tasks_are_finished_exactly_once_by_others(
    healthy: Stack, jobs: Jobs, recovered: Recovered
) -> None:
    services = ("planner-jobs", "forecaster", "ingest")
    healthy.start(*services, scale=2)

    def kill_in_its_middle(service: str) -> None:
        healthy.slow_down(service, SLOW)
        job_id = jobs.begin(service, number=1)
        jobs.wait(job_id, "running", seconds=180)
        run("docker", "kill", "--signal", "KILL", holder_of(healthy, service))
        healthy.slow_down(service, FAST)
        recovered(
            f"{service} killed in the middle of a task, the task done by another",
            jobs.wait(job_id, "done", seconds=240),
        )
        assert jobs.state(job_id)["attempts"] == 2
        assert healthy.sql(f"SELECT count(*) FROM jobs WHERE key = '{service}-1'") == "1"

    with ThreadPoolExecutor() as pool:
        for killed in [pool.submit(kill_in_its_middle, service) for service in services]:
            killed.result()
    assert healthy.sql("SELECT count(*) FROM slot_observations") == str(2 * 35_040)


def test_the_database_restarted_during_ingest_costs_time_and_no_row(
    healthy: Stack, jobs: Jobs, recovered: Recovered
) -> None:
    writes = (
        "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'slot_observations'::regclass AND "
        "mode = 'RowExclusiveLock' AND granted"
    )
    healthy.sql("DELETE FROM slot_observations")
    healthy.slow_down("db", SLOW_DATABASE)
    job_id = jobs.begin("ingest", number=2)
    wait_for(lambda: healthy.sql(writes) == "t", seconds=120, what="the load writes")
    begun = time.monotonic()
    healthy.compose("kill", "--signal", "KILL", "db")
    healthy.slow_down("db", FAST)
    healthy.start("db")
    jobs.wait(job_id, "done", seconds=240)
    recovered(
        "database killed during ingest and started again, the load done", time.monotonic() - begun
    )
    assert jobs.state(job_id)["attempts"] >= 2
    assert healthy.sql("SELECT count(*) FROM slot_observations") == str(2 * 35_040)


def test_without_redis_requests_are_told_to_come_back_and_accepted_work_survives(
    healthy: Stack,
    api: httpx.Client,
    jobs: Jobs,
    plan_request: dict[str, object],
    recovered: Recovered,
) -> None:
    plans: list[httpx.Response] = []
    accepted: list[httpx.Response] = []
    end = time.monotonic() + REDIS_AWAY_SECONDS + 10

    def ask_for_plans() -> None:
        while time.monotonic() < end:
            plans.append(api.post("/plan", json=plan_request))

    def have_work_accepted() -> None:
        while time.monotonic() < end:
            accepted.append(jobs.accept("moment", number=len(accepted)))
            time.sleep(2)

    with ThreadPoolExecutor(4) as pool:
        load = [*(pool.submit(ask_for_plans) for _ in range(3)), pool.submit(have_work_accepted)]
        time.sleep(3)
        healthy.compose("stop", "--timeout", "5", "redis")
        time.sleep(REDIS_AWAY_SECONDS)
        healthy.compose("start", "redis")
        back_at = time.monotonic()
        for each in load:
            each.result()
    refused = [answer for answer in plans if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE]
    made = [answer.json() for answer in plans if answer.status_code == httpx.codes.OK]
    assert refused
    assert made
    assert len(refused) + len(made) == len(plans)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert {api.get(f"/v1/plans/{plan['plan_id']}").status_code for plan in made} == {
        httpx.codes.OK
    }
    assert {answer.status_code for answer in accepted} == {httpx.codes.ACCEPTED}
    for job_id in [answer.json()["job_id"] for answer in accepted]:
        jobs.wait(job_id, "done", seconds=240)
    recovered(
        "Redis back after 20 s under load, all accepted work done", time.monotonic() - back_at
    )


def test_a_full_volume_of_objects_loses_no_model_and_stops_no_plan(
    healthy: Stack,
    api: httpx.Client,
    jobs: Jobs,
    plan_request: dict[str, object],
    recovered: Recovered,
) -> None:
    small = {
        "services": {"minio": {"volumes": ["small:/data"]}},
        "volumes": {
            "small": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=48m"}}
        },
    }
    override = healthy.folder / "small.json"
    override.write_text(json.dumps(small), encoding="utf-8")
    files = ("-f", str(override))
    healthy.compose(
        *files, "up", "-d", "--wait", "--no-build", "--force-recreate", "--no-deps", "minio"
    )
    healthy.compose(*files, "up", "-d", "--no-build", "--force-recreate", "--no-deps", "buckets")
    wait_for(
        lambda: healthy.inspect("buckets")["State"]["Status"] == "exited",
        seconds=180,
        what="the bucket is made",
    )
    healthy.execute("minio", "sh", "-c", "head -c 100000000 /dev/zero > /data/filler", check=False)
    job_id = jobs.begin("forecaster", number=16)
    jobs.wait(job_id, "done", "failed", seconds=240)
    assert api.post("/plan", json=plan_request).status_code == httpx.codes.OK
    healthy.execute("minio", "rm", "/data/filler")
    begun = time.monotonic()
    again = jobs.begin("forecaster", number=17)
    jobs.wait(again, "done", seconds=240)
    recovered("objects' volume full and freed, the next model stored", time.monotonic() - begun)
    finished = [each for each in (job_id, again) if jobs.state(each)["status"] == "done"]
    keys = [
        healthy.sql(
            "SELECT artefact_key FROM training_runs WHERE run_id = "
            f"'{jobs.state(each)['reply']['run_id']}'"
        )
        for each in finished
    ]
    reading = (
        "from luna.platform.settings import load_settings; from luna.platform.objects import "
        "open_objects; objects = open_objects(load_settings()); "
    )
    assert {
        int(healthy.python("forecaster", f"{reading} print(len(objects.get('{key}')))")) > 0
        for key in keys
    } == {True}


def test_what_only_some_need_is_missed_by_those_alone_and_planning_goes_on(
    healthy: Stack, api: httpx.Client, plan_request: dict[str, object], recovered: Recovered
) -> None:
    away: dict[str, set[str]] = {}

    # Each server by itself: on a busy machine a service may miss something else for a moment as
    # well, such as an answer that came late.
    def are_missed_by_those_alone() -> bool:
        services = healthy.services()
        return all(
            who_misses(dependency, services) == needed_by for dependency, needed_by in away.items()
        )

    for server, (dependency, needed_by) in OPTIONAL.items():
        healthy.compose("stop", "--timeout", "2", server)
        away[dependency] = needed_by
        what = f"those who need it name each of {away}, and no other service does"
        wait_for(
            are_missed_by_those_alone, seconds=180, what=what, seen=lambda: complaints(healthy)
        )
        assert api.get("/health/ready").status_code == httpx.codes.OK
        assert api.post("/plan", json=plan_request).status_code == httpx.codes.OK
    healthy.compose("start", *OPTIONAL)
    back: set[str] = set()

    # One after the other for the same reason: what has come back need not answer all of them in
    # time at once.
    def every_service_was_ready() -> bool:
        services = healthy.services()
        back.update(name for name, service in services.items() if service["ready"])
        return back == set(services)

    seconds = wait_for(
        every_service_was_ready,
        seconds=180,
        what="every service is ready",
        seen=lambda: complaints(healthy),
    )
    recovered(f"{', '.join(OPTIONAL)} back, every service ready", seconds)


def test_a_task_that_kills_its_process_is_dead_after_three_starts_and_seen(
    stack: Stack, api: httpx.Client, jobs: Jobs
) -> None:
    job_id = jobs.begin("planner-jobs", number=2)
    for start in (1, 2, 3):
        wait_for(
            lambda: (
                jobs.state(job_id)["attempts"] == start  # noqa: B023
                and jobs.state(job_id)["status"] == "running"
            ),
            seconds=180,
            what=f"start {start}",
        )
        stack.signal("planner-jobs", signal.SIGKILL, whose="children")
    jobs.wait(job_id, "dead", seconds=180)
    assert job_id in {
        job["job_id"]
        for job in api.get("/v1/jobs", params={"status": "dead"}).raise_for_status().json()["jobs"]
    }
    assert "luna_queue_dead_tasks 1.0" in api.get("/metrics").text
    assert stack.health("planner-jobs") == "healthy"
