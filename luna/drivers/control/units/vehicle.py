"""Vehicle chargers, each controlled for itself."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from luna.contracts.control import Override, ReasonCode, VehicleSetpoint
from luna.contracts.device_command import DeviceCommand
from luna.contracts.device_template import WATTS, Write, write_values
from luna.contracts.plan import PlanReply
from luna.drivers.control.units.unit import (
    UNLIMITED,
    Controllable,
    DeviceUnits,
    InForce,
    Setpoints,
    SlotPrices,
    UnitLimit,
    takes_power,
)
from luna.energy.device_shares import PowerRequest
from luna.energy.devices.vehicle import Charger, ElectricVehicle, VehicleControl
from luna.energy.physics.safety import clamp_charging, clamp_giving
from luna.energy.site import Site
from luna.energy.site.control import Control

# Fallbacks without a fault: the charger decides for itself.
HANDED_BACK: tuple[ReasonCode, ...] = ("disarmed", "not_in_plan")
STOP = VehicleSetpoint(mode="stop", charge_kw=0.0)


@dataclass(frozen=True, slots=True)
class ChargerUnit:
    """The charger of one vehicle and its control section."""

    site: Site
    vehicle: ElectricVehicle
    control: VehicleControl

    unplanned: ClassVar[ReasonCode] = "not_in_plan"

    @property
    def key(self) -> str:
        return f"vehicle:{self.vehicle.name}"

    @property
    def least_run(self) -> timedelta:
        return timedelta(minutes=self.vehicle.min_run_minutes)

    @property
    def places(self) -> Mapping[str, str]:
        return {} if self.control.soc is None else {self.vehicle.name: self.control.soc}

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        flow = plan.slots[slot].vehicles.get(self.vehicle.name)
        if flow is None:
            return None
        mode = "give" if flow.discharge_kwh > 0 else "charge"
        energy_kwh = max(flow.charge_kwh, flow.discharge_kwh)
        power_kw = energy_kwh / (plan.slot_minutes / 60)
        charger = self.vehicle.charger
        if charger is not None and flow.phases and flow.phases < min(charger.phases):
            # The car draws from fewer phases than are offered to it with the same current.
            power_kw *= min(charger.phases) / flow.phases
        return self._make_setpoint(mode, power_kw)

    def follow_owner(self, override: Override) -> Setpoints:
        power_kw = override.power_kw
        if power_kw is None and override.mode == "give":
            power_kw = self.vehicle.discharge_limit_kw
        elif power_kw is None:
            power_kw = self.vehicle.most_charge_kw
        return self._make_setpoint(override.mode, power_kw)

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        """Return the charger's own mode.

        Without one it charges, for an empty car in the morning is worse than an expensive
        kilowatt-hour. After a fault it charges at its least power, for no plan keeps the fuse's and
        the peak's limits. So does one with a profile, whose own mode may be its highest power.
        """
        has_own = "own" in self.control.known_modes
        if has_own and (self.control.via is None or reason in HANDED_BACK):
            return self._make_setpoint("own", 0.0)
        power_kw = self.vehicle.most_charge_kw
        if reason not in HANDED_BACK:
            power_kw = self.vehicle.power_ranges[0][0] or power_kw
        return self._make_setpoint("charge", power_kw)

    def list_requests(self, requested: Setpoints) -> list[PowerRequest]:
        """Return what the charger draws; by itself it may draw its most."""
        setpoint = requested.get(self.vehicle.name)
        power_kw = 0.0
        if isinstance(setpoint, VehicleSetpoint) and setpoint.mode == "charge":
            power_kw = setpoint.charge_kw if self._takes_power else self.vehicle.most_charge_kw
        elif isinstance(setpoint, VehicleSetpoint) and setpoint.mode == "own":
            power_kw = self.vehicle.most_charge_kw
        return [PowerRequest(self.vehicle.name, power_kw, self._powers)]

    @property
    def _takes_power(self) -> bool:
        """Whether the charger follows a power, and is not just switched on and off."""
        return self.control.via is not None or takes_power(self.control.writes)

    @property
    def _powers(self) -> tuple[tuple[float, float], ...]:
        """The powers that an operator's limit can be kept with."""
        if self._takes_power:
            return self.vehicle.power_ranges
        most_kw = self.vehicle.most_charge_kw
        return ((most_kw, most_kw),)

    def make_safe(
        self, requested: Setpoints, soc: Mapping[str, float], limit: UnitLimit = UNLIMITED
    ) -> Setpoints:
        name = self.vehicle.name
        setpoint = requested.get(name)
        if not isinstance(setpoint, VehicleSetpoint):
            return {name: STOP}
        if setpoint.mode == "give":
            return {name: self._give_safely(setpoint, soc, limit)}
        most_kw = self.vehicle.most_charge_kw
        if setpoint.mode == "own" and "own" in self.control.known_modes:
            if limit.may_draw(name, most_kw):
                return {name: VehicleSetpoint(mode="own", charge_kw=0.0)}
            # By itself it would draw more than an operator's limit leaves.
            setpoint = VehicleSetpoint(mode="charge", charge_kw=most_kw)
        return {name: self._charge_safely(setpoint, limit)}

    def _charge_safely(self, setpoint: VehicleSetpoint, limit: UnitLimit) -> VehicleSetpoint:
        """Return the charge that the safety layer allows."""
        name = self.vehicle.name
        power_kw = 0.0 if setpoint.mode == "stop" else setpoint.charge_kw
        limited_kw = min(power_kw, limit.import_kw.get(name, math.inf))
        safe_kw = clamp_charging(limited_kw, self.vehicle.power_ranges, self.site)
        drawn_kw = safe_kw if self._takes_power else self.vehicle.most_charge_kw
        if not safe_kw or not limit.may_draw(name, drawn_kw):
            return STOP
        return VehicleSetpoint(mode="charge", charge_kw=round(safe_kw, 6), phases=setpoint.phases)

    def _give_safely(
        self, setpoint: VehicleSetpoint, soc: Mapping[str, float], limit: UnitLimit
    ) -> VehicleSetpoint:
        """Return the discharge that the safety layer allows."""
        if "give" not in self.control.known_modes:
            return STOP
        give_kw = clamp_giving(
            setpoint.give_kw,
            soc.get(self.vehicle.name, math.nan),
            min_soc=self.vehicle.min_soc,
            # What the house does not take is fed in.
            limit_kw=min(self.vehicle.discharge_limit_kw, limit.export_kw + limit.own_use_kw),
        )
        if not give_kw:
            return STOP
        return VehicleSetpoint(mode="give", charge_kw=0.0, give_kw=round(give_kw, 6))

    def render(self, allowed: Setpoints) -> list[Write]:
        setpoint = allowed[self.vehicle.name]
        if not isinstance(setpoint, VehicleSetpoint):
            return []
        if self.control.via is not None:
            command = self._make_command(setpoint)
            return [Write(self.control.place, str(command), self.control.place)]
        power_kw = setpoint.charge_kw or setpoint.give_kw
        values = {
            "mode": self.control.modes[setpoint.mode],
            "power_kw": f"{power_kw:g}",
            "power_w": f"{power_kw * WATTS:.0f}",
        }
        charger = self.vehicle.charger
        if charger is not None:
            phases, current_a = _split_power(charger, power_kw, setpoint.phases)
            values |= {"phases": f"{phases}", "current_a": f"{current_a}"}
        return write_values(self.control.writes, setpoint.mode, values)

    def _make_command(self, setpoint: VehicleSetpoint) -> DeviceCommand:
        """Return the command of a charger with a profile.

        One without a rule of its own charges with its highest safe current instead.
        """
        charger = self.vehicle.charger
        if setpoint.mode not in {"own", "charge"} or charger is None:
            return DeviceCommand("stop")
        power_kw = setpoint.charge_kw
        if setpoint.mode == "own":
            power_kw = self.vehicle.most_charge_kw
        phases, current_a = _split_power(charger, power_kw, setpoint.phases)
        command = DeviceCommand("charge", current_a=current_a, power_w=math.floor(power_kw * WATTS))
        if len(set(charger.phases)) > 1:
            command = replace(command, phases=phases)
        else:
            # A charge point that could switch may have been left on another number.
            command = replace(command, fixed_phases=phases)
        if setpoint.mode == "own":
            return replace(command, mode="own", stand_in="charge")
        return command

    def _make_setpoint(self, mode: str, power_kw: float) -> Setpoints:
        supported = mode if mode in {"own", "charge", "stop", "give"} else "stop"
        power_kw = max(power_kw, 0.0)
        setpoint: dict[str, object] = {"mode": supported, "charge_kw": power_kw}
        if mode == "give":
            setpoint |= {"charge_kw": 0.0, "give_kw": power_kw}
        return {self.vehicle.name: VehicleSetpoint.model_validate(setpoint)}


def _split_power(charger: Charger, power_kw: float, wanted_phases: int | None) -> tuple[int, int]:
    """Return number of phases and whole amperes of a power, never beyond it."""
    phases = charger.phases_at(power_kw)
    if wanted_phases in charger.phases:
        phases = wanted_phases
    current_a = power_kw * WATTS / (charger.voltage_v * phases)
    return phases, math.floor(current_a + 1e-6)


def _make_units(site: Site, control: Control) -> Iterator[Controllable]:
    """Yield the chargers of the vehicles that a section names and the site has."""
    vehicles = {vehicle.name: vehicle for vehicle in site.vehicles}
    for vehicle_control in control.vehicles:
        if vehicle_control.vehicle in vehicles:
            yield ChargerUnit(site, vehicles[vehicle_control.vehicle], vehicle_control)


UNITS = DeviceUnits("vehicles", _make_units)
