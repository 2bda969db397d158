"""All batteries of a site, told together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import numpy as np

from luna.contracts.control import BatterySetpoint, BatteryThresholds, Override, ReasonCode
from luna.contracts.plan import PlanReply
from luna.device_config import BATTERIES, Control
from luna.physics import BatteryLimits, Mode, SetPoint, SiteLimits, clamp
from luna.policy import DIGITS
from luna.site import Site
from luna.timeline import FloatArray
from services.executor.template import Write, render
from services.executor.unit import InForce, Setpoints, SlotPrices

# What an inverter does without anybody's commands.
OWN = BatterySetpoint(mode="self_consumption")
_WORDS = {mode.word: mode for mode in Mode}


def make_safe(site: Site, requested: Mapping[str, BatterySetpoint], soc: Mapping[str, float]) -> dict[str, BatterySetpoint]:
    """Return what the safety layer makes of set-points, given how full the batteries were measured to be; NaN or absent: nobody knows.

    Invariants: idempotent; a battery of unknown state of charge holds.
    """
    batteries = [battery for battery in site.batteries if battery.name in requested]
    limits = replace(SiteLimits.of(site), batteries=BatteryLimits.of(batteries))
    stored = np.array([[soc.get(battery.name, np.nan) * battery.capacity_kwh] for battery in batteries]).reshape(-1, 1)
    asked = _feed_in_no_more(to_arrays([requested[battery.name] for battery in batteries]), limits)
    safe = clamp(asked, stored, limits)
    return {battery.name: describe_setpoint(safe, index) for index, battery in enumerate(batteries)}


def to_supported_modes(site: Site, requested: Mapping[str, BatterySetpoint], soc: Mapping[str, float], *, control: Control) -> dict[str, BatterySetpoint]:
    """Return safe set-points in modes that the inverters know; where one does not know a mode, it consumes its own."""
    known = {each.battery: each.modes for each in control.batteries}
    safe = make_safe(site, requested, soc)
    # Every inverter knows these two: luna.device_config.NEEDED_MODES.
    said = {name: setpoint if setpoint.mode in known[name] else OWN for name, setpoint in safe.items()}
    return make_safe(site, said, soc)


def _feed_in_no_more(setpoint: SetPoint, limits: SiteLimits) -> SetPoint:
    """Return set-points that sell no more than the connection carries outward, whoever asks; where that is nothing they serve the house.

    An inverter that is told to export knows its own power and no connection.
    """
    sells, limit_kw = setpoint.mode == Mode.EXPORT, limits.export_limit_kw
    mode = np.where(sells & (limit_kw <= 0), Mode.SUPPLY, setpoint.mode).astype(np.int8)
    return replace(setpoint, mode=mode, power_kw=np.where(sells, np.fmin(setpoint.power_kw, limit_kw), setpoint.power_kw))


def to_arrays(setpoints: list[BatterySetpoint]) -> SetPoint:
    """Return set-points of one site's batteries as physics takes them; null is what battery and connection bear."""

    def column(values: list[float | None], unbounded: FloatArray) -> FloatArray:
        given = np.array([np.nan if value is None else value for value in values], dtype=float).reshape(-1, 1)
        return np.asarray(np.where(np.isnan(given), unbounded, given))

    mode = np.array([_WORDS[setpoint.mode] for setpoint in setpoints], dtype=np.int8).reshape(-1, 1)
    up, down = np.full(mode.shape, np.inf), np.full(mode.shape, -np.inf)
    return SetPoint(
        mode=mode,
        power_kw=column([setpoint.power_kw for setpoint in setpoints], up),
        target_soc=column([setpoint.target_soc for setpoint in setpoints], np.where(mode == Mode.EXPORT, down, up)),
        floor_soc=column([setpoint.floor_soc for setpoint in setpoints], down),
        ceiling_soc=column([setpoint.ceiling_soc for setpoint in setpoints], up),
        spill_soc=column([setpoint.spill_soc for setpoint in setpoints], up),
        curtailment=np.zeros(1, dtype=np.int8),
        pv_limit_kw=np.full(1, np.inf),
    )


def describe_setpoint(safe: SetPoint, index: int) -> BatterySetpoint:
    """Return what one battery is told, in the outward words."""
    limits = {name: round(float(getattr(safe, name)[index, 0]), DIGITS) for name in BatterySetpoint.model_fields if name != "mode"}
    return BatterySetpoint.model_validate({"mode": Mode(int(safe.mode[index, 0])).word} | limits)


@dataclass(frozen=True, slots=True)
class Batteries:
    """Those that a section ``control`` names."""

    site: Site
    control: Control

    key = BATTERIES
    least_run = timedelta(0)
    unplanned: ClassVar[ReasonCode] = "plan_without_setpoints"

    @property
    def places(self) -> Mapping[str, str]:
        return {each.battery: each.soc for each in self.control.batteries if each.soc is not None}

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        names = self._names
        if all(name in plan.thresholds for name in names):
            return {name: self._read(plan.thresholds[name], name, slot, now) for name in names}
        told = {name: setpoints.at(slot) for name, setpoints in plan.setpoints.items() if name in names}
        return told if set(told) == set(names) else None

    def _read(self, thresholds: BatteryThresholds, name: str, slot: int, now: InForce) -> BatterySetpoint:
        """Return what the thresholds of a plan make of the state of charge that was measured."""
        battery = next(each for each in self.site.batteries if each.name == name)
        mode = Mode[now.modes.get(name, OWN.mode).upper()]
        soc = now.soc.get(name, math.nan)
        told = thresholds.policy(battery).read(slice(slot, slot + 1), np.array([mode], dtype=np.int8), np.array([soc]))
        return describe_setpoint(told, 0)

    def follow_owner(self, wanted: Override) -> Setpoints:
        document = {"mode": wanted.mode, "power_kw": wanted.power_kw, "target_soc": wanted.target_soc}
        return dict.fromkeys(self._names, BatterySetpoint.model_validate(document))

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        return dict.fromkeys(self._names, OWN)

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        return to_supported_modes(self.site, _own(requested), soc, control=self.control)

    def render(self, allowed: Setpoints) -> list[Write]:
        return render(self.control, _own(allowed))

    @property
    def _names(self) -> list[str]:
        return [each.battery for each in self.control.batteries]


def _own(setpoints: Setpoints) -> dict[str, BatterySetpoint]:
    return {name: setpoint for name, setpoint in setpoints.items() if isinstance(setpoint, BatterySetpoint)}
