"""Runs of the camera lab and what they came to."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from luna.contracts.edge_summary import EdgeRun, EdgeRunResult
from luna.contracts.message import Message
from luna.platform.database import edge_runs
from luna.platform.database.engine import unit_of_work
from luna.platform.paging import Cursor, Limit, cut_page, read_instant_and_text
from services.api.gateway import CurrentGateway
from services.api.routing import ResourceRouter

router = ResourceRouter("edge")

# Of no site: called otherwise than jobs that are looked up by whose they are.
LabJobId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$", description="of the job that runs the lab")]


class EdgeRunList(Message):
    """Runs of the camera lab, those accepted last first."""

    runs: Annotated[list[EdgeRun], Field(description="one per job")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")] = None


@router.operation("List the runs of the camera lab")
def list_edge_runs(gateway: CurrentGateway, *, limit: Limit = 50, cursor: Cursor = None) -> EdgeRunList:
    """Return the runs and how they stand, without what they came to."""
    after = read_instant_and_text(cursor)
    with unit_of_work(gateway.database) as connection:
        rows = edge_runs.list_runs(connection, limit=limit + 1, after=after)
    page, following = cut_page(rows, limit=limit, key=lambda run: (run.submitted_at.isoformat(), run.job_id))
    return EdgeRunList(runs=page, cursor=following)


@router.operation("Read what a run of the camera lab came to")
def read_edge_run(lab_job_id: LabJobId, gateway: CurrentGateway) -> EdgeRunResult:
    """Return figures by controller with their intervals, comparisons, trends and what they say; results on stand-in data are named as such."""
    with unit_of_work(gateway.database) as connection:
        return edge_runs.load_run(connection, lab_job_id)
