"""Runs of the camera lab, as their jobs keep them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, and_, or_, select

from luna.contracts.edge import EdgeRunRequest
from luna.contracts.edge_summary import EdgeRun, EdgeRunResult, EdgeSummary
from luna.contracts.job import JobStatus, JobSummary
from luna.energy.errors import ConflictError
from luna.energy.refusals import refuse
from luna.platform.database.schema.work import jobs
from luna.platform.database.stored_rows import read_page

_ROW = [
    *(jobs.c[name] for name in JobSummary.model_fields),
    jobs.c.request["run_id"].astext.label("run_id"),
]


def list_runs(
    connection: Connection,
    *,
    statuses: Sequence[JobStatus] = (),
    limit: int = 20,
    after: tuple[datetime, str] | None = None,
) -> list[EdgeRun]:
    """Return the runs of some statuses (none: of all), those accepted last first.

    Args:
        after: instant and id of the job behind which the list goes on.
    """
    query = (
        select(*_ROW)
        .where(jobs.c.task == EdgeRunRequest.task)
        .order_by(jobs.c.submitted_at.desc(), jobs.c.job_id)
    )
    if statuses:
        query = query.where(jobs.c.status.in_(statuses))
    if after is not None:
        query = query.where(
            or_(
                jobs.c.submitted_at < after[0],
                and_(jobs.c.submitted_at == after[0], jobs.c.job_id > after[1]),
            )
        )
    return read_page(connection, query, _run, limit=limit)


def load_run(connection: Connection, job_id: str) -> EdgeRunResult:
    """Return a run with what it came to, None until it is done.

    Raises:
        NotFoundError: no such run.
        ConflictError: another version of Luna put its results down in a way that this one does not
            read.
    """
    query = select(*_ROW, jobs.c.reply["summary"].label("summary")).where(
        jobs.c.task == EdgeRunRequest.task, jobs.c.job_id == job_id
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise refuse(
            "not-found",
            field="lab_job_id",
            value=job_id,
            thing="lab-run",
            source="GET /v1/edge/runs: job_id",
        )
    fields = _in_utc(row)
    summary = fields.pop("summary")
    try:
        return EdgeRunResult(
            run=EdgeRun.model_validate(fields),
            summary=None if summary is None else EdgeSummary.model_validate(summary),
        )
    except ValidationError as error:
        remedy = "Run it again; the folder of the run holds its report."
        raise ConflictError(
            "another version put down what this run came to",
            field="lab_job_id",
            value=job_id,
            remedy=remedy,
        ) from error


def _run(row: RowMapping) -> EdgeRun:
    return EdgeRun.model_validate(_in_utc(row))


def _in_utc(row: RowMapping) -> dict[str, Any]:
    values = dict(row)
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = value.astimezone(UTC)
    return values
