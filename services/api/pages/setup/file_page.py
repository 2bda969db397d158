"""The page of a file in set-up: its content, and how it is read before the first plan."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.energy.refusals import refuse
from luna.energy.timeline import parse_zone
from luna.platform.database import setup_drafts
from luna.platform.database.engine import unit_of_work
from luna.words import Numbers
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.file_guess_view import FileGuessView, ask_guess, link_of, read_choices
from services.api.pages.layout import Page, PageRoute, Reader, show, words_of
from services.api.pages.setup.composition import compose
from services.api.pages.setup.pages import DraftId
from services.api.routing import ResourceRouter

router = ResourceRouter(route_class=PageRoute)

PAGE = Page("file_guess", "/ui/setup", "administer")


@router.page("GET", "/ui/setup/{draft_id}/file", "administer")
async def show_setup_file(draft_id: DraftId, request: Request, gateway: CurrentGateway) -> Response:
    """Show how a draft's file is understood and what would be stored of it."""
    answers = await run_in_threadpool(_load, gateway, draft_id)
    zone, currency = _find_clock(answers)
    choices = read_choices(request.query_params.multi_items())
    upload = answers["upload"]
    guess = await ask_guess(
        gateway, key=upload["object_key"], name=upload["file_name"], zone=zone, choices=choices
    )
    view = FileGuessView(
        guess,
        Numbers(Reader.of(request).language, parse_zone(zone), currency),
        words_of(request, PAGE),
        choices,
    )
    unanswered = "unanswered" in request.query_params
    return show(
        request,
        PAGE,
        view=view,
        action=f"/ui/setup/{draft_id}/file",
        back=f"/ui/setup/{draft_id}/data",
        unanswered=unanswered,
    )


@router.page("POST", "/ui/setup/{draft_id}/file", "administer")
async def accept_setup_file(
    draft_id: DraftId, request: Request, gateway: CurrentGateway
) -> Response:
    """Store how the file is read and lead back, or to a question that is open."""
    answers = await run_in_threadpool(_load, gateway, draft_id)
    zone, _ = _find_clock(answers)
    choices = read_choices(
        [(name, str(value)) for name, value in (await request.form(max_files=0)).multi_items()]
    )
    upload = answers["upload"]
    guess = await ask_guess(
        gateway, key=upload["object_key"], name=upload["file_name"], zone=zone, choices=choices
    )
    if guess.reading is None:
        return RedirectResponse(
            link_of(f"/ui/setup/{draft_id}/file", {"unanswered": "1", **choices}), 303
        )
    reading = {"kind": guess.reading.kind, "reading": guess.reading.model_dump(mode="json")}
    await run_in_threadpool(_keep, gateway, draft_id, upload | reading)
    return RedirectResponse(f"/ui/setup/{draft_id}/data", 303)


def _load(gateway: Gateway, draft_id: str) -> dict[str, Any]:
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
    if not answers.get("upload"):
        raise refuse("no-file-handed-over", field="file", draft_id=draft_id)
    return answers


def _keep(gateway: Gateway, draft_id: str, upload: Mapping[str, Any]) -> None:
    with unit_of_work(gateway.database) as connection:
        answers = setup_drafts.load(connection, draft_id)
        # Another file that was handed over meanwhile is read in its own way.
        if answers.get("upload", {}).get("object_key") == upload["object_key"]:
            setup_drafts.save(connection, draft_id, answers | {"upload": dict(upload)})


def _find_clock(answers: Mapping[str, Any]) -> tuple[str, str]:
    """Return the time zone and the currency of the site, or defaults."""
    document = compose(answers).document
    return str(document.get("timezone") or "UTC"), str(document.get("currency") or "EUR")
