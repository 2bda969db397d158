"""What a site is, how it is changed, and the versions it had, each with a way back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from luna.database import setup_drafts, sites
from luna.database.engine import unit_of_work
from luna.site.differences import list_differences
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.layout import Page, PageRoute, Reader, show, words_of
from services.api.pages.setup import views
from services.api.pages.setup.editing import answers_of, find_fixed

# With the words of set-up, which asked for the same.
PAGE = Page("setup", "/ui/sites/{site_id}/site", "administer")
MOST_VERSIONS = 20

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/ui/sites/{site_id}/site")
def show_site(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show what the site is, step by step with a way to change it, and its versions."""
    with unit_of_work(gateway.database) as connection:
        stored, versions = sites.read(connection, site_id), sites.list_versions(connection, site_id, limit=MOST_VERSIONS + 1)
    words, language = words_of(request, PAGE), Reader.of(request).language
    earlier = [each.configuration for each in versions[1:]]
    told = [(each, list_differences(before, each.configuration)) for each, before in zip(versions, earlier, strict=False)]
    # Of the first one there is nothing to tell apart.
    told += [(versions[-1], [])] if len(versions) <= MOST_VERSIONS else []
    numbers = views.numbers_of_site(stored.site, language)
    shown: dict[str, Any] = {"parts": views.view_site_parts(stored.site, words, numbers), "assumed": views.view_assumptions(stored.site, words, numbers)}
    return show(request, PAGE, template="site.html.j2", site=stored.site, fixed=find_fixed(stored.site), versions=told, **shown)


@router.post("/ui/sites/{site_id}/site/change")
def begin_change(site_id: SitePath, gateway: CurrentGateway, step: Annotated[Literal["site", "devices", "tariff"], Form()] = "site") -> Response:
    """Begin a draft with what the site is, and lead to one of its steps."""
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        answers = answers_of(stored.site)
        begun: dict[str, Any] = {"changes": site_id, "version": stored.version, "before": answers, "fixed": find_fixed(stored.site)}
        draft_id = setup_drafts.create(connection, answers | begun)
    return RedirectResponse(f"/ui/setup/{draft_id}/{step}", 303)


@router.post("/ui/sites/{site_id}/site/back")
def bring_back(site_id: SitePath, gateway: CurrentGateway, caller: CurrentCaller, version: Annotated[int, Form(ge=1, le=2**31 - 1)]) -> Response:
    """Store a version that the site had as its newest; what it has now stays a version."""
    caller.require_site(site_id)
    with unit_of_work(gateway.database) as connection:
        earlier = sites.parse_stored(site_id, sites.read_version(connection, site_id, version))
        sites.save(connection, earlier)
    return RedirectResponse(PAGE.address(site_id), 303)
