"""How the planner places a device: what it asks for, where that stands in a model, and what a solved model makes of it, with its causes.

A site's declaration and state are read into demands; from there on nobody asks of which kind a device is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from luna.contracts.counterfactual import Habit
from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Assumption, OutlookMessage, PlanRequest, SessionReply, StateMessage
from luna.contracts.plan.columns import Columns
from luna.energy.devices.kind import NamedDevice
from luna.energy.part import StrictModel
from luna.energy.physics.mode import BoolArray
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, Timeline
from services.planner.devices.causes import DeviceReasons
from services.planner.devices.expected import Expected
from services.planner.linear.model import Indices, ModelBuilder, Term
from services.planner.linear.schedules import ScheduleBlock

if TYPE_CHECKING:
    from luna.platform.database.site_facts import DemandFacts


@dataclass(frozen=True, slots=True)
class LoadPricing:
    """Slots ahead, arrays of shape ``(slots,)``: their hours, what PV leaves beyond the load and what it lacks, what a bought kWh costs.

    ``tie`` is a sliver per kWh that makes the earlier of two equal slots the better one, ``dearest`` the dearest price of all, ``mean_price`` the
    mean of what a plan optimises by, ``left_price`` what a kWh is worth that is left at the horizon.
    """

    hours: FloatArray
    surplus_kwh: FloatArray
    deficit_kwh: FloatArray
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
    target: FloatArray
    kwh: float = 1.0


@dataclass(frozen=True, slots=True)
class SurroundingColumns:
    """What stands around a demand in a model: the house's load less its PV, ``(slots,)``, columns of the site, and all that is placed.

    ``batteries`` are charge, discharge and stored energy of each, ``(batteries, 3, slots)``; ``direct`` is what they take behind inverters.
    """

    net_kwh: FloatArray
    sold: Indices
    curtailed: Indices
    direct: Indices
    batteries: Indices
    placed: Sequence["DemandColumns"]

    def others(self, one: Indices) -> list[Term]:
        """Return what all demands use but the one with these columns."""
        return [(each.use, each.kwh) for each in self.placed if each.use is not one]


@dataclass(frozen=True, slots=True)
class StorageColumns:
    """Where a demand that stores energy stands in a model, beside what it uses.

    Args:
        give: columns of what it gives back; empty where it never does.
        missing: columns of the energy missing at its deadlines.
        from_batteries: whether the site's batteries may feed it.
        add_sources: adds what may feed it to the model of a site.
    """

    give: Indices
    missing: Indices
    from_batteries: bool
    add_sources: Callable[[ModelBuilder, SurroundingColumns], None]


@dataclass(frozen=True, slots=True)
class PlacedStorage:
    """What a plan makes of a demand that stores energy: what it gives back and what that wears; all ``(slots,)``.

    ``from_surplus`` says where it takes surplus alone, ``spared`` where it is charged and no battery may feed it.
    """

    give_kwh: FloatArray
    wear_cost: FloatArray
    from_surplus: BoolArray
    spared: BoolArray


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
        """The demand of the request."""

    @property
    def use_kwh(self) -> FloatArray:
        """What it uses, ``(slots,)``."""

    def columns(self) -> Columns:
        """Return its columns of a plan's slots, see ``luna.contracts.plan.columns``."""

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield the parts of its demand that the plan misses."""

    def explain(self, reasons: DeviceReasons) -> Columns | None:
        """Return the reason of every slot; None where none is given."""

    @property
    def storage(self) -> PlacedStorage | None:
        """What it is beside a load; None where it stores nothing."""

    def shortfalls(self, block: ManualBlock, inside: BoolArray, hours: FloatArray) -> Iterator[tuple[str, float]]:
        """Yield what an owner's block misses in its slots, kWh, under the code that says why."""


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
        storage: where it stores energy.
    """

    use: Indices
    kwh: FloatArray | float
    place: Callable[[FloatArray], PlacedDemand]
    block: ScheduleBlock | None = None
    surplus: SurplusUse | None = None
    pinned: PinnedUse | None = None
    storage: StorageColumns | None = None


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

    def pin(self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray) -> "Demand | None":
        """Return it with its owner's block, which holds so long of each slot's hours; None where that cannot be had."""

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add its columns and rows to a model."""


