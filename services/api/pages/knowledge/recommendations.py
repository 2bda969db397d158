"""What is worth reading or doing, as a panel of the page Knowledge, and what its reader did with it."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from luna.contracts.recommendations import Event, EventAction, Recommendation, RecommendReply, RecommendRequest, RecordEventsRequest
from luna.database import sites
from luna.database.engine import unit_of_work
from luna.errors import LunaError
from luna.site import Site
from luna.timeline import parse_zone
from luna.wording import Numbers
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import Caller, CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.layout import PAGES, PageRoute, Reader, show, show_part, words_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = PAGES["knowledge"]
SHOWN = 4
DECIDED = ("useful", "dismissed")
RecommendationPath = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[\w-]+$")]


@router.get("/ui/sites/{site_id}/knowledge/recommendations")
async def show_tips(site_id: SitePath, request: Request, gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Show what is recommended: as the part that waits for it, or, without a script, as a page."""
    site = await run_in_threadpool(_load_site, gateway, site_id)
    tips, refusal = await _recommend(request, gateway, caller, site_id)
    frame = _frame(request, site) | {"tips": tips, "away": refusal is not None}
    if request.headers.get("HX-Request"):
        return show_part(request, PAGE, "knowledge_tips.html.j2", site=site, **frame)
    return show(request, PAGE, template="knowledge_recommendations.html.j2", site=site, **frame)


@router.post("/ui/sites/{site_id}/knowledge/recommendations/{recommendation_id}")
async def note_tip(
    site_id: SitePath,
    recommendation_id: RecommendationPath,
    request: Request,
    *,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    action: Annotated[EventAction, Form()],
    title: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Note what the reader did with something recommended; the same again counts once."""
    event = Event(event_id=_event_id(recommendation_id, action), recommendation_id=recommendation_id, action=action, happened_at=gateway.clock.now())
    await gateway.ask(RecordEventsRequest(events=(event,), reader=caller.name))
    if action not in DECIDED:
        return Response(status_code=204)
    if not request.headers.get("HX-Request"):
        return RedirectResponse(PAGE.address(site_id), 303)
    site = await run_in_threadpool(_load_site, gateway, site_id)
    tip = Recommendation(recommendation_id=recommendation_id, item_id="", kind="tip", title=title, text="", reason="")
    return show_part(request, PAGE, "knowledge_tip.html.j2", site=site, **(_frame(request, site) | {"tip": tip, "noted": action}))


def _event_id(recommendation_id: str, action: str) -> str:
    return hashlib.sha256(f"{recommendation_id}:{action}".encode()).hexdigest()[:32]


async def _recommend(request: Request, gateway: Gateway, caller: Caller, site_id: str) -> tuple[list[Recommendation], LunaError | None]:
    """Return what is recommended, or why nobody can say: the rest of the page stands either way."""
    own = None if caller.sites is None else tuple(sorted(caller.sites))
    wanted = RecommendRequest(reader=caller.name, site_id=site_id, k=SHOWN, language=Reader.of(request).language, sites=own)
    try:
        reply = await gateway.ask(wanted)
    except LunaError as error:
        return [], error
    return RecommendReply.model_validate_json(bytes(reply.body)).recommendations, None


def _load_site(gateway: Gateway, site_id: str) -> Site:
    with unit_of_work(gateway.database) as connection:
        return sites.load(connection, site_id)


def _frame(request: Request, site: Site) -> dict[str, Any]:
    words, language = words_of(request, PAGE), Reader.of(request).language

    def numbers(tip: Recommendation) -> Numbers:
        return Numbers(language, parse_zone(site.timezone), tip.currency or site.currency)

    def say_between(tip: Recommendation) -> str:
        return words("tip_between", low=numbers(tip).money(tip.saving_low), high=numbers(tip).money(tip.saving_high))

    return {"base": PAGE.address(site.name), "money": lambda tip: numbers(tip).money(tip.saving_cost_per_year), "between": say_between, "noted": None}
