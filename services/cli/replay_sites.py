"""Several sites replayed side by side, where workers are; else one after the other."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from luna.contracts.job import Job
from luna.contracts.replay import ReplayReply, ReplayRequest
from luna.errors import LunaError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from luna.queue import Client

Progress = Callable[[int, int, str], None]
PAUSE_SECONDS = 0.5


def replay_here(engine: "Engine", request: ReplayRequest, *, progress: Progress) -> ReplayReply:
    """Return the replay of one site, made in this process; interrupted and called again, it goes on where it was."""
    from luna.database.engine import unit_of_work
    from services.planner.service.replay import Store, replay_on

    with unit_of_work(engine) as connection:
        return replay_on(Store.beside(engine, lambda: connection), request, progress=progress)


def replay_on_workers(engine: "Engine", client: "Client", requests: Mapping[str, ReplayRequest], *, progress: Progress) -> dict[str, ReplayReply]:
    """Return the replays of several sites, a job each; jobs go on where nobody waits for them any more.

    Raises:
        LunaError: a job failed; it says which and why.
    """
    from luna.queue.jobs import submit_job

    asked = {name: submit_job(engine, client, request).job_id for name, request in requests.items()}
    while True:
        jobs = _look(engine, asked)
        for name, job in jobs.items():
            if job.status in ("failed", "dead"):
                raise LunaError(
                    f"the replay of {name} {job.status}: {(job.error or {}).get('detail', 'its worker ended')}", remedy=f"luna jobs show {job.job_id}"
                )
        progress(*_sum_up(client, jobs))
        if all(job.status == "done" for job in jobs.values()):
            return {name: ReplayReply.model_validate(job.reply) for name, job in jobs.items()}
        time.sleep(PAUSE_SECONDS)


def _look(engine: "Engine", asked: Mapping[str, str]) -> dict[str, Job]:
    from luna.database import jobs
    from luna.database.engine import unit_of_work

    with unit_of_work(engine) as connection:
        return {name: jobs.load(connection, job_id) for name, job_id in asked.items()}


def _sum_up(client: "Client", jobs: Mapping[str, Job]) -> tuple[int, int, str]:
    """Return sites done, sites in all, and which day each running one has reached."""
    running = {name: client.progress(job.job_id) for name, job in jobs.items() if job.status == "running"}
    label = ", ".join(f"{name} {report.label}" for name, report in running.items() if report)
    return sum(job.status == "done" for job in jobs.values()), len(jobs), label
