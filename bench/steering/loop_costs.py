"""What the loop is worth: the same days with it, by a plan's set-points alone, and without Luna.

A car needs the same energy in each; what it did not get by the evening is bought at the cheapest
price. The plan knows each hour's mean surplus beforehand, better than forecasts do, but no cloud.
Where its hours cover the need, the loop follows surplus in these alone, as steering does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.steering.controllers import Steering
from bench.steering.home import Controller, LivedDay, LivedHome, live_day
from bench.steering.profiles import HOUR_S, HomeDay, Profile
from bench.steering.surplus import BATTERY, BEGIN_S, CAR, END_S, describe_home, follow_surplus
from luna.energy.steering import (
    ExpectedSlot,
    LiveCommands,
    LiveMeasurement,
    SteeredVehicle,
    VehicleCommand,
    price_stored_kwh,
)

# Of a car that comes home in the morning.
NEED_KWH = 20.0
CYCLE_S = 2.0
# Currency per kWh, hour by hour; what is stored is worth the cheapest hour's price.
TARIFFS = {
    "flat": np.full(24, 0.30),
    "by_hours": np.repeat((0.22, 0.34, 0.26, 0.42), 6),
}
EXPORT_PRICE = 0.08
# Of a battery, one way.
_EFFICIENCY = 0.95
# The level at which the simulated battery gives no more.
_EMPTY_SOC = 0.05
# A day that is dearer by less is as dear.
_NEGLIGIBLE_COST = 0.005
STOP = VehicleCommand("stop", 0.0, 0, 0.0, "as_planned")


@dataclass(slots=True)
class UntilFull:
    """Stops a car that has what it needs, and otherwise does what a controller says."""

    control: Controller
    charged_kwh: float = 0.0

    def __call__(self, measured: LiveMeasurement) -> LiveCommands:
        commands = self.control(measured)
        self.charged_kwh += measured.vehicles[CAR].kw * CYCLE_S / HOUR_S
        if self.charged_kwh < NEED_KWH:
            return commands
        return replace(commands, vehicles={CAR: STOP})


@dataclass(frozen=True, slots=True)
class HourlyPlan:
    """Commands a car by each hour's mean surplus, as a plan without the loop does."""

    device: SteeredVehicle
    surplus_kw: Profile

    def __call__(self, measured: LiveMeasurement) -> LiveCommands:
        return LiveCommands(vehicles={CAR: self.command(int(measured.at_s) // HOUR_S)})

    def command(self, hour: int) -> VehicleCommand:
        """Return the car's command of an hour."""
        mean_kw = float(self.surplus_kw[hour])
        command = STOP
        for phases in sorted(self.device.phases):
            current_a = int(mean_kw / self.device.power_kw(phases, 1.0))
            if current_a >= self.device.min_current_a:
                command = charge(
                    self.device, phases, min(float(current_a), self.device.max_current_a)
                )
        return command

    def covers_need(self) -> bool:
        """Return whether a car has all that it needs by the plan's hours."""
        hours = range(BEGIN_S // HOUR_S, END_S // HOUR_S)
        return sum(self.command(hour).power_kw for hour in hours) >= NEED_KWH


def charge(device: SteeredVehicle, phases: int, current_a: float) -> VehicleCommand:
    """Return the command to charge with a current."""
    power_kw = device.power_kw(phases, current_a)
    return VehicleCommand("charge", power_kw, phases, current_a, "as_planned")


@dataclass(slots=True)
class PricedLoop:
    """The loop with what a kWh is worth in each hour by the plan."""

    loop: Steering
    plan: HourlyPlan
    import_prices: Profile
    stored_prices: Sequence[float]

    def __call__(self, measured: LiveMeasurement) -> LiveCommands:
        hour = int(measured.at_s) // HOUR_S
        targets = self.loop.targets
        waits = self.plan.covers_need() and self.plan.command(hour).mode == "stop"
        car = replace(
            targets.vehicles[CAR],
            follow="stop" if waits else "surplus",
            # What it lacks later is bought at the cheapest price.
            worth_price=float(self.import_prices.min()),
            dip_price=float(self.import_prices[hour]),
        )
        batteries = {}
        for name, target in targets.batteries.items():
            stored_price = self.stored_prices[hour - BEGIN_S // HOUR_S]
            batteries[name] = replace(target, worth_price=stored_price)
        self.loop.targets = replace(targets, vehicles={CAR: car}, batteries=batteries)
        return self.loop(measured)


def follow_prices(home: LivedHome, plan: HourlyPlan, import_prices: Profile) -> PricedLoop:
    """Return Luna's controller with the prices of a plan."""
    stored_prices: list[float] = []
    if home.devices.batteries:
        round_trip = home.devices.batteries[BATTERY].round_trip
        slots = expect_hours(home, plan, import_prices)
        # What is left in the evening saves the cheapest kWh of the night.
        cheapest_price = float(import_prices.min())
        night = replace(
            slots[-1], import_price=cheapest_price, import_kwh=0.0, export_kwh=0.0, charge_kwh=0.0
        )
        slots.append(night)
        for place in range(len(slots) - 1):
            stored_prices.append(price_stored_kwh(slots[place:], round_trip=round_trip))
    return PricedLoop(follow_surplus(home), plan, import_prices, stored_prices)


def expect_hours(home: LivedHome, plan: HourlyPlan, import_prices: Profile) -> list[ExpectedSlot]:
    """Return the hours that a plan expects of a home with a battery in self-consumption."""
    battery = home.devices.batteries[BATTERY]
    stored_kwh = home.battery_soc * battery.capacity_kwh
    missing_kwh = NEED_KWH
    slots = []
    for hour in range(BEGIN_S // HOUR_S, END_S // HOUR_S):
        car_kwh = min(plan.command(hour).power_kw, missing_kwh)
        missing_kwh -= car_kwh
        left_kwh = float(plan.surplus_kw[hour]) - car_kwh
        room_kwh = battery.capacity_kwh - stored_kwh
        charged_kwh = min(max(left_kwh, 0.0), battery.charge_limit_kw, room_kwh / _EFFICIENCY)
        usable_kwh = stored_kwh - _EMPTY_SOC * battery.capacity_kwh
        discharged_kwh = min(
            max(-left_kwh, 0.0), battery.discharge_limit_kw, max(usable_kwh, 0.0) * _EFFICIENCY
        )
        stored_kwh += _EFFICIENCY * charged_kwh - discharged_kwh / _EFFICIENCY
        net_kwh = charged_kwh - discharged_kwh - left_kwh
        slots.append(
            ExpectedSlot(
                import_price=float(import_prices[hour]),
                export_price=EXPORT_PRICE,
                import_kwh=max(net_kwh, 0.0),
                export_kwh=max(-net_kwh, 0.0),
                charge_kwh=charged_kwh,
                soc=stored_kwh / battery.capacity_kwh,
            )
        )
    return slots


def charge_at_once(_: LiveMeasurement) -> LiveCommands:
    """Command what a home without Luna does: the car takes what it can."""
    device = SteeredVehicle()
    return LiveCommands(vehicles={CAR: charge(device, 3, device.max_current_a)})


def price_day(lived: LivedDay, import_prices: Profile) -> float:
    """Return what a lived day costs, with what is bought later, or stored for it."""
    by_second = np.repeat(import_prices, HOUR_S)[BEGIN_S:END_S]
    bought_cost = float((np.maximum(lived.net_kw, 0.0) * by_second).sum()) / HOUR_S
    sold_kwh = float(np.maximum(-lived.net_kw, 0.0).sum()) / HOUR_S
    charged_kw = np.maximum(lived.battery_kw, 0.0) * _EFFICIENCY
    discharged_kw = np.maximum(-lived.battery_kw, 0.0) / _EFFICIENCY
    stored_kwh = float((charged_kw - discharged_kw).sum()) / HOUR_S
    missing_kwh = NEED_KWH - float(lived.car_kw.sum()) / HOUR_S
    later_kwh = missing_kwh - _EFFICIENCY * stored_kwh
    return bought_cost - EXPORT_PRICE * sold_kwh + float(import_prices.min()) * later_kwh


def compare_costs(days: Sequence[HomeDay]) -> dict[str, Any]:
    """Return each scenario's costs with the loop, by the plan alone, and without Luna."""
    scenarios = []
    for has_battery in (False, True):
        home = describe_home(has_battery=has_battery)
        for day in days:
            surplus_kw = (day.pv_kw - day.house_kw).reshape(-1, HOUR_S).mean(axis=1)
            plan = HourlyPlan(home.devices.vehicles[CAR], surplus_kw)
            alone = _live(home, day, plan)
            without_luna = _live(home, day, charge_at_once)
            followed: LivedDay | None = None
            for tariff, prices in TARIFFS.items():
                # A car alone does the same at any price.
                if followed is None or has_battery:
                    followed = _live(home, day, follow_prices(home, plan, prices))
                lived = {"loop": followed, "plan": alone, "without_luna": without_luna}
                costs = {name: round(price_day(one, prices), 3) for name, one in lived.items()}
                scenario = {"tariff": tariff, "battery": has_battery, "sky": day.sky}
                scenarios.append(scenario | costs)
    return {"scenarios": scenarios} | count_dearer(scenarios)


def _live(home: LivedHome, day: HomeDay, control: Controller) -> LivedDay:
    return live_day(home, day, UntilFull(control), begin=BEGIN_S, end=END_S)


def count_dearer(scenarios: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return how many scenarios are dearer with the loop, beside each of the others."""
    than_plan = 0
    than_without = 0
    for scenario in scenarios:
        cost = scenario["loop"] - _NEGLIGIBLE_COST
        than_plan += cost > scenario["plan"]
        than_without += scenario["tariff"] == "flat" and cost > scenario["without_luna"]
    return {"dearer_than_plan": than_plan, "dearer_than_without_luna": than_without}