# What was pinned and is missing, as a multiple of the dearest price: an owner's block goes before every wish, and after every limit.
PIN_SLACK = 300.0
UNPLACED = "is not placed: without a meter of its own it is part of the load forecast"
NO_NOTES: tuple[Assumption, ...] = ()
NO_STATES: Mapping[str, Any] = MappingProxyType({})
DemandReader: TypeAlias = Callable[[Site, StateMessage, Timeline, OutlookMessage], Sequence[Demand]]


@dataclass(frozen=True, slots=True)
class RelaxedBill:
    """What a request costs at least without what is missing, and how much each demand lacks that stores energy, kWh."""

    cost: float
    missing_kwh: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StoredStates:
    """What is known of the devices of a kind at a stored site, beside what the plan in force expects.

    Args:
        find: the states with which a plan begins that starts at an instant, by name.
        note: what they rest on, of those that a request's state does not say.
        says_news: whether a device says by an instant something else than the plan in force has.
        roles: of ``input_sensors``, by which they say so.
    """

    find: Callable[[Site, "DemandFacts", datetime], Mapping[str, Any]]
    note: Callable[[Site, "DemandFacts", StateMessage, datetime], Iterable[Assumption]]
    says_news: Callable[[Site, "DemandFacts", datetime], bool]
    roles: tuple[str, ...]


class AddedDevice(Protocol):
    """A device that a variant adds to recorded days: what they used has nothing of it, and it gives nothing to the house."""

    @property
    def device(self) -> NamedDevice:
        """What its owner says of it."""

    def begin(self, ahead: Timeline, before: Any) -> StrictModel:
        """Return its state at the start of a timeline, by its state at the end of the one before (``end``); None: there is none, or nobody knows."""

    def end(self, flows: Columns, past: Timeline, before: Any) -> StrictModel | None:
        """Return its state at the end of some slots, by its columns of a plan that begins with them, and its state at the end of those before."""


AddedReader: TypeAlias = Callable[[Sequence[Any], Mapping[str, Habit], ZoneInfo], Sequence[AddedDevice]]


@dataclass(frozen=True, slots=True)
class PlannedKind:
    """A kind of device that the planner places.

    Args:
        section: of a site, of a state and of a plan's slots.
        read: what its devices ask for over a timeline, under what lies ahead.
        carry: the states that a plan in force expects, by name; the second argument are the devices that Luna switches.
        refuse_block: why an owner's block on a device cannot be had that asks for nothing; None: it needs nothing.
        assume: notes on what a state does not say, of devices that the load does not include (third argument), when a plan begins (fourth).
        by_weather: whether what it asks for depends on the outdoor temperature.
        stored: what is known of its devices beside a plan; None: nothing.
        price_sessions: what deadlines of what is placed cost, by what requests cost at least; None: its devices have none.
        unavoidable: codes of what no search finds another way for, however long it takes.
        add: reads devices of the kind that a variant adds to recorded days, by their owners' habits; None: recorded days cannot tell of them.
        place_by_habit: the states of those that a variant of a plan names a habit of, over the plan's timeline.
    """

    section: str
    read: DemandReader
    carry: Callable[[Expected, Collection[str]], Mapping[str, Any]]
    refuse_block: Callable[[ManualBlock, Any], str | None] = lambda *_: UNPLACED
    assume: Callable[[Site, StateMessage, Collection[str], datetime], Iterable[Assumption]] = field(default=lambda *_: NO_NOTES)
    by_weather: bool = False
    stored: StoredStates | None = None
    price_sessions: Callable[[PlanRequest, Sequence[PlacedDemand], Callable[[PlanRequest], RelaxedBill]], Iterator[SessionReply]] | None = None
    unavoidable: frozenset[str] = frozenset()
    add: AddedReader | None = None
    place_by_habit: Callable[[Site, Mapping[str, Habit], Timeline], Mapping[str, Any]] = field(default=lambda *_: NO_STATES)


def refuse_strangers(section: str, named: Collection[str], site_devices: Sequence[str], *, where: str | None = None) -> None:
    """Refuse statements on devices that a site does not have.

    Raises:
        InvalidInputError: names the first.
    """
    for name in named:
        if name not in site_devices:
            raise refuse("no-such-load", field=f"{where or f'state.{section}'}.{name}", kind=section, names=", ".join(site_devices) or "none")
