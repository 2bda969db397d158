"""A site with a month behind it, and what its pages show of that: recorded days, verdicts, scores,
decisions, forecasts, refused rows.
"""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from luna.contracts.control import BatterySetpoint, ControlState, Decision
from luna.contracts.data import DayQuality
from luna.contracts.replay import DayCost, PolicyReply, ReplayReply
from luna.energy.day_fault import DayFault
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.row_fault import RowFault
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to, local_days, parse_zone
from luna.platform.database import control, forecasts, observations, quality, scores, sites
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.platform.database.schema.series import quarantine
from tests.support.database.site import plan_stored

ZONE = parse_zone("Europe/Berlin")
DAYS = 30
BATTERY = {
    "name": "battery",
    "capacity_kwh": 10,
    "charge_limit_kw": 5,
    "discharge_limit_kw": 5,
    "wear_price": 0.01,
}
LOADS = [{"name": "boiler", "kind": "water_heater", "power_kw": 2.0, "energy_kwh_per_day": 4.0}]
VEHICLES = [{"name": "car", "capacity_kwh": 50, "charge_limit_kw": 11}]
TARIFF = {
    "import": {
        "kind": "time_of_use",
        "default": 0.34,
        "bands": [
            {"from": "00:00", "to": "05:00", "price": 0.15},
            {"from": "17:00", "to": "21:00", "price": 0.42},
        ],
    },
    "export": {"kind": "fixed", "price": 0.07},
}
# Cost and emissions of a day by policy, in the order of what they save.
POLICIES = {
    "idle": 1.0,
    "self_consumption": 0.8,
    "rule": 0.62,
    "mpc": 0.38,
    "mpc_perfect": 0.34,
    "oracle": 0.31,
}
# How many days before the last one the data of a day cannot be trusted, and why; and one that
# nobody replayed yet.
EXCLUDED = {
    9: [DayFault.of("coverage", series="load_kwh", known=68, slots=96)],
    17: [DayFault.of("balance", open=3.1, flow=24.0)],
}
MASKED = {4: [DayFault.of("soc_stuck", flow=2.4)]}


def describe_furnished(name: str = "home", **changes: Any) -> Site:
    """Return the site: a battery, a car, a boiler, a roof, cheap nights and dear evenings."""
    site = {
        "name": name,
        "timezone": "Europe/Berlin",
        "batteries": [BATTERY],
        "pv": [{"name": "roof", "peak_kw": 6}],
        "tariff": TARIFF,
    }
    return parse_site(site | {"vehicles": VEHICLES, "loads": LOADS} | changes)


def furnish(connection: Connection, site: Site, *, last: date, missing: int = 0) -> None:
    """Store the site with the thirty days up to ``last``, of which the last ``missing`` were not
    replayed.
    """
    sites.save(connection, site)
    first = last - timedelta(days=DAYS - 1)
    window = local_days(first, last, ZONE)
    rng = np.random.default_rng(7)
    hour = np.array([instant.astimezone(ZONE).hour for instant in window])
    load = (0.08 + 0.25 * np.exp(-((hour - 19) ** 2) / 8)) * rng.gamma(4, 0.25, window.count)
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0) * rng.uniform(0.1, 0.9, window.count) * 0.8
    observations.upsert(
        connection, site.name, Observations.of(window.starts, {"load_kwh": load, "pv_kwh": sun})
    )
    _issue(connection, site.name, window)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    quality.save(connection, site.name, [_judge(day, (last - day).days) for day in days])
    scored = [day for day in days if (last - day).days >= missing]
    scores.upsert_daily(
        connection, site.name, system_id="simulation", replay=_replay(scored, last, rng)
    )
    _decide(connection, site, last)


def _issue(connection: Connection, name: str, window: Timeline) -> None:
    issued = []
    for start in range(0, window.count, 96):
        ahead = window.window(start, min(192, window.count - start))
        issued.append(
            Forecast(
                ahead,
                ahead.start,
                DEFAULT_VERSION,
                Quantiles.exact(np.full(ahead.count, 0.15)),
                Quantiles.exact(np.full(ahead.count, 0.2)),
            )
        )
    forecasts.upsert(connection, name, issued)


