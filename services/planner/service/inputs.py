"""Read the inputs of a stored site's plans and replays from the database.

They are prices, carbon, weather, and forecasts with their errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.plan import (
    SCENARIO_DIGITS,
    Bias,
    ForecastSource,
    OutlookMessage,
    ScenariosMessage,
)
from luna.contracts.replay import ReplayRequest
from luna.energy.devices import SWITCHED_KINDS
from luna.energy.economics.charges import count_drawn, find_charges, period_begin
from luna.energy.policy import FORECAST_MAX_AGE
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, repeat_last
from luna.house.account import read_device_use
from luna.platform.database import (
    forecast_scenarios,
    forecasts,
    observations,
    operator_limits,
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
from services.planner.problem.scenarios import (
    DAYS,
    ErrorScenarios,
    OtherPrices,
    PriceChange,
    ScenarioSet,
    add_other_prices,
    blend,
)
from services.planner.replay import ReplayData
from services.planner.replay.policies import plans_from_forecasts
from services.planner.service.state import find_counted, find_day
from services.planner.service.strategy import look_back

# History of a plan's prices: a week for the terminal value, and a day to repeat beyond the
# published ones.
LOOK_BACK = 8 * DAY
# Prices less probable than this are no scenario.
LEAST_PROBABILITY = 1e-4
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
    """Return the outdoor temperature per slot, °C, as last forecast by ``known_at``.

    It is interpolated across gaps; None without values or use.
    """
    if not any(kind.by_weather and getattr(site, kind.section) for kind in PLANNED_KINDS):
        return None
    weather = weather_carbon.read_weather(connection, site_id, timeline, known_at=known_at)
    temperature = weather["temperature_c"]
    finite = np.flatnonzero(np.isfinite(temperature))
    if not finite.size:
        return None
    slots = np.arange(temperature.size)
    filled: list[float] = np.interp(slots, finite, temperature[finite]).tolist()
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
    months = {}
    days = {}
    for site in stored_sites:
        month = find_counted(site, start)
        if month is not None:
            months[site.name] = month
        day = find_day(site, start)
        if day is not None:
            days[site.name] = day
    window = FactWindow(HORIZON, back, LOOK_BACK, DAYS, months, days)
    return site_facts.read_facts(connection, stored_sites, start, window, now=now)


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
    books = {}
    for name, revisions in facts.revisions.items():
        books[name] = _price_book(revisions, around, facts.foreign[name])
    prices = SitePrices(site, around, books, predicts=True)
    carbon = None
    if np.isfinite(facts.carbon).any():
        # Beyond the last known intensity its day is repeated.
        known = Timeline(start - LOOK_BACK, SLOT, LOOK_BACK // SLOT + horizon.count)
        carbon = carry_days(facts.carbon, known)[known.index_of(start) :]
    return SiteInputs(site, horizon, facts.driving, prices, carbon)


def read_outlook(
    connection: Connection, facts: PlanningFacts, inputs: SiteInputs, *, with_scenarios: bool
) -> OutlookMessage:
    """Return the outlook over the horizon, corrected by the bias of the last days.

    ``with_scenarios``: with scenarios. ``connection`` reads data that few sites have.
    """
    site = inputs.site
    horizon = inputs.horizon
    forecast = inputs.driving.forecast
    site_prices = inputs.prices.ahead(facts.known_at, horizon)
    before = Timeline(horizon.start - DAYS * DAY, SLOT, DAYS * DAY // SLOT)
    foresight = PerfectForesight(before, facts.observed.load_kwh, facts.observed.pv_kwh)
    errors = ErrorScenarios(ForecastArchive(facts.past), foresight)
    load_factor, pv_factor = errors.factors(horizon.start)
    bias = Bias(load_factor=load_factor, pv_factor=pv_factor)
    # Expected load and PV with their bands, bias-corrected; beyond the end of an older forecast its
    # last day is repeated.
    load = forecast.load_kwh
    pv = forecast.pv_kwh
    series = {
        "import_price": site_prices.import_price,
        "export_price": site_prices.export_price,
        "load_kwh": _carry_on(load.expected * bias.load_factor),
        "load_p10_kwh": _carry_on(load.p10 * bias.load_factor),
        "load_p90_kwh": _carry_on(load.p90 * bias.load_factor),
        "pv_kwh": _carry_on(pv.expected * bias.pv_factor),
        "pv_p10_kwh": _carry_on(pv.p10 * bias.pv_factor),
        "pv_p90_kwh": _carry_on(pv.p90 * bias.pv_factor),
    }
    source = ForecastSource(
        version=forecast.version,
        issued_at=forecast.issued_at,
        fallback_reason=inputs.driving.fallback_reason,
    )
    beside_series = {
        "prices_known_until": site_prices.known_until,
        "typical_prices": dict(site_prices.typical),
        "price_spans": inputs.prices.list_spans(facts.known_at, horizon),
        "forecast": source,
    }
    outlook = OutlookMessage(
        **{name: values.tolist() for name, values in series.items()}, **beside_series
    )
    expected = (series["load_kwh"], series["pv_kwh"])
    erred = errors.days_of_errors(horizon.start, horizon, expected)
    scenarios = None
    if with_scenarios:
        scenarios = read_scenarios(connection, facts, inputs, outlook, errors=errors)
    outdoor = read_outdoor_ahead(connection, site.name, site, horizon, known_at=facts.known_at)
    beside = {
        "load_includes": list_included(site),
        "scenarios": scenarios,
        "carbon_g_per_kwh": None if inputs.carbon is None else inputs.carbon.tolist(),
        "outdoor_temperature_c": outdoor,
        "errors": describe_scenarios(erred) if erred else None,
        "bias": bias if bias != Bias() else None,
    }
    return outlook.model_copy(update=beside)


def _carry_on(series: FloatArray) -> FloatArray:
    """Return the series with its last day of values repeated beyond their end."""
    count = int(np.flatnonzero(np.isfinite(series))[-1]) + 1
    return series[repeat_last(np.arange(series.size), count, period=min(DAY // SLOT, count))]


def list_included(site: Site) -> list[str]:
    """Return the switched devices without a meter of their own.

    Their use is part of the base load, and scheduling it would count it twice.
    """
    included = []
    for kind in SWITCHED_KINDS:
        for device in kind.of(site):
            meter = kind.consumption.meter(device) if kind.consumption.meter else None
            if meter is None or not getattr(site.input_sensors, meter):
                included.append(device.name)
    return included


def read_scenarios(
    connection: Connection,
    facts: PlanningFacts,
    inputs: SiteInputs,
    outlook: OutlookMessage,
    *,
    errors: ErrorScenarios,
) -> ScenariosMessage | None:
    """Return the scenarios of a plan, each kind with equal weight; None without any.

    Nothing issued or measured after the plan's start is read.

    Args:
        connection: to the database.
        facts: of the site.
        inputs: of the plan; scenarios are of its forecast's version.
        outlook: with the expected scenario.
        errors: of the same version's forecasts.
    """
    timeline = inputs.horizon
    start = timeline.start
    load_kwh = np.array(outlook.load_kwh)
    pv_kwh = np.array(outlook.pv_kwh)
    version = inputs.driving.forecast.version
    scenarios = forecast_scenarios.read(
        connection, inputs.site.name, timeline, version=version, known_at=start
    )
    kinds = errors.scenarios(start, timeline, (load_kwh, pv_kwh))
    # The latest scenarios, unless older than a plan's forecast may be; beyond their end they are
    # the expected scenario.
    if scenarios is not None and scenarios.issued_at > start - FORECAST_MAX_AGE:
        latest = ScenarioSet(
            scenarios.probability,
            np.where(np.isfinite(scenarios.load_kwh), scenarios.load_kwh, load_kwh),
            np.where(np.isfinite(scenarios.pv_kwh), scenarios.pv_kwh, pv_kwh),
            _price_paths(inputs, facts.known_at, scenarios.spot_price, outlook),
        )
        kinds = [latest, *kinds]
    blended = blend(kinds) if kinds else None
    other = find_other_prices(inputs, facts.known_at, outlook)
    if other is not None:
        blended = add_other_prices(blended, (load_kwh, pv_kwh), other)
    return None if blended is None else describe_scenarios(blended)


def _price_paths(
    inputs: SiteInputs, now: datetime, spot: Mapping[str, FloatArray], outlook: OutlookMessage
) -> PriceChange | None:
    """Return how the prices of the forecaster's paths differ from the expected ones.

    They differ where nobody has published a price; None where that is nowhere.
    """
    known_until = outlook.prices_known_until
    if not spot or known_until is None or known_until >= inputs.horizon.end:
        return None
    imported = []
    exported = []
    for path in range(len(next(iter(spot.values())))):
        of_path = {market: paths[path] for market, paths in spot.items()}
        prices = inputs.prices.ahead(now, inputs.horizon, unpublished=of_path)
        imported.append(prices.import_price)
        exported.append(prices.export_price)
    return PriceChange(
        np.array(imported) - np.array(outlook.import_price),
        np.array(exported) - np.array(outlook.export_price),
    )


def find_other_prices(
    inputs: SiteInputs, now: datetime, outlook: OutlookMessage
) -> OtherPrices | None:
    """Return Luna's own prices where a source's better forecasts are expected.

    None where no source has proven better, and where one was never off.
    """
    better = [compared.better for compared in inputs.prices.compare_each(now).values()]
    probabilities = [skill.own_probability for skill in better if skill is not None]
    probability = float(np.mean(probabilities)) if probabilities else 0.0
    if probability < LEAST_PROBABILITY:
        return None
    own = inputs.prices.ahead(now, inputs.horizon, by_own=True)
    return OtherPrices(
        own.import_price - np.array(outlook.import_price),
        own.export_price - np.array(outlook.export_price),
        probability,
    )


def describe_scenarios(scenarios: ScenarioSet) -> ScenariosMessage:
    """Return scenarios as a message, energies rounded."""
    change = scenarios.price_change
    return ScenariosMessage(
        probability=scenarios.weight.tolist(),
        load_kwh=np.round(scenarios.load_kwh, SCENARIO_DIGITS),
        pv_kwh=np.round(scenarios.pv_kwh, SCENARIO_DIGITS),
        import_change=None if change is None else change.import_price,
        export_change=None if change is None else change.export_price,
    )


def read_prices(connection: Connection, site: Site, timeline: Timeline) -> SitePrices:
    """Return the price revisions of every series that the site's tariff names, market or own."""
    stored = {name: market_prices.stored_series(site, name) for name in site.tariff.price_series}
    revisions = market_prices.read_revisions_each(connection, list(stored.values()), timeline)
    foreign = market_prices.find_foreign(connection, list(stored.values()), timeline)
    books = {}
    for name, series in stored.items():
        books[name] = _price_book(revisions[series], timeline, foreign[series])
    return SitePrices(site, timeline, books)


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
    if not site.objective.carbon_price_per_kg:
        return prices
    return replace(prices, carbon=read_carbon_book(connection, site.name, timeline))


