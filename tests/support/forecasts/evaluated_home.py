"""A home recorded for eleven weeks, of which evaluations find the last two unseen: its prices are
cheap at night and at noon.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np
from sqlalchemy import Engine

from luna.energy.observations import Observations
from luna.energy.site import parse_site
from luna.energy.timeline import Timeline, local_days, parse_zone
from luna.platform.database import observations, sites
from luna.platform.database.engine import unit_of_work
from tests.support.database.databases import remove_site

# Trainings before 1 April, a Monday, know 66 days; the clock was changed the day before.
FIRST = date(2024, 1, 26)
LAST = date(2024, 4, 14)
UNSEEN = date(2024, 4, 1)
ZONE = parse_zone("Europe/Berlin")
BANDS = [
    {"from": "00:00", "to": "05:00", "price": 0.15},
    {"from": "17:00", "to": "21:00", "price": 0.42},
]
SITE = parse_site(
    {
        "name": "evaluated",
        "timezone": "Europe/Berlin",
        "batteries": [
            {
                "name": "battery",
                "capacity_kwh": 6,
                "charge_limit_kw": 3,
                "discharge_limit_kw": 3,
                "wear_price": 0.01,
            }
        ],
        "pv": [{"name": "roof", "peak_kw": 4}],
        "tariff": {
            "import": {"kind": "time_of_use", "default": 0.3, "bands": BANDS},
            "export": {"kind": "fixed", "price": 0.07},
        },
        "forecasting": {"active_forecast_version": "baseline_7_day_avg"},
    }
)


def observe(window: Timeline) -> Observations:
    """Return load and sun of a rhythm with noise, the same each time."""
    rng = np.random.default_rng(5)
    hour = np.arange(window.count) % 96 / 4
    sky = np.repeat(rng.uniform(0.1, 0.9, window.count // 96 + 1), 96)[: window.count]
    load = (0.05 + 0.25 * np.exp(-((hour - 19) ** 2) / 6)) * rng.gamma(4, 0.25, window.count)
    return Observations.of(
        window.starts,
        {"load_kwh": load, "pv_kwh": 0.6 * np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0) * sky},
    )


@contextmanager
def evaluated_home(database: Engine) -> Iterator[Engine]:
    """Store the home and what it did; it is removed with all that is of it when the block ends."""
    with unit_of_work(database) as connection:
        sites.save(connection, SITE)
        observations.upsert(connection, SITE.name, observe(local_days(FIRST, LAST, ZONE)))
    yield database
    remove_site(database, SITE.name)
