"""A vehicle's charger."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from luna.contracts.control import Override, ReasonCode
from luna.contracts.plan import PlanReply
from luna.contracts.setpoint import VehicleSetpoint
from luna.control import VehicleControl
from luna.physics import clamp_charging
from luna.site import ElectricVehicle, Site
from services.planner.execution.template import WATTS, Write, write_values
from services.planner.execution.unit import Setpoints, SlotPrices

# Nobody knows better than the charger what to do, and nothing is wrong.
HANDED_BACK: tuple[ReasonCode, ...] = ("disarmed", "not_in_plan")
STOP = VehicleSetpoint(mode="stop", charge_kw=0.0)


@dataclass(frozen=True, slots=True)
class Charger:
    """The charger of one vehicle, and how it is told."""

    site: Site
    vehicle: ElectricVehicle
    control: VehicleControl

    @property
    def key(self) -> str:
        return f"vehicle:{self.vehicle.name}"

    @property
    def least_run(self) -> timedelta:
        return timedelta(minutes=self.vehicle.min_run_minutes)

    @property
    def places(self) -> Mapping[str, str]:
        return {}

    def read_plan(self, plan: PlanReply, slot: int) -> Setpoints | None:
        flow = plan.slots[slot].vehicles.get(self.vehicle.name)
        return None if flow is None else self._tell("charge", flow.charge_kwh / (plan.slot_minutes / 60))

    def follow_owner(self, wanted: Override) -> Setpoints:
        power_kw = self.vehicle.most_charge_kw if wanted.power_kw is None else wanted.power_kw
        return self._tell(wanted.mode, power_kw)

    def leave_alone(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        """Return the charger's own rule; without one it charges.

        A car that is empty in the morning is worse than a dear kilowatt-hour. While nobody watches fuse and peak it charges at its least power.
        """
        if "own" in self.control.modes:
            return self._tell("own", 0.0)
        most = self.vehicle.most_charge_kw
        return self._tell("charge", most if reason in HANDED_BACK else self.vehicle.power_ranges[0][0] or most)

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        told = requested.get(self.vehicle.name)
        if not isinstance(told, VehicleSetpoint):
            return {self.vehicle.name: STOP}
        if told.mode == "own" and "own" in self.control.modes:
            return {self.vehicle.name: VehicleSetpoint(mode="own", charge_kw=0.0)}
        power_kw = clamp_charging(0.0 if told.mode == "stop" else told.charge_kw, self.vehicle, self.site)
        return {self.vehicle.name: VehicleSetpoint(mode="charge", charge_kw=round(power_kw, 6)) if power_kw else STOP}

    def render(self, allowed: Setpoints) -> list[Write]:
        told = allowed[self.vehicle.name]
        if not isinstance(told, VehicleSetpoint):
            return []
        values = {"mode": self.control.modes[told.mode], "power_kw": f"{told.charge_kw:g}", "power_w": f"{told.charge_kw * WATTS:.0f}"}
        charger = self.vehicle.charger
        if charger is not None:
            phases = charger.phases_at(told.charge_kw)
            # Whole amperes, as chargers take them, and never more than what is safe.
            values |= {"phases": f"{phases}", "current_a": f"{math.floor(told.charge_kw * WATTS / (charger.voltage_v * phases) + 1e-6)}"}
        return write_values([write for write in self.control.writes if not write.when or told.mode in write.when], values)

    def _tell(self, mode: str, charge_kw: float) -> Setpoints:
        known = mode if mode in {"own", "charge", "stop"} else "stop"
        return {self.vehicle.name: VehicleSetpoint.model_validate({"mode": known, "charge_kw": max(charge_kw, 0.0)})}
