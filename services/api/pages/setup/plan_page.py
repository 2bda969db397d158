"""The end of set-up: the progress of the first plan, and its first sentence."""

from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.energy.errors import LunaError, UnavailableError
from luna.energy.refusals import refuse
from luna.platform.clock import SystemClock
from luna.platform.database import setup_drafts, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import retry_job
from luna.words.notes import say_note
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.layout import NAVIGATION, PageRoute, Reader, show, show_part
from services.api.pages.setup import views
from services.api.pages.setup.pages import PAGE, DraftId
from services.api.pages.setup.preparation import (
    Preparation,
    advance,
    demo,
    first_plan,
    simulated_home,
)
from services.api.routing import ResourceRouter
from services.api.uploads import MAX_FILE_BYTES, Fields, ReceivedFile

router = ResourceRouter(route_class=PageRoute)


@router.page("POST", "/ui/setup/upload", "administer", most_bytes=MAX_FILE_BYTES)
async def take_setup_file(request: Request, gateway: CurrentGateway) -> Response:
    """Store a file with measured data for a draft, and lead to its content.

    It is read before the first plan.
    """
    file, fields = await gateway.uploads.receive_one(request)
    draft_id = await run_in_threadpool(_store_upload, gateway, file, fields)
    address = f"/ui/setup/{draft_id}/file"
    if request.headers.get("HX-Request"):
        return Response(headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _store_upload(gateway: Gateway, file: ReceivedFile, fields: Fields) -> str:
    draft_id = fields.get("draft_id", [""])[-1]
    upload = {"object_key": file.key, "file_name": file.name[:200], "kind": "observations"}
    try:
        with unit_of_work(gateway.database) as connection:
            answers = setup_drafts.load(connection, draft_id)
            answers["upload"] = upload
            answers["data"] = answers.get("data", {}) | {"source": "file"}
            setup_drafts.save(connection, draft_id, answers)
    except LunaError:
        gateway.objects.remove(file.key)
        raise
    return draft_id


@router.page("GET", "/ui/setup/{draft_id}/plan", "administer")
def show_preparation(draft_id: DraftId, request: Request, gateway: CurrentGateway) -> Response:
    """Show the progress of the first plan; without a script the page reloads itself."""
    return show(request, PAGE, template="setup_plan.html.j2", **_view(draft_id, request, gateway))


@router.page("GET", "/ui/setup/{draft_id}/progress", "administer")
def show_progress(draft_id: DraftId, request: Request, gateway: CurrentGateway) -> Response:
    """Show the progress as a part of the page."""
    return show_part(request, PAGE, "setup_progress.html.j2", **_view(draft_id, request, gateway))


@router.page("POST", "/ui/setup/{draft_id}/retry", "administer")
def retry_preparation(draft_id: DraftId, request: Request, gateway: CurrentGateway) -> Response:
    """Retry the failed stage that stopped the preparation."""
    failure = _prepare(draft_id, request, gateway)[0].failure
    if failure is not None and failure.job_id is not None:
        retry_job(gateway.database, gateway.queue, failure.job_id)
    return RedirectResponse(f"/ui/setup/{draft_id}/plan", 303)


def _view(draft_id: str, request: Request, gateway: Gateway) -> dict[str, Any]:
    preparation, example = _prepare(draft_id, request, gateway)
    view: dict[str, Any] = {
        "preparation": preparation,
        "example": example,
        "idle": False,
        "sentence": "",
        "notes": [],
        "home": "/",
    }
    if preparation.is_open:
        # Whether no worker is there to do the jobs.
        try:
            view["idle"] = not gateway.queue.heartbeats.workers()
        except UnavailableError:
            view["idle"] = True
    plan = preparation.plan
    if plan:
        site = gateway.load_site(plan["site"])
        numbers = views.numbers_of_site(site, Reader.of(request).language)
        view["sentence"] = plan["slots"][0]["reason"]["text"]
        view["home"] = NAVIGATION[0].address(plan["site"])
        view["notes"] = []
        for note in plan.get("notes", []):
            view["notes"].append(say_note(note["code"], note.get("figures") or {}, numbers))
    return view


def _prepare(draft_id: str, request: Request, gateway: Gateway) -> tuple[Preparation, str]:
    """Advance a draft's preparation; return its state and its example.

    The example is "demo", "simulated", or "" for none.

    Raises:
        ConflictError: the draft is no site yet.
    """
    language = Reader.of(request).language
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        stored = answers.get("stored")
        site = sites.load(connection, stored) if stored else None
    example: str = answers.get("example", "")
    if example:
        if example == "demo":
            stages = demo(language)
        else:
            stages = simulated_home(language, now=gateway.clock.now())
        return advance(gateway, stages, draft_id), example
    if site is None:
        raise refuse("draft-not-stored", field="draft_id", value=draft_id, draft_id=draft_id)
    upload = answers.get("upload") if answers.get("data", {}).get("source") == "file" else None
    stages = first_plan(site, gateway.settings, upload, now=SystemClock().now(), language=language)
    return advance(gateway, stages, f"{draft_id}:{answers['run']}"), ""
