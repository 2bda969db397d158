"""What another battery, tariff or roof would have brought: asked by a form, lived through by jobs, shown as a picture."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from luna.contracts.counterfactual import PlanVariantReply, PlanVariantRequest, WhatIfRequest
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site, invalid_input
from luna.energy.timeline import parse_zone
from luna.platform.database import plans, recorded_span, sites, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.what_if_questions import read_state, submit_what_if
from luna.words.refusals import SpokenError
from services.api.gateway import CurrentGateway, Gateway
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES, PageRoute, Reader, numbers_of, show, show_part, words_of
from services.api.pages.what_ifs_view import AnswerView, VariantForm

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = PAGES["what_ifs"]
SHOWN_QUESTIONS, USUAL_DAYS = 8, 28
QuestionPath = Annotated[str, Path(max_length=64, pattern=r"^[\w-]+$")]


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """What one variant makes of the plan in force."""

    name: str
    reply: PlanVariantReply


@router.get("/ui/sites/{site_id}/what-ifs")
def show_what_ifs(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show the form and what was asked."""
    return _show(request, gateway, site_id, VariantForm())


@router.get("/ui/sites/{site_id}/what-ifs/plan")
async def show_plan_variants(site_id: SitePath, request: Request, gateway: CurrentGateway, form: Annotated[VariantForm, Query()]) -> Response:
    """Show what each variant of the form would make of the plan in force; nothing is stored."""
    answers, refusal = await _ask_plan(request, gateway, site_id, form)
    return await run_in_threadpool(lambda: _show(request, gateway, site_id, form, answers=answers, refusal=refusal))


@router.post("/ui/sites/{site_id}/what-ifs")
def ask_days(site_id: SitePath, request: Request, gateway: CurrentGateway, form: Annotated[VariantForm, Form()]) -> Response:
    """Have the days lived through again under each variant of the form, and lead to the answer."""
    with unit_of_work(gateway.database) as connection:
        site, span = sites.load(connection, site_id), recorded_span.of_site(connection, site_id)
    first, last = _usual_days(site, span) or (None, None)
    document = {
        "site_id": site_id,
        "from_day": form.from_ or first,
        "to_day": form.to or last,
        "variants": form.variants(site, numbers_of(request, site), words_of(request, PAGE)),
        "language": Reader.of(request).language,
    }
    try:
        question = WhatIfRequest.model_validate(document)
    except ValidationError as exc:
        raise invalid_input(exc, field="") from exc
    state = submit_what_if(gateway.database, gateway.queue, question, now=gateway.clock.now())
    return RedirectResponse(f"{PAGE.address(site_id)}/{state.what_if_id}", 303)


@router.get("/ui/sites/{site_id}/what-ifs/{what_if_id}")
def show_what_if(site_id: SitePath, what_if_id: QuestionPath, request: Request, gateway: CurrentGateway) -> Response:
    """Show how far an answer is, or the answer."""
    with unit_of_work(gateway.database) as connection:
        site, question = sites.load(connection, site_id), what_ifs.load(connection, what_if_id)
        if question.site_id != site_id:
            raise refuse("no-such-question-here", field="what_if_id", value=what_if_id)
        state = read_state(connection, what_if_id)
    view = AnswerView(state, question, numbers_of(request, site), words_of(request, PAGE))
    if request.headers.get("HX-Request"):
        return show_part(request, PAGE, "what_ifs_answer.html.j2", site=site, view=view)
    return show(request, PAGE, template="what_if.html.j2", site=site, view=view)


def _show(request: Request, gateway: Gateway, site_id: str, form: VariantForm, **told: Any) -> Response:
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        asked = what_ifs.list_of_site(connection, site_id, limit=SHOWN_QUESTIONS)
        days = _usual_days(site, recorded_span.of_site(connection, site_id))
    chosen = (form.from_ or days[0], form.to or days[1]) if days else None
    frame = {"form": form, "asked": asked, "days": chosen}
    return show(request, PAGE, site=site, **({"answers": [], "refusal": None} | told | frame))


def _usual_days(site: Site, span: recorded_span.Span | None) -> tuple[date, date] | None:
    """Return the last four weeks that are recorded; None where nothing is."""
    if span is None:
        return None
    first, end = (instant.astimezone(parse_zone(site.timezone)) for instant in span)
    last = (end - timedelta(days=1)).date()
    return max(first.date(), last - timedelta(days=USUAL_DAYS - 1)), max(last, first.date())


async def _ask_plan(request: Request, gateway: Gateway, site_id: str, form: VariantForm) -> tuple[list[PlanAnswer], LunaError | None]:
    """Return what each variant makes of the plan, or why that cannot be said: the form stands either way."""
    try:
        return await _plan_variants(request, gateway, site_id, form), None
    except LunaError as error:
        return [], error


async def _plan_variants(request: Request, gateway: Gateway, site_id: str, form: VariantForm) -> list[PlanAnswer]:
    site, plan_id = await run_in_threadpool(_load_plan, gateway, site_id)
    words, language = words_of(request, PAGE), Reader.of(request).language
    if plan_id is None:
        raise SpokenError(words("no_plan"), field="plan")
    answers = []
    for variant in form.variants(site, numbers_of(request, site), words):
        answer = await gateway.ask(PlanVariantRequest.model_validate({"plan_id": plan_id, "variant": variant, "language": language}))
        answers.append(PlanAnswer(variant["name"], PlanVariantReply.model_validate_json(bytes(answer.body))))
    return answers


def _load_plan(gateway: Gateway, site_id: str) -> tuple[Site, str | None]:
    with unit_of_work(gateway.database) as connection:
        site, plan = sites.load(connection, site_id), plans.latest(connection, site_id, now=gateway.clock.now())
    return site, plan.plan_id if plan else None
