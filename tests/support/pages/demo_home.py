"""A home as the pages show it: two days of history, hourly forecasts, published prices, a car that
comes every evening, and the plans it followed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from luna.contracts.control import Decision, Setpoint
from luna.contracts.plan import PlanReply
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import (
    SLOT,
    FloatArray,
    Timeline,
    local_instant,
    local_midnight,
    parse_zone,
)
from luna.platform.database import control, forecasts, observations, prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from tests.support.database.site import plan_stored

HOME = {
    "timezone": "Europe/Amsterdam",
    "location": {"latitude": 52.1, "longitude": 5.1},
    "grid": {"import_limit_kw": 17, "export_limit_kw": 17},
    "batteries": [
        {
            "name": "battery",
            "capacity_kwh": 10,
            "min_soc": 0.1,
            "charge_limit_kw": 5,
            "discharge_limit_kw": 5,
            "wear_price": 0.01,
        }
    ],
    "pv": [{"name": "roof", "peak_kw": 6, "curtailable": True}],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 4, "min_charge_kw": 1.4}],
    "loads": [
        {
            "name": "water_heater",
            "kind": "water_heater",
            "power_kw": 3,
            "energy_kwh_per_day": 4.5,
            "max_gap_hours": 24,
        }
    ],
    "input_sensors": {
        "water_heater_consumption": "sensor.water_heater",
        "vehicle_consumption": "sensor.car",
    },
    "tariff": {
        "import": {"kind": "spot", "market": "NL", "markup": 0.13},
        "export": {"kind": "spot", "market": "NL"},
    },
}
# 16:40 on the clock of the home, on a day whose prices fall below zero the day after.
NOW = datetime.fromisoformat("2026-05-20T14:40:00+00:00")
HISTORY = timedelta(days=2)
AHEAD = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class DemoHome:
    """The stored site, the instant at which it is looked at, and the plan that holds then."""

    site: Site
    now: datetime
    plan: PlanReply


def store_demo_home(
    database: Engine, *, name: str = "home", now: datetime = NOW, **parts: Any
) -> DemoHome:
    """Store the home with all that its pages show at an instant."""
    site = parse_site({"name": name} | HOME | parts)
    with unit_of_work(database) as connection:
        return _store(connection, site, now)


def _store(connection: Connection, site: Site, now: datetime) -> DemoHome:
    zone = parse_zone(site.timezone)
    running = now - (now - datetime.fromisoformat("2000-01-01T00:00:00+00:00")) % SLOT
    first = running - HISTORY
    around = Timeline(first, SLOT, (HISTORY + AHEAD) // SLOT)
    sites.save(connection, site)
    _publish_prices(connection, site, around, now)
    load = _need_kw(around, site)
    sun = _sun_kw(around, site)
    begins = running - timedelta(hours=26)
    before = (begins - first) // SLOT
    _record(
        connection,
        site,
        around.window(0, before),
        {"load_kwh": load[:before] / 4, "pv_kwh": sun[:before] / 4},
    )
    # Car and water heater have meters of their own.
    observations.write(
        connection,
        site.name,
        around.window(0, before).starts,
        dict.fromkeys(("vehicle_kwh", "water_heater_kwh"), np.zeros(before)),
    )
    midnight = local_midnight(now.astimezone(zone).date(), zone)
    for issued in (
        begins,
        midnight,
        *(running - timedelta(hours=hours) for hours in range(3, -1, -1)),
    ):
        _issue(
            connection,
            site,
            Timeline(issued, SLOT, (around.end - issued) // SLOT),
            around,
            load,
            sun,
        )
    followed = [
        plan_stored(
            connection, site.name, begins, state=_state(begins, site, soc=0.55), options=_QUICK
        )
    ]
    followed.append(
        plan_stored(
            connection,
            site.name,
            midnight,
            state=_state(midnight, site, soc=_soc_at(followed[0], midnight)),
            options=_QUICK,
        )
    )
    _live(connection, site, followed[0], begins, midnight)
    _live(connection, site, followed[1], midnight, running)
    plan = plan_stored(
        connection,
        site.name,
        running,
        state=_state(running, site, soc=_soc_at(followed[1], running)),
        options=_QUICK,
    )
    return DemoHome(site, now, plan)


_QUICK = {"mip_gap": 0.02, "time_limit_s": 10}


def _clock_hours(timeline: Timeline, site: Site) -> FloatArray:
    zone = parse_zone(site.timezone)
    local = [start.astimezone(zone) for start in timeline]
    return np.array([each.hour + each.minute / 60 for each in local])


def _bump(hours: FloatArray, at: float, width: float) -> FloatArray:
    return np.exp(-(((hours - at) / width) ** 2))


def _publish_prices(connection: Connection, site: Site, timeline: Timeline, now: datetime) -> None:
    """Publish a market with dear evenings and a noon that pays for every kWh, until the end of the
    day after now.
    """
    zone = parse_zone(site.timezone)
    known = (
        local_midnight(now.astimezone(zone).date() + timedelta(days=2), zone) - timeline.start
    ) // SLOT
    around = Timeline(timeline.start - timedelta(days=2), SLOT, known + timedelta(days=2) // SLOT)
    hours = _clock_hours(around, site)
    days = np.arange(around.count) / 96
    price = (
        0.09
        + 0.1 * _bump(hours, 8, 1.6)
        + 0.17 * _bump(hours, 19.5, 2.2)
        - (0.07 + 0.035 * np.maximum(days - 2, 0)) * _bump(hours, 13.2, 2.6)
    )
    wobble = 0.004 * np.sin(np.arange(around.count) / 11)
    prices.upsert(
        connection,
        "NL",
        starts=around.starts,
        price=price + wobble,
        currency="EUR",
        published_at=timeline.start - timedelta(days=2),
    )


def _need_kw(timeline: Timeline, site: Site) -> FloatArray:
    hours = _clock_hours(timeline, site)
    noise = np.random.default_rng(1).gamma(9, 1 / 9, timeline.count)
    return (0.24 + 0.7 * _bump(hours, 7.5, 1.2) + 1.5 * _bump(hours, 18.7, 1.8)) * noise


def _sun_kw(timeline: Timeline, site: Site) -> FloatArray:
    hours = _clock_hours(timeline, site)
    sky = 1 - 0.35 * np.abs(np.sin(np.arange(timeline.count) / 17)) * np.random.default_rng(
        2
    ).uniform(0.4, 1, timeline.count)
    return np.where((hours > 5.5) & (hours < 21.5), 4.6 * _bump(hours, 13.4, 3.6) * sky, 0.0)


def _record(
    connection: Connection, site: Site, timeline: Timeline, series: dict[str, FloatArray]
) -> None:
    observations.upsert(connection, site.name, Observations.of(timeline.starts, series))


def _issue(
    connection: Connection,
    site: Site,
    timeline: Timeline,
    around: Timeline,
    load_kw: FloatArray,
    sun_kw: FloatArray,
) -> None:
    """Issue a forecast that knows the rhythm, and is less sure the further ahead it looks."""
    first = (timeline.start - around.start) // SLOT
    width = np.minimum(0.15 + np.arange(timeline.count) / 400, 0.45)
    smooth = np.ones(5) / 5
    expected = [np.convolve(each, smooth, "same")[first:] / 4 for each in (load_kw, sun_kw)]
    parts = [
        # P05 to p95
        Quantiles(
            each,
            *(
                each * np.maximum(1 + share * width, 0)
                for share in (-1.3, -1, -0.5, 0, 0.5, 1, 1.3)
            ),
        )
        for each in expected
    ]
    forecasts.upsert(
        connection,
        site.name,
        [Forecast(timeline, timeline.start, DEFAULT_VERSION, parts[0], parts[1])],
    )


def _state(start: datetime, site: Site, *, soc: float) -> dict[str, Any]:
    """Return the state at a start: a car at home from 18:00 to 07:00 of each night ahead, wanted 80
    % full.
    """
    zone = parse_zone(site.timezone)
    day = start.astimezone(zone).date()
    evenings = [day + timedelta(days=ahead) for ahead in range(3)]
    charging_sessions = [
        (local_instant(each, "18:00", zone), local_instant(each + timedelta(days=1), "07:00", zone))
        for each in evenings
    ]
    sessions = [
        {
            "from": arrives.isoformat(),
            "to": leaves.isoformat(),
            "target_soc": 0.8,
            "arrival_soc": 0.5,
        }
        for arrives, leaves in charging_sessions
        if arrives >= start
    ]
    cars = {car.name: {"soc": 0.5, "sessions": sessions} for car in site.vehicles}
    return {
        "batteries": {battery.name: {"soc": soc} for battery in site.batteries},
        "vehicles": cars,
    }


def _soc_at(plan: PlanReply, instant: datetime) -> float:
    ended = [slot for slot in plan.slots if slot.start < instant]
    return ended[-1].batteries["battery"].soc_end


def _live(
    connection: Connection, site: Site, plan: PlanReply, first: datetime, end: datetime
) -> None:
    """Record a plan's slots as they came about, and who decided them.

    Three slots of the night were lost.
    """
    slots = [slot for slot in plan.slots if first <= slot.start < end]
    timeline = Timeline(first, SLOT, len(slots))
    noise = np.random.default_rng(3).normal(1, 0.04, len(slots))
    read = {
        name: np.array([getattr(slot, name) for slot in slots])
        for name in ("load_kwh", "pv_kwh", "import_kwh", "export_kwh")
    }
    for name in ("charge_kwh", "discharge_kwh"):
        read[name] = np.array(
            [sum(getattr(flow, name) for flow in slot.batteries.values()) for slot in slots]
        )
    read["pv_kwh"] -= np.array([slot.curtailed_kwh for slot in slots])
    read["load_kwh"] *= noise
    read["soc"] = np.array([slot.batteries["battery"].soc_end for slot in slots])
    hours = _clock_hours(timeline, site)
    lost = (hours >= 1.5) & (hours < 2.25)
    _record(
        connection,
        site,
        timeline,
        {name: np.where(lost, np.nan, values) for name, values in read.items()},
    )
    apart = {
        "vehicle_kwh": np.array(
            [sum(flow.charge_kwh for flow in slot.vehicles.values()) for slot in slots]
        ),
        "water_heater_kwh": np.array(
            [sum(flow.energy_kwh for flow in slot.loads.values()) for slot in slots]
        ),
    }
    observations.write(
        connection,
        site.name,
        timeline.starts,
        {name: np.where(lost, np.nan, values) for name, values in apart.items()},
    )
    state = control.load(connection, site.name)
    for slot in slots:
        told: dict[str, Setpoint] = {}
        decision = Decision(
            slot_start=slot.start,
            source="planner",
            decided_by="planner",
            reason="planned",
            plan_id=plan.plan_id,
            requested=told,
            allowed=told,
        )
        control.record(connection, state, decision, {})
