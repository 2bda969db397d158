"""Two stored homes for questions on data: the demo's year again and again up to the simulated
home's last two days, and a cottage with a fixed price.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine

from luna.energy.observations import Observations
from luna.energy.outlook import Quantiles
from luna.energy.site import parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, local_midnight, parse_zone
from luna.platform.database import forecasts, observations, prices, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from luna.simulated_home.recorded_year import RecordedYear
from services.ingest.demo_data.demo import load_demo
from tests.support.pages.demo_home import NOW, store_demo_home

HOME = "home"
COTTAGE = "cottage"
FIRST_DAY = date(2023, 1, 1)
SEED = 80
CAPACITY_KWH = 10.0
MOST_KWH = 1.25
CAR_KWH = 0.9
# The simulated home has meters at the grid for its last hours; its prices begin two days and the
# rest of its history before.
LIVED = timedelta(hours=26)
PRICES_BEFORE = timedelta(days=4) - LIVED
DULLER = 0.8
UNPLANNED_KWH = 0.05


def store_homes(database: Engine, cache: Path) -> None:
    """Store both homes as they are at ``NOW``.

    Raises:
        MachineError: the demo's year is neither cached nor downloadable.
    """
    demo = load_demo(cache)
    measured = demo.sites[0].observations
    zone = parse_zone(demo.sites[0].site.timezone)
    year = RecordedYear.of(
        measured.starts,
        zone,
        load_kwh=measured.load_kwh,
        pv_kwh=measured.pv_kwh,
        price=demo.prices.price,
    )
    store_demo_home(database, name=HOME)
    begin = local_midnight(FIRST_DAY, zone)
    past = Timeline(begin, SLOT, (floor_to(NOW, SLOT) - LIVED - begin) // SLOT)
    rows = year.rows_of(past.starts)
    with unit_of_work(database) as connection:
        _store_prices(connection, past, year.price[rows])
        _store_home(connection, past, year.load_kwh[rows], year.pv_kwh[rows])
        _store_cottage(connection, past, year.load_kwh[rows])
        _surprise(connection, local_midnight(NOW.astimezone(zone).date(), zone))


def _surprise(connection: Connection, midnight: datetime) -> None:
    """Make today differ from what was expected: a duller forecast and more use than planned."""
    issued = forecasts.read_all(
        connection, HOME, version=DEFAULT_VERSION, first=midnight, last=midnight
    )
    duller = [
        replace(issue, pv_kwh=Quantiles.exact(issue.pv_kwh.expected * DULLER)) for issue in issued
    ]
    forecasts.upsert(connection, HOME, duller)
    today = Timeline(midnight, SLOT, (floor_to(NOW, SLOT) - midnight) // SLOT)
    names = ("load_kwh", "import_kwh")
    stored = observations.read_series(connection, HOME, today, names)
    more = {name: stored[name] + UNPLANNED_KWH for name in names}
    observations.write(connection, HOME, today.starts, more)


def _store_prices(connection: Connection, past: Timeline, price: FloatArray) -> None:
    before = past.window(0, past.count - PRICES_BEFORE // SLOT)
    prices.upsert(
        connection,
        "NL",
        starts=before.starts,
        price=price[: before.count],
        currency="EUR",
        published_at=datetime.fromisoformat("2023-01-01T00:00:00+00:00"),
    )


def _store_home(
    connection: Connection, past: Timeline, load_kwh: FloatArray, pv_kwh: FloatArray
) -> None:
    rng = np.random.default_rng(SEED)
    noise = rng.uniform(0.9, 1.1, past.count)
    load_kwh = load_kwh * noise
    vehicle_kwh = _draw_car(past, rng)
    needed = load_kwh + vehicle_kwh - pv_kwh
    charge_kwh, discharge_kwh = _run_battery(needed)
    balance = needed + charge_kwh - discharge_kwh
    series = {
        "load_kwh": load_kwh,
        "pv_kwh": pv_kwh,
        "import_kwh": np.maximum(balance, 0.0),
        "export_kwh": np.maximum(-balance, 0.0),
        "charge_kwh": charge_kwh,
        "discharge_kwh": discharge_kwh,
    }
    observations.upsert(connection, HOME, Observations.of(past.starts, series))
    observations.write(
        connection,
        HOME,
        past.starts,
        {"vehicle_kwh": vehicle_kwh, "water_heater_kwh": np.zeros(past.count)},
    )


def _draw_car(past: Timeline, rng: np.random.Generator) -> FloatArray:
    """Return the energy of a car that charges for up to three hours of most nights."""
    slot_of_day = np.arange(past.count) % 96
    days = np.arange(past.count) // 96
    lengths = rng.integers(0, 13, days[-1] + 1)
    return np.where(slot_of_day < lengths[days], CAR_KWH, 0.0)


def _run_battery(needed_kwh: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return charge and discharge of a battery without losses that keeps the meter at zero."""
    charge_kwh = np.zeros(needed_kwh.size)
    discharge_kwh = np.zeros(needed_kwh.size)
    stored_kwh = CAPACITY_KWH / 2
    for place, needed in enumerate(needed_kwh.tolist()):
        change = min(max(-needed, -MOST_KWH, -stored_kwh), MOST_KWH, CAPACITY_KWH - stored_kwh)
        stored_kwh += change
        charge_kwh[place] = max(change, 0.0)
        discharge_kwh[place] = max(-change, 0.0)
    return charge_kwh, discharge_kwh


def _store_cottage(connection: Connection, past: Timeline, load_kwh: FloatArray) -> None:
    tariff = {
        "import": {"kind": "fixed", "price": 0.31},
        "export": {"kind": "fixed", "price": 0.08},
    }
    sites.save(
        connection,
        parse_site({"name": COTTAGE, "timezone": "Europe/Amsterdam", "tariff": tariff}),
    )
    series = {"load_kwh": load_kwh / 2, "import_kwh": load_kwh / 2}
    observations.upsert(connection, COTTAGE, Observations.of(past.starts, series))
