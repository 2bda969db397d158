"""Pages that take a file, show how it would be stored, and store it by a job.

Where the guess is wrong, the reader corrects it.
"""

from hashlib import blake2b
from typing import Annotated

from fastapi import Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.contracts.data import LoadFileRequest
from luna.platform.queue.jobs import submit_job
from services.api.gateway import CurrentGateway
from services.api.pages.file_guess_view import FileGuessView, ask_guess, link_of, read_choices
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES, Page, PageRoute, numbers_of, show, words_of
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_FILE_BYTES

router = ResourceRouter(route_class=PageRoute)

PAGE = Page("file_guess", "/ui/sites/{site_id}/data")
# Own part of a file's key; the site's name before it keeps other sites' files away.
UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.page("POST", "/ui/sites/{site_id}/data/imports", "data", most_bytes=MAX_FILE_BYTES)
async def hand_over_file(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Keep a file, and lead to what would be stored of it."""
    await run_in_threadpool(gateway.load_site, site_id)
    file, _ = await gateway.uploads.receive_one(request, owner=_key(site_id, ""))
    return RedirectResponse(
        link_of(_address(site_id, file.key.rpartition("-")[2]), {"name": file.name[:200]}), 303
    )


@router.page("GET", "/ui/sites/{site_id}/data/imports/{upload_id}", "data")
async def show_file_guess(
    site_id: SitePath, upload_id: UploadId, request: Request, gateway: CurrentGateway
) -> Response:
    """Show what a file seems to be and what would be stored of it."""
    site = await run_in_threadpool(gateway.load_site, site_id)
    choices = read_choices(request.query_params.multi_items())
    guess = await ask_guess(
        gateway,
        key=f"uploads/{_key(site_id, upload_id)}",
        name=request.query_params.get("name", "file"),
        zone=site.timezone,
        choices=choices,
    )
    view = FileGuessView(guess, numbers_of(request, site), words_of(request, PAGE), choices)
    return show(
        request,
        PAGE,
        site=site,
        view=view,
        action=_address(site_id, upload_id),
        back=PAGES["data"].address(site_id),
        unanswered="unanswered" in request.query_params,
    )


@router.page("POST", "/ui/sites/{site_id}/data/imports/{upload_id}", "data")
async def store_file(
    site_id: SitePath, upload_id: UploadId, request: Request, gateway: CurrentGateway
) -> Response:
    """Store the file as it is shown, and lead to its result.

    To the questions where one is open.
    """
    site = await run_in_threadpool(gateway.load_site, site_id)
    form = [(name, str(value)) for name, value in (await request.form(max_files=0)).multi_items()]
    name = dict(form).get("name", "file")[:200]
    choices = read_choices(form)
    key = f"uploads/{_key(site_id, upload_id)}"
    guess = await ask_guess(gateway, key=key, name=name, zone=site.timezone, choices=choices)
    if guess.reading is None:
        query = {"name": name, "unanswered": "1", **choices}
        return RedirectResponse(link_of(_address(site_id, upload_id), query), 303)
    message = LoadFileRequest(
        site_id=site_id,
        object_key=key,
        file_name=name,
        kind=guess.reading.kind,
        reading=guess.reading,
    )
    job = await run_in_threadpool(submit_job, gateway.database, gateway.queue, message)
    return RedirectResponse(f"{PAGES['data'].address(site_id)}?job={job.job_id}", 303)


def _key(site_id: str, upload_id: str) -> str:
    return f"{blake2b(site_id.encode(), digest_size=8).hexdigest()}-{upload_id}"


def _address(site_id: str, upload_id: str) -> str:
    return f"{PAGE.address(site_id)}/imports/{upload_id}"
