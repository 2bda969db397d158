"""PV arrays, controlled together."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import numpy as np

from luna.contracts.control import Override, PvSetpoint, ReasonCode
from luna.contracts.device_command import DeviceCommand
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
from luna.energy.devices.pv import PvControl, PvMode
from luna.energy.economics.curtailment import site_curtailment
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import Curtailment, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.site import Site
from luna.energy.site.control import Control

NAME = "pv"
FREE = PvSetpoint(mode="free", limit_kw=None)
WORDS: dict[int, PvMode] = {
    Curtailment.NONE: "free",
    Curtailment.EXPORT: "no_export",
    Curtailment.ALL: "off",
}
_CODES = {word: code for code, word in WORDS.items()}


@dataclass(frozen=True, slots=True)
class PvArrays:
    """The arrays and their inverter's control section."""

    site: Site
    control: PvControl

    key = NAME
    least_run = timedelta(0)
    unplanned: ClassVar[ReasonCode] = "not_in_plan"

    @property
    def places(self) -> Mapping[str, str]:
        return {}

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        # A plan without curtailment has no PV set-points.
        return {NAME: FREE if plan.pv is None else plan.pv.at(slot)}

    def follow_owner(self, override: Override) -> Setpoints:
        mode = override.mode if override.mode in {"free", "no_export", "limit", "off"} else "free"
        return {NAME: PvSetpoint.model_validate({"mode": mode, "limit_kw": override.power_kw})}

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        """Return the curtailment by prices alone (``luna.energy.economics``).

        Free where the site is released or prices are missing.
        """
        if prices is None or reason == "disarmed":
            return {NAME: FREE}
        rule = site_curtailment(
            self.site, np.array([prices.import_price]), np.array([prices.export_price])
        )
        return {NAME: PvSetpoint(mode=WORDS[int(rule[0])], limit_kw=None)}

    def list_requests(self, requested: Setpoints) -> list[PowerRequest]:
        """Return nothing: PV draws nothing."""
        return []

    def make_safe(
        self, requested: Setpoints, soc: Mapping[str, float], limit: UnitLimit = UNLIMITED
    ) -> Setpoints:
        setpoint = requested.get(NAME)
        pv = setpoint if isinstance(setpoint, PvSetpoint) else FREE
        safe = self._clamp(pv)
        limit_kw = float(safe.pv_limit_kw[0])
        if math.isfinite(limit_kw):
            limit_kw = min(limit_kw, self.site.peak_kw)
        mode: PvMode = "limit" if math.isfinite(limit_kw) else WORDS[int(safe.curtailment[0])]
        allowed = FREE
        if mode in self.control.known_modes:
            shown_kw = round(limit_kw, 6) if mode == "limit" else None
            allowed = PvSetpoint(mode=mode, limit_kw=shown_kw)
        # Else an unsupported mode: a stricter one would cut the house's own PV use as well, which
        # costs more.
        return {NAME: self._limit_feed_in(allowed, limit)}

    def _limit_feed_in(self, allowed: PvSetpoint, limit: UnitLimit) -> PvSetpoint:
        """Return the mildest set-point that keeps an operator's limit; the operator may hold back.

        What the house may still use is left to it wherever the inverter can do that.
        """
        most_kw = max(limit.export_kw, 0.0) + limit.own_use_kw
        produced_kw = self.site.peak_kw
        if allowed.mode == "limit" and allowed.limit_kw is not None:
            produced_kw = allowed.limit_kw
        if allowed.mode in {"off", "no_export"} or produced_kw <= most_kw:
            return allowed
        modes = self.control.known_modes
        if "no_export" in modes and (limit.export_kw <= 0 or "limit" not in modes):
            return PvSetpoint(mode="no_export", limit_kw=None)
        if "limit" in modes:
            return PvSetpoint(mode="limit", limit_kw=round(most_kw, 6))
        if "off" in modes:
            return PvSetpoint(mode="off", limit_kw=None)
        return allowed

    def _clamp(self, pv: PvSetpoint) -> SetPoint:
        """Return the set-point that the safety layer allows."""
        requested_kw = math.inf
        if pv.mode == "limit":
            requested_kw = math.nan if pv.limit_kw is None else pv.limit_kw
        nothing = np.zeros((0, 1))
        requested = SetPoint(
            nothing.astype(np.int8),
            nothing,
            nothing,
            nothing,
            nothing,
            nothing,
            np.array([_CODES.get(pv.mode, Curtailment.NONE)], dtype=np.int8),
            np.array([requested_kw]),
        )
        limits = replace(SiteLimits.of(self.site), batteries=BatteryLimits.of([]))
        return clamp(requested, nothing, limits)

    def render(self, allowed: Setpoints) -> list[Write]:
        setpoint = allowed[NAME]
        if not isinstance(setpoint, PvSetpoint):
            return []
        peak_kw = self.site.peak_kw
        limit_kw = {"limit": setpoint.limit_kw or 0.0, "off": 0.0}.get(setpoint.mode, peak_kw)
        if self.control.via is not None:
            return [Write(self.control.place, str(self._command(setpoint)), self.control.place)]
        values = {
            "mode": self.control.modes[setpoint.mode],
            "limit_kw": f"{limit_kw:g}",
            "limit_w": f"{limit_kw * WATTS:.0f}",
            # Rounded down, never beyond an operator's limit.
            "limit_percent": f"{_floor_percent(limit_kw / peak_kw)}" if peak_kw else "100",
        }
        return write_values(self.control.writes, setpoint.mode, values)

    def _command(self, setpoint: PvSetpoint) -> DeviceCommand:
        """Return the command of an inverter with a profile."""
        if setpoint.mode not in {"limit", "off"}:
            return DeviceCommand("free")
        limit_kw = setpoint.limit_kw if setpoint.mode == "limit" else 0.0
        return DeviceCommand("limit", power_w=round((limit_kw or 0.0) * WATTS, 3))


def _floor_percent(share: float) -> int:
    return math.floor(min(share, 1.0) * 100 + 1e-6)


def _make_units(site: Site, control: Control) -> Iterator[Controllable]:
    """Yield the arrays where a section controls them."""
    if control.pv is not None and site.pv:
        yield PvArrays(site, control.pv)


UNITS = DeviceUnits("pv", _make_units)
