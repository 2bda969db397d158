"""Generate twenty plan requests of a common home: battery, car and water heater.

48 h × 15 min, always the same. The charger switches between one phase and three; a start of the car
has its price, and its charge a shortest run. The water heater has comfort windows. Half of the cars
are plugged in by night alone, half by day as well.
"""

from datetime import timedelta
from typing import Any, Literal, get_args

import numpy as np

from bench.cases import COUNT, HOURS, NEGATIVE, START, add_devices, draw_case

HomeVariant = Literal["energy", "monthly_peak", "heat_pump"]
VARIANTS: tuple[HomeVariant, ...] = get_args(HomeVariant)
HOME_SEED = 7
CAR = {
    "name": "car",
    "capacity_kwh": 60,
    "charge_efficiency": 0.9,
    "charge_limit_kw": 11,
    "start_price": 0.05,
    "min_run_minutes": 30,
    "charger": {"phases": [1, 3]},
}
HEATER = {
    "name": "water_heater",
    "kind": "water_heater",
    "power_kw": 3,
    "energy_kwh_per_day": 6,
    "min_on_minutes": 30,
    "comfort": [
        {"from": "05:00", "to": "07:00", "energy_kwh": 2.0},
        {"from": "15:00", "to": "19:00", "energy_kwh": 2.0},
    ],
}
# It takes any power up to its limit, so that one mixed-integer model describes it whole.
HEAT_PUMP = {
    "name": "heat_pump",
    "power_kw": 2.5,
    "store": {"capacity_kwh_per_k": 5, "min_c": 20, "max_c": 22, "loss_kw_per_k": 0.15},
}
# A car that comes and goes by day: hours of its sessions after the start, and what it gains in
# each.
DAY_SESSIONS = ((0, 5), (9, 31), (33, 48))
GAIN_SOC = 0.2


def generate_homes(variant: HomeVariant) -> dict[str, dict[str, Any]]:
    """Return the homes' plan requests by name, as documents.

    Args:
        variant: "energy" prices energy alone, "monthly_peak" the month's peak as well, "heat_pump"
            adds a heat pump with its store to the first.
    """
    rng = np.random.default_rng(HOME_SEED)
    depths = [NEGATIVE] * 4 + [0.0] * (COUNT - 4)
    homes = {}
    for place, depth in enumerate(rng.permutation(depths)):
        name = f"home_{place:02d}"
        home = _furnish(add_devices(draw_case(rng, name=name, dip=depth), rng), day=place % 2 == 1)
        if variant != "monthly_peak":
            home = _without_peak(home)
        if variant == "heat_pump":
            home = _with_heat_pump(home, np.random.default_rng((HOME_SEED, place)))
        homes[name] = home
    return homes


def _furnish(document: dict[str, Any], *, day: bool) -> dict[str, Any]:
    """Return a case with the devices of this module and the planner's own gap."""
    state = document["state"]
    if day:
        car = _plug_in_by_day(state["vehicles"]["car"])
        state = state | {"vehicles": {"car": car}}
    options = {name: value for name, value in document["options"].items() if name != "mip_gap"}
    site = document["site"] | {"vehicles": [CAR], "loads": [HEATER]}
    return document | {"site": site, "state": state, "options": options}


def _plug_in_by_day(car: dict[str, Any]) -> dict[str, Any]:
    sessions = []
    for place, (first, last) in enumerate(DAY_SESSIONS):
        target = min(car["soc"] + GAIN_SOC * (place + 1), 1.0)
        arrives = START + timedelta(hours=first)
        leaves = START + timedelta(hours=last)
        sessions.append(
            {
                "from": arrives.isoformat(),
                "to": leaves.isoformat(),
                "target_soc": round(target, 3),
            }
        )
    return car | {"sessions": sessions}


def _without_peak(document: dict[str, Any]) -> dict[str, Any]:
    tariff = {name: part for name, part in document["site"]["tariff"].items() if name != "peak"}
    state = {name: part for name, part in document["state"].items() if name != "month_peaks_kw"}
    return document | {"site": document["site"] | {"tariff": tariff}, "state": state}


def _with_heat_pump(document: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return a case with a heat pump on two cool days."""
    hour = np.arange(4 * HOURS) / 4
    outdoor = rng.uniform(0, 6) + 4 * np.sin((hour - 9) / 12 * np.pi)
    warmth = {"temperature_c": round(float(rng.uniform(20.2, 21.8)), 2)}
    outdoor_c = np.round(outdoor, 2).tolist()
    site = document["site"] | {"heat_pumps": [HEAT_PUMP]}
    outlook = document["outlook"] | {"outdoor_temperature_c": outdoor_c}
    state = document["state"] | {"heat_pumps": {"heat_pump": warmth}}
    return document | {"site": site, "outlook": outlook, "state": state}