def read_scene(connection: Connection, request: ReplayRequest, version: str) -> ReplayData:
    """Return the data of a stored site's replay with the forecasts of a version."""
    site = sites.load(connection, request.site_id)
    if request.to_day < request.from_day:
        raise refuse("ends-before-start", field="to", value=request.to_day.isoformat())
    zone = ZoneInfo(site.timezone)
    window = local_days(request.from_day, request.to_day, zone)
    ahead = HORIZON // SLOT
    past = DAYS * DAY // SLOT
    around = Timeline(window.start - past * SLOT, SLOT, past + window.count + ahead)
    measured = observations.read(connection, request.site_id, around)
    load = _require(measured.load_kwh, window, "load_kwh", zone=zone)
    pv = _require(measured.pv_kwh, window, "pv_kwh", zone=zone)
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
    priced_slots = PRICE_MEMORY // SLOT + window.count + ahead
    priced = Timeline(window.start - PRICE_MEMORY, SLOT, priced_slots)
    site_prices = read_weighed(connection, site, priced)
    # A measured value is available at its slot's end; corrections more than a day after the window
    # are ignored.
    emitted = weather_carbon.read_carbon(connection, site.name, window, known_at=window.end + DAY)
    carbon = emitted if np.isfinite(emitted).any() else None
    limits = operator_limits.list_between(connection, site.name, window.start, window.end + HORIZON)
    return ReplayData(
        site,
        window,
        PerfectForesight(around, load, pv),
        site_prices,
        ForecastArchive(issued),
        carbon,
        limits,
        read_drawn(connection, site, window.start),
    )


def read_drawn(connection: Connection, site: Site, start: datetime) -> dict[str, float]:
    """Return the energy bought in the tariff's running periods before ``start``, kWh, by key.

    It is empty where the price does not depend on it. Unmeasured energy counts nothing, as in the
    account.
    """
    zone = ZoneInfo(site.timezone)
    rule = site.tariff.import_
    begin = period_begin(find_charges(rule), start, zone)
    if begin is None or start - begin < SLOT:
        return {}
    past = Timeline(begin, SLOT, (start - begin) // SLOT)
    stored = observations.read_series(connection, site.name, past, ("import_kwh",))
    return count_drawn(rule, stored["import_kwh"], past, zone=zone)


def read_counted(
    connection: Connection, site: Site, start: datetime
) -> dict[str, dict[str, float]]:
    """Return the fields of a plan's state that count for a site's tariff at ``start``."""
    return {
        "drawn_kwh": read_drawn(connection, site, start),
        "device_use": read_device_use(connection, site, start),
    }


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
