"""The planner's edge: fetch, call, store. Tasks and commands both come through here."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from prometheus_client import Counter
from sqlalchemy import Connection

from luna.contracts.plan import (
    BatteryState,
    Bias,
    CoursesMessage,
    FollowedReply,
    ForecastSource,
    OutlookMessage,
    PeakState,
    PlanReply,
    PlanRequest,
    StateMessage,
    Terminal,
)
from luna.contracts.replay import ReplayRequest
from luna.database import forecast_scenarios, forecasts, manual_blocks, observations, past_forecasts, plans, sites, weather_carbon
from luna.database import prices as market_prices
from luna.database.forecast_activations import find_active
from luna.economics import find_charge, read_history
from luna.errors import InvalidInputError, NotFoundError
from luna.objective_weights import Weights, weigh_import
from luna.outlook import Forecast
from luna.site import Site
from luna.timeline import SLOT, FloatArray, Timeline, floor_to, local_days, local_midnight, repeat_last
from services.planner.milp.solver import Solver
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.knowledge import DAY, CarbonVintages, ForecastArchive, PerfectForesight, PriceVintages, SitePrices, carry_days
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.problem.scenarios import COURSE_DIGITS, DAYS, NEAR, ErrorScenarios, ScenarioSet, blend
from services.planner.replay import SCENARIOS, ReplayData
from services.planner.reply.reply import digest, plan_request
from services.planner.service.assumptions import HALF_FULL, find_soc, list_assumptions
from services.planner.service.state import carry_demands, carry_modes, read_planned_modes, read_told_modes
from services.planner.service.strategy import look_back, read_surroundings

PLANS = Counter("luna_planner_plans_total", "Plans by what made them (value, model, self_consumption) and by what is followed.", ["method", "policy"])
DISAGREEMENTS = Counter("luna_planner_disagreements_total", "Findings of the optimisation that physics did not confirm; each is a fault to report.")
log = structlog.get_logger("luna.planner")


def count_plan(plan_id: str, followed: FollowedReply | None) -> None:
    """Count a plan; what physics did not confirm of it is logged."""
    if followed is None:
        return
    PLANS.labels(followed.method, followed.policy).inc()
    DISAGREEMENTS.inc(len(followed.disagreements))
    for disagreement in followed.disagreements:
        log.error("physics did not confirm a plan", plan_id=plan_id, disagreement=disagreement)


def read_carbon_ahead(connection: Connection, place: str, around: Timeline, *, start: datetime) -> FloatArray | None:
    """Return the intensity (g/kWh) from ``start`` to the end of ``around`` as known at ``start``; None where nothing was."""
    known = weather_carbon.read_carbon(connection, place, around, known_at=start)
    return carry_days(known, around)[around.index_of(start) :] if np.isfinite(known).any() else None


def read_carbon_book(connection: Connection, place: str, timeline: Timeline) -> CarbonVintages:
    """Return every value of the intensity with the instant it became known."""
    starts, issued_at, intensity = weather_carbon.read_carbon_issues(connection, place, timeline)
    slot = ((starts - timeline.starts[0]) // np.timedelta64(timeline.step)).astype(np.int64)
    return CarbonVintages(timeline, slot, issued_at, intensity)


def read_outdoor_ahead(connection: Connection, site_id: str, site: Site, timeline: Timeline, *, known_at: datetime) -> list[float] | None:
    """Return the outdoor temperature per slot as last forecast by ``known_at``, straight across gaps; None where nothing is known or nobody asks."""
    if not site.heat_pumps:
        return None
    temperature = weather_carbon.read_weather(connection, site_id, timeline, known_at=known_at)["temperature_c"]
    known = np.flatnonzero(np.isfinite(temperature))
    if not known.size:
        return None
    filled: list[float] = np.interp(np.arange(temperature.size), known, temperature[known]).tolist()
    return filled


def complete_month(connection: Connection, site_id: str, site: Site, state: StateMessage, *, start: datetime) -> StateMessage:
    """Return the state with what the month has come to up to ``start``, where the tariff asks for it and the request says nothing of it."""
    zone = ZoneInfo(site.timezone)
    begin = local_midnight(start.astimezone(zone).date().replace(day=1), zone)
    charge = find_charge(site.tariff.import_)
    told = state.peaks or state.month_peaks_kw or state.month_import_kwh or state.drawn_kwh
    if told or not (site.tariff.peaks or charge) or start - begin < SLOT:
        return state
    past = Timeline(begin, SLOT, (start - begin) // SLOT)
    imported = observations.read(connection, site_id, past).import_kwh
    found = {price.name: read_history(imported, past, price, zone=zone) for price in site.tariff.peaks}
    peaks = {name: PeakState(highest_kw=list(each.highest_kw), today_kw=each.today_kw, interval_kwh=each.interval_kwh) for name, each in found.items()}
    drawn = {site.tariff.import_.kind: charge.count_drawn(imported, past, zone=zone)} if charge else {}
    return state.model_copy(update={"peaks": peaks, "month_import_kwh": float(np.nansum(imported)), "drawn_kwh": drawn})


def read_courses(
    connection: Connection, site: Site, forecast: Forecast, outlook: OutlookMessage, *, start: datetime, errors: ErrorScenarios
) -> CoursesMessage | None:
    """Return courses beside the outlook's expected one, each kind counting as much as the others; None where nothing is known of any.

    Args:
        connection: open.
        site: a stored one.
        forecast: what drives the plan; the courses are of the same version.
        outlook: holds the expected course.
        start: of the plan; nothing issued or measured later is read.
        errors: of the same version's forecasts.
    """
    expected = np.array(outlook.load_kwh), np.array(outlook.pv_kwh)
    timeline = Timeline(start, SLOT, expected[0].size)
    kinds = [*_read_scenarios(connection, site, forecast.version, timeline, expected=expected), *errors.courses(start, timeline, expected)]
    if not kinds:
        return None
    return describe_courses(blend(kinds))


def describe_courses(courses: ScenarioSet) -> CoursesMessage:
    """Return courses as a message, energies rounded."""
    load, pv = (np.round(paths, COURSE_DIGITS).tolist() for paths in (courses.load_kwh, courses.pv_kwh))
    return CoursesMessage(probability=courses.weight.tolist(), load_kwh=load, pv_kwh=pv)


def _read_scenarios(connection: Connection, site: Site, version: str, timeline: Timeline, *, expected: tuple[FloatArray, FloatArray]) -> list[ScenarioSet]:
    """Return the latest scenarios, unless too old to drive a plan; beyond their end the expected course goes on."""
    found = forecast_scenarios.read(connection, site.name, timeline, version=version, known_at=timeline.start)
    if found is None or found.issued_at <= timeline.start - NEAR:
        return []
    paths = zip((found.load_kwh, found.pv_kwh), expected, strict=True)
    return [ScenarioSet(found.probability, *(np.where(np.isfinite(path), path, base) for path, base in paths))]


def read_errors(connection: Connection, site: Site, version: str, start: datetime) -> ErrorScenarios:
    """Return what a version's forecasts said on the days before ``start``, and what happened; nothing issued or measured later."""
    instants = [start - back * DAY for back in range(DAYS, 0, -1)]
    past = past_forecasts.read_past(connection, site.name, version=version, instants=instants)
    before = Timeline(start - DAYS * DAY, SLOT, DAYS * DAY // SLOT)
    seen = observations.read(connection, site.name, before)
    return ErrorScenarios(ForecastArchive(past), PerfectForesight(before, seen.load_kwh, seen.pv_kwh))


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
    return _plan_and_store(request, connection, now=now, solver=solver)[0]


def plan_and_write(request: PlanRequest, connection: Callable[[], Connection], *, now: datetime, solver: Solver) -> str:
    """Return the same as the JSON text that is stored."""
    return _plan_and_store(request, connection, now=now, solver=solver)[1]


def _plan_and_store(request: PlanRequest, connection: Callable[[], Connection], *, now: datetime, solver: Solver) -> tuple[PlanReply, str]:
    complete = request if request.site is not None else complete_request(connection(), request, now=now)
    inputs = complete.model_dump_json(by_alias=True)
    inputs_digest = digest(inputs)
    reply = plan_request(complete, now=now, solver=solver, inputs_digest=inputs_digest)
    text = reply.model_dump_json(by_alias=True)
    count_plan(reply.plan_id, reply.followed)
    site_id = request.site_id or reply.site
    # What a request says of a site of its own must never drive a stored one of the same name.
    system_id = "prod" if request.site_id is not None else "request"
    plans.save(connection(), site_id=site_id, plan=reply, texts=(text, inputs), inputs_digest=inputs_digest, system_id=system_id)
    return reply, text


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
    state = complete_month(connection, site_id, site, carry_demands(connection, site, state, start=start, now=now), start=start)
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


def read_prices(connection: Connection, site: Site, timeline: Timeline) -> SitePrices:
    """Return what was published when, for every market of the site's tariff and the site's own series where that is its tariff."""
    books = {}
    for name in site.tariff.price_series:
        starts, published_at, price = market_prices.read_revisions(connection, market_prices.stored_name(site.name, name), timeline)
        slot = ((starts - timeline.starts[0]) // np.timedelta64(15, "m")).astype(np.int64)
        books[name] = PriceVintages(timeline, slot, published_at, price)
    return SitePrices(site, timeline, books)


def read_weighed(connection: Connection, site: Site, timeline: Timeline) -> SitePrices:
    """Return prices as ``read_prices``, with the grid's carbon where the site weighs it."""
    prices = read_prices(connection, site, timeline)
    return replace(prices, carbon=read_carbon_book(connection, site.name, timeline)) if site.objective.carbon_price_per_kg else prices


def read_scene(connection: Connection, request: ReplayRequest, version: str) -> ReplayData:
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
    return ReplayData(site, window, PerfectForesight(around, load, pv), known, ForecastArchive(issued))


def _require(series: FloatArray, window: Timeline, name: str, *, before: int) -> FloatArray:
    """Return the series with the window free of gaps, ``before`` slots after its begin; beyond the last observation its last day is repeated."""
    gaps = np.flatnonzero(np.isnan(series[before : before + window.count]))
    if gaps.size:
        slot = list(window)[int(gaps[0])].isoformat()
        remedy = "Load them (luna data load --kind observations), or choose days without gaps (luna data query shows them)."
        raise InvalidInputError(f"{gaps.size} slots of the window have no observation, the first at {slot}", field=name, remedy=remedy)
    return _carry_on(series)
