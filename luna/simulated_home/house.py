"""The house around the battery: what its meters count, and what its devices say of it."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from luna.simulated_home.battery import SECONDS_PER_HOUR, BatteryCharge, BatteryModel, Command, step_battery, wanted_power_kw

BATTERY_MODEL = BatteryModel()
# What a meter of class B may be wrong by, and less. Source: EN 50470-3.
_GAIN_SPREAD, _POWER_SPREAD, _SOC_SPREAD = 0.003, 0.004, 0.002
# Within a quarter-hour a house does not use its mean: kettles and compressors.
_LOAD_SPREAD = 0.35
_SECONDS_PER_FLICKER = 60


@dataclass(frozen=True, slots=True)
class HomeState:
    """The truth at an instant, seconds since 1970: powers in kW, and what was counted since the beginning, kWh."""

    at: float
    battery: BatteryCharge
    command: Command = field(default_factory=Command)
    load_kw: float = 0.0
    pv_kw: float = 0.0
    load_kwh: float = 0.0
    pv_kwh: float = 0.0
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    charge_kwh: float = 0.0
    discharge_kwh: float = 0.0
    lost_kwh: float = 0.0

    @property
    def grid_kw(self) -> float:
        """What comes over the meter, below zero what goes out."""
        return self.load_kw - self.pv_kw + self.battery.power_kw


def advance(state: HomeState, *, load_kw: float, pv_kw: float, seconds: float, seed: int) -> HomeState:
    """Return the home some seconds later.

    Args:
        state: before.
        load_kw: the mean of the recorded quarter-hour, about which the truth moves from minute to minute.
        pv_kw: what the roof gives.
        seconds: how long it takes.
        seed: of what is random; the same seed and instants give the same home.

    Invariants: load + export + charge = pv + import + discharge, to rounding.
    """
    load = load_kw * (1.0 + _LOAD_SPREAD * _noise(seed, int(state.at // _SECONDS_PER_FLICKER)))
    soc = state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh
    battery, lost = step_battery(BATTERY_MODEL, state.battery, wanted_power_kw(state.command, soc, pv_kw - load), seconds=seconds)
    hours = seconds / SECONDS_PER_HOUR
    grid = load - pv_kw + battery.power_kw
    return replace(
        state,
        at=state.at + seconds,
        battery=battery,
        load_kw=load,
        pv_kw=pv_kw,
        load_kwh=state.load_kwh + load * hours,
        pv_kwh=state.pv_kwh + pv_kw * hours,
        import_kwh=state.import_kwh + max(grid, 0.0) * hours,
        export_kwh=state.export_kwh + max(-grid, 0.0) * hours,
        charge_kwh=state.charge_kwh + max(battery.power_kw, 0.0) * hours,
        discharge_kwh=state.discharge_kwh + max(-battery.power_kw, 0.0) * hours,
        lost_kwh=state.lost_kwh + lost,
    )


def measure(state: HomeState, *, seed: int) -> dict[str, float]:
    """Return what the devices say of the truth, each with the fault of its own meter: energies in kWh, powers in W, the state of charge in per cent.

    Invariants: a counter never falls.
    """
    gains = {name: 1.0 + _GAIN_SPREAD * _noise(seed, -1 - place) for place, name in enumerate(("grid", "pv", "battery"))}
    second = int(state.at)
    flicker = [1.0 + _POWER_SPREAD * _noise(seed, second * 4 + place) for place in range(3)]
    soc = state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh + _SOC_SPREAD * _noise(seed, second * 4 + 3)
    return {
        "grid_import": round(state.import_kwh * gains["grid"], 4),
        "grid_export": round(state.export_kwh * gains["grid"], 4),
        "grid_power": round(state.grid_kw * gains["grid"] * flicker[0] * 1000),
        "pv_energy": round(state.pv_kwh * gains["pv"], 4),
        "pv_power": round(state.pv_kw * gains["pv"] * flicker[1] * 1000),
        "battery_charge": round(state.charge_kwh * gains["battery"], 4),
        "battery_discharge": round(state.discharge_kwh * gains["battery"], 4),
        "battery_power": round(state.battery.power_kw * gains["battery"] * flicker[2] * 1000),
        "battery_soc": round(100.0 * min(max(soc, 0.0), 1.0), 1),
    }


# A minute's flicker holds for each of its steps, and the faults of meters for ever.
@lru_cache(maxsize=1 << 8)
def _noise(seed: int, number: int) -> float:
    """Return a number between -1 and 1 that depends on both alone."""
    return float(np.random.default_rng((seed, number + (1 << 40))).uniform(-1.0, 1.0))
