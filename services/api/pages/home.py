"""Page Home: current and next actions with reasons, overrides, and advice to set by hand."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from luna.energy.charge_sensors import sensors_of
from luna.energy.devices.battery import BATTERIES
from luna.energy.errors import UnavailableError
from luna.energy.site import SENSOR_ROLES, Site
from luna.energy.site.inventory import list_meters
from luna.energy.timeline import SLOT, Instant, floor_to, parse_zone
from luna.house import control_service, findings
from luna.house.now import HouseNow, PlannedHouse
from luna.house.now_reader import read_battery_socs, read_house, read_planned, read_soc
from luna.house.site_present import read_prices_now
from luna.house.steering_history import format_records
from luna.house.steering_status import format_steering
from luna.platform.database import (
    charging_sessions,
    departures,
    plan_causes,
    sites,
    steering_records,
)
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import submit_job
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
from services.api.pages.low_price import describe_low_part
from services.api.pages.setup.preparation import fresh_inputs
from services.api.pages.simulated_prices import say_simulated_prices
from services.api.routing import ResourceRouter
from services.api.timeline.build import build_timeline
from services.api.timeline.window import Window, open_window

router = ResourceRouter(route_class=PageRoute)

PAGE = NAVIGATION[0]
A_YEAR_SECONDS = 365 * 86_400
# Texts of the chart, by its own names.
CHART_WORDS = {
    "price": "price",
    "power": "power",
    "soc": "soc",
    "target": "target",
    "used": "used",
    "supplied": "supplied",
    "measured": "measured",
    "planned": "planned",
    "band": "band",
    "held": "held",
    "reserve": "reserve",
    "cheap": "cheap",
    "dear": "dear",
    "estimated": "estimated",
    "predicted": "predicted",
    "buy": "buy",
    "sell": "sell",
    "now": "now",
    "hourly": "hourly",
    "daily": "daily",
    "plan_changed": "plan_changed",
    "offline": "offline",
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
        unreadable = {stored.name for stored in sites.list_unreadable(connection)}
        names = sorted(filter(caller.has_site, sites.names(connection)))
    # Sites that cannot be read come last.
    names.sort(key=unreadable.__contains__)
    return RedirectResponse(PAGE.address(names[0]) if names else "/ui/setup", 303)


@router.page("GET", "/ui/sites/{site_id}/home", "read")
def show_home(
    site_id: SitePath, request: Request, gateway: CurrentGateway, at: InstantQuery = None
) -> Response:
    """Show the site's current and next actions with their reasons."""
    with unit_of_work(gateway.database) as connection:
        marks = gateway.read_marks(connection, site_id)
        view = _open(connection, site_id, request, gateway)
        site = view.window.site
        price_note = say_simulated_prices(
            connection, site, gateway=gateway, words=view.words, with_reason=False
        )
        why = _view_why(connection, view, at)
    parts = {
        **_describe(view, gateway),
        **why,
        **_view_flow(site_id, request, gateway, site=site, view=view),
        "anew": False,
        "price_note": price_note,
        "chart_words": _say_chart_words(view),
        "locale": language_forms(view.numbers.language).texts["locale"],
    }
    return show(request, PAGE, site=site, marks=marks, **parts)


def _say_chart_words(view: HomeView) -> dict[str, Any]:
    """Return the texts of the chart by its own names."""
    language = view.numbers.language
    phrases = dict(CHART_WORDS)
    if len(view.batteries) > 1:
        phrases |= {"soc": "soc_together", "battery": "flow_batteries"}
    texts: dict[str, Any] = {}
    for name, phrase in phrases.items():
        texts[name] = view.words(phrase, **CHART_PLACES.get(phrase, {}))
    # Meters besides the house's share one colour; a single one gives its name.
    meters = {role for role, use in list_meters(view.window.site) if use != "car"}
    meter = meters.pop() if len(meters) == 1 else None
    if meter:
        texts["heater"] = say_series(SENSOR_ROLES[meter].series or "", language=language)
    else:
        texts["heater"] = view.words("beside_house")
    texts["short"] = {name: mode(name, language=language).short for name in MODES}
    return texts


