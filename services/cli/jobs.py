"""``luna jobs``: accepted work that nobody waits for."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from luna.contracts.job import Job, JobFilter, JobSummary
from luna.timeline import parse_zone
from luna.wording import say_instant
from services.cli.console import JsonOption, emit, out, table

if TYPE_CHECKING:
    from sqlalchemy import Connection

app = typer.Typer(help="List accepted work, look at it, cancel it, try it again.", no_args_is_help=True)

# As wide as a terminal at its narrowest: an id that is cut off is of no use.
HEADINGS = ("job", "task", "status", "tries", "accepted")

JobArgument = Annotated[str, typer.Argument(help="The job's id.", metavar="ID")]


@app.command("list")
def list_jobs(
    *,
    status: Annotated[JobFilter | None, typer.Option(help="Only jobs of this status; open: queued or running.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show jobs, those accepted last first."""
    from luna.database import jobs
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        found = jobs.list_newest(connection, status=status, limit=limit)
        zones = _find_zones(connection, [job.job_id for job in found])
    document = {"jobs": [job.model_dump(mode="json") for job in found]}
    emit(document, as_json=as_json, show=lambda: table(HEADINGS, [_row(job, zones) for job in found], words=HEADINGS))


@app.command()
def show(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Show what a job was asked, how it stands and what came of it."""
    from luna.database import jobs
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        job, zones = jobs.load(connection, job_id), _find_zones(connection, [job_id])
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: _show(job, zones.get(job_id, UTC)))


@app.command()
def cancel(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """End a queued or running job; a running one within seconds, with nothing half-written."""
    from luna.queue.jobs import cancel_job
    from services.cli.storage import open_database, open_queue

    with open_database() as pool, open_queue() as client:
        job = cancel_job(pool, client, job_id)
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"Job {job.job_id} is cancelled."))


@app.command()
def retry(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Try a failed, dead or cancelled job again, its attempts counted from nought."""
    from luna.queue.jobs import retry_job
    from services.cli.storage import open_database, open_queue

    with open_database() as pool, open_queue() as client:
        job = retry_job(pool, client, job_id)
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"Job {job.job_id} is queued again."))


def _find_zones(connection: "Connection", job_ids: list[str]) -> dict[str, tzinfo]:
    """Return in which zone a job's instants are told: that of its site; a job of none is told in UTC."""
    from luna.database import jobs

    return {job_id: parse_zone(name) for job_id, name in jobs.read_zones(connection, job_ids).items()}


def _row(job: JobSummary, zones: Mapping[str, tzinfo]) -> list[str]:
    return [job.job_id, job.task, job.status, str(job.attempts), say_instant(job.submitted_at, zones.get(job.job_id, UTC))]


def _show(job: Job, zone: tzinfo) -> None:
    lines = {"task": job.task, "key": job.key, "status": job.status, "attempts": str(job.attempts)}
    lines |= {"accepted": _instant(job.submitted_at, zone), "begun": _instant(job.started_at, zone), "ended": _instant(job.finished_at, zone)}
    table(["what", "value"], [[name, value] for name, value in lines.items()], title=f"Job {job.job_id}", words=("value",))
    for name, document in (("Asked", job.request), ("Reply", job.reply), ("Error", job.error)):
        if document is not None:
            out.print(f"{name}:")
            out.print_json(data=document)


def _instant(instant: datetime | None, zone: tzinfo) -> str:
    return "–" if instant is None else say_instant(instant, zone, seconds=True)
