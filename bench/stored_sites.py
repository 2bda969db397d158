"""Stored sites with a battery and a roof, what they did until an instant and what was expected of
them then; drawn from a seed.
"""

from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection, Engine, text

from bench.cases import HOURS, SEED, draw_case, draw_load, draw_pv
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, Timeline, floor_to
from luna.platform.database import forecasts, observations, prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from services.planner.problem.scenarios import DAYS

MARKET = "NL"
TIMEZONE = "Europe/Berlin"
# Roles of sensors, and the series whose meter each is.
METERS = {
    "total_load_consumption": "load_kwh",
    "total_pv_production": "pv_kwh",
    "total_grid_import": "import_kwh",
    "total_grid_export": "export_kwh",
}
MODES = {
    "self_consumption": "Self Use",
    "hold": "Standby",
    "charge": "Force Charge",
    "export": "Force Discharge",
}
CONTROL = {
    "batteries": [
        {
            "battery": "battery",
            "modes": MODES,
            "writes": [{"to": "select.inverter_mode", "value": "{mode}"}],
        }
    ]
}
DAY = timedelta(days=1)
# Sites of one transaction.
PART = 250


def store_sites(
    database: Engine, count: int, *, until: datetime, past_days: int = DAYS, issues: int = DAYS + 1
) -> list[str]:
    """Store sites with ``past_days`` of quarter-hours before ``until`` and prices around it, and
    return their names.

    Args:
        database: where they go.
        count: how many.
        until: the instant up to which something is known of them.
        past_days: days of measured quarter-hours.
        issues: forecasts of 48 hours, one a day, the last one at ``until``.
    """
    rng = np.random.default_rng(SEED)
    until = floor_to(until, SLOT)
    names = [f"site_{number:05d}" for number in range(count)]
    with unit_of_work(database) as connection:
        store_prices(connection, until, rng)
    for first in range(0, count, PART):
        with unit_of_work(database) as connection:
            for name in names[first : first + PART]:
                sites.save(connection, draw_site(name, rng))
                observations.upsert(
                    connection, name, draw_days(until - past_days * DAY, past_days, rng)
                )
                forecasts.upsert(
                    connection,
                    name,
                    [_expect(until - back * DAY, rng) for back in range(issues - 1, -1, -1)],
                )
    with unit_of_work(database) as connection:
        connection.execute(text("ANALYZE"))
    return names


def draw_site(name: str, rng: np.random.Generator) -> Site:
    """Return a site with a battery of 5 to 15 kWh that can be told what to do, a roof, meters and a
    spot tariff.
    """
    described = draw_case(rng, name=name, dip=0.0)["site"]
    tariff = {
        "import": {"kind": "spot", "market": MARKET, "markup": 0.09},
        "export": {"kind": "spot", "market": MARKET},
    }
    battery = described["batteries"][0] | {"capacity_kwh": round(float(rng.uniform(5.0, 15.0)), 1)}
    sensors = {role: f"{series}.{name}" for role, series in METERS.items()} | {
        "battery_soc": f"soc.{name}"
    }
    return parse_site(
        described
        | {"tariff": tariff, "batteries": [battery], "input_sensors": sensors, "control": CONTROL}
    )


def store_prices(connection: Connection, at: datetime, rng: np.random.Generator) -> None:
    """Store prices of nine days before the day of an instant and of three from it on."""
    slots = Timeline(floor_to(at, DAY) - 9 * DAY, SLOT, 12 * 96)
    hour = np.arange(slots.count) // 4 % 24
    price = (
        0.08
        + 0.04 * np.sin((hour - 14) * np.pi / 6)
        + np.repeat(rng.normal(0.0, 0.015, slots.count // 4), 4)
    )
    prices.upsert(
        connection,
        MARKET,
        starts=slots.starts,
        price=price,
        currency="EUR",
        published_at=slots.start - DAY,
    )


def draw_days(first: datetime, days: int, rng: np.random.Generator) -> Observations:
    """Return what a site did on whole days from an instant on."""
    slots = Timeline(first, SLOT, days * 96)
    drawn = [(draw_load(rng), draw_pv(rng)) for _ in range(-(-days * 24 // HOURS))]
    load, pv = (np.concatenate(series)[: slots.count] for series in zip(*drawn, strict=True))
    rest = load - pv
    series = {
        "load_kwh": load,
        "pv_kwh": pv,
        "import_kwh": rest.clip(0.0),
        "export_kwh": (-rest).clip(0.0),
        "soc": rng.uniform(0.2, 0.9, slots.count),
    }
    return Observations.of(slots.starts, series)


def _expect(at: datetime, rng: np.random.Generator) -> Forecast:
    load = draw_load(rng)
    pv = draw_pv(rng)
    return Forecast(
        Timeline(at, SLOT, load.size),
        at,
        DEFAULT_VERSION,
        Quantiles.exact(load),
        Quantiles.exact(pv),
    )
