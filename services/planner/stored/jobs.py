"""The planner's edge: fetch, call, store. Tasks and commands both come through here."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import BatteryState, Bias, ForecastSource, OutlookMessage, PlanReply, PlanRequest, Terminal
from luna.contracts.replay import ReplayRequest
from luna.database import forecasts, manual_blocks, observations, plans, sites
from luna.database import prices as market_prices
from luna.database.forecast_activations import find_active
from luna.errors import InvalidInputError, NotFoundError
from luna.outlook import Forecast
from luna.site import Site
from luna.timeline import SLOT, FloatArray, Timeline, floor_to, local_days, repeat_last
from luna.weighing import Weights, weigh_import
from services.planner.answer.reply import digest, plan_request
from services.planner.knowledge import DAY, ForecastBook, Foresight, PriceBook, PriceKnowledge
from services.planner.model.solver import Solver
from services.planner.posing.ahead import HORIZON
from services.planner.posing.past_errors import DAYS
from services.planner.posing.problem import TERMINAL_SHARE
from services.planner.replay import SCENARIOS, Scene
from services.planner.stored.assumptions import HALF_FULL, find_soc, list_assumptions
from services.planner.stored.carbon_jobs import read_carbon_ahead, read_carbon_book
from services.planner.stored.carried_jobs import carry_wishes
from services.planner.stored.course_jobs import describe_courses, read_courses, read_errors
from services.planner.stored.metrics import count_plan
from services.planner.stored.mode_jobs import carry_modes, read_planned_modes, read_told_modes
from services.planner.stored.month_jobs import complete_month
from services.planner.stored.strategy_jobs import look_back, read_surroundings
from services.planner.stored.weather_jobs import read_outdoor_ahead

# What the planner needs of the past: a week for the terminal value, and a day to carry prices on from.
LOOK_BACK = 8 * DAY


def plan_and_store(request: PlanRequest, connection: Callable[[], Connection], *, now: datetime, solver: Solver) -> PlanReply:
    """Return the plan of any request, stored in ``plan_history``.

    Args:
        request: with its own site, or naming a stored one.
        connection: opened when needed.
        now: the instant of issue.
        solver: that plans it.

    Raises:
        NotFoundError: no such site, or no forecast to plan from.
        InvalidInputError: the request or the stored data cannot be planned from.
    """
    complete = request if request.site is not None else complete_request(connection(), request, now=now)
    reply = plan_request(complete, now=now, solver=solver)
    count_plan(reply.plan_id, reply.followed)
    site_id = request.site_id or reply.site
    # What a request says of a site of its own must never drive a stored one of the same name.
    system_id = "prod" if request.site_id is not None else "request"
    plans.save(connection(), site_id=site_id, plan=reply, inputs_digest=digest(complete), system_id=system_id, inputs=complete)
    return reply


def complete_request(connection: Connection, request: PlanRequest, *, now: datetime) -> PlanRequest:
    """Return the request with site, outlook and state of the stored site, as they are known at its start."""
    site_id = str(request.site_id)
    site = sites.load(connection, site_id)
    if request.step != SLOT:
        raise InvalidInputError("a stored site is planned in slots of 15 minutes", field="slot_minutes", value=request.slot_minutes, remedy="Leave it out.")
    start = floor_to(request.start or now, SLOT)
    timeline = Timeline(start, SLOT, HORIZON // SLOT)
    driving = forecasts.read_driving(connection, site, timeline, known_at=start)
    if driving is None:
        version = find_active(connection, site).forecast_version
        remedy = f"Issue one: luna forecast issue --site {site_id} --at T --version {version}."
        raise NotFoundError("no forecast covers the start", field="start", value=start.isoformat(), remedy=remedy)
    source = ForecastSource(version=driving.forecast.version, issued_at=driving.forecast.issued_at, fallback_reason=driving.fallback_reason)
    around = Timeline(start - LOOK_BACK, SLOT, LOOK_BACK // SLOT + timeline.count)
    back = max(LOOK_BACK, look_back(site))
    prices = read_prices(connection, site, Timeline(start - back, SLOT, back // SLOT + timeline.count))
    carbon = read_carbon_ahead(connection, site_id, around, start=start)
    known = prices.ahead(start, timeline)
    errors = read_errors(connection, site, driving.forecast.version, start)
    bias = Bias(**dict(zip(("load_factor", "pv_factor"), errors.factors(start), strict=True)))
    series = {"import_price": known.import_price, "export_price": known.export_price} | _energies(driving.forecast, bias)
    outlook = OutlookMessage(**{name: values.tolist() for name, values in series.items()}, prices_known_until=known.known_until, forecast=source)
    erred = errors.days_of_errors(start, timeline, (series["load_kwh"], series["pv_kwh"]))
    wants_courses = request.options.uncertainty == "scenarios"
    courses = read_courses(connection, site, driving.forecast, outlook, start=start, errors=errors) if wants_courses else None
    intensity = None if carbon is None else carbon.tolist()
    outdoor = read_outdoor_ahead(connection, site_id, site, timeline, known_at=start)
    beside = {"carbon_g_per_kwh": intensity, "outdoor_temperature_c": outdoor}
    beside |= {"errors": describe_courses(erred) if erred else None, "bias": bias if bias != Bias() else None}
    outlook = outlook.model_copy(update={"load_includes": list_included(site), "scenarios": courses} | beside)
    state = request.state if request.state.batteries else request.state.model_copy(update={"batteries": read_soc(connection, site_id, site, start)})
    state = complete_month(connection, site_id, site, carry_wishes(connection, site, state, start=start, now=now), start=start)
    options = request.options
    modes = read_told_modes(connection, site_id)
    if not modes and (site.objective.switching_price or options.switching_price or (options.objective and options.objective.switching_price)):
        modes = read_planned_modes(connection, site_id, start)
    state = state.model_copy(update={"batteries": carry_modes(state.batteries, modes)})
    if options.terminal.kind == "automatic":
        # As in replay: the last week's prices say more of what energy is worth afterwards than the horizon's own.
        weights = Weights.of(options.objective or site.objective).known(carbon)
        counted = weigh_import(known.import_price, carbon, weights)
        worth = TERMINAL_SHARE * (max(prices.mean_import_price(start), 0.0) + float(np.mean(counted - known.import_price)))
        options = options.model_copy(update={"terminal": Terminal(kind="value", value=worth)})
    manual = [*request.manual, *manual_blocks.read_plain(connection, site_id, first=start, end=timeline.end)]
    update = {"site": site, "site_id": None, "start": start, "outlook": outlook, "state": state, "options": options, "manual": manual}
    surroundings = read_surroundings(connection, site, timeline, prices=prices, known=request.surroundings)
    assumptions = list_assumptions(connection, site, request, driving=driving, timeline=timeline)
    return request.model_copy(update=update | {"surroundings": surroundings, "assumptions": assumptions})


def _energies(forecast: Forecast, bias: Bias) -> dict[str, FloatArray]:
    """Return expected load and PV with their bands, a bias taken off; where a forecast issued earlier ends earlier, its last day goes on."""
    load, pv = forecast.load_kwh, forecast.pv_kwh
    of_load = {"load_kwh": load.expected, "load_p10_kwh": load.p10, "load_p90_kwh": load.p90}
    of_pv = {"pv_kwh": pv.expected, "pv_p10_kwh": pv.p10, "pv_p90_kwh": pv.p90}
    scaled = {name: values * bias.load_factor for name, values in of_load.items()} | {name: values * bias.pv_factor for name, values in of_pv.items()}
    return {name: _carry_on(values) for name, values in scaled.items()}


def _carry_on(series: FloatArray) -> FloatArray:
    """Return the series with its last known day repeated where nothing is known any more."""
    known = int(np.flatnonzero(np.isfinite(series))[-1]) + 1
    return series[repeat_last(np.arange(series.size), known, period=min(DAY // SLOT, known))]


def list_included(site: Site) -> list[str]:
    """Return the appliances whose use no meter takes out of the base load: to place them would count them twice."""
    apart = {"water_heater"} if site.input_sensors.water_heater_consumption else set()
    pumps = [] if site.input_sensors.heat_pump_consumption else site.heat_pumps
    return [*(load.name for load in site.loads if load.kind not in apart), *(pump.name for pump in pumps)]


def read_soc(connection: Connection, site_id: str, site: Site, start: datetime) -> dict[str, BatteryState]:
    """Return how full the batteries were when last observed on the day before ``start``; half full where nothing was recorded."""
    seen = find_soc(connection, site_id, start)
    soc = HALF_FULL if seen is None else seen.soc
    return {battery.name: BatteryState(soc=soc) for battery in site.batteries}


def read_prices(connection: Connection, site: Site, timeline: Timeline) -> PriceKnowledge:
    """Return what was published when, for every market of the site's tariff and the site's own series where that is its tariff."""
    books = {}
    for name in site.tariff.price_series:
        starts, published_at, price = market_prices.read_revisions(connection, market_prices.stored_name(site.name, name), timeline)
        slot = ((starts - timeline.starts[0]) // np.timedelta64(15, "m")).astype(np.int64)
        books[name] = PriceBook(timeline, slot, published_at, price)
    return PriceKnowledge(site, timeline, books)


def read_weighed(connection: Connection, site: Site, timeline: Timeline) -> PriceKnowledge:
    """Return prices as ``read_prices``, with the grid's carbon where the site weighs it."""
    prices = read_prices(connection, site, timeline)
    return replace(prices, carbon=read_carbon_book(connection, site.name, timeline)) if site.objective.carbon_price_per_kg else prices


