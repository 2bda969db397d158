"""Recommendations as a panel of the page Knowledge, and the reader's decisions on them."""

import hashlib
from typing import Annotated, Any

import structlog
from fastapi import Form, Path, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.contracts.recommendations import (
    Event,
    EventAction,
    Recommendation,
    RecommendReply,
    RecommendRequest,
    RecordEventsRequest,
)
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.words import Numbers
from services.api.pages.knowledge.visit import PAGE, CurrentVisit, Visit
from services.api.pages.layout import PageRoute, Reader, show, show_part, words_of
from services.api.routing import ResourceRouter

log = structlog.get_logger("luna.api")
router = ResourceRouter(route_class=PageRoute)

DECIDED = ("useful", "dismissed")
RecommendationPath = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$")]


@router.page("GET", "/ui/sites/{site_id}/knowledge/recommendations", "read")
async def show_tips(visit: CurrentVisit) -> Response:
    """Show the recommendations: as a part, or, without a script, as a page."""
    site = await run_in_threadpool(visit.gateway.load_site, visit.site_id)
    reply = None
    if await run_in_threadpool(visit.is_served, RecommendRequest):
        language = Reader.of(visit.request).language
        request = RecommendRequest(
            reader=visit.caller.name,
            site_id=visit.site_id,
            k=1,
            language=language,
            sites=visit.caller.own_sites,
            unasked=True,
        )
        reply, refusal = await visit.gateway.ask_or_refusal(request, RecommendReply)
        if refusal is not None:
            log.warning("nothing can be recommended", error=str(refusal))
    frame = _frame(visit, site) | {
        "tips": [] if reply is None else reply.recommendations,
        "away": reply is None,
    }
    if visit.wants_part:
        return show_part(visit.request, PAGE, "knowledge_tips.html.j2", site=site, **frame)
    return show(
        visit.request, PAGE, template="knowledge_recommendations.html.j2", site=site, **frame
    )


@router.page("POST", "/ui/sites/{site_id}/knowledge/recommendations/{recommendation_id}", "read")
async def note_tip(
    visit: CurrentVisit,
    recommendation_id: RecommendationPath,
    action: Annotated[EventAction, Form()],
    title: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Record the reader's reaction to a recommendation; a repeated one counts once."""
    now = visit.gateway.clock.now()
    event_id = hashlib.sha256(f"{recommendation_id}:{action}".encode()).hexdigest()[:32]
    event = Event(
        event_id=event_id, recommendation_id=recommendation_id, action=action, happened_at=now
    )
    await visit.gateway.ask(RecordEventsRequest(events=(event,), reader=visit.caller.name))
    if action not in DECIDED:
        return Response(status_code=204)
    if not visit.wants_part:
        return RedirectResponse(visit.base, 303)
    site = await run_in_threadpool(visit.gateway.load_site, visit.site_id)
    tip = Recommendation(
        recommendation_id=recommendation_id, item_id="", kind="tip", title=title, text="", reason=""
    )
    return show_part(
        visit.request,
        PAGE,
        "knowledge_tip.html.j2",
        site=site,
        **(_frame(visit, site) | {"tip": tip, "noted": action}),
    )


def _frame(visit: Visit, site: Site) -> dict[str, Any]:
    words = words_of(visit.request, PAGE)
    language = Reader.of(visit.request).language

    def numbers(tip: Recommendation) -> Numbers:
        return Numbers(language, parse_zone(site.timezone), tip.currency or site.currency)

    def say_money(tip: Recommendation) -> str:
        return numbers(tip).money(tip.saving_cost_per_year)

    def say_between(tip: Recommendation) -> str:
        return words(
            "tip_between",
            low=numbers(tip).money(tip.saving_low),
            high=numbers(tip).money(tip.saving_high),
        )

    return {
        "base": visit.base,
        "money": say_money,
        "between": say_between,
        "noted": None,
    }
