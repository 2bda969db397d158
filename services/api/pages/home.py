"""Routes of the page Home: current and next actions with reasons, overrides, and manual
instructions where Luna only advises.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import UnavailableError
from luna.energy.site import SENSOR_ROLES, Site
from luna.energy.site.inventory import list_meters
from luna.energy.timeline import SLOT, Instant, floor_to
from luna.platform import control_service, findings
from luna.platform.database import plan_causes, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.house_now import PlannedHouse
from luna.platform.house_reading import read_battery_socs, read_house, read_planned, read_soc
from luna.platform.queue.jobs import submit_job
from luna.platform.site_present import read_prices_now
from luna.words import MODES, mode
from luna.words.catalogue import CATALOGUE
from luna.words.language import language_forms
from luna.words.quality import say_series
from services.api.gateway import CurrentGateway, Gateway
from services.api.identity.caller import CurrentCaller
from services.api.pages.home_advice import list_advice
from services.api.pages.home_flow import say_price_now, view_flow, view_live_flow
from services.api.pages.home_notices import DataAge, list_notices, tell_liveness
from services.api.pages.home_slots import choose_slot, headings, list_rows, view_sheet, write_csv
from services.api.pages.home_view import HomeView
from services.api.pages.layout import (
    LANGUAGE_COOKIE,
    NAVIGATION,
    THEME_COOKIE,
    PageRoute,
    Reader,
    Theme,
    show,
    show_part,
    words_of,
)
from services.api.pages.setup.preparation import fresh_inputs
from services.api.pages.simulated_prices import say_simulated_prices
from services.api.routing import ResourceRouter
from services.api.timeline.build import build_timeline
from services.api.timeline.window import open_window

router = ResourceRouter(route_class=PageRoute)

PAGE = NAVIGATION[0]
A_YEAR_SECONDS = 365 * 86_400
# Texts of the chart, by its own names.
CHART_WORDS = {
    **{
        name: name
        for name in (
            "price",
            "power",
            "soc",
            "target",
            "used",
            "supplied",
            "measured",
            "planned",
            "band",
            "held",
            "reserve",
            "cheap",
            "dear",
        )
    },
    **{
        name: name
        for name in (
            "estimated",
            "predicted",
            "buy",
            "sell",
            "now",
            "hourly",
            "daily",
            "plan_changed",
            "offline",
        )
    },
    "plan_of": "plan_of",
    "expected": "expected",
    "gap": "unknown",
    "assumed": "assumed_ahead",
    "without": "ghost_without",
    "midnight": "ghost_midnight",
    "house": "flow_house",
    "solar": "flow_solar",
    "battery": "flow_battery",
    "grid": "flow_grid",
    "car": "flow_car",
}
# Placeholders that the chart's script fills in.
CHART_PLACES = {"plan_changed": {"t": "{t}", "mode": "{mode}"}, "plan_of": {"t": "{t}"}}
SitePath = Annotated[str, Path(min_length=1, max_length=64)]
InstantQuery = Annotated[Instant | None, Query(description="the slot that holds it")]


class OverrideForm(BaseModel):
    """The form of an override."""

    mode: Annotated[str, Field(max_length=32)]
    until: Instant
    device: Annotated[str, Field(max_length=80)] = BATTERIES
    csrf_token: str = ""


@router.page("GET", "/", "read")
def open_first(gateway: CurrentGateway, caller: CurrentCaller) -> Response:
    """Lead to the page of the caller's first site, or to set-up where there is none."""
    with unit_of_work(gateway.database) as connection:
        unreadable = {each.name for each in sites.list_unreadable(connection)}
        # Sites that cannot be read come last.
        there = sorted(
            filter(caller.has_site, sites.names(connection)),
            key=lambda name: (name in unreadable, name),
        )
    return RedirectResponse(PAGE.address(there[0]) if there else "/ui/setup", 303)