def _judge(day: date, back: int) -> DayQuality:
    if back in EXCLUDED:
        return DayQuality(day=day, verdict="exclude", faults=EXCLUDED[back])
    if back in MASKED:
        return DayQuality(day=day, verdict="mask_battery", faults=MASKED[back])
    return DayQuality(day=day, verdict="clean")


def _replay(days: list[date], last: date, rng: np.random.Generator) -> ReplayReply:
    level = dict(zip(days, rng.uniform(1.5, 7.0, len(days)).tolist(), strict=True))
    policies = {}
    for name, share in POLICIES.items():
        costs = [
            DayCost(
                day=day,
                cost=level[day] * share,
                value_gain=0.0,
                import_carbon_g=900 * level[day] * (0.5 + share / 2)
                if (last - day).days < 20
                else None,
            )
            for day in days
        ]
        figures = {
            "cost": sum(cost.cost for cost in costs),
            "import_kwh": 1.0,
            "export_kwh": 1.0,
            "cycles": 1.0,
            "score": None,
            "violations": 0,
        }
        policies[name] = PolicyReply(
            **figures, mode_changes_per_day=3.0, terminal_value=0.1, days=costs
        )
    return ReplayReply(
        policies=policies, slots=96 * len(days), currency="EUR", initial_soc={"battery": 0.5}
    )


def _decide(connection: Connection, site: Site, last: date) -> None:
    """Write the log of the last week: the plan, and on one day its owner for three hours and the
    inverter alone for one.
    """
    slots = local_days(last - timedelta(days=6), last, ZONE)
    for place, start in enumerate(slots):
        local = start.astimezone(ZONE)
        back = (last - local.date()).days
        decided_by = (
            "owner"
            if back == 3 and 8 <= local.hour < 11
            else "rule"
            if back == 2 and local.hour == 13
            else "planner"
        )
        if place < slots.count - 24:
            reason = {"owner": "override", "rule": "no_plan", "planner": "planned"}[decided_by]
            told = {"battery": BatterySetpoint(mode="self_consumption")}
            decision = Decision(
                slot_start=start,
                source="owner" if decided_by == "owner" else "planner",
                decided_by=decided_by,
                reason=reason,
                requested=told,
                allowed=told,
            )
            control.record(connection, ControlState(site=site.name), decision, {})


def plan_now(connection: Connection, site: Site, now: datetime) -> None:
    """Issue a forecast, and now a plan that begins with the slot that runs.

    Of two plans that were issued at one instant either could be in force.
    """
    start = floor_to(now, SLOT)
    ahead = Timeline(start, SLOT, 192)
    hour = np.array([instant.astimezone(ZONE).hour for instant in ahead])
    load = 0.1 + 0.3 * np.exp(-((hour - 19) ** 2) / 8)
    sun = np.maximum(np.sin((hour - 8) / 9 * np.pi), 0) * (hour < 18) * 0.6
    forecasts.upsert(
        connection,
        site.name,
        [Forecast(ahead, start, DEFAULT_VERSION, Quantiles.exact(load), Quantiles.exact(sun))],
    )
    plan_stored(connection, site.name, start, now=now)


def refuse_row(connection: Connection, name: str, line: int, *, load_kwh: float = -0.4) -> int:
    """Put a row of 3 November into quarantine, and return its number."""
    fault = RowFault.of("below", series="load_kwh", limit=0.0, hint="direction")
    raw = {"slot_start": "2026-11-03T10:00:00+01:00", "load_kwh": load_kwh, "pv_kwh": 0.2}
    row = {
        "site_key": sites.key_of(connection, name),
        "kind": "observations",
        "source": "f" * 64,
        "line": line,
    }
    number = connection.scalar(
        quarantine.insert()
        .values(raw=raw, fault=fault.document(), **row)
        .returning(quarantine.c.quarantine_id)
    )
    return int(number or 0)


def forget_furnished(connection: Connection, *names: str) -> None:
    """Delete these sites with all that is of them, and every job.

    Sites of other tests, which last longer than a module, stay.
    """
    connection.execute(text("DELETE FROM sites WHERE name = ANY(:names)"), {"names": list(names)})
    connection.execute(text("DELETE FROM jobs"))