@router.page("GET", "/ui/sites/{site_id}/home/head", "read")
def show_head(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show sentence, steps, figures and notices again."""
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
    """Show the energy flows again: of this moment, or of the last measured slot."""
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
    """Show the reason of one slot."""
    with unit_of_work(gateway.database) as connection:
        view = _open(connection, site_id, request, gateway)
        why = _view_why(connection, view, at)
    return show_part(request, PAGE, "home_why.html.j2", site=view.window.site, **why)


@router.page("GET", "/ui/sites/{site_id}/home/table", "read")
def show_table(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Show the chart's values as a table: a page, or a part of Home for a script."""
    with unit_of_work(gateway.database) as connection:
        view = _open(connection, site_id, request, gateway)
    site = view.window.site
    rows = list(list_rows(view))
    table: dict[str, Any] = {"headings": headings(view), "rows": rows}
    if request.headers.get("HX-Request"):
        return show_part(request, PAGE, "home_table.html.j2", site=site, **table)
    return show(request, PAGE, site=site, template="home_table_page.html.j2", **table)


@router.page("GET", "/ui/sites/{site_id}/home/plan.csv", "read")
def save_table(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Return the values of the chart as CSV."""
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
    """Override the plan until an instant."""
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
    """End an override."""
    with unit_of_work(gateway.database) as connection:
        control_service.resume(connection, site_id, device)
    return _refresh(site_id, request)


@router.page("POST", "/ui/sites/{site_id}/home/plan", "operate")
def plan_anew(site_id: SitePath, request: Request, gateway: CurrentGateway) -> Response:
    """Request fresh inputs and a plan.

    Nothing waits for them; the page shows the result.
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
    """Store the reader's language and appearance in a cookie, and lead back to the page."""
    # Back to the form's page; only to this gateway's own pages (no open redirect).
    referrer = request.headers.get("Referer", "")
    own = str(request.base_url)
    address = "/" + referrer.removeprefix(own) if referrer.startswith(own) else "/"
    response = RedirectResponse(address, 303)
    cookies = {
        LANGUAGE_COOKIE: CATALOGUE.choose(language) if language else None,
        THEME_COOKIE: theme,
    }
    for cookie, value in cookies.items():
        if value is not None:
            response.set_cookie(
                cookie, value, max_age=A_YEAR_SECONDS, samesite="lax", httponly=True
            )
    return response


def _open(connection: Connection, site_id: str, request: Request, gateway: Gateway) -> HomeView:
    site = sites.load(connection, site_id)
    words = words_of(request, PAGE)
    now = gateway.clock.now()
    window = open_window(site, now=now, language=Reader.of(request).language)
    document = build_timeline(connection, window, gateway.plan_memory)
    house = _read_house(connection, window, document, gateway)
    count = _count_departures(connection, site, now, gateway)
    return HomeView(window, document, words, house, departure_count=count)


def _count_departures(connection: Connection, site: Site, now: datetime, gateway: Gateway) -> int:
    """Return how many learnt departures wait for an answer.

    They are learnt at most once a day, and anew after an answer.
    """
    if not any(sensors.connected for sensors in sensors_of(site, at=now).values()):
        return 0
    standing = charging_sessions.read_standing(connection, site.name, first=now)
    answers = departures.read_answers(connection, site.name)
    key = (
        site.model_dump_json(),
        now.astimezone(parse_zone(site.timezone)).date(),
        tuple(session.session_id for session in standing),
        tuple((answer.departure_id, answer.answered_at) for answer in answers),
    )

    def learn(_: int | None) -> int:
        return len(departures.read_proposals(connection, site.name, now=now))

    return gateway.plan_memory.renew(("departures", site.name), key, learn)


def _read_house(
    connection: Connection, window: Window, document: Mapping[str, Any], gateway: Gateway
) -> HouseNow:
    site = window.site
    now = window.now
    memory = gateway.plan_memory

    def renew_planned(before: PlannedHouse | None) -> PlannedHouse:
        return read_planned(connection, site, now=now, before=before)

    def find_silent() -> Any:
        return findings.find_silent(connection, site, now=now)

    # Slow to compute from three days of meters and plans, so cached until those change.
    plan = document["plan"]
    age_s = document["ages_s"]["measured"]
    measured = None if age_s is None else now - timedelta(seconds=age_s)
    site_json = site.model_dump_json()
    key = (site_json, plan and plan["plan_id"], measured, window.running)
    planned: PlannedHouse = memory.renew(("house", site.name), key, renew_planned)
    # The state of charge changes every minute and is read each time.
    planned = replace(
        planned,
        soc=read_soc(connection, site, planned.plan, now=now),
        battery_socs=read_battery_socs(connection, site, planned.plan, now=now),
    )
    minute = floor_to(now, findings.SEARCH_EVERY)
    silent = memory.recall(("silent", site_json, minute), find_silent)
    return read_house(
        connection,
        site,
        planned,
        plan_max_age=gateway.settings.plan_max_age,
        now=now,
        silent=silent,
    )


def _view_flow(
    site_id: str, request: Request, gateway: Gateway, *, site: Site, view: HomeView | None = None
) -> dict[str, Any]:
    """Return the flows with the age of their data, and what steering does.

    ``view`` if it was opened already: it is slow to open, and live values do without.
    """
    with suppress(UnavailableError):
        gateway.queue.live.look(site_id)
    live = gateway.read_live_flow(site_id)
    words = words_of(request, PAGE)
    window = open_window(site, now=gateway.clock.now(), language=Reader.of(request).language)
    with unit_of_work(gateway.database) as connection:
        prices = read_prices_now(connection, site, now=window.now)
        if live is None and view is None:
            view = _open(connection, site_id, request, gateway)
    price_now = say_price_now(prices, words, window.numbers)
    steered = gateway.read_live_steering(site_id)
    steering = [] if steered is None else format_steering(steered, window.numbers)
    if live is not None or view is None:
        flow = live and view_live_flow(live, window, words)
        parts = {"flow": flow, "live": DataAge("live", words("live"))}
    else:
        parts = {"flow": view_flow(view), "live": tell_liveness(view)}
    return parts | {"price_now": price_now, "steering": steering}


def _describe(view: HomeView, gateway: Gateway) -> dict[str, Any]:
    return {
        "view": view,
        "notices": list_notices(view, gateway.settings.plan_max_age),
        "steps": view.steps() if view.has_plan else [],
        "facts": view.facts(),
        "advice": list_advice(view),
    }


def _view_why(connection: Connection, view: HomeView, at: Any) -> dict[str, Any]:
    requested = None
    if at is not None:
        requested = (at - view.window.timeline.start) // SLOT
    slot = choose_slot(view, requested)
    begin = view.instant(slot)
    records = steering_records.read(connection, view.house.site.name, first=begin, end=begin + SLOT)
    return {
        "steered": format_records(records, view.numbers),
        "sheet": view_sheet(view, slot, low_part=describe_low_part(connection, view, slot)),
        "armed": view.house.armed,
        "only_advised": view.house.only_advised,
    }


def _refresh(site_id: str, request: Request) -> Response:
    if request.headers.get("HX-Request"):
        return Response(status_code=204, headers={"HX-Trigger": "luna:refresh"})
    return RedirectResponse(PAGE.address(site_id), 303)
