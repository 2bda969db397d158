"""Switched loads, each controlled for itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from luna.contracts.control import Override, ReasonCode
from luna.contracts.device_command import CommandMode, DeviceCommand
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
)
from luna.energy.device_shares import PowerRequest
from luna.energy.devices import SWITCHED_KINDS
from luna.energy.devices.switched import LoadControl, LoadSetpoint, SwitchedDevice
from luna.energy.site import Site
from luna.energy.site.control import Control


@dataclass(frozen=True, slots=True)
class SwitchedLoad:
    """One switched device with its control section.

    ``section`` names the part of a plan's slots with its flow.
    """

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
        return None if flow is None else self._make_setpoint("on" if flow.on else "off")

    def follow_owner(self, override: Override) -> Setpoints:
        return self._make_setpoint(override.mode)

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        return self._make_setpoint("own")

    def list_requests(self, requested: Setpoints) -> list[PowerRequest]:
        """Return what the device may draw: by itself it may be on as well."""
        power_kw = 0.0 if self._find_mode(requested) == "off" else self.device.power_kw
        whole = (self.device.power_kw, self.device.power_kw)
        return [PowerRequest(self.name, power_kw, (whole,))]

    def make_safe(
        self, requested: Setpoints, soc: Mapping[str, float], limit: UnitLimit = UNLIMITED
    ) -> Setpoints:
        """Return a supported mode, off where an operator's limit leaves too little."""
        mode = self._find_mode(requested)
        if mode != "off" and not limit.may_draw(self.name, self.device.power_kw):
            mode = "off"
        return self._make_setpoint(mode)

    def _find_mode(self, requested: Setpoints) -> str:
        """Return a supported mode.

        Without an own mode, a device that stops by itself, such as a water heater, is switched on,
        any other off.
        """
        setpoint = requested.get(self.name)
        mode = str(setpoint.mode) if isinstance(setpoint, LoadSetpoint) else "own"
        if mode not in {"own", "on", "off"}:
            mode = "own"
        has_own = self.control.via is not None or "own" in self.control.modes
        return mode if mode != "own" or has_own else self._stand_in

    @property
    def _stand_in(self) -> CommandMode:
        """The mode of a device that has no rule of its own."""
        return "on" if self.device.ends_itself else "off"

    def render(self, allowed: Setpoints) -> list[Write]:
        setpoint = allowed[self.name]
        if not isinstance(setpoint, LoadSetpoint):
            return []
        if self.control.via is not None:
            is_own = setpoint.mode == "own"
            command = DeviceCommand(
                setpoint.mode,
                stand_in=self._stand_in if is_own else None,
                power_w=None if setpoint.mode == "off" else self.device.power_kw * WATTS,
            )
            return [Write(self.control.place, str(command), self.control.place)]
        return write_values(
            self.control.writes, setpoint.mode, {"mode": self.control.modes[setpoint.mode]}
        )

    def _make_setpoint(self, mode: str) -> Setpoints:
        supported = mode if mode in {"own", "on", "off"} else "own"
        return {self.name: LoadSetpoint.model_validate({"mode": supported})}


def _make_units(site: Site, control: Control) -> Iterator[Controllable]:
    """Yield the switched devices that a section names and the site has."""
    devices = {}
    for kind in SWITCHED_KINDS:
        for device in kind.of(site):
            devices[device.name] = (device, kind.section)
    for load_control in control.loads:
        if load_control.load in devices:
            device, section = devices[load_control.load]
            yield SwitchedLoad(device, section, load_control)


UNITS = DeviceUnits("loads", _make_units)
