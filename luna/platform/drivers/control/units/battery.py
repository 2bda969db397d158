"""All batteries of a site, controlled together."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np

from luna.contracts.battery_setpoints import OWN, describe_setpoint, to_supported_modes
from luna.contracts.control import BatterySetpoint, Override, ReasonCode
from luna.contracts.device_template import Write, render
from luna.contracts.plan import PlanReply
from luna.energy.devices.battery import BATTERIES
from luna.energy.physics.mode import Mode
from luna.energy.policy import BatteryThresholds
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.platform.drivers.control.units.unit import (
    Controllable,
    DeviceUnits,
    InForce,
    Setpoints,
    SlotPrices,
)


@dataclass(frozen=True, slots=True)
class Batteries:
    """The batteries that a section ``control`` names."""

    site: Site
    control: Control

    key = BATTERIES
    least_run = timedelta(0)
    unplanned: ClassVar[ReasonCode] = "plan_without_setpoints"

    @property
    def places(self) -> Mapping[str, str]:
        places = {}
        for battery in self.control.batteries:
            if battery.soc_place is not None:
                places[battery.battery] = battery.soc_place
        return places

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        names = self._names
        if all(name in plan.thresholds for name in names):
            return {name: self._read(plan.thresholds[name], name, slot, now) for name in names}
        setpoints = {}
        for name, series in plan.setpoints.items():
            if name in names:
                setpoints[name] = series.at(slot)
        return setpoints if set(setpoints) == set(names) else None

    def _read(
        self, thresholds: BatteryThresholds, name: str, slot: int, now: InForce
    ) -> BatterySetpoint:
        """Return the set-point of a plan's thresholds at the measured state of charge."""
        battery = next(battery for battery in self.site.batteries if battery.name == name)
        mode = Mode[now.modes.get(name, OWN.mode).upper()]
        soc = now.soc.get(name, math.nan)
        setpoint = thresholds.policy(battery).read(
            slice(slot, slot + 1), np.array([mode], dtype=np.int8), np.array([soc])
        )
        return describe_setpoint(setpoint, 0)

    def follow_owner(self, override: Override) -> Setpoints:
        document = {
            "mode": override.mode,
            "power_kw": override.power_kw,
            "target_soc": override.target_soc,
        }
        return dict.fromkeys(self._names, BatterySetpoint.model_validate(document))

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        return dict.fromkeys(self._names, OWN)

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        # A battery that only the section of its last command still names is handed back: it has no
        # limits any more.
        site_names = {battery.name for battery in self.site.batteries}
        gone = dict.fromkeys(requested.keys() - site_names, OWN)
        safe = to_supported_modes(
            self.site, _battery_setpoints(requested), soc, control=self.control
        )
        return safe | gone

    def render(self, allowed: Setpoints) -> list[Write]:
        return render(self.control, _battery_setpoints(allowed))

    @property
    def _names(self) -> list[str]:
        return [battery.battery for battery in self.control.batteries]


def _battery_setpoints(setpoints: Setpoints) -> dict[str, BatterySetpoint]:
    return {
        name: setpoint
        for name, setpoint in setpoints.items()
        if isinstance(setpoint, BatterySetpoint)
    }


def _make_units(site: Site, control: Control) -> Iterator[Controllable]:
    """Yield one unit of all batteries where a section names any."""
    if control.batteries:
        yield Batteries(site, control)


UNITS = DeviceUnits("batteries", _make_units)
