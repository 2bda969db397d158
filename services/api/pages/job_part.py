"""Progress of a job as a page fragment that polls.

Without JavaScript the page has a link to reload.
"""

from typing import Annotated

from fastapi import Path, Request, Response
from sqlalchemy import Connection

from luna.contracts.job import Job
from luna.energy.errors import UnavailableError
from luna.energy.refusals import refuse
from luna.platform.database import jobs, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue import Progress
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.layout import Page, PageRoute, show_part
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

PAGE = Page("job", "/ui/sites/{site_id}/jobs")
SitePath = Annotated[str, Path(min_length=1, max_length=64)]
JobId = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


@router.page("GET", "/ui/sites/{site_id}/jobs/{job_id}", "read")
def show_job_part(
    site_id: SitePath, job_id: JobId, request: Request, gateway: CurrentGateway
) -> Response:
    """Show how far a job of the site is.

    The page that holds it is loaded anew once the job has ended.
    """
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        job = load_own(connection, site_id, job_id)
    response = show_part(
        request, PAGE, "job_part.html.j2", site=site, job=job, progress=find_progress(gateway, job)
    )
    if job.finished_at is not None and request.headers.get("HX-Request"):
        response.headers["HX-Refresh"] = "true"
    return response


def load_own(connection: Connection, site_id: str, job_id: str) -> Job:
    """Return a job of a site.

    Raises:
        NotFoundError: no such job, or it is another site's.
    """
    job = jobs.load(connection, job_id)
    if job.request.get("site_id") != site_id:
        raise refuse(
            "not-found",
            field="job_id",
            value=job_id,
            thing="job",
            source="the page where you started it",
        )
    return job


def find_progress(gateway: Gateway, job: Job) -> Progress | None:
    """Return the progress of a running job, None if unknown."""
    if job.status != "running":
        return None
    try:
        return gateway.queue.tasks.progress(job.job_id)
    except UnavailableError:
        # Redis is away: only the progress is unknown, since the job's state is in the database.
        return None
