"""What a site is, how it is changed, and the versions it had, each with a way back."""

from typing import Annotated, Any, Literal

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from luna.energy.site.differences import list_differences
from luna.platform.database import setup_drafts, site_changes, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.own_sites import require_own
from services.api.gateway import CurrentGateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.job_part import SitePath
from services.api.pages.layout import Page, PageRoute, Reader, show, words_of
from services.api.pages.setup import views
from services.api.pages.setup.editing import answers_of, find_fixed
from services.api.pages.setup.sensors_page import list_standing
from services.api.pages.simulated_prices import say_simulated_prices
from services.api.routing import ResourceRouter

# With the words of set-up, which asked for the same.
PAGE = Page("setup", "/ui/sites/{site_id}/site", "administer")
MOST_VERSIONS = 20
VersionField = Annotated[int, Form(ge=1, le=2**31 - 1)]

router = ResourceRouter(route_class=PageRoute)


@router.page("GET", "/ui/sites/{site_id}/site", "administer")
def show_site(site_id: SitePath, request: Request, gateway: CurrentGateway, *, other_clock: int | None = None) -> Response:
    """Show what the site is with ways to change it, and its versions; ``other_clock``: the one that comes back only where its clock is accepted."""
    with unit_of_work(gateway.database) as connection:
        stored, versions = sites.read(connection, site_id), sites.list_versions(connection, site_id, limit=MOST_VERSIONS + 1)
        words, language = words_of(request, PAGE), Reader.of(request).language
        price_note = say_simulated_prices(connection, stored.site, gateway=gateway, words=words, with_reason=True)
    earlier = [each.configuration for each in versions[1:]]
    changes = [(each, list_differences(before, each.configuration)) for each, before in zip(versions, earlier, strict=False)]
    # Of the first one there is nothing to tell apart.
    changes += [(versions[-1], [])] if len(versions) <= MOST_VERSIONS else []
    numbers = views.numbers_of_site(stored.site, language)
    lines = views.view_site_parts(stored.site, words, numbers)
    if price_note:
        lines = [(step, [*entries, (words("simulated_prices"), price_note)] if step == "tariff" else entries) for step, entries in lines]
    context: dict[str, Any] = {
        "parts": lines,
        "assumed": views.view_assumptions(stored.site, words, numbers),
        "fixed": find_fixed(stored.site),
        "sensors": list_standing(stored.site, gateway.clock.now()),
    }
    return show(request, PAGE, template="site.html.j2", site=stored.site, versions=changes, other_clock=other_clock, **context)


@router.page("POST", "/ui/sites/{site_id}/site/change", "administer")
def begin_change(site_id: SitePath, gateway: CurrentGateway, step: Annotated[Literal["site", "devices", "tariff", "control"], Form()] = "site") -> Response:
    """Begin a draft with what the site is, and lead to one of its steps."""
    with unit_of_work(gateway.database) as connection:
        stored = sites.read(connection, site_id)
        answers = answers_of(stored.site)
        begun: dict[str, Any] = {"changes": site_id, "version": stored.version, "before": answers, "fixed": find_fixed(stored.site)}
        draft_id = setup_drafts.create(connection, answers | begun)
    return RedirectResponse(f"/ui/setup/{draft_id}/{step}", 303)


@router.page("POST", "/ui/sites/{site_id}/site/back", "administer")
def bring_back(
    site_id: SitePath, gateway: CurrentGateway, caller: CurrentCaller, version: VersionField, *, accept_time_zone: Annotated[bool, Form()] = False
) -> Response:
    """Store a version that the site had as its newest; what it has now stays a version. Another clock has to be accepted."""
    require_own(site_id, caller.sites)
    with unit_of_work(gateway.database) as connection:
        earlier = sites.parse_stored(site_id, sites.read_version(connection, site_id, version))
        # Its sensors have the times that they had.
        change = site_changes.prepare(connection, earlier, now=gateway.clock.now(), changed_sensors="always", accept_time_zone=accept_time_zone)
        if change.clock is not None:
            return RedirectResponse(f"{PAGE.address(site_id)}?other_clock={version}#version-{version}", 303)
        site_changes.store(connection, change)
    return RedirectResponse(PAGE.address(site_id), 303)
