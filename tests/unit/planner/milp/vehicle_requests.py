"""Requests with vehicles: a day in hours, and small ones at random."""

from typing import Any

import numpy as np

from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.state import VehicleState
from tests.support.planning.requests import QUIET, charging_session, make_request, value_rest

CAR = {"name": "car", "capacity_kwh": 40, "min_charge_kw": 1.4}
BATTERY = {"capacity_kwh": 5, "charge_limit_kw": 2.5, "discharge_limit_kw": 2.5, "wear_price": 0.01}


def ask(
    price: list[float],
    *sessions: dict[str, Any],
    car: dict[str, Any] | None = None,
    soc: float = 0.3,
    **changes: Any,
) -> PlanRequest:
    """As many hours as there are prices, half a kWh of load in each.

    ``changes`` go into outlook (series), site and options by their names.
    """
    series = {"import_price": price} | {
        name: changes.pop(name) for name in QUIET if name in changes
    }
    options = value_rest(0.1, **changes.pop("options", {}))
    state = {
        "vehicles": {
            "car": {
                "soc": soc,
                "sessions": list(sessions),
                "charging": changes.pop("charging", False),
            }
        }
    }
    site = {
        "grid": {"import_limit_kw": 17},
        "vehicles": [CAR | (car or {})],
        "pv": [{"peak_kw": 8}],
    } | changes
    return make_request(site, series, soc=0.8, state=state, options=options)


def charged(reply: PlanReply, name: str = "car") -> list[float]:
    return [slot.vehicles[name].charge_kwh for slot in reply.slots]


def given(reply: PlanReply, name: str = "car") -> list[float]:
    return [slot.vehicles[name].discharge_kwh for slot in reply.slots]


def count_starts(reply: PlanReply) -> int:
    on = [energy > 0 for energy in charged(reply)]
    return sum(later and not sooner for sooner, later in zip([False, *on], on, strict=False))


def draw(seed: int) -> PlanRequest:
    """A small problem at random: one car or two with everything they may be, a battery or none,
    whatever its contract, an appliance or none, sun or none.
    """
    rng = np.random.default_rng(seed)
    hours = 14
    cars = {
        f"car{place}": _draw_car(rng, f"car{place}", hours) for place in range(rng.integers(1, 3))
    }
    sun = np.maximum(rng.choice([0, 3, 7]) * np.sin((np.arange(hours) - 3) / 9 * np.pi), 0)
    heater = {"name": "heater", "kind": "water_heater", "power_kw": 2, "energy_kwh_per_day": 4}
    request = ask(
        rng.normal(0.25, 0.1, hours).tolist(),
        load_kwh=rng.gamma(2.0, 0.3, hours).tolist(),
        pv_kwh=sun.tolist(),
        batteries=[
            BATTERY
            | {
                "charge_from_grid": bool(rng.random() < 0.6),
                "discharge_to_grid": bool(rng.random() < 0.6),
            }
        ]
        * int(rng.random() < 0.8),
        loads=[heater] * int(rng.random() < 0.3),
        vehicles=[car for car, _ in cars.values()],
    )
    state = request.state.model_copy(
        update={
            "vehicles": {
                name: VehicleState.model_validate(state) for name, (_, state) in cars.items()
            }
        }
    )
    return request.model_copy(update={"state": state})


def _draw_car(
    rng: np.random.Generator, name: str, hours: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    first = int(rng.integers(0, 3))
    away = int(rng.integers(5, 8))
    back = int(rng.integers(8, 10))
    sessions = [
        _draw_session(rng, first, away),
        _draw_session(rng, back, int(rng.choice([back + 4, hours + 2]))),
    ][: rng.integers(1, 3)]
    car = {
        "name": name,
        "capacity_kwh": float(rng.choice([20, 40])),
        "min_charge_kw": float(rng.choice([0, 1.4])),
        "discharge_limit_kw": float(rng.choice([0, 5])),
        "min_soc": float(rng.choice([0.1, 0.3])),
        "max_soc": float(rng.choice([0.9, 1.0])),
        "charger": [None, {"phases": [3]}, {"phases": [1, 3]}][rng.integers(3)],
        "from_battery": str(rng.choice(["never", "if_it_pays"])),
        "start_price": float(rng.choice([0, 0.05])),
        "min_run_minutes": int(rng.choice([0, 120])),
    }
    return car, {
        "soc": float(rng.choice([0.1, 0.3, 0.5, 0.97])),
        "charging": bool(rng.random() < 0.3),
        "sessions": sessions,
    }


def _draw_session(rng: np.random.Generator, first: int, last: int) -> dict[str, Any]:
    return charging_session(
        first,
        last,
        target_soc=[None, 0.4, 0.6, 0.85][rng.integers(4)],
        limit_soc=[None, 0.9][rng.integers(2)],
        arrival_soc=[None, 0.2, 0.35][rng.integers(3)],
        extra_value=[None, None, 0.2, 0.35][rng.integers(4)],
    )
