"""Vehicle chargers, each controlled for itself."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from luna.contracts.control import Override, ReasonCode, VehicleSetpoint
from luna.contracts.device_template import WATTS, Write, write_values
from luna.contracts.plan import PlanReply
from luna.energy.devices.vehicle import ElectricVehicle, VehicleControl
from luna.energy.physics.safety import clamp_charging, clamp_giving
from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.devices.unit import Controllable, DeviceUnits, InForce, Setpoints, SlotPrices

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
        hours = plan.slot_minutes / 60
        return self._make_setpoint(
            "give" if flow.discharge_kwh > 0 else "charge",
            max(flow.charge_kwh, flow.discharge_kwh) / hours,
        )

    def follow_owner(self, override: Override) -> Setpoints:
        most = (
            self.vehicle.discharge_limit_kw
            if override.mode == "give"
            else self.vehicle.most_charge_kw
        )
        return self._make_setpoint(
            override.mode, most if override.power_kw is None else override.power_kw
        )

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        """Return the charger's own mode.

        Without one it charges, for an empty car in the morning is worse than an expensive
        kilowatt-hour.

        After a fault it charges at its least power, for no plan keeps the fuse's and the peak's
        limits.
        """
        if "own" in self.control.modes:
            return self._make_setpoint("own", 0.0)
        most = self.vehicle.most_charge_kw
        return self._make_setpoint(
            "charge", most if reason in HANDED_BACK else self.vehicle.power_ranges[0][0] or most
        )

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        setpoint = requested.get(self.vehicle.name)
        if not isinstance(setpoint, VehicleSetpoint):
            return {self.vehicle.name: STOP}
        if setpoint.mode == "own" and "own" in self.control.modes:
            return {self.vehicle.name: VehicleSetpoint(mode="own", charge_kw=0.0)}
        if setpoint.mode == "give":
            vehicle_soc = soc.get(self.vehicle.name, math.nan)
            least = self.vehicle.min_soc
            most = self.vehicle.discharge_limit_kw
            give_kw = (
                clamp_giving(setpoint.give_kw, vehicle_soc, min_soc=least, limit_kw=most)
                if "give" in self.control.modes
                else 0.0
            )
            return {
                self.vehicle.name: VehicleSetpoint(
                    mode="give", charge_kw=0.0, give_kw=round(give_kw, 6)
                )
                if give_kw
                else STOP
            }
        power_kw = clamp_charging(
            0.0 if setpoint.mode == "stop" else setpoint.charge_kw,
            self.vehicle.power_ranges,
            self.site,
        )
        return {
            self.vehicle.name: VehicleSetpoint(mode="charge", charge_kw=round(power_kw, 6))
            if power_kw
            else STOP
        }

    def render(self, allowed: Setpoints) -> list[Write]:
        setpoint = allowed[self.vehicle.name]
        if not isinstance(setpoint, VehicleSetpoint):
            return []
        power_kw = setpoint.charge_kw or setpoint.give_kw
        values = {
            "mode": self.control.modes[setpoint.mode],
            "power_kw": f"{power_kw:g}",
            "power_w": f"{power_kw * WATTS:.0f}",
        }
        charger = self.vehicle.charger
        if charger is not None:
            phases = charger.phases_at(power_kw)
            # Chargers take whole amperes; rounded down, never beyond the safe power.
            current_a = math.floor(power_kw * WATTS / (charger.voltage_v * phases) + 1e-6)
            values |= {"phases": f"{phases}", "current_a": f"{current_a}"}
        return write_values(self.control.writes, setpoint.mode, values)

    def _make_setpoint(self, mode: str, power_kw: float) -> Setpoints:
        supported = mode if mode in {"own", "charge", "stop", "give"} else "stop"
        power = (
            {"charge_kw": 0.0, "give_kw": max(power_kw, 0.0)}
            if mode == "give"
            else {"charge_kw": max(power_kw, 0.0)}
        )
        return {self.vehicle.name: VehicleSetpoint.model_validate({"mode": supported} | power)}


def _make_units(site: Site, control: Control) -> Iterator[Controllable]:
    """Yield the chargers of the vehicles that a section names and the site has."""
    vehicles = {each.name: each for each in site.vehicles}
    yield from (
        ChargerUnit(site, vehicles[each.vehicle], each)
        for each in control.vehicles
        if each.vehicle in vehicles
    )


UNITS = DeviceUnits("vehicles", _make_units)
