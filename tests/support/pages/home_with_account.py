"""A home with three months of meter values: what its account of energy and money is made from."""

from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.energy.site import Site, parse_site
from luna.energy.timeline import FloatArray, Timeline, local_days, parse_zone
from luna.platform.database import observations, sites

ZONE = parse_zone("Europe/Berlin")
# The month before, of which 27 October has 25 hours, the month that runs, and the same one of the
# year before.
SPANS = ((date(2023, 11, 1), date(2023, 11, 30)), (date(2024, 10, 1), date(2024, 11, 30)))
HOME = {
    "timezone": "Europe/Berlin",
    "batteries": [
        {"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}
    ],
    "pv": [{"name": "roof", "peak_kw": 8}],
    "vehicles": [{"name": "car", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "loads": [
        {"name": "boiler", "kind": "water_heater", "power_kw": 2.0, "energy_kwh_per_day": 4.0}
    ],
    "input_sensors": {"vehicle_consumption": "sensor.car"},
    "tariff": {
        "import": {
            "kind": "time_of_use",
            "default": 0.34,
            "bands": [{"from": "00:00", "to": "05:00", "price": 0.22}],
        },
        "export": {"kind": "fixed", "price": 0.08},
        "peak": {"price_per_kw_month": 3.5, "interval_minutes": 60},
    },
}


def describe_home_with_account(name: str, **changes: Any) -> Site:
    """Return the home: solar, a battery, a car with a meter of its own, a boiler without one, and a
    capacity tariff.
    """
    return parse_site({"name": name} | HOME | changes)


def store_home_with_account(
    connection: Connection, name: str, *, until: date = SPANS[-1][-1]
) -> None:
    """Store the home with its meter values up to a local day."""
    sites.save(connection, describe_home_with_account(name))
    for seed, (first, last) in enumerate(SPANS):
        timeline = local_days(first, min(last, until), ZONE)
        observations.write(connection, name, timeline.starts, live(timeline, seed=seed))


def live(timeline: Timeline, *, seed: int) -> dict[str, FloatArray]:
    """Return what a home's meters counted: battery and grid follow sun and need, and a fiftieth of
    the energy is lost.
    """
    rng = np.random.default_rng(seed)
    local = [start.astimezone(ZONE) for start in timeline]
    hour = np.array([instant.hour + instant.minute / 60 for instant in local])
    day = np.array([instant.date().toordinal() for instant in local])
    load = (0.07 + 0.25 * np.exp(-((hour - 19) ** 2) / 6)) * rng.gamma(6, 1 / 6, timeline.count)
    cloudy = np.random.default_rng(seed + 100).uniform(0.1, 1.0, 1_000)[day % 1_000]
    sun = np.maximum(np.sin((hour - 7) / 10 * np.pi), 0.0) * cloudy * 1.1
    car = np.where((hour >= 1) & (hour < 4) & (day % 3 == 0), 1.8, 0.0)
    surplus = np.maximum(sun - load, 0.0)
    discharge = np.where((hour >= 17) & (hour < 23), np.minimum(load, 0.3 * cloudy), 0.0)
    # A tenth of what the battery takes is lost.
    charge = surplus * discharge.sum() / (0.9 * surplus.sum())
    balance = (load + car + charge - sun - discharge) * 1.02
    return {
        "load_kwh": load,
        "pv_kwh": sun,
        "vehicle_kwh": car,
        "charge_kwh": charge,
        "discharge_kwh": discharge,
        "import_kwh": np.maximum(balance, 0.0),
        "export_kwh": np.maximum(-balance, 0.0),
    }
