"""Surplus charging on own days of a second each, beside an ideal follower and the peers' rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.steering.controllers import MeanSurplusRule, Steering
from bench.steering.home import Controller, LivedDay, LivedHome, live_day
from bench.steering.profiles import HomeDay
from luna.energy.steering import (
    BatteryTarget,
    SlotTargets,
    SteeredBattery,
    SteeredDevices,
    SteeredVehicle,
    VehicleTarget,
)

CAR = "car"
BATTERY = "battery"
PEAK_KW = 10.0
# The hours of daylight; no surplus is to be had in others.
BEGIN_S = 5 * 3600
END_S = 21 * 3600


@dataclass(frozen=True, slots=True)
class Charged:
    """What a day of surplus charging came to."""

    car_kwh: float
    bought_kwh: float
    ideal_kwh: float
    starts: int
    phase_changes: int


def describe_home(*, has_battery: bool) -> LivedHome:
    """Return a home with a car of one or three phases."""
    batteries = {BATTERY: SteeredBattery(10.0, 5.0, 5.0)} if has_battery else {}
    return LivedHome(
        SteeredDevices(
            batteries=batteries, vehicles={CAR: SteeredVehicle(phases=(1, 3))}, pv_kw=PEAK_KW
        )
    )


def follow_surplus(home: LivedHome) -> Steering:
    """Return Luna's controller: the car before the battery, which does not support it."""
    targets = SlotTargets(
        vehicles={CAR: VehicleTarget("surplus", worth_price=0.2)},
        batteries={name: BatteryTarget(worth_price=0.1) for name in home.devices.batteries},
    )
    return Steering(targets, home.devices)


def follow_mean(home: LivedHome) -> MeanSurplusRule:
    """Return the peers' controller."""
    return MeanSurplusRule(CAR, home.devices.vehicles[CAR])


def charge_day(home: LivedHome, day: HomeDay, control: Controller) -> Charged:
    """Return what a day of charging came to."""
    lived = live_day(home, day, control, begin=BEGIN_S, end=END_S)
    return count_charged(home, day, lived)


def count_charged(home: LivedHome, day: HomeDay, lived: LivedDay) -> Charged:
    """Return energies of a lived day; what no surplus covered was bought, of battery or grid.

    The ideal follower takes every second's surplus from the least power to the highest, without
    delay, steps of an ampere, or care for switches.
    """
    device = home.devices.vehicles[CAR]
    surplus_kw = (day.pv_kw - day.house_kw)[BEGIN_S:END_S]
    ideal_kw = np.where(surplus_kw >= device.least_kw, np.minimum(surplus_kw, device.most_kw), 0.0)
    bought_kw = np.maximum(lived.car_kw - np.maximum(surplus_kw, 0.0), 0.0)
    return Charged(
        car_kwh=float(lived.car_kw.sum()) / 3600,
        bought_kwh=float(bought_kw.sum()) / 3600,
        ideal_kwh=float(ideal_kw.sum()) / 3600,
        starts=lived.starts,
        phase_changes=lived.phase_changes,
    )


def sum_up(days: Sequence[Charged]) -> dict[str, Any]:
    """Return the figures of several days."""
    car_kwh = sum(day.car_kwh for day in days)
    ideal_kwh = sum(day.ideal_kwh for day in days)
    bought_kwh = sum(day.bought_kwh for day in days)
    return {
        "car_kwh": round(car_kwh, 2),
        "bought_share": bought_kwh / car_kwh if car_kwh else 0.0,
        "of_ideal": (car_kwh - bought_kwh) / ideal_kwh if ideal_kwh else 0.0,
        "most_starts": max((day.starts for day in days), default=0),
        "most_phase_changes": max((day.phase_changes for day in days), default=0),
    }
