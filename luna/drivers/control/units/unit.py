"""Define a unit of control: all batteries together, each charger, each switched load, the arrays.

A unit is decided, sent and confirmed as one.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple, Protocol

from luna.contracts.control import Override, ReasonCode, Setpoint
from luna.contracts.device_template import Write
from luna.contracts.plan import PlanReply
from luna.energy.device_shares import PowerRequest
from luna.energy.devices.commands import DeviceWrite
from luna.energy.site import Site
from luna.energy.site.control import Control

Setpoints = Mapping[str, Setpoint]


class SlotPrices(NamedTuple):
    """Import and export price of the current slot, currency/kWh."""

    import_price: float
    export_price: float


class InForce(NamedTuple):
    """The batteries' states of charge and last commanded modes at a slot's start.

    States of charge are measured, NaN without a reading.
    """

    soc: Mapping[str, float] = {}
    modes: Mapping[str, str] = {}


class UnitLimit(NamedTuple):
    """Power that operators' limits leave to a unit, kW; infinite where nothing limits.

    Args:
        import_kw: the most that each device may draw, by name; one that is left out is not limited.
        export_kw: the most that the unit may feed in.
        own_use_kw: the part of PV's production that the home itself takes, measured.
    """

    import_kw: Mapping[str, float] = {}
    export_kw: float = math.inf
    own_use_kw: float = 0.0

    def may_draw(self, name: str, power_kw: float) -> bool:
        """Return whether a device may draw a power, but for rounding."""
        return power_kw <= self.import_kw.get(name, math.inf) + _ROUNDING_KW


_ROUNDING_KW = 1e-6
UNLIMITED = UnitLimit()


# What a write has to name for a device to follow a power.
_POWER_PLACEHOLDERS = ("{power_kw}", "{power_w}", "{current_a}")


def takes_power(writes: Iterable[DeviceWrite]) -> bool:
    """Return whether writes tell a device the power that it charges with."""
    for write in writes:
        if write.when and "charge" not in write.when:
            continue
        if any(placeholder in write.value for placeholder in _POWER_PLACEHOLDERS):
            return True
    return False


class Controllable(Protocol):
    """A unit that the executor controls.

    Invariants: ``make_safe`` returns set-points that passed the safety layer, in modes that the
    device supports.
    """

    @property
    def key(self) -> str:
        """Name in states and log, see ``luna.contracts.control``."""

    @property
    def places(self) -> Mapping[str, str]:
        """Addresses of the states of charge that commands depend on, by device name."""

    @property
    def unplanned(self) -> ReasonCode:
        """Reason of the fallback where a plan lacks the unit."""

    @property
    def least_run(self) -> timedelta:
        """Minimum run time."""

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        """Return the plan's set-points for a slot that begins with ``now``.

        None where the plan lacks the unit.
        """

    def follow_owner(self, override: Override) -> Setpoints:
        """Return the set-points of an owner's override."""

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        """Return the set-points of the fallback."""

    def list_requests(self, requested: Setpoints) -> list[PowerRequest]:
        """Return what set-points draw from the grid, or may draw, by device."""

    def make_safe(
        self, requested: Setpoints, soc: Mapping[str, float], limit: UnitLimit = UNLIMITED
    ) -> Setpoints:
        """Return the set-points that the safety layer allows under operators' limits."""

    def render(self, allowed: Setpoints) -> list[Write]:
        """Return the writes of the set-points, in order."""


class DeviceUnits(NamedTuple):
    """Units of a section of ``control``: one declaration per module of this package."""

    section: str
    make: Callable[[Site, Control], Iterable[Controllable]]