@router.page("GET", "/ui/sites/{site_id}/home", "read")
def show_home(
    site_id: SitePath, request: Request, gateway: CurrentGateway, at: InstantQuery = None
) -> Response:
    """Show what the site does now and next, and why."""
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        view = _open(connection, site_id, request, gateway)
        price_note = say_simulated_prices(
            connection, view.window.site, gateway=gateway, words=view.words, with_reason=False
        )
    language = view.numbers.language
    # Meters besides the house's share one colour; a single one gives its name.
    meters = {role for role, use in list_meters(view.window.site) if use != "car"}
    meter = meters.pop() if len(meters) == 1 else None
    phrases = CHART_WORDS | (
        {"soc": "soc_together", "battery": "flow_batteries"} if len(view.batteries) > 1 else {}
    )
    chart_words = {
        name: view.words(phrase, **CHART_PLACES.get(phrase, {})) for name, phrase in phrases.items()
    } | {
        "heater": say_series(SENSOR_ROLES[meter].series or "", language=language)
        if meter
        else view.words("beside_house"),
        "short": {name: mode(name, language=language).short for name in MODES},
    }
    parts = (
        _describe(view, gateway)
        | _view_why(view, at)
        | _view_flow(site_id, request, gateway, site=view.window.site, view=view)
    )
    parts |= {
        "anew": False,
        "price_note": price_note,
        "chart_words": chart_words,
        "locale": language_forms(language).texts["locale"],
    }
    return show(request, PAGE, site=view.window.site, marks=marks, **parts)


