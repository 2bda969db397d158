"""The page that an owner opens every day."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from luna.database import plans, sites
from luna.database.engine import unit_of_work
from luna.wording import Language
from services.api.gateway import CurrentGateway
from services.api.pages.layout import LANGUAGE_COOKIE, NAVIGATION, THEME_COOKIE, PageRoute, Theme, show

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = NAVIGATION[0]
A_YEAR_SECONDS = 365 * 86_400
SitePath = Annotated[str, Path(min_length=1, max_length=64)]


@router.get("/")
def open_first(gateway: CurrentGateway) -> Response:
    """Lead to the first site's page, or to set-up where there is none."""
    with unit_of_work(gateway.database) as connection:
        there = sites.names(connection)
    return RedirectResponse(PAGE.address(there[0]) if there else "/ui/setup", 303)


@router.get("/ui/sites/{site_id}/home")
def show_home(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show what the site does now and next, and why."""
    with unit_of_work(gateway.database) as connection:
        site, plan = sites.load(connection, site_id), plans.latest(connection, site_id)
    return show(request, PAGE, site=site, plan=plan)


@router.post("/ui/preferences")
def save_preferences(request: Request, language: Annotated[Language | None, Form()] = None, theme: Annotated[Theme | None, Form()] = None) -> Response:
    """Keep the reader's language and appearance in this browser, and lead back to the page."""
    response = RedirectResponse(_came_from(request), 303)
    for cookie, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
        if value is not None:
            response.set_cookie(cookie, value, max_age=A_YEAR_SECONDS, samesite="lax", httponly=True)
    return response


def _came_from(request: Request) -> str:
    """Return the page that the form stood on, of this gateway only."""
    referrer = request.headers.get("Referer", "")
    own = str(request.base_url)
    return "/" + referrer.removeprefix(own) if referrer.startswith(own) else "/"
