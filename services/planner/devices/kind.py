"""How the planner places a device: what it asks for, where that stands in a model, and what a solved model makes of it, with its causes.

A site's declaration and state are read into demands; from there on nobody asks of which kind a device is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from luna.contracts.plan import Assumption, OutlookMessage, StateMessage
from luna.contracts.plan.columns import Columns
from luna.energy.devices import NamedDevice
from luna.energy.physics import BoolArray
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices.causes import DeviceReasons
from services.planner.devices.expected import Expected
from services.planner.linear.model import Indices, ModelBuilder
from services.planner.linear.schedules import ScheduleBlock


@dataclass(frozen=True, slots=True)
class LoadPricing:
    """Slots ahead, arrays of shape ``(slots,)``: their hours, what PV leaves beyond the load, what a bought kWh costs.

    ``tie`` is a sliver per kWh that makes the earlier of two equal slots the better one, ``dearest`` the dearest price of all, ``mean_price`` the
    mean of what a plan optimises by, ``left_price`` what a kWh is worth that is left at the horizon.
    """

    hours: FloatArray
    surplus_kwh: FloatArray
    import_price: FloatArray
    tie: FloatArray
    dearest: float
    mean_price: float
    left_price: float


@dataclass(frozen=True, slots=True)
class SurplusUse:
    """What may be taken from surplus alone: columns, kWh per slot for each at 1, the most they are, and the slots in which it is so."""

    columns: Indices
    kwh: FloatArray
    most: FloatArray
    bound: BoolArray


@dataclass(frozen=True, slots=True)
class PinnedUse:
    """What an owner wants of each slot: columns, their values (``(slots,)``, NaN where any will do), and the kWh that one is at 1 at most."""

    columns: Indices
    wanted: FloatArray
    kwh: float = 1.0


@dataclass(frozen=True, slots=True)
class MissedDemand:
    """What of a demand a plan could not hold: a compromise's code and figures, and the energy that is missing, kWh."""

    code: str
    missing_kwh: float
    figures: Mapping[str, Any]


class PlacedDemand(Protocol):
    """What is placed of a demand."""

    @property
    def demand(self) -> "Demand":
        """What was asked for."""

    @property
    def use_kwh(self) -> FloatArray:
        """What it uses, ``(slots,)``."""

    def columns(self) -> Columns:
        """Return its columns of a plan's slots, see ``luna.contracts.plan.columns``."""

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield what could not be held of what it asks for."""

    def explain(self, reasons: DeviceReasons) -> Columns | None:
        """Return the reason of every slot; None where none is given."""

    def off_pinned_kwh(self, hours: FloatArray) -> FloatArray:
        """Return how far it is from what its owner pinned, NaN where that is nothing, ``(slots,)``."""


@dataclass(frozen=True, slots=True)
class DemandColumns:
    """Where a demand stands in a model.

    Args:
        use: columns of what it uses in each slot.
        kwh: what each is at 1.
        place: reads what is placed from the value of every column.
        block: where it is on or off by rules that tie no other columns.
        surplus: where it may take surplus alone.
        pinned: where its owner pins it.
    """

    use: Indices
    kwh: FloatArray | float
    place: Callable[[FloatArray], PlacedDemand]
    block: ScheduleBlock | None = None
    surplus: SurplusUse | None = None
    pinned: PinnedUse | None = None


class Demand(Protocol):
    """What a device asks for over a horizon. ``section`` is where its site, state and flows have the device."""

    section: ClassVar[str]

    @property
    def name(self) -> str:
        """The device's."""

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it uses whatever is planned, ``(slots,)``."""

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        """Return what it uses at most, ``(slots,)``."""

    def is_settled(self, hours: FloatArray) -> bool:
        """Return whether its rows in a model are all that it asks for; else it is placed once as they are, and again as settled by that."""

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "Demand":
        """Return it with everything settled that its rows left open, by what it used."""

    def pin(self, *, on: bool, inside: BoolArray, hours: FloatArray) -> "Demand | None":
        """Return it with its owner's wish to have it on or off in some slots; None where that cannot be had."""

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add its columns and rows to a model."""


UNPLACED = "is not placed: without a meter of its own it is part of the load forecast"
NO_NOTES: tuple[Assumption, ...] = ()
DemandReader: TypeAlias = Callable[[Site, StateMessage, Timeline, OutlookMessage], Sequence[Demand]]


@dataclass(frozen=True, slots=True)
class PlannedKind:
    """A kind of device that the planner places.

    Args:
        section: of a site, of a state and of a plan's slots.
        read: what its devices ask for over a timeline, under what lies ahead.
        carry: the states that a plan in force expects, by name; the second argument are the devices that Luna switches.
        refuse_block: why an owner's block on a device cannot be had that asks for nothing.
        assume: notes on what is assumed where a state says nothing; the last argument are the devices that the load includes.
        by_weather: whether what it asks for depends on the outdoor temperature.
    """

    section: str
    read: DemandReader
    carry: Callable[[Expected, Collection[str]], Mapping[str, Any]]
    refuse_block: Callable[[Any], str] = lambda _: UNPLACED
    assume: Callable[[Site, StateMessage, Collection[str]], Iterable[Assumption]] = field(default=lambda *_: NO_NOTES)
    by_weather: bool = False

    def of(self, site: Site) -> Sequence[NamedDevice]:
        """Return the devices of the kind that a site has."""
        devices: Sequence[NamedDevice] = getattr(site, self.section)
        return devices


def refuse_strangers(section: str, named: Collection[str], known: Sequence[str], *, where: str | None = None) -> None:
    """Refuse what is said of devices that a site does not have.

    Raises:
        InvalidInputError: names the first.
    """
    for name in named:
        if name not in known:
            raise refuse("no-such-load", field=f"{where or f'state.{section}'}.{name}", kind=section, names=", ".join(known) or "none")
