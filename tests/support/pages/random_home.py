"""A home whose every series is random: gaps, negative prices, the night of 31 March 2024 that has
an hour less, names with digits.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection

from luna.contracts.charging_sessions import NewSession
from luna.contracts.replay import DayCost, PolicyReply, ReplayReply
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.site import Site, parse_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, parse_zone
from luna.platform.database import charging_sessions, forecasts, observations, prices, scores, sites
from luna.platform.database.forecast_activations import DEFAULT_VERSION
from tests.support.database.site import plan_stored

ZONE = parse_zone("Europe/Berlin")
NOW = datetime(2024, 4, 2, 10, 7, tzinfo=UTC)
FIRST = date(2024, 3, 28)
TODAY = date(2024, 4, 2)
LAST = date(2024, 4, 3)
MARKET = "NO2"
TARIFF = {
    "import": {"kind": "spot", "market": MARKET, "markup": 0.12, "vat": 0.19},
    "export": {"kind": "fixed", "price": 0.08},
}
PARTS: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "batteries": [
        {
            "name": "battery 2",
            "capacity_kwh": 10,
            "charge_limit_kw": 5,
            "discharge_limit_kw": 5,
            "wear_price": 0.01,
        }
    ],
    "pv": [{"name": "roof 1", "peak_kw": 7.5}],
    "vehicles": [{"name": "car 3", "capacity_kwh": 60, "charge_limit_kw": 11}],
    "tariff": TARIFF,
}
ENERGIES = ("load_kwh", "pv_kwh", "import_kwh", "export_kwh", "charge_kwh", "discharge_kwh")


def furnish_told(connection: Connection, *, seed: int = 1, name: str = "home") -> Site:
    """Store the home with random days up to now, a forecast, a plan and scores, the same for the
    same seed.
    """
    rng = np.random.default_rng(seed)
    site = parse_site({"name": name} | PARTS)
    sites.save(connection, site)
    window = local_days(FIRST, LAST, ZONE)
    prices.upsert(
        connection,
        MARKET,
        starts=window.starts,
        price=rng.normal(0.08, 0.09, window.count),
        currency="EUR",
        published_at=datetime(2024, 1, 1, tzinfo=UTC),
    )
    past = window.window(0, window.index_of(NOW))
    measured = {series: _with_gaps(rng, rng.gamma(1.0, 0.2, past.count)) for series in ENERGIES}
    observations.write(
        connection, name, past.starts, measured | {"soc": rng.uniform(0.1, 0.9, past.count)}
    )
    issued = NOW.replace(minute=0)
    ahead = Timeline(issued, SLOT, 160)
    forecasts.upsert(
        connection,
        name,
        [Forecast(ahead, issued, DEFAULT_VERSION, _expect(rng, ahead), _expect(rng, ahead))],
    )
    plan_stored(
        connection,
        name,
        NOW.replace(minute=0),
        state={"batteries": {"battery 2": {"soc": round(float(rng.uniform(0.2, 0.9)), 2)}}},
    )
    scores.upsert_daily(connection, name, system_id="simulation", replay=_replay(rng))
    session = {
        "vehicle": "car 3",
        "from": NOW + timedelta(hours=6),
        "to": NOW + timedelta(hours=20),
        "arrival_soc": 0.3,
        "target_soc": 0.85,
    }
    charging_sessions.add(connection, name, NewSession.model_validate(session), by="owner", now=NOW)
    return site


def _with_gaps(rng: np.random.Generator, values: FloatArray) -> FloatArray:
    return np.where(rng.random(values.size) < 0.03, np.nan, values)


def _expect(rng: np.random.Generator, ahead: Timeline) -> Quantiles:
    expected = rng.gamma(1.0, 0.2, ahead.count)
    spread = np.linspace(0.4, 1.6, 7)
    return Quantiles(expected, *(expected * factor for factor in spread))


def _replay(rng: np.random.Generator) -> ReplayReply:
    days = [FIRST + timedelta(days=number) for number in range(3)]
    told = {
        "import_kwh": 1.0,
        "export_kwh": 1.0,
        "cycles": 1.0,
        "score": None,
        "violations": 0,
        "mode_changes_per_day": 1.0,
        "terminal_value": 0.2,
    }
    policies = {
        policy: PolicyReply(
            cost=1.0,
            days=[DayCost(day=day, cost=float(rng.normal(level, 0.2))) for day in days],
            **told,
        )
        for policy, level in {"self_consumption": 3.0, "mpc": 2.0, "oracle": 1.0}.items()
    }
    return ReplayReply(policies=policies, slots=288, currency="EUR", initial_soc={"battery 2": 0.5})
