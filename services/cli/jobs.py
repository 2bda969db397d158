"""``luna jobs``: accepted work that nobody waits for."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from luna.contracts.job import Job, JobFilter, JobSummary
from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.site import invalid_input
from luna.energy.timeline import parse_zone, share_zone
from luna.words import say_instant
from services.cli.console import JsonOption, emit, follow_progress, out, table
from services.cli.window import find_zone

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from luna.contracts.message import Request
    from luna.platform.queue import Client

app = typer.Typer(help="Leave work to the workers, list it, look at it, watch, cancel or try it again.", no_args_is_help=True)

# As wide as a terminal at its narrowest: an id that is cut off is of no use.
HEADINGS = ("job", "task", "status", "tries", "accepted")

PAUSE_SECONDS = 0.5
# A worker that is started again gives its sign of life sooner.
UNSERVED_SECONDS = 60.0

JobArgument = Annotated[str, typer.Argument(help="The job's id.", metavar="ID")]


@app.command("list")
def list_jobs(
    *,
    status: Annotated[JobFilter | None, typer.Option(help="Only jobs of this status; open: queued or running.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show jobs, those accepted last first."""
    from luna.platform.database import jobs
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        found = jobs.list_newest(connection, status=status, limit=limit)
        zones = jobs.read_zones(connection, [job.job_id for job in found])
    document = {"jobs": [job.model_dump(mode="json") for job in found]}
    # One clock for all of them, so that they can be compared.
    zone = share_zone(zones.values())
    emit(document, as_json=as_json, show=lambda: table(HEADINGS, [_row(job, zone) for job in found], title=f"Times: {zone}", words=HEADINGS))


@app.command()
def show(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Show what a job was asked, how it stands and what came of it."""
    from luna.platform.database import jobs
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        job, zones = jobs.load(connection, job_id), _find_zones(connection, [job_id])
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: _show(job, zones.get(job_id, UTC)))


@app.command()
def submit(
    task: Annotated[str, typer.Argument(help="What is asked for, such as planner.replay.run; the list of tasks says which there are.")],
    *,
    request: Annotated[Path, typer.Option("--request", help="Its request as JSON, - for standard input; of a site, local times are read by its clock.")],
    key: Annotated[str | None, typer.Option(help="Names this piece of work (default: its content).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Leave work to the workers: it survives every crash from now on. While an equal job is open, that one is shown."""
    from luna.platform.queue.jobs import submit_job
    from services.cli.storage import open_database, open_queue

    asked = _read_request(task, request)
    with open_database() as pool, open_queue() as client:
        job = submit_job(pool, client, asked, key=key)
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"Job {job.job_id} is {job.status}: luna jobs watch {job.job_id}"))


def _read_request(task: str, path: Path) -> "Request":
    """Return the request of a task that a file holds.

    Raises:
        InvalidInputError: no task that may be sent as a job, or no request of it.
        NotFoundError: no such site.
    """
    from luna.contracts.tasks import list_public
    from luna.energy.instant import site_clock
    from services.cli.plan import read_document
    from services.cli.storage import unit_of_work

    known = list_public()
    if task not in known:
        raise InvalidInputError("is no task to ask for", field="TASK", value=task, remedy=f"Ask for one of {', '.join(known)}.")
    document = read_document(path)
    site = document.get("site_id")
    if not isinstance(site, str):
        return _validate(known[task], document)
    with unit_of_work() as connection:
        zone = find_zone(connection, site)
    with site_clock(zone):
        return _validate(known[task], document)


def _validate(kind: "type[Request]", document: dict[str, Any]) -> "Request":
    try:
        return kind.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="request") from exc


@app.command()
def watch(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Wait until a job has ended, and show how far it is meanwhile; exit 1 where it failed or was cancelled."""
    from luna.platform.database.engine import unit_of_work
    from services.cli.storage import open_database, open_queue

    with open_database() as pool, open_queue() as client, follow_progress("job", quiet=as_json) as progress:
        job = await_end(pool, client, job_id, progress)
        with unit_of_work(pool) as connection:
            zones = _find_zones(connection, [job_id])
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: _show(job, zones.get(job_id, UTC)))
    if job.status != "done":
        raise typer.Exit(1)


def await_end(pool: "Engine", client: "Client", job_id: str, progress: Callable[[int, int, str], None], *, request: "type[Request] | None" = None) -> Job:
    """Return a job once it has ended; ``progress`` hears how far it is.

    Raises:
        UnavailableError: nobody has served such a ``request`` for a minute; None: it is waited for all the same.
    """
    from luna.platform.database import jobs
    from luna.platform.database.engine import unit_of_work

    served = time.monotonic()
    while True:
        with unit_of_work(pool) as connection:
            job = jobs.load(connection, job_id)
        if job.status not in ("queued", "running"):
            return job
        if request is None or job.status == "running" or client.is_served(request):
            served = time.monotonic()
        elif time.monotonic() - served > UNSERVED_SECONDS:
            remedy = f"Start a worker for it: the job stays accepted and is done then. Wait for it: luna jobs watch {job_id}."
            raise UnavailableError(f"no worker serves the queue {request.queue()} any more", field="job_id", value=job_id, remedy=remedy)
        far = client.tasks.progress(job_id) if job.status == "running" else None
        progress(*((far.done, far.total, far.label) if far else (0, 0, job.status)))
        time.sleep(PAUSE_SECONDS)


@app.command()
def cancel(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """End a queued or running job; a running one within seconds, with nothing half-written."""
    from luna.platform.queue.jobs import cancel_job
    from services.cli.storage import open_database, open_queue

    with open_database() as pool, open_queue() as client:
        job = cancel_job(pool, client, job_id)
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"Job {job.job_id} is cancelled."))


@app.command()
def retry(job_id: JobArgument, *, as_json: JsonOption = False) -> None:
    """Try a failed, dead or cancelled job again, its attempts counted from nought."""
    from luna.platform.queue.jobs import retry_job
    from services.cli.storage import open_database, open_queue

    with open_database() as pool, open_queue() as client:
        job = retry_job(pool, client, job_id)
    emit(job.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"Job {job.job_id} is queued again."))


def _find_zones(connection: "Connection", job_ids: list[str]) -> dict[str, tzinfo]:
    """Return in which zone a job's instants are told: that of its site; a job of none is told in UTC."""
    from luna.platform.database import jobs

    return {job_id: parse_zone(name) for job_id, name in jobs.read_zones(connection, job_ids).items()}


def _row(job: JobSummary, zone: tzinfo) -> list[str]:
    return [job.job_id, job.task, job.status, str(job.attempts), say_instant(job.submitted_at, zone)]


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
