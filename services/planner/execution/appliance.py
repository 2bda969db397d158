"""An appliance that may wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from luna.contracts.control import Override, ReasonCode
from luna.contracts.plan import PlanReply
from luna.contracts.setpoint import LoadSetpoint
from luna.control import LoadControl
from luna.site import DeferrableLoad
from services.planner.execution.template import Write, write_values
from services.planner.execution.unit import Setpoints, SlotPrices


@dataclass(frozen=True, slots=True)
class Appliance:
    """One appliance, and how it is told."""

    load: DeferrableLoad
    control: LoadControl

    unplanned: ClassVar[ReasonCode] = "not_in_plan"

    @property
    def key(self) -> str:
        return f"load:{self.load.name}"

    @property
    def least_run(self) -> timedelta:
        return timedelta(minutes=self.load.min_on_minutes)

    @property
    def places(self) -> Mapping[str, str]:
        return {}

    def read_plan(self, plan: PlanReply, slot: int) -> Setpoints | None:
        flow = plan.slots[slot].loads.get(self.load.name)
        return None if flow is None else self._tell("on" if flow.on else "off")

    def follow_owner(self, wanted: Override) -> Setpoints:
        return self._tell(wanted.mode)

    def leave_alone(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        return self._tell("own")

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        """Return what the appliance knows. Without a rule of its own a water heater is switched on, for its thermostat ends that; others are off."""
        told = requested.get(self.load.name)
        mode = told.mode if isinstance(told, LoadSetpoint) else "own"
        if mode == "own" and "own" not in self.control.modes:
            mode = "on" if self.load.kind == "water_heater" else "off"
        return self._tell(mode)

    def render(self, allowed: Setpoints) -> list[Write]:
        told = allowed[self.load.name]
        if not isinstance(told, LoadSetpoint):
            return []
        said = [write for write in self.control.writes if not write.when or told.mode in write.when]
        return write_values(said, {"mode": self.control.modes[told.mode]})

    def _tell(self, mode: str) -> Setpoints:
        return {self.load.name: LoadSetpoint.model_validate({"mode": mode if mode in {"own", "on", "off"} else "own"})}
