"""Simulate the house around battery, car and heater, with its meters and devices."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from luna.platform.simulated_home.battery import (
    SECONDS_PER_HOUR,
    BatteryCharge,
    BatteryModel,
    Command,
    requested_power_kw,
    step_battery,
)
from luna.platform.simulated_home.car import CarState, step_car
from luna.platform.simulated_home.heater import HeaterState, step_heater

BATTERY_MODEL = BatteryModel()
# Errors of meters, below the limits of class B. Source: EN 50470-3.
_GAIN_SPREAD = 0.003
_POWER_SPREAD = 0.004
_SOC_SPREAD = 0.002
# Within a quarter-hour a house does not use its mean: kettles and compressors.
_LOAD_SPREAD = 0.35
_SECONDS_PER_FLICKER = 60
# What a battery that follows the house leaves at the meter: it hears of the power there with a
# delay, and its steps are coarse. Systems of homes are off by some tens of watts either way all the
# time; none holds the grid at nothing. Source: HTW Berlin, Stromspeicher-Inspektion, deviation of
# the regulation.
_CONTROL_ERROR_KW = 0.04
_SECONDS_PER_CONTROL = 20
_CONTROL = 1 << 36
_METERS = ("grid", "pv", "battery", "car", "heater")


@dataclass(frozen=True, slots=True)
class HomeState:
    """The truth at an instant, seconds since 1970.

    Powers in kW, and totals since the beginning, kWh.

    ``load`` is the house without car and heater; None: it has none.
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
        car = self.car
        heater = self.heater
        return (
            self.command.mode,
            *([] if car is None else [car.command.mode]),
            *([] if heater is None else [heater.mode]),
        )

    @property
    def grid_kw(self) -> float:
        """Return the power over the meter; below zero it goes out."""
        return self.used_kw - self.pv_kw + self.battery.power_kw


def advance(
    state: HomeState, *, load_kw: float, pv_kw: float, seconds: float, seed: int
) -> HomeState:
    """Return the home some seconds later.

    Args:
        state: before.
        load_kw: the mean of the recorded quarter-hour, about which the truth moves from minute to
            minute; what the inverter sees of it is a little wrong.
        pv_kw: what the roof gives.
        seconds: how long it takes.
        seed: of what is random; the same seed and instants give the same home.

    Invariants: load + car + heater + export + charge = pv + import + discharge, to rounding.
    """
    load = load_kw * (1.0 + _LOAD_SPREAD * _noise(seed, int(state.at // _SECONDS_PER_FLICKER)))
    # The inverter sees what they use at the meter, as it sees the kettle.
    car = None if state.car is None else step_car(state.car, state.at, seconds=seconds, seed=seed)
    heater = state.heater
    if heater is not None:
        heater = step_heater(heater, state.at, seconds=seconds, seed=seed)
    before = replace(state, load_kw=load, pv_kw=pv_kw, car=car, heater=heater)
    soc = state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh
    error = _CONTROL_ERROR_KW * _noise(seed, _CONTROL + int(state.at // _SECONDS_PER_CONTROL))
    requested_kw = requested_power_kw(state.command, soc, pv_kw - before.used_kw + error)
    battery, lost = step_battery(BATTERY_MODEL, state.battery, requested_kw, seconds=seconds)
    hours = seconds / SECONDS_PER_HOUR
    grid = before.used_kw - pv_kw + battery.power_kw
    return replace(
        before,
        at=state.at + seconds,
        battery=battery,
        load_kwh=state.load_kwh + load * hours,
        pv_kwh=state.pv_kwh + pv_kw * hours,
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

    soc = state.battery.stored_kwh / BATTERY_MODEL.capacity_kwh + _SOC_SPREAD * _noise(
        seed, second * 8 + 7
    )
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
        }
        # Cars say whole per cent, on the road as well.
        reported |= {
            "car_connected": float(state.car.is_home),
            "car_soc": float(round(100.0 * state.car.soc)),
        }
    if state.heater is not None:
        reported |= {
            "heater_energy": count(state.heater.used_kwh, "heater"),
            "heater_power": show(state.heater.power_kw, "heater"),
        }
        reported |= {"heater_temperature": round(state.heater.water_c, 1)}
    return reported


# A minute's flicker holds for each of its steps, and the faults of meters for ever.
@lru_cache(maxsize=1 << 8)
def _noise(seed: int, number: int) -> float:
    """Return a number between -1 and 1 that depends on both alone."""
    return float(np.random.default_rng((seed, number + (1 << 40))).uniform(-1.0, 1.0))
