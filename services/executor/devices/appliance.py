"""Appliances and heat pumps, each controlled for itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Self

from luna.contracts.control import LoadSetpoint, Override, ReasonCode
from luna.contracts.device_template import Write, write_values
from luna.contracts.plan import PlanReply
from luna.energy.devices import DeferrableLoad, HeatPump, LoadControl
from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.devices.unit import Controllable, InForce, Setpoints, SlotPrices


@dataclass(frozen=True, slots=True)
class Appliance:
    """One appliance, and how it is told.

    ``least_run`` is for how long it stays on once it is on: a programme to its end. ``ends_itself`` says that a thermostat or a regulator of its own ends it.
    """

    name: str
    least_run: timedelta
    ends_itself: bool
    control: LoadControl

    unplanned: ClassVar[ReasonCode] = "not_in_plan"

    @classmethod
    def of(cls, device: DeferrableLoad | HeatPump, control: LoadControl) -> Self:
        """Return what is told of an appliance or a heat pump."""
        load = device if isinstance(device, DeferrableLoad) else None
        programme = timedelta(hours=load.programme_hours if load else 0.0)
        ends_itself = load is None or load.kind == "water_heater"
        return cls(device.name, max(timedelta(minutes=device.min_on_minutes), programme), ends_itself, control)

    @property
    def key(self) -> str:
        return f"load:{self.name}"

    @property
    def places(self) -> Mapping[str, str]:
        return {}

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        told = plan.slots[slot]
        flow = told.loads.get(self.name) or told.heat_pumps.get(self.name)
        return None if flow is None else self._tell("on" if flow.on else "off")

    def follow_owner(self, wanted: Override) -> Setpoints:
        return self._tell(wanted.mode)

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        return self._tell("own")

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        """Return what the appliance knows. Without a rule of its own what ends itself, as a water heater does, is switched on, anything else off."""
        told = requested.get(self.name)
        mode = told.mode if isinstance(told, LoadSetpoint) else "own"
        if mode == "own" and "own" not in self.control.modes:
            mode = "on" if self.ends_itself else "off"
        return self._tell(mode)

    def render(self, allowed: Setpoints) -> list[Write]:
        told = allowed[self.name]
        if not isinstance(told, LoadSetpoint):
            return []
        return write_values(self.control.writes, told.mode, {"mode": self.control.modes[told.mode]})

    def _tell(self, mode: str) -> Setpoints:
        return {self.name: LoadSetpoint.model_validate({"mode": mode if mode in {"own", "on", "off"} else "own"})}


def make_units(site: Site, control: Control) -> Iterator[Controllable]:
    """Yield the appliances and heat pumps that a section names; what the site does not have is left out."""
    loads: dict[str, DeferrableLoad | HeatPump] = {each.name: each for each in site.heat_pumps} | {each.name: each for each in site.loads}
    yield from (Appliance.of(loads[each.load], each) for each in control.loads if each.load in loads)
