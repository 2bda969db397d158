"""Simulate the house around battery, car and heater, with its meters and devices."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from luna.drivers.simulated_battery import (
    SECONDS_PER_HOUR,
    BatteryCharge,
    BatteryModel,
    Command,
    requested_power_kw,
    step_battery,
)
from luna.simulated_home.car import CarState, step_car
from luna.simulated_home.heater import HeaterState, step_heater
from luna.simulated_home.seconds import load_between, pv_between

BATTERY_MODEL = BatteryModel()
# Less than the error that a meter of class B may have. Source: EN 50470-3.
_GAIN_SPREAD = 0.003
_POWER_SPREAD = 0.004
_SOC_SPREAD = 0.002
# Control error of a battery in self-consumption: it measures the power at the meter with a delay,
# and its steps are coarse, so that tens of watts always remain. Source: HTW Berlin,
# Stromspeicher-Inspektion, deviation of the regulation.
_CONTROL_ERROR_KW = 0.04
_SECONDS_PER_CONTROL = 20
_CONTROL = 1 << 36
_METERS = ("grid", "pv", "battery", "car", "heater")


@dataclass(frozen=True, slots=True)
class HomeState:
    """The truth at an instant: powers, and totals since the beginning.

    Attributes:
        at: seconds since 1970.
        load_kw: the house without car and heater.
        car: None where the home has none.
        heater: None where the home has none.
    """

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
    car: CarState | None = None
    heater: HeaterState | None = None

    @property
    def used_kw(self) -> float:
        """Return the power that house, car and heater use together."""
        devices = [device for device in (self.car, self.heater) if device is not None]
        return self.load_kw + sum(device.power_kw for device in devices)

    @property
    def modes(self) -> tuple[str, ...]:
        """Return the modes of inverter, charger and heater, in their own words."""
        modes = [self.command.mode]
        if self.car is not None:
            modes.append(self.car.command.mode)
        if self.heater is not None:
            modes.append(self.heater.mode)
        return tuple(modes)

    @property
    def grid_kw(self) -> float:
        """Power at the meter, negative for feed-in."""
        return self.used_kw - self.pv_kw + self.battery.power_kw


def advance(
    state: HomeState, *, load_kw: float, pv_kw: float, seconds: float, seed: int
) -> HomeState:
    """Return the home some seconds later.

    Args:
        state: before.
        load_kw: mean of the recorded quarter-hour, within which appliances come and go.
        pv_kw: mean production of the roof in the quarter-hour, within which clouds pass.
        seconds: length of the step, within the quarter-hour.
        seed: of random numbers; the same seed and instants give the same home.

    Invariants: load + car + heater + export + charge = pv + import + discharge, to rounding.
    """
    load = load_between(state.at, seconds, load_kw, seed=seed)
    pv = pv_between(state.at, seconds, pv_kw, seed=seed)
    # The inverter measures their power at the meter, as it does that of the house.
    car = None if state.car is None else step_car(state.car, state.at, seconds=seconds, seed=seed)
    heater = state.heater
    if heater is not None:
        heater = step_heater(heater, state.at, seconds=seconds, seed=seed)
    before = replace(state, load_kw=load, pv_kw=pv, car=car, heater=heater)
    soc = state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh
    error = _CONTROL_ERROR_KW * _noise(seed, _CONTROL + int(state.at // _SECONDS_PER_CONTROL))
    requested_kw = requested_power_kw(state.command, soc, pv - before.used_kw + error)
    battery, lost = step_battery(BATTERY_MODEL, state.battery, requested_kw, seconds=seconds)
    hours = seconds / SECONDS_PER_HOUR
    grid = before.used_kw - pv + battery.power_kw
    return replace(
        before,
        at=state.at + seconds,
        battery=battery,
        load_kwh=state.load_kwh + load * hours,
        pv_kwh=state.pv_kwh + pv * hours,
        import_kwh=state.import_kwh + max(grid, 0.0) * hours,
        export_kwh=state.export_kwh + max(-grid, 0.0) * hours,
        charge_kwh=state.charge_kwh + max(battery.power_kw, 0.0) * hours,
        discharge_kwh=state.discharge_kwh + max(-battery.power_kw, 0.0) * hours,
        lost_kwh=state.lost_kwh + lost,
    )


def measure(state: HomeState, *, seed: int) -> dict[str, float]:
    """Return the devices' readings of the truth, each with the fault of its own meter.

    Energies in kWh, powers in W, states of charge in per cent.

    Invariants: a counter never falls.
    """
    gains = {
        name: 1.0 + _GAIN_SPREAD * _noise(seed, -1 - place) for place, name in enumerate(_METERS)
    }
    second = int(state.at)
    flicker = {
        name: 1.0 + _POWER_SPREAD * _noise(seed, second * 8 + place)
        for place, name in enumerate(_METERS)
    }

    def count(kwh: float, meter: str) -> float:
        return round(kwh * gains[meter], 4)

    def show(power_kw: float, meter: str) -> float:
        return round(power_kw * gains[meter] * flicker[meter] * 1000)

    soc_error = _SOC_SPREAD * _noise(seed, second * 8 + 7)
    soc = state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh + soc_error
    reported = {
        "grid_import": count(state.import_kwh, "grid"),
        "grid_export": count(state.export_kwh, "grid"),
        "grid_power": show(state.grid_kw, "grid"),
        "pv_energy": count(state.pv_kwh, "pv"),
        "pv_power": show(state.pv_kw, "pv"),
        "battery_charge": count(state.charge_kwh, "battery"),
        "battery_discharge": count(state.discharge_kwh, "battery"),
        "battery_power": show(state.battery.power_kw, "battery"),
        "battery_soc": round(100.0 * min(max(soc, 0.0), 1.0), 1),
    }
    if state.car is not None:
        reported |= {
            "car_energy": count(state.car.charge_kwh, "car"),
            "car_power": show(state.car.power_kw, "car"),
            "car_connected": float(state.car.is_home),
            # Cars report whole per cent, on the road as well.
            "car_soc": float(round(100.0 * state.car.soc)),
        }
    if state.heater is not None:
        reported |= {
            "heater_energy": count(state.heater.used_kwh, "heater"),
            "heater_power": show(state.heater.power_kw, "heater"),
            "heater_temperature": round(state.heater.water_c, 1),
        }
    return reported


# Cached: all steps of some seconds have one number, and all readings of a meter the meter's.
@lru_cache(maxsize=1 << 8)
def _noise(seed: int, number: int) -> float:
    """Return a number between -1 and 1 that depends on both alone."""
    return float(np.random.default_rng((seed, number + (1 << 40))).uniform(-1.0, 1.0))
