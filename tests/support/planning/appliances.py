"""Requests around appliances: a day of hours, a roof, a small battery.

Everything else is named by a test.
"""

from datetime import datetime
from typing import Any

import numpy as np

from luna.contracts.plan import PlanReply, PlanRequest
from tests.support.planning.problems import START
from tests.support.planning.requests import make_request, solve, value_rest

BATTERY = {"capacity_kwh": 5, "charge_limit_kw": 2.5, "discharge_limit_kw": 2.5, "wear_price": 0.01}
HEATER = {"name": "heater", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 6}


def ask(
    *loads: dict[str, Any],
    state: dict[str, Any] | None = None,
    start: datetime = START,
    zone: str = "UTC",
    **series: Any,
) -> PlanRequest:
    """Return a request over ``24`` hours with a load of 0.3 kWh, no PV and 0.3 per kWh, where
    ``series`` says nothing else; ``state`` is that of loads.
    """
    ahead = {"load_kwh": 0.3, "pv_kwh": 0.0, "import_price": 0.3, "export_price": 0.07} | series
    ahead["load_kwh"] = np.broadcast_to(
        ahead["load_kwh"], (max(24, *(np.size(values) for values in ahead.values())),)
    )
    site = {
        "timezone": zone,
        "grid": {"import_limit_kw": 11},
        "batteries": [BATTERY],
        "pv": [{"peak_kw": 8}],
        "loads": list(loads),
    }
    return make_request(
        site, ahead, start=start, soc=0.0, state={"loads": state or {}}, options=value_rest(0.12)
    )


def draw_series(seed: int) -> dict[str, Any]:
    """Return a day's load, PV and prices by the seed."""
    rng = np.random.default_rng(seed)
    hour = np.arange(24)
    return {
        "load_kwh": rng.gamma(2.0, 0.2, 24),
        "pv_kwh": rng.uniform(4, 6) * np.maximum(np.sin((hour - 7) / 10 * np.pi), 0),
        "import_price": rng.normal(0.25, 0.06, 24),
    }


def on(reply: PlanReply, name: str = "heater") -> list[int]:
    """Return the slots in which an appliance is on."""
    return [place for place, slot in enumerate(reply.slots) if slot.loads[name].on]


def model_cost(request: PlanRequest) -> float:
    """Return what the mixed-integer model says a request's best plan costs, slack and worth
    included.
    """
    schedule = solve(request).load_schedule
    assert schedule is not None
    return schedule.objective
