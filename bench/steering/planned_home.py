"""Homes under the real planner: a plan each quarter-hour from what is measured and expected then.

``LoopControl`` hands the plan's targets to the decision function, as executor and steering do;
``PlanControl`` gives devices the set-points alone, as a site without steering has them.
"""

import math
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import numpy as np

from bench.steering.forecasts import DayAheadForecast
from bench.steering.profiles import HOUR_S, QUARTER_S, SECONDS, Profile
from bench.steering.surplus import BATTERY, CAR, PEAK_KW
from luna.contracts.control import BatterySetpoint, Setpoint, VehicleSetpoint
from luna.contracts.plan import PlanReply, PlanRequest
from luna.contracts.plan.state import VehicleSession
from luna.drivers.control.units import list_units
from luna.drivers.control.units.unit import InForce
from luna.energy.devices.battery import Mode as BatteryMode
from luna.energy.site import Site, parse_site
from luna.energy.steering import (
    BatteryCommand,
    BatteryPower,
    LiveCommands,
    LiveLimits,
    LiveMeasurement,
    LoopMemory,
    SteeredDevices,
    VehicleCommand,
    VehiclePower,
    describe_devices,
    steer,
)
from luna.energy.steering.battery import WITHOUT_SERVING, WITHOUT_STORING
from services.executor.steering_target import choose_target
from services.planner.milp.solver import Solver
from services.planner.reply.reply import plan_request
from services.steering.slot_targets import compose_targets, find_limits

# Two days, of which the planner sees one and a half.
START = datetime(2026, 5, 15, tzinfo=UTC)
SLOTS_AHEAD = 144
IMPORT_LIMIT_KW = 12.0
CYCLE_S = 2.0
# The car is away in these hours of every day.
AWAY_H = (7, 10)
CAR_KWH = 60.0
CAR_EFFICIENCY = 0.9
TARGET_SOC = 0.7
LIMIT_SOC = 0.9
STOP = VehicleCommand("stop", 0.0, 0, 0.0, "as_planned")


def describe_site(*, has_battery: bool) -> Site:
    """Return a home with PV and a car of one or three phases."""
    modes = {mode: mode for mode in get_args(BatteryMode)}
    battery = {
        "name": BATTERY,
        "capacity_kwh": 10,
        "charge_limit_kw": 5,
        "discharge_limit_kw": 5,
        "min_soc": 0.05,
    }
    battery_control = {
        "battery": BATTERY,
        "soc": "sensor.soc",
        "modes": modes,
        "writes": [
            {"to": "number.power", "value": "{power_w}", "when": ["charge", "export"]},
            {"to": "select.mode", "value": "{mode}"},
        ],
    }
    car = {
        "name": CAR,
        "capacity_kwh": CAR_KWH,
        "charge_limit_kw": 11,
        "charge_efficiency": CAR_EFFICIENCY,
        "charger": {"phases": [1, 3]},
    }
    car_control = {
        "vehicle": CAR,
        "modes": {"charge": "on", "stop": "off"},
        "writes": [
            {"to": "number.current", "value": "{current_a}", "when": ["charge"]},
            {"to": "switch.car", "value": "{mode}"},
        ],
    }
    document: dict[str, Any] = {
        "name": "home",
        "timezone": "UTC",
        "grid": {"import_limit_kw": IMPORT_LIMIT_KW},
        "batteries": [battery] if has_battery else [],
        "vehicles": [car],
        "pv": [{"peak_kw": PEAK_KW}],
        "control": {
            "by": "home_assistant",
            "steering": True,
            "batteries": [battery_control] if has_battery else [],
            "vehicles": [car_control],
        },
    }
    return parse_site(document)


