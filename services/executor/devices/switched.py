"""What is switched on and off, each device controlled for itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from luna.contracts.control import Override, ReasonCode
from luna.contracts.device_template import Write, write_values
from luna.contracts.plan import PlanReply
from luna.energy.devices import SWITCHED_KINDS, LoadControl, LoadSetpoint, SwitchedDevice
from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.devices.unit import Controllable, DeviceUnits, InForce, Setpoints, SlotPrices


@dataclass(frozen=True, slots=True)
class SwitchedLoad:
    """One device that is switched on and off, how it is told, and the ``section`` of a plan's slots that speaks of it."""

    device: SwitchedDevice
    section: str
    control: LoadControl

    unplanned: ClassVar[ReasonCode] = "not_in_plan"

    @property
    def name(self) -> str:
        return self.device.name

    @property
    def least_run(self) -> timedelta:
        return self.device.least_run

    @property
    def key(self) -> str:
        return f"load:{self.name}"

    @property
    def places(self) -> Mapping[str, str]:
        return {}

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        flow = getattr(plan.slots[slot], self.section).get(self.name)
        return None if flow is None else self._tell("on" if flow.on else "off")

    def follow_owner(self, wanted: Override) -> Setpoints:
        return self._tell(wanted.mode)

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        return self._tell("own")

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        """Return what the device knows. Without a rule of its own what ends itself, as a water heater does, is switched on, anything else off."""
        told = requested.get(self.name)
        mode = told.mode if isinstance(told, LoadSetpoint) else "own"
        if mode == "own" and "own" not in self.control.modes:
            mode = "on" if self.device.ends_itself else "off"
        return self._tell(mode)

    def render(self, allowed: Setpoints) -> list[Write]:
        told = allowed[self.name]
        if not isinstance(told, LoadSetpoint):
            return []
        return write_values(self.control.writes, told.mode, {"mode": self.control.modes[told.mode]})

    def _tell(self, mode: str) -> Setpoints:
        return {self.name: LoadSetpoint.model_validate({"mode": mode if mode in {"own", "on", "off"} else "own"})}


def _make_units(site: Site, control: Control) -> Iterator[Controllable]:
    """Yield the switched devices that a section names; what the site does not have is left out."""
    there = {device.name: (device, kind.section) for kind in SWITCHED_KINDS for device in kind.of(site)}
    yield from (SwitchedLoad(*there[each.load], each) for each in control.loads if each.load in there)


UNITS = DeviceUnits("loads", _make_units)
