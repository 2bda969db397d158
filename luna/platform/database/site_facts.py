"""Read all data for the plans of many sites at an instant.

The number of queries does not depend on the number of sites.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import nan

from sqlalchemy import Connection

from luna.contracts.charging_sessions import SessionMap
from luna.contracts.control import ControlState, Override
from luna.contracts.forecast import WaitingVersion
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.vehicle_levels import VehicleLevel
from luna.energy.car_draw import CarDraw
from luna.energy.charge_sensors import SeenCharge, UntakenCharge
from luna.energy.devices import FLEXIBLE_KINDS
from luna.energy.energy_store import MeteredEnergy, store_of_batteries
from luna.energy.observations import Observations, SocReading
from luna.energy.operator_limits import OperatorLimit
from luna.energy.outlook import Forecast
from luna.energy.site import Site
from luna.energy.store_level import StoreLevel, judge_store
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to
from luna.platform.database import (
    battery_levels,
    charging_sessions,
    control,
    forecast_activations,
    forecast_issues,
    forecast_status,
    forecasts,
    manual_blocks,
    observations,
    operator_limits,
    past_forecasts,
    plans,
    sites,
    vehicle_levels,
    weather_carbon,
)
from luna.platform.database import prices as market_prices
from luna.platform.database.forecast_activations import ActiveVersion
from luna.platform.database.forecasts import DrivingForecast
from luna.platform.database.prices import Revisions, StoredSeries

DAY = timedelta(days=1)
# Beyond the horizon of any plan of a stored site.
SESSIONS_AHEAD = timedelta(days=3)
# The quantiles that a plan's request contains.
PARTS = ("expected", "p10", "p90")


@dataclass(frozen=True, slots=True)
class FactWindow:
    """The window to read around the start of plans.

    Attributes:
        horizon: how far ahead.
        prices: how far back.
        carbon: how far back.
        days: of forecast errors.
        bought_since: from when imports matter, by site name.
        discharged_since: from when discharge matters, by site name.
    """

    horizon: timedelta
    prices: timedelta
    carbon: timedelta
    days: int
    bought_since: Mapping[str, datetime]
    discharged_since: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class DemandFacts:
    """Data on a site's flexible loads.

    Attributes:
        sessions: stored charging sessions by device, in order.
        sensed: states of charge by the devices' own sensors, by device name.
        begun: the plan in force with its slots up to the start, and its complete request.
        untaken: planned charge that devices did not take, by device name.
        stated: states of charge that their owner stated and that still hold, by device name.
        draws: what vehicles draw of what their chargers are commanded, by device name.
    """

    sessions: SessionMap
    sensed: Mapping[str, SeenCharge]
    begun: tuple[PlanReply, PlanRequest] | None
    untaken: Mapping[str, UntakenCharge] = field(default_factory=dict)
    stated: Mapping[str, VehicleLevel] = field(default_factory=dict)
    draws: Mapping[str, CarDraw] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanningFacts:
    """Data for a site's plan at ``start``, without later measurements.

    Attributes:
        known_at: now if the plan begins with the running slot, else ``start``.
        driving: the forecast of load and PV, ``PARTS`` of it.
        reasons: codes of the causes that widened the forecast.
        past: expectations of the forecast's version on the days before.
        observed: measured load and PV on the days of ``past``.
        soc: the last plausible state of charge of the day before the start.
        bought: import since the window's instant; None if the window names none.
        discharged: discharge and state of charge since the window's instant, likewise.
        revisions: prices by their names in the tariff.
        unused: the site's own series with prices that its tariff does not use.
        foreign: other currencies with stored prices, by the tariff's names.
        carbon: g/kWh from before the start on, NaN where unknown.
        overrides: the owner's in force by device key; none for a plan of the past.
        limits: the grid operator's that hold at any time of the horizon, from ``known_at`` on.
    """

    site: Site
    start: datetime
    known_at: datetime
    active: ActiveVersion
    waiting: WaitingVersion | None
    driving: DrivingForecast | None
    reasons: tuple[str, ...]
    past: Sequence[Forecast]
    observed: Observations
    soc: StoreLevel | None
    bought: FloatArray | None
    discharged: Observations | None
    demands: DemandFacts
    revisions: Mapping[str, Revisions]
    unused: Sequence[str]
    foreign: Mapping[str, tuple[str, ...]]
    carbon: FloatArray
    control: ControlState
    blocks: Sequence[ManualBlock]
    overrides: Mapping[str, Override]
    limits: Sequence[OperatorLimit] = ()


def read_facts(
    connection: Connection,
    stored_sites: Collection[Site],
    start: datetime,
    reach: FactWindow,
    *,
    now: datetime,
) -> dict[str, PlanningFacts]:
    """Return the planning data of sites at the start of plans, by their names.

    Args:
        connection: to the database.
        stored_sites: stored sites with their current configuration.
        start: of a slot.
        reach: the window around it.
        now: the instant of the plans in force.
    """
    horizon = Timeline(start, SLOT, reach.horizon // SLOT)
    # A plan of the running slot uses prices published since its start; any other plan uses what was
    # known at its start.
    known_at = _known_at(start, now)
    names = [site.name for site in stored_sites]
    keys = sites.keys_of(connection, names)
    by_key = {keys[site.name]: site for site in stored_sites}
    active = forecast_activations.find_active_each(connection, by_key)
    driving, past, reasons = _read_forecasts(
        connection, by_key, active, horizon, days=reach.days, known_at=known_at
    )
    observed, bought = _read_observed(connection, keys, start, reach)
    today = {keys[name]: _until(start, since) for name, since in reach.discharged_since.items()}
    discharged = observations.read_each(connection, today, names=("discharge_kwh", "soc"))
    socs_by_key = observations.find_socs_each(
        connection, list(by_key), since=start - DAY, until=start
    )
    soc = _judge_socs(connection, by_key, socs_by_key, start)
    demands = read_demands_each(connection, by_key, start, now=now)
    around = Timeline(start - reach.carbon, SLOT, reach.carbon // SLOT + horizon.count)
    carbon = weather_carbon.read_carbon_each(connection, names, around, known_at=known_at)
    states = control.load_each(connection, dict(zip(by_key, names, strict=True)))
    blocks = manual_blocks.read_plain_each(connection, list(by_key), first=start, end=horizon.end)
    overrides: dict[int, dict[str, Override]] = {}
    if start >= floor_to(now, SLOT):
        overrides = control.read_overrides_each(connection, list(by_key), now=max(start, now))
    limits = operator_limits.list_between_each(connection, list(by_key), known_at, horizon.end)
    waiting = forecast_status.find_waiting_each(connection, by_key, active, at=start)
    revisions, foreign, unused = _read_prices(connection, stored_sites, horizon, back=reach.prices)
    facts = {}
    for site in stored_sites:
        key = keys[site.name]
        facts[site.name] = PlanningFacts(
            site=site,
            start=start,
            known_at=known_at,
            active=active[key],
            waiting=waiting.get(key),
            driving=driving.get(key),
            reasons=reasons.get(key, ()),
            past=past.get(key, ()),
            observed=observed[key],
            soc=soc.get(key),
            bought=bought.get(key),
            discharged=discharged.get(key),
            demands=demands[key],
            revisions=revisions[site.name],
            unused=unused[site.name],
            foreign=foreign[site.name],
            carbon=carbon[site.name],
            control=states[key],
            blocks=blocks.get(key, ()),
            overrides=overrides.get(key, {}),
            limits=limits.get(key, ()),
        )
    return facts


def _read_forecasts(
    connection: Connection,
    sites_by_key: Mapping[int, Site],
    active: Mapping[int, ActiveVersion],
    horizon: Timeline,
    *,
    days: int,
    known_at: datetime,
) -> tuple[dict[int, DrivingForecast], dict[int, list[Forecast]], dict[int, tuple[str, ...]]]:
    """Return, by site key, the plans' forecasts, expectations of the days before, and reasons.

    The expectations are of the forecasts' versions; the reasons are those that widened them.
    """
    driving = forecasts.read_driving_each(
        connection, sites_by_key, active, horizon, known_at=known_at, parts=PARTS
    )
    issues = {}
    versions = {}
    for key, chosen in driving.items():
        issues[key] = (chosen.forecast.version, chosen.forecast.issued_at)
        versions[key] = chosen.forecast.version
    instants = [horizon.start - back * DAY for back in range(days, 0, -1)]
    past = past_forecasts.read_means_each(connection, versions, instants)
    return driving, past, forecast_issues.read_reasons_each(connection, issues)


def _read_prices(
    connection: Connection, stored_sites: Collection[Site], horizon: Timeline, *, back: timedelta
) -> tuple[
    dict[str, dict[str, Revisions]],
    dict[str, dict[str, tuple[str, ...]]],
    Mapping[str, Sequence[str]],
]:
    """Return, by site name, tariff prices, other stored currencies, and unused own series."""
    # By site: the stored series of each price that its tariff names.
    series_of_sites = {}
    series: dict[StoredSeries, None] = {}
    for site in stored_sites:
        used = site.tariff.price_series
        stored_series = {name: market_prices.stored_series(site, name) for name in used}
        series_of_sites[site.name] = stored_series
        series |= dict.fromkeys(stored_series.values())
    past_and_horizon = Timeline(horizon.start - back, SLOT, back // SLOT + horizon.count)
    revisions = market_prices.read_revisions_each(connection, list(series), past_and_horizon)
    # Other currencies matter only where the prices of the start are missing.
    ended = []
    for stored in series:
        starts = revisions[stored][0]
        if not starts.size or starts[-1] < horizon.starts[0]:
            ended.append(stored)
    foreign = dict.fromkeys(series, ()) | market_prices.find_foreign(connection, ended, horizon)
    # With the day before, whose prices would be carried forward.
    day_before_and_horizon = Timeline(horizon.start - DAY, SLOT, DAY // SLOT + horizon.count)
    unused = market_prices.find_unused_each(connection, stored_sites, day_before_and_horizon)
    revisions_of_sites = {}
    foreign_of_sites = {}
    for site_name, stored_series in series_of_sites.items():
        revisions_of_sites[site_name] = {
            name: revisions[stored] for name, stored in stored_series.items()
        }
        foreign_of_sites[site_name] = {
            name: foreign[stored] for name, stored in stored_series.items()
        }
    return revisions_of_sites, foreign_of_sites, unused


def _read_observed(
    connection: Connection, keys: Mapping[str, int], start: datetime, reach: FactWindow
) -> tuple[dict[int, Observations], dict[int, FloatArray]]:
    """Return load and PV on the days of forecast errors, and needed imports.

    Both are by site key.
    """
    error_days = _until(start, start - reach.days * DAY)
    bought_since = {keys[name]: instant for name, instant in reach.bought_since.items()}
    without_imports = [key for key in keys.values() if key not in bought_since]
    observed_each = observations.read_each(
        connection, dict.fromkeys(without_imports, error_days), names=("load_kwh", "pv_kwh")
    )
    # One query for both: finding a row costs more than reading more of its columns.
    timelines = {}
    for key, since in bought_since.items():
        timelines[key] = _until(start, min(error_days.start, since))
    with_imports = observations.read_each(
        connection, timelines, names=("load_kwh", "pv_kwh", "import_kwh")
    )
    bought = {}
    for key, observed in with_imports.items():
        first_slot = (bought_since[key] - timelines[key].start) // SLOT
        bought[key] = observed.import_kwh[first_slot:]
        on_error_days = {
            "load_kwh": observed.load_kwh[-error_days.count :],
            "pv_kwh": observed.pv_kwh[-error_days.count :],
        }
        observed_each[key] = Observations.of(error_days.starts, on_error_days)
    return observed_each, bought


def _judge_socs(
    connection: Connection,
    sites_by_key: Mapping[int, Site],
    recorded: Mapping[int, Sequence[SocReading]],
    start: datetime,
) -> dict[int, StoreLevel | None]:
    """Return the believed states of charge at ``start``, by the sites' keys.

    The quarter-hour that has just ended is recorded a moment later: until then the batteries'
    sensors say how it ended.
    """
    late = {}
    for key, site in sites_by_key.items():
        levels = recorded.get(key)
        is_recorded = levels and levels[-1].at >= start
        if site.batteries and not is_recorded:
            late[key] = site
    reported: dict[int, SocReading] = {}
    if late:
        reported = battery_levels.read_reported_each(
            connection, late, since=start - SLOT, until=start
        )
    day = Timeline(start - DAY, SLOT, DAY // SLOT)
    with_levels = [key for key in {*recorded, *reported} if sites_by_key[key].batteries]
    counted = observations.read_columns_each(
        connection, dict.fromkeys(with_levels, day), names=("charge_kwh", "discharge_kwh")
    )
    judged: dict[int, StoreLevel | None] = {}
    for key, meters in counted.items():
        socs = list(recorded.get(key, ()))
        newest = reported.get(key)
        if newest is not None and (not socs or newest.at > socs[-1].at):
            socs.append(newest)
        # A quarter-hour's level says nothing of the time after it.
        socs.append(SocReading(nan, start))
        metered = MeteredEnergy(day, meters["charge_kwh"], meters["discharge_kwh"])
        store = store_of_batteries(sites_by_key[key].batteries)
        level = judge_store(store, socs, now=start, metered=metered)
        judged[key] = None if level.soc is None else level
    return judged


def _known_at(start: datetime, now: datetime) -> datetime:
    return now if start <= now < start + SLOT else start


def _until(start: datetime, since: datetime) -> Timeline:
    return Timeline(since, SLOT, (start - since) // SLOT)


def read_demands_each(
    connection: Connection, sites_by_key: Mapping[int, Site], start: datetime, *, now: datetime
) -> dict[int, DemandFacts]:
    """Return the data on flexible loads for plans from ``start`` on, by site key."""
    sessions = charging_sessions.read_plain_each(
        connection, sites_by_key, first=start, end=start + SESSIONS_AHEAD
    )
    with_flexible_loads = []
    for site in sites_by_key.values():
        if any(kind.of(site) for kind in FLEXIBLE_KINDS):
            with_flexible_loads.append(site.name)
    in_force = plans.read_in_force_each(connection, with_flexible_loads, now, until=start)
    known_at = _known_at(start, now)
    sensed = charging_sessions.read_charge_each(connection, sites_by_key, until=known_at)
    stated = vehicle_levels.read_holding_each(connection, sites_by_key, sensed, now=known_at)
    draws = control.read_draws_each(connection, list(sites_by_key))
    facts = {}
    for key, site in sites_by_key.items():
        charges = sensed.get(key, {})
        # Plans may be issued after the instants that they are about.
        untaken = charging_sessions.find_untaken(
            connection, site, charges, now=known_at, issued_until=now
        )
        facts[key] = DemandFacts(
            sessions.get(key, {}),
            charges,
            in_force.get(site.name),
            untaken,
            stated.get(key, {}),
            draws.get(key, {}),
        )
    return facts