@dataclass(slots=True)
class CarDays:
    """A car that drives every morning, and what it lacked then; ``trips_kwh`` by day."""

    trips_kwh: Profile
    soc: float = 0.6
    away: bool = False
    missed_kwh: list[float] = field(default_factory=list)

    def live(self, at_s: float, measured_kw: float) -> None:
        """Live a cycle at a measured power."""
        self.soc += measured_kw * CYCLE_S / HOUR_S * CAR_EFFICIENCY / CAR_KWH
        self.soc = min(self.soc, 1.0)
        hour = at_s % SECONDS / HOUR_S
        away = AWAY_H[0] <= hour < AWAY_H[1]
        if away and not self.away:
            self.missed_kwh.append(max(TARGET_SOC - self.soc, 0.0) * CAR_KWH)
            self.soc -= float(self.trips_kwh[int(at_s) // SECONDS]) / CAR_KWH
        self.away = away

    def list_sessions(self, now: datetime) -> list[dict[str, Any]]:
        """Return the sessions of two days, the present one first."""
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
        sessions = []
        # On the first day it is there from midnight on.
        for day in range(-1, 3):
            begin = midnight + timedelta(days=day, hours=AWAY_H[1])
            end = midnight + timedelta(days=day + 1, hours=AWAY_H[0])
            if end > now:
                sessions.append({"from": max(begin, now), "to": end})
        soc = self.soc
        documents: list[dict[str, Any]] = []
        for place, session in enumerate(sessions):
            targets = {"target_soc": TARGET_SOC, "limit_soc": LIMIT_SOC}
            document = {name: instant.isoformat() for name, instant in session.items()} | targets
            if place or self.away:
                # What the present session leaves is not known: the target, less a usual trip.
                soc = soc if self.away and not place else TARGET_SOC - USUAL_TRIP_KWH / CAR_KWH
                document["arrival_soc"] = round(soc, 4)
            documents.append(document)
        return documents


TRIPS_KWH = (6.0, 14.0)
USUAL_TRIP_KWH = 10.0


@dataclass(frozen=True, slots=True)
class PlannedDays:
    """What both ways to live the days share: site, forecast, prices by quarter-hour, trips."""

    site: Site
    forecast: DayAheadForecast
    import_price: Profile
    export_price: Profile
    trips_kwh: Profile


class PlannedControl(ABC):
    """Plans anew each quarter-hour, and commands devices in each cycle."""

    def __init__(self, days: PlannedDays) -> None:
        self._days = days
        self._solver = Solver()
        self._units = list_units(days.site, days.site.control)
        self._quarter = -1
        self._house_kwh = 0.0
        self._pv_kwh = 0.0
        self._modes: dict[str, str] = {}
        self.devices: SteeredDevices = describe_devices(days.site)
        self.car = CarDays(days.trips_kwh)
        self.plans = 0

    def __call__(self, measured: LiveMeasurement) -> LiveCommands:
        self.car.live(measured.at_s, measured.vehicles[CAR].kw)
        quarter = int(measured.at_s) // QUARTER_S
        if quarter != self._quarter:
            self._plan(quarter, measured)
            self._quarter = quarter
            self._house_kwh = 0.0
            self._pv_kwh = 0.0
        self._house_kwh += measured.house_kw * CYCLE_S / HOUR_S
        self._pv_kwh += measured.pv_kw * CYCLE_S / HOUR_S
        power = VehiclePower(
            measured.vehicles[CAR].kw,
            connected=not self.car.away,
            phases=measured.vehicles[CAR].phases,
        )
        commands = self.command(replace(measured, vehicles={CAR: power}))
        if self.car.away or self.car.soc >= LIMIT_SOC:
            return replace(commands, vehicles={CAR: STOP})
        return commands

    def _plan(self, quarter: int, measured: LiveMeasurement) -> None:
        now = START + quarter * timedelta(seconds=QUARTER_S)
        request = self._make_request(quarter, now, measured)
        # By its own time, so that other load on the machine changes no plan.
        reply = plan_request(request, now=now, solver=self._solver, clock_s=time.process_time)
        self.plans += 1
        soc = {name: power.soc for name, power in measured.batteries.items()}
        in_force = InForce(soc, self._modes)
        setpoints: dict[str, Setpoint] = {}
        for unit in self._units.values():
            planned = unit.read_plan(reply, 0, in_force)
            if planned is not None:
                setpoints |= unit.make_safe(planned, soc)
        for name, setpoint in setpoints.items():
            self._modes[name] = str(setpoint.mode)
        self.follow(reply, setpoints, now)

    def _make_request(self, quarter: int, now: datetime, measured: LiveMeasurement) -> PlanRequest:
        hours = QUARTER_S / HOUR_S
        has_measured = self._quarter == quarter - 1
        load_kwh, pv_kwh = self._days.forecast.look_ahead(
            quarter,
            SLOTS_AHEAD,
            measured_house_kw=self._house_kwh / hours if has_measured else math.nan,
            measured_pv_kw=self._pv_kwh / hours if has_measured else math.nan,
        )
        ahead = slice(quarter, quarter + SLOTS_AHEAD)
        series = {
            "load_kwh": load_kwh,
            "pv_kwh": pv_kwh,
            "import_price": self._days.import_price[ahead],
            "export_price": self._days.export_price[ahead],
        }
        outlook = {name: np.round(values, 6).tolist() for name, values in series.items()}
        car = {"soc": round(self.car.soc, 4), "sessions": self.car.list_sessions(now)}
        batteries = {
            name: {"soc": round(min(max(power.soc, 0.0), 1.0), 4)}
            for name, power in measured.batteries.items()
        }
        document = {
            "site": self._days.site.model_dump(mode="json", by_alias=True),
            "start": now.isoformat(),
            "slot_minutes": 15,
            "outlook": outlook,
            "state": {"batteries": batteries, "vehicles": {CAR: car}},
        }
        return PlanRequest.model_validate(document)

    @abstractmethod
    def follow(self, plan: PlanReply, setpoints: dict[str, Setpoint], now: datetime) -> None:
        """Take a plan, and the set-points of its first slot."""

    @abstractmethod
    def command(self, measured: LiveMeasurement) -> LiveCommands:
        """Return the commands of a cycle."""


class LoopControl(PlannedControl):
    """The decision function with the plan's targets, every two seconds."""

    def __init__(self, days: PlannedDays) -> None:
        super().__init__(days)
        self._memory = LoopMemory()
        self._limits: LiveLimits = find_limits(days.site, (), START)
        self._targets = compose_targets(())

    def follow(self, plan: PlanReply, setpoints: dict[str, Setpoint], now: datetime) -> None:
        session = VehicleSession.model_validate(self.car.list_sessions(now)[0])
        targets = {}
        for name, setpoint in setpoints.items():
            targets[name] = choose_target(
                name,
                setpoint,
                plan.slots,
                self._days.site,
                session=session if name == CAR else None,
            )
        self._targets = compose_targets([targets])

    def command(self, measured: LiveMeasurement) -> LiveCommands:
        commands, self._memory = steer(
            self._targets,
            measured,
            self._memory,
            limits=self._limits,
            devices=self.devices,
        )
        return commands


class PlanControl(PlannedControl):
    """The set-points of the plan's quarter-hour; the inverter alone follows the meter."""

    def __init__(self, days: PlannedDays) -> None:
        super().__init__(days)
        self._commands = LiveCommands(vehicles={CAR: STOP})
        self._levels: dict[str, BatterySetpoint] = {}

    def follow(self, plan: PlanReply, setpoints: dict[str, Setpoint], now: datetime) -> None:
        slot = plan.slots[0]
        hours = QUARTER_S / HOUR_S
        vehicles = {}
        batteries = {}
        self._levels = {}
        for name, setpoint in setpoints.items():
            if isinstance(setpoint, VehicleSetpoint):
                vehicles[name] = self._charge(name, setpoint)
            elif isinstance(setpoint, BatterySetpoint):
                flow = slot.batteries[name]
                power_kw = max(flow.charge_kwh, flow.discharge_kwh) / hours
                batteries[name] = BatteryCommand(setpoint.mode, power_kw, "as_planned")
                self._levels[name] = setpoint
        self._commands = LiveCommands(batteries=batteries, vehicles=vehicles)

    def _charge(self, name: str, setpoint: VehicleSetpoint) -> VehicleCommand:
        device = self.devices.vehicles[name]
        if setpoint.mode != "charge":
            return STOP
        for phases in sorted(device.phases):
            current_a = math.floor(setpoint.charge_kw / device.power_kw(phases, 1.0) + 1e-6)
            if current_a <= device.most_current_a(phases):
                break
        current_a = min(current_a, math.floor(device.most_current_a(phases)))
        if current_a < device.min_current_a:
            return STOP
        power_kw = device.power_kw(phases, current_a)
        return VehicleCommand("charge", power_kw, phases, float(current_a), "as_planned")

    def command(self, measured: LiveMeasurement) -> LiveCommands:
        batteries = {}
        for name, command in self._commands.batteries.items():
            mode = _keep_levels(self._levels[name], measured.batteries[name])
            batteries[name] = replace(command, mode=mode)
        return replace(self._commands, batteries=batteries)


def _keep_levels(setpoint: BatterySetpoint, power: BatteryPower) -> BatteryMode:
    """Return the mode that an inverter with levels of its own carries out."""
    mode = setpoint.mode
    target_soc = setpoint.target_soc
    if mode == "charge" and target_soc is not None and power.soc >= target_soc:
        return "save"
    if mode == "export" and target_soc is not None and power.soc <= target_soc:
        return "supply"
    if setpoint.ceiling_soc is not None and power.soc >= setpoint.ceiling_soc:
        mode = WITHOUT_STORING.get(mode, mode)
    if setpoint.floor_soc is not None and power.soc <= setpoint.floor_soc:
        mode = WITHOUT_SERVING.get(mode, mode)
    return mode


class UnplannedControl:
    """A home without Luna: the car takes what it can at once, the inverter follows the meter."""

    def __init__(self, days: PlannedDays) -> None:
        self.devices: SteeredDevices = describe_devices(days.site)
        self.car = CarDays(days.trips_kwh)
        self.plans = 0

    def __call__(self, measured: LiveMeasurement) -> LiveCommands:
        self.car.live(measured.at_s, measured.vehicles[CAR].kw)
        if self.car.away or self.car.soc >= TARGET_SOC:
            return LiveCommands(vehicles={CAR: STOP})
        device = self.devices.vehicles[CAR]
        power_kw = device.most_kw
        current_a = device.most_current_a(max(device.phases))
        command = VehicleCommand("charge", power_kw, max(device.phases), current_a, "own_control")
        return LiveCommands(vehicles={CAR: command})
