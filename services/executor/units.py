"""Appliances, PV arrays and chargers as units of control, and which units a site has."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Self

import numpy as np

from luna.contracts.control import LoadSetpoint, Override, PvSetpoint, ReasonCode, VehicleSetpoint
from luna.contracts.device_template import WATTS, Write, write_values
from luna.contracts.plan import PlanReply
from luna.energy.devices import DeferrableLoad, ElectricVehicle, HeatPump, LoadControl, PvControl, PvMode, VehicleControl
from luna.energy.economics import site_curtailment
from luna.energy.physics import BatteryLimits, Curtailment, SetPoint, SiteLimits, clamp, clamp_charging, clamp_giving
from luna.energy.site import Site
from luna.energy.site.control import Control
from services.executor.batteries import Batteries
from services.executor.unit import Controllable, InForce, Setpoints, SlotPrices


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
        said = [write for write in self.control.writes if not write.when or told.mode in write.when]
        return write_values(said, {"mode": self.control.modes[told.mode]})

    def _tell(self, mode: str) -> Setpoints:
        return {self.name: LoadSetpoint.model_validate({"mode": mode if mode in {"own", "on", "off"} else "own"})}


NAME = "pv"
FREE = PvSetpoint(mode="free", limit_kw=None)
WORDS: dict[int, PvMode] = {Curtailment.NONE: "free", Curtailment.EXPORT: "no_export", Curtailment.ALL: "off"}
_CODES = {word: code for code, word in WORDS.items()}


@dataclass(frozen=True, slots=True)
class PvArrays:
    """The arrays, and how their inverter is told."""

    site: Site
    control: PvControl

    key = NAME
    least_run = timedelta(0)
    unplanned: ClassVar[ReasonCode] = "not_in_plan"

    @property
    def places(self) -> Mapping[str, str]:
        return {}

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        # A plan that holds nothing back says nothing of PV.
        return {NAME: FREE if plan.pv is None else plan.pv.at(slot)}

    def follow_owner(self, wanted: Override) -> Setpoints:
        known = wanted.mode if wanted.mode in {"free", "no_export", "limit", "off"} else "free"
        return {NAME: PvSetpoint.model_validate({"mode": known, "limit_kw": wanted.power_kw})}

    @property
    def _peak_kw(self) -> float:
        return sum(array.peak_kw for array in self.site.pv)

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        """Return what prices alone say, as ``luna.energy.economics`` has it for everybody; free where the site is handed back or nobody knows prices."""
        if prices is None or reason == "disarmed":
            return {NAME: FREE}
        rule = site_curtailment(self.site, np.array([prices.import_price]), np.array([prices.export_price]))
        return {NAME: PvSetpoint(mode=WORDS[int(rule[0])], limit_kw=None)}

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        told = requested.get(NAME)
        wanted = told if isinstance(told, PvSetpoint) else FREE
        safe = clamp(_set_point(wanted), np.zeros((0, 1)), replace(SiteLimits.of(self.site), batteries=BatteryLimits.of([])))
        limit_kw = float(safe.pv_limit_kw[0])
        if math.isfinite(limit_kw):
            limit_kw = min(limit_kw, self._peak_kw)
        mode: PvMode = "limit" if math.isfinite(limit_kw) else WORDS[int(safe.curtailment[0])]
        if mode not in self.control.modes:
            # An inverter that cannot keep PV from the grid would take it from the house as well: that costs more.
            return {NAME: FREE}
        return {NAME: PvSetpoint(mode=mode, limit_kw=round(limit_kw, 6) if mode == "limit" else None)}

    def render(self, allowed: Setpoints) -> list[Write]:
        told = allowed[NAME]
        if not isinstance(told, PvSetpoint):
            return []
        peak_kw = self._peak_kw
        limit_kw = {"limit": told.limit_kw or 0.0, "off": 0.0}.get(told.mode, peak_kw)
        values = {
            "mode": self.control.modes[told.mode],
            "limit_kw": f"{limit_kw:g}",
            "limit_w": f"{limit_kw * WATTS:.0f}",
            "limit_percent": f"{min(limit_kw / peak_kw, 1.0) * 100:.0f}" if peak_kw else "100",
        }
        return write_values([write for write in self.control.writes if not write.when or told.mode in write.when], values)


def _set_point(wanted: PvSetpoint) -> SetPoint:
    nothing, limit_kw = np.zeros((0, 1)), math.inf
    if wanted.mode == "limit":
        limit_kw = math.nan if wanted.limit_kw is None else wanted.limit_kw
    code = _CODES.get(wanted.mode, Curtailment.NONE)
    curtailment, limit = np.array([code], dtype=np.int8), np.array([limit_kw])
    return SetPoint(nothing.astype(np.int8), nothing, nothing, nothing, nothing, nothing, curtailment, limit)


# Nobody knows better than the charger what to do, and nothing is wrong.
HANDED_BACK: tuple[ReasonCode, ...] = ("disarmed", "not_in_plan")
STOP = VehicleSetpoint(mode="stop", charge_kw=0.0)


@dataclass(frozen=True, slots=True)
class ChargerUnit:
    """The charger of one vehicle, and how it is told."""

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
        return self._tell("give" if flow.discharge_kwh > 0 else "charge", max(flow.charge_kwh, flow.discharge_kwh) / hours)

    def follow_owner(self, wanted: Override) -> Setpoints:
        most = self.vehicle.discharge_limit_kw if wanted.mode == "give" else self.vehicle.most_charge_kw
        return self._tell(wanted.mode, most if wanted.power_kw is None else wanted.power_kw)

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
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
        if told.mode == "give":
            give_kw = clamp_giving(told.give_kw, soc.get(self.vehicle.name, math.nan), self.vehicle) if "give" in self.control.modes else 0.0
            return {self.vehicle.name: VehicleSetpoint(mode="give", charge_kw=0.0, give_kw=round(give_kw, 6)) if give_kw else STOP}
        power_kw = clamp_charging(0.0 if told.mode == "stop" else told.charge_kw, self.vehicle, self.site)
        return {self.vehicle.name: VehicleSetpoint(mode="charge", charge_kw=round(power_kw, 6)) if power_kw else STOP}

    def render(self, allowed: Setpoints) -> list[Write]:
        told = allowed[self.vehicle.name]
        if not isinstance(told, VehicleSetpoint):
            return []
        power_kw = told.charge_kw or told.give_kw
        values = {"mode": self.control.modes[told.mode], "power_kw": f"{power_kw:g}", "power_w": f"{power_kw * WATTS:.0f}"}
        charger = self.vehicle.charger
        if charger is not None:
            phases = charger.phases_at(power_kw)
            # Whole amperes, as chargers take them, and never more than what is safe.
            values |= {"phases": f"{phases}", "current_a": f"{math.floor(power_kw * WATTS / (charger.voltage_v * phases) + 1e-6)}"}
        return write_values([write for write in self.control.writes if not write.when or told.mode in write.when], values)

    def _tell(self, mode: str, power_kw: float) -> Setpoints:
        known = mode if mode in {"own", "charge", "stop", "give"} else "stop"
        power = {"charge_kw": 0.0, "give_kw": max(power_kw, 0.0)} if mode == "give" else {"charge_kw": max(power_kw, 0.0)}
        return {self.vehicle.name: VehicleSetpoint.model_validate({"mode": known} | power)}


def list_units(site: Site, control: Control | None) -> dict[str, Controllable]:
    """Return what is told by a section, by key; what the site does not have is left out."""
    if control is None:
        return {}
    batteries = [Batteries(site, control)] if control.batteries else []
    vehicles = {each.name: each for each in site.vehicles}
    loads: dict[str, DeferrableLoad | HeatPump] = {each.name: each for each in site.heat_pumps} | {each.name: each for each in site.loads}
    chargers = [ChargerUnit(site, vehicles[each.vehicle], each) for each in control.vehicles if each.vehicle in vehicles]
    appliances = [Appliance.of(loads[each.load], each) for each in control.loads if each.load in loads]
    arrays = [PvArrays(site, control.pv)] if control.pv is not None and site.pv else []
    units: list[Controllable] = [*batteries, *chargers, *appliances, *arrays]
    return {unit.key: unit for unit in units}


def find_unit(site: Site, control: Control | None, key: str) -> Controllable | None:
    """Return one of them, None where it is not told by this section."""
    return list_units(site, control).get(key)