@router.page("GET", "/ui/sites/{site_id}/home/head", "read")
def show_head(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show sentence, steps, figures and notices anew."""
    with unit_of_work(gateway.database) as connection:
        view = _open(connection, site_id, request, gateway)
        price_note = say_simulated_prices(
            connection, view.window.site, gateway=gateway, words=view.words, with_reason=False
        )
    return show_part(
        request,
        PAGE,
        "home_head.html.j2",
        site=view.window.site,
        anew=True,
        price_note=price_note,
        **_describe(view, gateway),
    )


@router.page("GET", "/ui/sites/{site_id}/home/flow", "read")
def show_flow(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show the energy flows anew: of this moment, or of the last measured slot."""
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
    return show_part(
        request,
        PAGE,
        "home_flow.html.j2",
        site=site,
        anew=True,
        **_view_flow(site_id, request, gateway, site=site),
    )


@router.page("GET", "/ui/sites/{site_id}/home/why", "read")
def show_why(
    site_id: SitePath, request: Request, gateway: CurrentGateway, at: InstantQuery = None
) -> Response:
    """Show why one slot is as it is."""
    with unit_of_work(gateway.database) as connection:
        view = _open(connection, site_id, request, gateway)
    return show_part(
        request, PAGE, "home_why.html.j2", site=view.window.site, **_view_why(view, at)
    )


@router.page("GET", "/ui/sites/{site_id}/home/table", "read")
def show_table(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show every value of the chart as a table: a page of its own, or a part of Home where a script
    asks.
    """
    with unit_of_work(gateway.database) as connection:
        view = _open(connection, site_id, request, gateway)
    site = view.window.site
    rows = list(list_rows(view))
    if request.headers.get("HX-Request"):
        return show_part(
            request, PAGE, "home_table.html.j2", site=site, headings=headings(view), rows=rows
        )
    return show(
        request,
        PAGE,
        site=site,
        template="home_table_page.html.j2",
        headings=headings(view),
        rows=rows,
    )


@router.page("GET", "/ui/sites/{site_id}/home/plan.csv", "read")
def save_table(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Hand out every value of the chart as CSV."""
    with unit_of_work(gateway.database) as connection:
        view = _open(connection, site_id, request, gateway)
    name = f"luna-{view.window.now.astimezone(view.numbers.zone):%Y-%m-%d-%H%M}.csv"
    return Response(
        write_csv(view),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.page("POST", "/ui/sites/{site_id}/home/override", "operate")
def override_plan(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    caller: CurrentCaller,
    *,
    form: Annotated[OverrideForm, Form()],
) -> Response:
    """Do something else until an instant; then the plan takes over again."""
    with unit_of_work(gateway.database) as connection:
        override = {"mode": form.mode, "until": form.until.isoformat(), "by": caller.signature}
        control_service.override(
            connection, site_id, form.device, override, now=gateway.clock.now()
        )
    return _refresh(site_id, request)


@router.page("POST", "/ui/sites/{site_id}/home/resume", "operate")
def resume_plan(
    site_id: SitePath,
    request: Request,
    gateway: CurrentGateway,
    device: Annotated[str, Form()] = BATTERIES,
) -> Response:
    """End an override: the plan again."""
    with unit_of_work(gateway.database) as connection:
        control_service.resume(connection, site_id, device)
    return _refresh(site_id, request)


@router.page("POST", "/ui/sites/{site_id}/home/plan", "operate")
def plan_anew(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Ask for what a plan rests on and for a plan.

    Nobody waits for them, the page shows what comes of it.
    """
    with unit_of_work(gateway.database) as connection:
        site = sites.load(connection, site_id)
        key = sites.key_of(connection, site_id)
        # Plan within seconds from stored inputs, and again when new prices or forecasts arrive.
        plan_causes.note(connection, [key], "owner")
    for stage in fresh_inputs(site, gateway.settings):
        submit_job(
            gateway.database, gateway.queue, stage.request({}), key=f"renew:{site_id}:{stage.name}"
        )
    return _refresh(site_id, request)


@router.page("POST", "/ui/preferences", "public")
def save_preferences(
    request: Request,
    language: Annotated[str | None, Form()] = None,
    theme: Annotated[Theme | None, Form()] = None,
) -> Response:
    """Keep the reader's language and appearance in this browser, and lead back to the page."""
    # Back to the form's page; only to this gateway's own pages (no open redirect).
    referrer = request.headers.get("Referer", "")
    own = str(request.base_url)
    response = RedirectResponse(
        "/" + referrer.removeprefix(own) if referrer.startswith(own) else "/", 303
    )
    for cookie, value in (
        (LANGUAGE_COOKIE, language and CATALOGUE.choose(language)),
        (THEME_COOKIE, theme),
    ):
        if value is not None:
            response.set_cookie(
                cookie, value, max_age=A_YEAR_SECONDS, samesite="lax", httponly=True
            )
    return response


def _open(connection: Connection, site_id: str, request: Request, gateway: Gateway) -> HomeView:
    site = sites.load(connection, site_id)
    words = words_of(request, PAGE)
    window = open_window(site, now=gateway.clock.now(), language=Reader.of(request).language)
    document = build_timeline(connection, window, gateway.plan_memory)
    # Slow to compute from three days of meters and plans, so cached until those change.
    plan = document["plan"]
    age_s = document["ages_s"]["measured"]
    measured = None if age_s is None else window.now - timedelta(seconds=age_s)
    key = (window.site.model_dump_json(), plan and plan["plan_id"], measured, window.running)
    planned: PlannedHouse = gateway.plan_memory.renew(
        ("house", window.site.name),
        key,
        lambda before: read_planned(connection, window.site, now=window.now, before=before),
    )
    # The state of charge changes every minute and is read each time.
    soc = read_soc(connection, window.site, planned.plan, now=window.now)
    planned = replace(
        planned,
        soc=soc,
        battery_socs=read_battery_socs(connection, window.site, planned.plan, now=window.now),
    )
    minute = ("silent", key[0], floor_to(window.now, findings.SEARCH_EVERY))
    silent = gateway.plan_memory.recall(
        minute, lambda: findings.find_silent(connection, window.site, now=window.now)
    )
    house = read_house(
        connection,
        window.site,
        planned,
        plan_max_age=gateway.settings.plan_max_age,
        now=window.now,
        silent=silent,
    )
    return HomeView(window, document, words, house)


def _view_flow(
    site_id: str, request: Request, gateway: Gateway, *, site: Site, view: HomeView | None = None
) -> dict[str, Any]:
    """Return the flows and how live they are.

    ``view`` where it was opened already, for it takes its time and live values do without.
    """
    with suppress(UnavailableError):
        gateway.queue.live.look(site_id)
    live = gateway.read_live_flow(site_id)
    words = words_of(request, PAGE)
    window = open_window(site, now=gateway.clock.now(), language=Reader.of(request).language)
    with unit_of_work(gateway.database) as connection:
        price_now = say_price_now(
            read_prices_now(connection, site, now=window.now), words, window.numbers
        )
        if live is None and view is None:
            view = _open(connection, site_id, request, gateway)
    if live is not None or view is None:
        return {
            "flow": live and view_live_flow(live, window, words),
            "live": DataAge("live", words("live")),
            "price_now": price_now,
        }
    return {"flow": view_flow(view), "live": tell_liveness(view), "price_now": price_now}


def _describe(view: HomeView, gateway: Gateway) -> dict[str, Any]:
    notices = list_notices(view, gateway.settings.plan_max_age)
    return {
        "view": view,
        "notices": notices,
        "steps": view.steps() if view.has_plan else [],
        "facts": view.facts(),
        "advice": list_advice(view),
    }


def _view_why(view: HomeView, at: Any) -> dict[str, Any]:
    slot = choose_slot(view, None if at is None else (at - view.window.timeline.start) // SLOT)
    return {
        "sheet": view_sheet(view, slot),
        "armed": view.house.armed,
        "only_advised": view.house.only_advised,
    }


def _refresh(site_id: str, request: Request) -> Response:
    if request.headers.get("HX-Request"):
        return Response(status_code=204, headers={"HX-Trigger": "luna:refresh"})
    return RedirectResponse(PAGE.address(site_id), 303)
