"""A home that lives second by second: devices with delays and ramps, and meters that lag."""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from bench.steering.profiles import HOUR_S, SECONDS, SUNSET_H, HomeDay, Profile
from luna.energy.steering import (
    BatteryPower,
    LiveCommands,
    LiveMeasurement,
    SteeredDevices,
    VehicleCommand,
    VehiclePower,
)

PHASES = (1, 2, 3)

Controller = Callable[[LiveMeasurement], LiveCommands]


@dataclass(frozen=True, slots=True)
class Delays:
    """How long devices and meters of the home take, seconds.

    A car answers the pilot's duty cycle within 5 s (IEC 61851-1), begins within a quarter of a
    minute and pauses for its charger's change of phases.
    """

    cycle_s: int = 2
    grid_meter_s: int = 1
    device_meter_s: int = 2
    car_change_s: int = 2
    car_begin_s: int = 12
    car_phases_s: int = 25
    battery_own_s: float = 2.0
    battery_command_s: int = 5
    pv_limit_s: int = 4


@dataclass(slots=True)
class _Car:
    delays: Delays
    kw: float = 0.0
    aim_kw: float = 0.0
    phases: int = 0
    goal: VehicleCommand | None = None
    starts: int = 0
    phase_changes: int = 0
    last_phases: int = 0
    pending: list[tuple[int, float]] = field(default_factory=list)

    def take(self, command: VehicleCommand, at: int) -> None:
        """Take a command; what it does to the power comes later."""
        if self.goal is not None and (
            command.power_kw == self.goal.power_kw and command.phases == self.goal.phases
        ):
            return
        was_on = self.goal is not None and self.goal.power_kw > 0.0
        if command.power_kw > 0.0:
            wait_s = self.delays.car_change_s if was_on else self.delays.car_begin_s
            self.starts += not was_on
            if self.last_phases not in (0, command.phases):
                self.phase_changes += 1
                wait_s = self.delays.car_phases_s
                self.pending = [(at + 2, 0.0)]
            self.last_phases = command.phases
            self.phases = command.phases
        else:
            wait_s = self.delays.car_change_s
        if command.power_kw == 0.0:
            self.pending = []
        self.pending = [step for step in self.pending if step[0] < at + wait_s]
        self.pending.append((at + wait_s, command.power_kw))
        self.goal = command

    def live(self, at: int) -> None:
        """Live a second: a ramp of 4 kW a second towards the power in force."""
        while self.pending and self.pending[0][0] <= at:
            self.aim_kw = self.pending.pop(0)[1]
        change_kw = self.aim_kw - self.kw
        self.kw += min(max(change_kw, -4.0), 4.0)


@dataclass(slots=True)
class _Battery:
    capacity_kwh: float
    limit_kw: float
    delays: Delays
    soc: float = 0.3
    kw: float = 0.0
    mode: str = "self_consumption"
    power_kw: float = 0.0
    pending: deque[tuple[int, str, float]] = field(default_factory=deque)
    requested: tuple[str, float] = ("self_consumption", 0.0)

    def take(self, mode: str, power_kw: float, at: int) -> None:
        """Take a command, which is followed after the inverter's delay."""
        if (mode, power_kw) != self.requested:
            self.requested = (mode, power_kw)
            self.pending.append((at + self.delays.battery_command_s, mode, power_kw))

    def live(self, at: int, others_kw: float) -> None:
        """Live a second beside what all else draws from the grid."""
        while self.pending and self.pending[0][0] <= at:
            _, self.mode, self.power_kw = self.pending.popleft()
        if self.mode == "charge":
            goal_kw = self.power_kw
        elif self.mode == "export":
            goal_kw = -self.power_kw
        elif self.mode == "hold":
            goal_kw = 0.0
        else:
            goal_kw = -others_kw
            if self.mode == "save":
                goal_kw = max(goal_kw, 0.0)
            elif self.mode == "supply":
                goal_kw = min(goal_kw, 0.0)
        highest_kw = self.limit_kw if self.soc < 1.0 else 0.0
        lowest_kw = -self.limit_kw if self.soc > 0.05 else 0.0
        goal_kw = min(max(goal_kw, lowest_kw), highest_kw)
        self.kw += (goal_kw - self.kw) / self.delays.battery_own_s
        loss = 0.95 if self.kw > 0.0 else 1.0 / 0.95
        self.soc += self.kw * loss / 3600 / self.capacity_kwh


@dataclass(frozen=True, slots=True)
class LivedDay:
    """What a home did, by the second, kW; ``net_kw`` is positive for import."""

    net_kw: Profile
    pv_kw: Profile
    car_kw: Profile
    battery_kw: Profile
    heater_kw: Profile
    starts: int
    phase_changes: int
    writes: int


@dataclass(frozen=True, slots=True)
class LivedHome:
    """A home's devices at the beginning of a day.

    Phases are metered where ``house_phase`` has all that the house draws; PV feeds all three.
    """

    devices: SteeredDevices
    battery_soc: float = 0.3
    delays: Delays = field(default_factory=Delays)
    date: date = date(2026, 5, 15)
    house_phase: int | None = None


