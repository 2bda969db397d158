"""What is decided, sent and confirmed as one: all batteries together, every charger, every switched load, the arrays."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple, Protocol

from luna.contracts.control import Override, ReasonCode, Setpoint
from luna.contracts.device_template import Write
from luna.contracts.plan import PlanReply
from luna.energy.site import Site
from luna.energy.site.control import Control

Setpoints = Mapping[str, Setpoint]


class SlotPrices(NamedTuple):
    """What a kWh costs and earns in the slot that is now."""

    import_price: float
    export_price: float


class InForce(NamedTuple):
    """What holds when a slot begins: how full batteries are measured to be (NaN: nobody knows), and the modes that they were last told."""

    soc: Mapping[str, float] = {}
    modes: Mapping[str, str] = {}


class Controllable(Protocol):
    """Invariants: what leaves ``make_safe`` has passed the safety layer, in words that the device knows."""

    @property
    def key(self) -> str:
        """Its name in states and log, as ``luna.contracts.control`` has them."""

    @property
    def places(self) -> Mapping[str, str]:
        """Where is read what must be known before it is told anything, by name."""

    @property
    def unplanned(self) -> ReasonCode:
        """Why it is left alone where a plan says nothing of it."""

    @property
    def least_run(self) -> timedelta:
        """For how long it stays on once it is on."""

    def read_plan(self, plan: PlanReply, slot: int, now: InForce) -> Setpoints | None:
        """Return what a plan says of it in a slot that begins with ``now``; None where that is nothing."""

    def follow_owner(self, wanted: Override) -> Setpoints:
        """Return what its owner asks for."""

    def fallback(self, reason: ReasonCode, prices: SlotPrices | None) -> Setpoints:
        """Return what it does without a plan."""

    def make_safe(self, requested: Setpoints, soc: Mapping[str, float]) -> Setpoints:
        """Return what may be sent."""

    def render(self, allowed: Setpoints) -> list[Write]:
        """Return what is written, in order."""


class DeviceUnits(NamedTuple):
    """What a section of ``control`` tells: one declaration per module of this package."""

    section: str
    make: Callable[[Site, Control], Iterable[Controllable]]
