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
from luna.energy.device_shares import PowerRequest, share_power
from luna.energy.devices.battery import BATTERIES, Battery
from luna.energy.physics.mode import Mode
from luna.energy.policy import BatteryThresholds
from luna.energy.site import Site
from luna.energy.site.control import Control


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

    def list_requests(self, requested: Setpoints) -> list[PowerRequest]:
        """Return what the batteries draw from the grid: in all modes but ``charge`` nothing."""
        requests = []
        for battery in self.site.batteries:
            setpoint = requested.get(battery.name)
            if isinstance(setpoint, BatterySetpoint):
                power_kw = _find_power(setpoint, "charge", most_kw=battery.charge_limit_kw)
                ranges = (self._find_charge_range(battery),)
                requests.append(PowerRequest(battery.name, power_kw, ranges))
        return requests

    def make_safe(
        self, requested: Setpoints, soc: Mapping[str, float], limit: UnitLimit = UNLIMITED
    ) -> Setpoints:
        # A battery that only the section of its last command still names is handed back: it has no
        # limits any more.
        site_names = {battery.name for battery in self.site.batteries}
        gone = dict.fromkeys(requested.keys() - site_names, OWN)
        setpoints = self._limit_grid(_battery_setpoints(requested), limit)
        safe = to_supported_modes(self.site, setpoints, soc, control=self.control)
        return safe | gone

    def _limit_grid(
        self, requested: Mapping[str, BatterySetpoint], limit: UnitLimit
    ) -> dict[str, BatterySetpoint]:
        """Return the set-points whose exchange with the grid keeps operators' limits."""
        exports = []
        for battery in self.site.batteries:
            if battery.name in requested:
                export_kw = _find_power(
                    requested[battery.name], "export", most_kw=battery.discharge_limit_kw
                )
                whole_range = ((0.0, battery.discharge_limit_kw),)
                exports.append(PowerRequest(battery.name, export_kw, whole_range))
        export_shares = share_power(exports, limit.export_kw)
        limited = dict(requested)
        for battery in self.site.batteries:
            name = battery.name
            setpoint = requested.get(name)
            if setpoint is None:
                continue
            charge_kw = _find_power(setpoint, "charge", most_kw=battery.charge_limit_kw)
            if not limit.may_draw(name, charge_kw):
                limited[name] = self._limit_charge(battery, setpoint, limit.import_kw[name])
            elif setpoint.mode == "export" and math.isfinite(limit.export_kw):
                limited[name] = setpoint.model_copy(update={"power_kw": export_shares[name]})
                if export_shares[name] <= 0:
                    # It serves the house instead.
                    limited[name] = setpoint.model_copy(update={"mode": "supply", "power_kw": None})
        return limited

    def _limit_charge(
        self, battery: Battery, setpoint: BatterySetpoint, most_kw: float
    ) -> BatterySetpoint:
        """Return a charge at what is left; below the battery's least it stores surplus alone."""
        least_kw, _ = self._find_charge_range(battery)
        if most_kw <= 0 or most_kw < least_kw:
            return setpoint.model_copy(update={"mode": "save", "power_kw": None})
        return setpoint.model_copy(update={"power_kw": most_kw})

    def _find_charge_range(self, battery: Battery) -> tuple[float, float]:
        """Return least and highest charge; one that takes no power charges with its highest."""
        most_kw = battery.charge_limit_kw
        for section in self.control.batteries:
            if section.battery != battery.name or section.via is not None:
                continue
            if not takes_power(section.writes):
                return most_kw, most_kw
        return min(battery.min_charge_kw, most_kw), most_kw

    def render(self, allowed: Setpoints) -> list[Write]:
        return render(self.control, _battery_setpoints(allowed))

    @property
    def _names(self) -> list[str]:
        return [battery.battery for battery in self.control.batteries]


def _find_power(setpoint: BatterySetpoint, mode: str, *, most_kw: float) -> float:
    """Return the power that a set-point exchanges with the grid in ``mode``; 0 in any other."""
    if setpoint.mode != mode:
        return 0.0
    if setpoint.power_kw is None or math.isnan(setpoint.power_kw):
        return most_kw
    return min(setpoint.power_kw, most_kw)


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
