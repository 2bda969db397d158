"""``luna jobs``: accepted work that nobody waits for."""

from functools import partial
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from luna.contracts.job import Job, JobFilter
from luna.contracts.tasks import list_public
from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.site import invalid_input
from luna.energy.timeline import parse_zone, share_zone, site_clock
from luna.house.capabilities.jobs import list_jobs, read_job
from luna.house.capabilities.sites import read_site
from luna.house.desk.desk import Desk, read_sites
from luna.house.desk.servers import open_database, open_queue
from luna.house.desk.work import await_end
from services.cli.console import JsonOption, emit, follow_progress, out
from services.cli.declared import UTC_ZONE, build_group, emit_reply, open_desk
from services.cli.options import read_document, read_zone

app = build_group(
    "jobs",
    "Submit, list, watch, cancel or retry jobs.",
    by_hand=frozenset({"list", "show"}),
)

JobArgument = Annotated[str, typer.Argument(help="The job's id.", metavar="ID")]


@app.command("list")
def list_accepted(
    *,
    status: Annotated[
        JobFilter | None, typer.Option(help="Only jobs with this status; open: queued or running.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Most jobs to show.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List jobs, newest first."""
    with open_desk() as desk:
        jobs = desk.ask(list_jobs, {"status": status, "limit": limit})
        # One time zone for all jobs, so that their times compare.
        zone = share_zone(() if as_json else (site.timezone for site in read_sites(desk).sites))
    emit_reply(list_jobs, jobs, as_json=as_json, zone=zone)


@app.command()
def show(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Show a job's request, status and result."""
    with open_desk() as desk:
        job = desk.ask(read_job, {"job_id": job_id})
        zone = UTC_ZONE if as_json else _find_zone(desk, job)
    emit_reply(read_job, job, as_json=as_json, zone=zone)


@app.command()
def submit(
    task: Annotated[
        str,
        typer.Argument(help=("The task, such as planner.replay.run: see the list of tasks.")),
    ],
    *,
    request: Annotated[
        Path,
        typer.Option(
            "--request",
            help=("The request as JSON, - for standard input."),
        ),
    ],
    key: Annotated[
        str | None,
        typer.Option(help="The job's key: an equal one is not run twice (default: its content)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Submit a job: it survives every crash.

    If an equal job is open, that one is shown.
    """
    from luna.platform.queue.jobs import submit_job

    tasks = list_public()
    if task not in tasks:
        raise InvalidInputError(
            "is no task",
            field="TASK",
            value=task,
            remedy=f"Choose one of {', '.join(tasks)}.",
        )
    document = read_document(request, holds="the request of the task: { … }")
    site = document.get("site_id")
    try:
        with site_clock(read_zone(site) if isinstance(site, str) else None):
            task_request = tasks[task].model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="request") from exc
    with open_database() as pool, open_queue() as client:
        job = submit_job(pool, client, task_request, key=key)
    sentence = f"Job {job.job_id} is {job.status}: luna jobs watch {job.job_id}"
    emit(job.model_dump(mode="json"), as_json=as_json, show=partial(out.print, sentence))


@app.command()
def watch(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Wait until a job ends and show its progress.

    Exit code 1 if it failed or was cancelled.
    """
    with open_desk() as desk:
        with follow_progress("job", quiet=as_json) as progress:
            job = await_end(partial(desk.ask, read_job, {"job_id": job_id}), progress)
        zone = _find_zone(desk, job)
    emit_reply(read_job, job, as_json=as_json, zone=zone)
    if job.status != "done":
        raise typer.Exit(1)


def _find_zone(desk: Desk, job: Job) -> ZoneInfo:
    """Return the time zone of the job's site, UTC without a site."""
    site = job.request.get("site_id")
    try:
        if site is None:
            return UTC_ZONE
        return parse_zone(desk.ask(read_site, {"site_id": site}).timezone)
    except LunaError:
        # The site was deleted, or cannot be read.
        return UTC_ZONE