def read_scene(connection: Connection, request: ReplayRequest, version: str) -> Scene:
    """Return everything the replay of a stored site with the forecasts of a version needs."""
    site = sites.load(connection, request.site_id)
    if request.to_day < request.from_day:
        raise InvalidInputError("the window ends before it begins", field="to", value=request.to_day.isoformat(), remedy="Swap the days.")
    window = local_days(request.from_day, request.to_day, ZoneInfo(site.timezone))
    ahead, past = HORIZON // SLOT, DAYS * DAY // SLOT
    around = Timeline(window.start - past * SLOT, SLOT, past + window.count + ahead)
    seen = observations.read(connection, request.site_id, around)
    load, pv = (_require(series, window, name, before=past) for series, name in ((seen.load_kwh, "load_kwh"), (seen.pv_kwh, "pv_kwh")))
    issued = forecasts.read_all(connection, request.site_id, version=version, first=around.start - DAY, last=window.end)
    if {"mpc", SCENARIOS} & set(request.policies) and not issued:
        remedy = f"Issue them: luna replay does so, or luna forecast issue --site {request.site_id} --version {version}."
        raise NotFoundError("no forecasts were issued for the window", field="from", value=request.from_day.isoformat(), remedy=remedy)
    known = read_weighed(connection, site, Timeline(window.start - LOOK_BACK, SLOT, LOOK_BACK // SLOT + window.count + ahead))
    return Scene(site, window, Foresight(around, load, pv), known, ForecastBook(issued))


def _require(series: FloatArray, window: Timeline, name: str, *, before: int) -> FloatArray:
    """Return the series with the window free of gaps, ``before`` slots after its begin; beyond the last observation its last day is repeated."""
    gaps = np.flatnonzero(np.isnan(series[before : before + window.count]))
    if gaps.size:
        slot = list(window)[int(gaps[0])].isoformat()
        remedy = "Load them (luna data load --kind observations), or choose days without gaps (luna data query shows them)."
        raise InvalidInputError(f"{gaps.size} slots of the window have no observation, the first at {slot}", field=name, remedy=remedy)
    return _carry_on(series)