def live_day(
    home: LivedHome, day: HomeDay, control: Controller, *, begin: int = 0, end: int = 86_400
) -> LivedDay:
    """Return what a home does in the seconds of a day, or of several, under a controller."""
    devices = home.devices
    delays = home.delays
    car = _Car(delays)
    steered = next(iter(devices.batteries.values()), None)
    battery = _Battery(
        capacity_kwh=steered.capacity_kwh if steered else 1.0,
        limit_kw=steered.charge_limit_kw if steered else 0.0,
        delays=delays,
        soc=home.battery_soc,
    )
    heater_rated_kw = next((load.power_kw for load in devices.loads.values()), 0.0)
    length = end - begin
    kept = {name: np.zeros(length) for name in ("net", "pv", "car", "battery", "heater")}
    recent: deque[tuple[float, float, float, float, float, float]] = deque(maxlen=8)
    pv_limit_kw = math.inf
    pv_pending: deque[tuple[int, float]] = deque()
    requested_pv_kw = math.inf
    heater_kw = 0.0
    pv_kw = 0.0
    writes = 0
    last: LiveCommands | None = None
    for second in range(begin, end):
        while pv_pending and pv_pending[0][0] <= second:
            pv_limit_kw = pv_pending.popleft()[1]
        possible_kw = float(day.pv_kw[second])
        pv_kw = min(possible_kw, pv_limit_kw)
        car.live(second)
        house_kw = float(day.house_kw[second])
        others_kw = house_kw - pv_kw + car.kw + heater_kw
        if steered is not None:
            battery.live(second, others_kw)
        net_kw = others_kw + battery.kw
        index = second - begin
        kept["net"][index] = net_kw
        kept["pv"][index] = pv_kw
        kept["car"][index] = car.kw
        kept["battery"][index] = battery.kw
        kept["heater"][index] = heater_kw
        recent.append((net_kw, pv_kw, car.kw, battery.kw, heater_kw, battery.soc))
        if second % delays.cycle_s:
            continue
        measured = _measure(home, recent, second, car.phases)
        commands = control(measured)
        if commands == last:
            continue
        last = commands
        writes += 1
        for vehicle in commands.vehicles.values():
            car.take(vehicle, second)
        for command in commands.batteries.values():
            battery.take(command.mode, command.power_kw, second)
        for load in commands.loads.values():
            heater_kw = heater_rated_kw if load.mode == "on" else 0.0
        if commands.pv is not None and commands.pv.limit_kw != requested_pv_kw:
            requested_pv_kw = commands.pv.limit_kw
            pv_pending.append((second + delays.pv_limit_s, requested_pv_kw))
    return LivedDay(
        net_kw=kept["net"],
        pv_kw=kept["pv"],
        car_kw=kept["car"],
        battery_kw=kept["battery"],
        heater_kw=kept["heater"],
        starts=car.starts,
        phase_changes=car.phase_changes,
        writes=writes,
    )


def _measure(
    home: LivedHome,
    recent: deque[tuple[float, float, float, float, float, float]],
    second: int,
    car_phases: int,
) -> LiveMeasurement:
    """Return what meters show: the grid's a second old, those of devices two."""
    delays = home.delays
    grid = recent[max(len(recent) - 1 - delays.grid_meter_s, 0)]
    own = recent[max(len(recent) - 1 - delays.device_meter_s, 0)]
    net_kw = grid[0]
    devices = home.devices
    batteries = {name: BatteryPower(own[3], own[5]) for name in devices.batteries}
    vehicles = {name: VehiclePower(own[2], phases=car_phases) for name in devices.vehicles}
    loads_kw = dict.fromkeys(devices.loads, own[4])
    controlled_kw = own[3] * len(batteries) + own[2] * len(vehicles) + own[4] * len(loads_kw)
    return LiveMeasurement(
        at_s=float(second),
        read_at_s=float(second - delays.device_meter_s),
        day=home.date + timedelta(days=second // SECONDS),
        import_kw=max(net_kw, 0.0),
        export_kw=max(-net_kw, 0.0),
        pv_kw=own[1],
        house_kw=max(net_kw - controlled_kw + own[1], 0.0),
        batteries=batteries,
        vehicles=vehicles,
        loads_kw=loads_kw,
        phase_a=_meter_phases(home, grid, car_phases),
        sun_left_h=max(SUNSET_H - second % SECONDS / HOUR_S, 0.0),
    )


def _meter_phases(
    home: LivedHome, read: tuple[float, float, float, float, float, float], car_phases: int
) -> tuple[float, ...]:
    """Return the current of each phase; empty where phases are not metered."""
    if home.house_phase is None:
        return ()
    net_kw, pv_kw, car_kw, charge_kw, heater_kw, _ = read
    house_kw = net_kw + pv_kw - car_kw - charge_kw - heater_kw
    spread_kw = (charge_kw + heater_kw - pv_kw) / len(PHASES)
    phases_kw = dict.fromkeys(PHASES, spread_kw)
    phases_kw[home.house_phase] += house_kw
    for device in home.devices.vehicles.values():
        used = device.on_phases[: car_phases or len(PHASES)]
        for phase in used:
            phases_kw[phase] += car_kw / len(used)
    per_kw = 1000.0 / home.devices.voltage_v
    return tuple(phases_kw[phase] * per_kw for phase in PHASES)
