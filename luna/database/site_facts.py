"""What is known of many sites at an instant, as their plans need it: a few queries for all of them, whatever their number."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from luna.contracts.control import ControlState
from luna.contracts.forecast import WaitingVersion
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import PlanReply, PlanRequest, VehicleSession
from luna.database import (
    control,
    forecast_activations,
    forecast_issues,
    forecast_status,
    forecasts,
    manual_blocks,
    observations,
    past_forecasts,
    plans,
    sites,
    vehicle_sessions,
    weather_carbon,
)
from luna.database import prices as market_prices
from luna.database.forecast_activations import ActiveVersion
from luna.database.forecasts import DrivingForecast
from luna.database.prices import Revisions
from luna.observations import Observations
from luna.outlook import Forecast
from luna.site import Site
from luna.timeline import SLOT, FloatArray, Timeline

DAY = timedelta(days=1)
# A local day of 25 hours, and the slot before it.
RECENT = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class FactWindow:
    """How far around the start of plans is read: a ``horizon`` ahead, prices ``prices`` back, carbon ``carbon`` back, and errors of ``days`` days.

    ``months`` tells, by the names of the sites where it matters, since when what they buy counts.
    """

    horizon: timedelta
    prices: timedelta
    carbon: timedelta
    days: int
    months: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class DemandFacts:
    """What is known of a site's cars, appliances and stores of heat.

    ``stays`` are those that are stored, by vehicle, in order; ``begun`` is the plan in force with its slots that begin by the start, and the complete request
    that it was made from, None where there is none.
    """

    stays: Mapping[str, Sequence[VehicleSession]]
    begun: tuple[PlanReply, PlanRequest] | None


@dataclass(frozen=True, slots=True)
class PlanningFacts:
    """What is known of a site at ``start``, nothing issued or measured later.

    ``driving`` is what load and PV are from, with the codes of what widened it as ``reasons``; ``past`` is what its version expected on the days before,
    without bands, beside the load and the PV ``seen`` on the same days. ``recent`` is what the batteries gave and how full they were since ``RECENT`` before
    the start, ``imported`` what was bought since the instant that its month began, kWh by slot, empty where nobody asks. ``revisions`` are prices by the
    names that the tariff gives them, ``unused`` the site's own series that were loaded and that its tariff does not name. ``carbon`` (g/kWh) begins before
    the start and is NaN where nothing is known.
    """

    site: Site
    start: datetime
    active: ActiveVersion
    waiting: WaitingVersion | None
    driving: DrivingForecast | None
    reasons: tuple[str, ...]
    past: Sequence[Forecast]
    seen: Observations
    recent: Observations
    imported: FloatArray
    demands: DemandFacts
    revisions: Mapping[str, Revisions]
    unused: Sequence[str]
    carbon: FloatArray
    control: ControlState
    blocks: Sequence[ManualBlock]


def read_facts(connection: Connection, found: Collection[Site], start: datetime, reach: FactWindow, *, now: datetime) -> dict[str, PlanningFacts]:
    """Return what is known of sites at the start of plans, by their names.

    Args:
        connection: to the database.
        found: stored sites, as they are configured now.
        start: of a slot.
        reach: how far around it.
        now: what is in force then is known.
    """
    horizon = Timeline(start, SLOT, reach.horizon // SLOT)
    keys = sites.keys_of(connection, [site.name for site in found])
    active = forecast_activations.find_active_each(connection, {keys[site.name]: site for site in found})
    driving = forecasts.read_driving_each(connection, {keys[site.name]: site for site in found}, active, horizon, known_at=start)
    spoke = {key: (each.forecast.version, each.forecast.issued_at) for key, each in driving.items()}
    instants = [start - back * DAY for back in range(reach.days, 0, -1)]
    past = past_forecasts.read_means_each(connection, {key: version for key, (version, _) in spoke.items()}, instants)
    seen, imported = _read_seen(connection, keys, start, reach)
    lately = Timeline(start - RECENT, SLOT, RECENT // SLOT)
    recent = observations.read_each(connection, dict.fromkeys(keys.values(), lately), names=("discharge_kwh", "soc"))
    demands = read_demands_each(connection, found, start, now=now)
    issues = forecast_issues.read_reasons_each(connection, spoke)
    around = Timeline(start - reach.carbon, SLOT, reach.carbon // SLOT + horizon.count)
    carbon = weather_carbon.read_carbon_each(connection, [site.name for site in found], around, known_at=start)
    told = control.load_each(connection, {keys[site.name]: site.name for site in found})
    blocks = manual_blocks.read_plain_each(connection, list(keys.values()), first=start, end=horizon.end)
    waiting = forecast_status.find_waiting_each(connection, {keys[site.name]: site for site in found}, active, at=start)
    priced = Timeline(start - reach.prices, SLOT, reach.prices // SLOT + horizon.count)
    names = {site.name: {name: market_prices.stored_name(site.name, name) for name in site.tariff.price_series} for site in found}
    revisions = market_prices.read_revisions_each(connection, list(dict.fromkeys(name for own in names.values() for name in own.values())), priced)
    # Those of the day before would be carried on.
    unused = market_prices.find_unused_each(connection, found, Timeline(start - DAY, SLOT, DAY // SLOT + horizon.count))
    return {
        site.name: PlanningFacts(
            site,
            start,
            active[key := keys[site.name]],
            waiting.get(key),
            driving.get(key),
            issues.get(key, ()),
            past.get(key, ()),
            seen[key],
            recent[key],
            imported[key],
            demands[site.name],
            {name: revisions[stored] for name, stored in names[site.name].items()},
            unused[site.name],
            carbon[site.name],
            told[key],
            blocks.get(key, ()),
        )
        for site in found
    }


def _read_seen(
    connection: Connection, keys: Mapping[str, int], start: datetime, reach: FactWindow
) -> tuple[dict[int, Observations], dict[int, FloatArray]]:
    """Return load and PV of sites on the days of errors, and what they bought since their months began, by their keys."""
    first = start - reach.days * DAY
    before = Timeline(first, SLOT, reach.days * DAY // SLOT)
    months = {keys[name]: begin for name, begin in reach.months.items() if name in keys}
    # Most of a month are the same rows, which cost more than what is taken from them.
    longer = {key: Timeline(min(first, begin), SLOT, (start - min(first, begin)) // SLOT) for key, begin in months.items()}
    seen = observations.read_each(connection, dict.fromkeys(set(keys.values()) - longer.keys(), before), names=("load_kwh", "pv_kwh"))
    bought = observations.read_each(connection, longer, names=("load_kwh", "pv_kwh", "import_kwh"))
    imported = dict.fromkeys(keys.values(), np.empty(0)) | {
        key: each.import_kwh[each.starts.size - (start - months[key]) // SLOT :] for key, each in bought.items()
    }
    return seen | {key: each.on(before) for key, each in bought.items()}, imported


def read_demands_each(connection: Connection, found: Collection[Site], start: datetime, *, now: datetime) -> dict[str, DemandFacts]:
    """Return what is known of the cars, appliances and stores of heat of sites whose plans begin at ``start``, by the sites' names."""
    keys = sites.keys_of(connection, [site.name for site in found if site.vehicles])
    stays = vehicle_sessions.read_plain_each(connection, keys.values(), first=start) if keys else {}
    asked = [site.name for site in found if site.vehicles or site.loads or site.heat_pumps]
    begun = plans.read_begun_each(connection, asked, now, until=start)
    return {site.name: DemandFacts(stays.get(keys.get(site.name, 0), {}), begun.get(site.name)) for site in found}
