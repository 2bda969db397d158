"""Read a stored site's planning inputs from the database: prices, carbon, weather, forecasts and
their errors; and the data of a replay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import COURSE_DIGITS, Bias, CoursesMessage, ForecastSource, OutlookMessage
from luna.contracts.replay import ReplayRequest
from luna.energy.devices import SWITCHED_KINDS
from luna.energy.outlook import Forecast
from luna.energy.policy import FORECAST_MAX_AGE
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, repeat_last
from luna.platform.database import (
    forecast_scenarios,
    forecasts,
    observations,
    site_facts,
    sites,
    weather_carbon,
)
from luna.platform.database import prices as market_prices
from luna.platform.database.forecasts import DrivingForecast
from luna.platform.database.prices import Revisions
from luna.platform.database.site_facts import FactWindow, PlanningFacts
from luna.words import say_instant
from services.planner.devices import PLANNED_KINDS
from services.planner.problem.knowledge import (
    DAY,
    CarbonVintages,
    ForecastArchive,
    PerfectForesight,
    PriceVintages,
    SitePrices,
    carry_days,
)
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.problem.scenarios import DAYS, ErrorScenarios, ScenarioSet, blend
from services.planner.replay import ReplayData
from services.planner.replay.policies import plans_from_forecasts
from services.planner.service.state import find_day, find_month
from services.planner.service.strategy import look_back

# History of a plan's prices: a week for the terminal value, and a day to repeat beyond the
# published ones.
LOOK_BACK = 8 * DAY
# History of a replay's prices: trained policies extrapolate unpublished prices from half a year.
PRICE_MEMORY = 180 * DAY


def read_carbon_book(connection: Connection, place: str, timeline: Timeline) -> CarbonVintages:
    """Return every issue of a place's carbon intensity."""
    starts, issued_at, intensity = weather_carbon.read_carbon_issues(connection, place, timeline)
    slot = ((starts - timeline.starts[0]) // np.timedelta64(timeline.step)).astype(np.int64)
    return CarbonVintages(timeline, slot, issued_at, intensity)


def read_outdoor_ahead(
    connection: Connection, site_id: str, site: Site, timeline: Timeline, *, known_at: datetime
) -> list[float] | None:
    """Return the outdoor temperature per slot, °C, as last forecast by ``known_at``, interpolated
    across gaps; None without values or use.
    """
    if not any(kind.by_weather and getattr(site, kind.section) for kind in PLANNED_KINDS):
        return None
    temperature = weather_carbon.read_weather(connection, site_id, timeline, known_at=known_at)[
        "temperature_c"
    ]
    finite = np.flatnonzero(np.isfinite(temperature))
    if not finite.size:
        return None
    filled: list[float] = np.interp(
        np.arange(temperature.size), finite, temperature[finite]
    ).tolist()
    return filled


@dataclass(frozen=True, slots=True)
class SiteInputs:
    """Inputs of a stored site's plan from the start of ``horizon`` on.

    ``carbon`` is in g/kWh, None without data.
    """

    site: Site
    horizon: Timeline
    driving: DrivingForecast
    prices: SitePrices
    carbon: FloatArray | None


def read_facts(
    connection: Connection, stored_sites: Sequence[Site], start: datetime, *, now: datetime
) -> dict[str, PlanningFacts]:
    """Return the facts of stored sites at the start of their plans, by name.

    Plans are those in force ``now``.
    """
    back = max(LOOK_BACK, *(look_back(site) for site in stored_sites))
    months, days = (
        {site.name: since for site in stored_sites if (since := find(site, start)) is not None}
        for find in (find_month, find_day)
    )
    return site_facts.read_facts(
        connection,
        stored_sites,
        start,
        FactWindow(HORIZON, back, LOOK_BACK, DAYS, months, days),
        now=now,
    )


def gather_inputs(facts: PlanningFacts) -> SiteInputs:
    """Return the inputs of a stored site's plan.

    Raises:
        NotFoundError: no forecast covers the start.
    """
    start = facts.start
    site = facts.site
    if facts.driving is None:
        version = facts.active.forecast_version
        raise refuse(
            "no-forecast-at-start",
            field="start",
            value=start.astimezone(ZoneInfo(site.timezone)).isoformat(),
            site=site.name,
            version=version,
        )
    horizon = Timeline(start, SLOT, HORIZON // SLOT)
    back = max(LOOK_BACK, look_back(site))
    around = Timeline(start - back, SLOT, back // SLOT + horizon.count)
    books = {
        name: _price_book(revisions, around, facts.foreign[name])
        for name, revisions in facts.revisions.items()
    }
    prices = SitePrices(site, around, books, predicts=True)
    # Beyond the last known intensity its day is repeated.
    known = Timeline(start - LOOK_BACK, SLOT, LOOK_BACK // SLOT + horizon.count)
    carbon = (
        carry_days(facts.carbon, known)[known.index_of(start) :]
        if np.isfinite(facts.carbon).any()
        else None
    )
    return SiteInputs(site, horizon, facts.driving, prices, carbon)


def read_outlook(
    connection: Connection, facts: PlanningFacts, inputs: SiteInputs, *, with_courses: bool
) -> OutlookMessage:
    """Return the outlook over the horizon, corrected by the bias of the last days.

    ``with_courses``: with scenarios.

    ``connection`` reads data that few sites have.
    """
    site = inputs.site
    horizon = inputs.horizon
    forecast = inputs.driving.forecast
    site_prices = inputs.prices.ahead(facts.known_at, horizon)
    before = Timeline(horizon.start - DAYS * DAY, SLOT, DAYS * DAY // SLOT)
    errors = ErrorScenarios(
        ForecastArchive(facts.past),
        PerfectForesight(before, facts.observed.load_kwh, facts.observed.pv_kwh),
    )
    bias = Bias(
        **dict(zip(("load_factor", "pv_factor"), errors.factors(horizon.start), strict=True))
    )
    # Expected load and PV with their bands, bias-corrected; beyond the end of an older forecast its
    # last day is repeated.
    load = forecast.load_kwh
    pv = forecast.pv_kwh
    of_load = {"load_kwh": load.expected, "load_p10_kwh": load.p10, "load_p90_kwh": load.p90}
    of_pv = {"pv_kwh": pv.expected, "pv_p10_kwh": pv.p10, "pv_p90_kwh": pv.p90}
    scaled = {name: values * bias.load_factor for name, values in of_load.items()} | {
        name: values * bias.pv_factor for name, values in of_pv.items()
    }
    series = {
        "import_price": site_prices.import_price,
        "export_price": site_prices.export_price,
    } | {name: _carry_on(values) for name, values in scaled.items()}
    source = ForecastSource(
        version=forecast.version,
        issued_at=forecast.issued_at,
        fallback_reason=inputs.driving.fallback_reason,
    )
    beside_series = {
        "prices_known_until": site_prices.known_until,
        "typical_prices": dict(site_prices.typical),
        "forecast": source,
    }
    outlook = OutlookMessage(
        **{name: values.tolist() for name, values in series.items()}, **beside_series
    )
    erred = errors.days_of_errors(horizon.start, horizon, (series["load_kwh"], series["pv_kwh"]))
    beside = {
        "load_includes": list_included(site),
        "scenarios": read_courses(
            connection, site, forecast, outlook, start=horizon.start, errors=errors
        )
        if with_courses
        else None,
        "carbon_g_per_kwh": None if inputs.carbon is None else inputs.carbon.tolist(),
        "outdoor_temperature_c": read_outdoor_ahead(
            connection, site.name, site, horizon, known_at=facts.known_at
        ),
        "errors": describe_courses(erred) if erred else None,
        "bias": bias if bias != Bias() else None,
    }
    return outlook.model_copy(update=beside)


def _carry_on(series: FloatArray) -> FloatArray:
    """Return the series with its last day of values repeated beyond their end."""
    count = int(np.flatnonzero(np.isfinite(series))[-1]) + 1
    return series[repeat_last(np.arange(series.size), count, period=min(DAY // SLOT, count))]


def list_included(site: Site) -> list[str]:
    """Return the switched devices without a meter of their own: their use is part of the base load,
    and scheduling it would count it twice.
    """
    devices = [
        (device, kind.consumption.meter(device) if kind.consumption.meter else None)
        for kind in SWITCHED_KINDS
        for device in kind.of(site)
    ]
    return [
        device.name
        for device, meter in devices
        if meter is None or not getattr(site.input_sensors, meter)
    ]


def read_courses(
    connection: Connection,
    site: Site,
    forecast: Forecast,
    outlook: OutlookMessage,
    *,
    start: datetime,
    errors: ErrorScenarios,
) -> CoursesMessage | None:
    """Return the scenarios of a plan, each kind with equal weight; None without any.

    Args:
        connection: to the database.
        site: a stored one.
        forecast: of the plan; scenarios are of the same version.
        outlook: with the expected course.
        start: of the plan; nothing issued or measured later is read.
        errors: of the same version's forecasts.
    """
    expected = np.array(outlook.load_kwh), np.array(outlook.pv_kwh)
    timeline = Timeline(start, SLOT, expected[0].size)
    scenarios = forecast_scenarios.read(
        connection, site.name, timeline, version=forecast.version, known_at=start
    )
    kinds = errors.courses(start, timeline, expected)
    # The latest scenarios, unless older than a plan's forecast may be; beyond their end they are
    # the expected course.
    if scenarios is not None and scenarios.issued_at > start - FORECAST_MAX_AGE:
        paths = zip((scenarios.load_kwh, scenarios.pv_kwh), expected, strict=True)
        kinds = [
            ScenarioSet(
                scenarios.probability,
                *(np.where(np.isfinite(path), path, base) for path, base in paths),
            ),
            *kinds,
        ]
    if not kinds:
        return None
    return describe_courses(blend(kinds))


def describe_courses(courses: ScenarioSet) -> CoursesMessage:
    """Return scenarios as a message, energies rounded."""
    load, pv = (np.round(paths, COURSE_DIGITS) for paths in (courses.load_kwh, courses.pv_kwh))
    return CoursesMessage(probability=courses.weight.tolist(), load_kwh=load, pv_kwh=pv)


def read_prices(connection: Connection, site: Site, timeline: Timeline) -> SitePrices:
    """Return the price revisions of every series that the site's tariff names, market or own."""
    stored = {name: market_prices.stored_series(site, name) for name in site.tariff.price_series}
    revisions = market_prices.read_revisions_each(connection, list(stored.values()), timeline)
    foreign = market_prices.find_foreign(connection, list(stored.values()), timeline)
    return SitePrices(
        site,
        timeline,
        {
            name: _price_book(revisions[each], timeline, foreign[each])
            for name, each in stored.items()
        },
    )


def _price_book(
    revisions: Revisions, timeline: Timeline, foreign: tuple[str, ...]
) -> PriceVintages:
    """Return the revisions of the slots of a timeline."""
    starts, published_at, price = revisions
    slot = ((starts - timeline.starts[0]) // np.timedelta64(15, "m")).astype(np.int64)
    inside = (slot >= 0) & (slot < timeline.count)
    return PriceVintages(timeline, slot[inside], published_at[inside], price[inside], foreign)


def read_weighed(connection: Connection, site: Site, timeline: Timeline) -> SitePrices:
    """Return prices as ``read_prices``, with the grid's carbon where the site weighs it."""
    prices = read_prices(connection, site, timeline)
    return (
        replace(prices, carbon=read_carbon_book(connection, site.name, timeline))
        if site.objective.carbon_price_per_kg
        else prices
    )


def read_scene(connection: Connection, request: ReplayRequest, version: str) -> ReplayData:
    """Return the data of a stored site's replay with the forecasts of a version."""
    site = sites.load(connection, request.site_id)
    if request.to_day < request.from_day:
        raise refuse("window-reversed", field="to", value=request.to_day.isoformat())
    zone = ZoneInfo(site.timezone)
    window = local_days(request.from_day, request.to_day, zone)
    ahead = HORIZON // SLOT
    past = DAYS * DAY // SLOT
    around = Timeline(window.start - past * SLOT, SLOT, past + window.count + ahead)
    measured = observations.read(connection, request.site_id, around)
    load, pv = (
        _require(series, window, name, zone=zone)
        for series, name in ((measured.load_kwh, "load_kwh"), (measured.pv_kwh, "pv_kwh"))
    )
    # Episodes alone hold what was uncertain.
    read_issued = forecasts.read_expected if request.episodes is None else forecasts.read_all
    issued = read_issued(
        connection, request.site_id, version=version, first=around.start - DAY, last=window.end
    )
    if not issued and plans_from_forecasts(request.policies):
        raise refuse(
            "no-forecasts-issued",
            field="from",
            value=request.from_day.isoformat(),
            site_id=request.site_id,
            version=version,
        )
    site_prices = read_weighed(
        connection,
        site,
        Timeline(window.start - PRICE_MEMORY, SLOT, PRICE_MEMORY // SLOT + window.count + ahead),
    )
    # A measured value is available at its slot's end; corrections more than a day after the window
    # are ignored.
    emitted = weather_carbon.read_carbon(connection, site.name, window, known_at=window.end + DAY)
    carbon = emitted if np.isfinite(emitted).any() else None
    return ReplayData(
        site,
        window,
        PerfectForesight(around, load, pv),
        site_prices,
        ForecastArchive(issued),
        carbon,
    )


def _require(series: FloatArray, window: Timeline, name: str, *, zone: ZoneInfo) -> FloatArray:
    """Return the series, checked for gaps in the window, which begins ``DAYS`` after its start.

    Beyond the last observation its last day is repeated.
    """
    before = DAYS * DAY // SLOT
    gaps = np.flatnonzero(np.isnan(series[before : before + window.count]))
    if gaps.size:
        slot = say_instant(list(window)[int(gaps[0])], zone)
        raise refuse("observations-missing", field=name, count=gaps.size, slot=slot)
    return _carry_on(series)
