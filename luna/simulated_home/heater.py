"""Simulate a tank of hot water with a heating element.

It heats by itself, and showers draw from it.

It is no heat pump: that one's efficiency follows the weather, and this home lies nowhere.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import numpy as np

from luna.drivers.simulated_battery import SECONDS_PER_HOUR
from luna.simulated_home.site import ZONE

# ``auto``: by its own thermostat; ``on``: heats until it is hot, whatever the thermostat thinks;
# ``off``: does not heat.
HEATER_WORDS = ("auto", "on", "off")
# Heat drawn in each hour of the local day, kWh. Source: profile M of EN 16147, 5.8 kWh, without the
# largest draws.
_DRAWN_KWH = (
    0,
    0,
    0,
    0,
    0,
    0.1,
    0.6,
    1.1,
    0.3,
    0.1,
    0.1,
    0.2,
    0.2,
    0.1,
    0.1,
    0.1,
    0.1,
    0.2,
    0.3,
    0.5,
    0.5,
    0.3,
    0.1,
    0,
)
_DAY_SPREAD = 0.25
_SECONDS_PER_DRAW = 300


@dataclass(frozen=True, slots=True)
class HeaterModel:
    """The tank: 200 litres, of one temperature throughout."""

    capacity_kwh_per_k: float = 0.2326
    power_kw: float = 2.0
    # About 1.3 kWh a day at 55 °C.
    loss_kw_per_k: float = 0.0016
    room_c: float = 20.0
    mains_c: float = 10.0
    # The thermostat heats below the one until the other; hotter it never gets.
    begins_c: float = 50.0
    hot_c: float = 60.0
    # Colder water is less than what is asked for.
    useful_c: float = 40.0


HEATER_MODEL = HeaterModel()


@dataclass(frozen=True, slots=True)
class HeaterState:
    """The tank's state.

    Its temperature, whether the thermostat heats, the power that flows, and totals since the
    beginning, kWh; ``short_kwh``: heat that lacked.
    """

    water_c: float = 55.0
    mode: str = "auto"
    heats: bool = False
    power_kw: float = 0.0
    used_kwh: float = 0.0
    drawn_kwh: float = 0.0
    lost_kwh: float = 0.0
    short_kwh: float = 0.0


def heat_demand_kw(at: float, *, seed: int) -> float:
    """Return the heat that the house draws at an instant.

    Taps are opened for minutes, and no day is as the one before.
    """
    local = datetime.fromtimestamp(at, ZONE)
    day = 1.0 + _DAY_SPREAD * (2.0 * _draw(seed, local.toordinal(), 1) - 1.0)
    # A quarter of the time, four times as much.
    opened = _draw(seed, int(at // _SECONDS_PER_DRAW), 2) < 1 / 4
    return _DRAWN_KWH[local.hour] * day * 4.0 if opened else 0.0


@lru_cache(maxsize=256)
def _draw(seed: int, number: int, kind: int) -> float:
    return float(np.random.default_rng((seed, number, kind)).uniform())


def step_heater(state: HeaterState, at: float, *, seconds: float, seed: int) -> HeaterState:
    """Return the tank some seconds after an instant.

    Invariants: what is used less what is drawn and lost is what warms it; it is never hotter than
    ``hot_c``, nor colder than what comes from the mains.
    """
    model = HEATER_MODEL
    hours = seconds / SECONDS_PER_HOUR
    heats = state.mode == "on"
    if state.mode == "auto":
        heats = state.water_c < (model.hot_c if state.heats else model.begins_c)
    lost = (state.water_c - model.room_c) * model.loss_kw_per_k * hours
    demand_kwh = heat_demand_kw(at, seed=seed) * hours
    available_kwh = max((state.water_c - model.mains_c) * model.capacity_kwh_per_k - lost, 0.0)
    drawn = min(
        demand_kwh * min((state.water_c - model.mains_c) / (model.useful_c - model.mains_c), 1.0),
        available_kwh,
    )
    room = max((model.hot_c - state.water_c) * model.capacity_kwh_per_k + drawn + lost, 0.0)
    used = min(model.power_kw * hours, room) if heats else 0.0
    return replace(
        state,
        water_c=state.water_c + (used - drawn - lost) / model.capacity_kwh_per_k,
        heats=heats,
        power_kw=used / hours,
        used_kwh=state.used_kwh + used,
        drawn_kwh=state.drawn_kwh + drawn,
        lost_kwh=state.lost_kwh + lost,
        short_kwh=state.short_kwh + demand_kwh - drawn,
    )
