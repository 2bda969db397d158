"""Define the planner's contract for a kind of device.

A kind reads its demands, adds them to the model, reads the schedule and explains it. Once a site's
declaration and state are read into demands, no code branches by kind.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from luna.contracts.owner import ManualBlock
from luna.contracts.plan import Assumption, OutlookMessage, PlanRequest, SessionReply, StateMessage
from luna.contracts.plan.columns import Columns
from luna.contracts.variant import Habit
from luna.energy.devices.kind import NamedDevice
from luna.energy.part import StrictModel
from luna.energy.physics.mode import BoolArray
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import FloatArray, IndexArray, Timeline
from services.planner.devices.causes import DeviceReasons
from services.planner.devices.expected import Expected
from services.planner.linear.model import Indices, ModelBuilder, StartBasis, Term
from services.planner.linear.ranges import RangeRules
from services.planner.linear.schedules import ScheduleBlock

if TYPE_CHECKING:
    from luna.platform.database.site_facts import DemandFacts


@dataclass(frozen=True, slots=True)
class LoadPricing:
    """Prices and PV surplus over the horizon for scheduling a load; arrays of shape ``(slots,)``.

    ``surplus_kwh`` is PV beyond the load, ``deficit_kwh`` load beyond PV. ``tie`` is a small cost
    per kWh that prefers the earlier of two equal slots, ``dearest`` the highest price,
    ``mean_price`` the mean of the prices a plan optimises by, ``left_price`` the value of a kWh
    left at the horizon.
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
    """Columns that may use PV surplus alone in the ``bound`` slots.

    ``kwh`` per slot at a column's 1, ``most`` the columns' upper bound.
    """

    columns: Indices
    kwh: FloatArray
    most: FloatArray
    bound: BoolArray


@dataclass(frozen=True, slots=True)
class PinnedUse:
    """Columns pinned by the owner to ``target`` (``(slots,)``, NaN where free).

    ``kwh`` is the most that a column stands for at 1.
    """

    columns: Indices
    target: FloatArray
    kwh: float = 1.0


@dataclass(frozen=True, slots=True)
class SwitchedUse:
    """Binary columns for the use of a device, one for each of ``slots``."""

    slots: IndexArray
    columns: Indices


@dataclass(frozen=True, slots=True)
class EnergyWindow:
    """Energy stored in a device over slots ``first`` to ``end`` (exclusive).

    It begins with ``arrival_kwh``, None: with as much as the session before left. It needs
    ``required_kwh`` at the end, and never exceeds ``most_kwh``.
    """

    first: int
    end: int
    arrival_kwh: float | None
    required_kwh: float
    most_kwh: float


@dataclass(frozen=True, slots=True)
class RangedUse:
    """A device that uses energy within one of several ranges of power, or none.

    Args:
        slots: in which it may.
        on: a ladder of binaries per slot: whether it is on, then whether in a higher range, …,
            ``(ranges, chosen slots)``.
        starts: the columns of its starts.
        low_kwh: the lowest use of each range, ``(ranges, chosen slots)``.
        high_kwh: the highest use (same shape).
        rules: how it may change its range.
        sessions: its sessions with their stored energy.
        efficiency: share of the energy used that is stored.
    """

    slots: IndexArray
    on: Indices
    starts: Indices
    low_kwh: FloatArray
    high_kwh: FloatArray
    rules: RangeRules
    sessions: tuple[EnergyWindow, ...]
    efficiency: float


@dataclass(frozen=True, slots=True)
class SurroundingColumns:
    """The model around a demand.

    Args:
        net_kwh: load less PV, ``(slots,)``.
        sold: columns of export.
        curtailed: columns of curtailed PV.
        direct: columns of charging from PV behind inverters, ``(batteries, slots)``.
        batteries: columns of charge, discharge and stored energy, ``(batteries, 3, slots)``.
        loads: the columns of all demands.
    """

    net_kwh: FloatArray
    sold: Indices
    curtailed: Indices
    direct: Indices
    batteries: Indices
    loads: Sequence["DemandColumns"]

    def others(self, one: Indices) -> list[Term]:
        """Return the use of all demands except the one with the columns ``one``."""
        return [(demand.use, demand.kwh) for demand in self.loads if demand.use is not one]


@dataclass(frozen=True, slots=True)
class StorageColumns:
    """Columns of a demand that stores energy, besides its use.

    Args:
        give: columns of its discharge; empty where it never discharges.
        missing: columns of the energy missing at its deadlines.
        from_batteries: whether the site's batteries may supply it.
        add_sources: adds rows for the sources that may supply it to a site's model.
    """

    give: Indices
    missing: Indices
    from_batteries: bool
    add_sources: Callable[[ModelBuilder, SurroundingColumns], None]


@dataclass(frozen=True, slots=True)
class StorageSchedule:
    """Discharge and its cost of wear of a load that stores energy; all ``(slots,)``.

    ``from_surplus`` marks slots in which it uses PV surplus alone, ``spared`` those in which it
    charges and no battery may supply it.
    """

    give_kwh: FloatArray
    wear_cost: FloatArray
    from_surplus: BoolArray
    spared: BoolArray


@dataclass(frozen=True, slots=True)
class MissedDemand:
    """The unmet part of a demand: a compromise's code and figures, and the missing energy, kWh."""

    code: str
    missing_kwh: float
    figures: Mapping[str, Any]


class DemandSchedule(Protocol):
    """The schedule of one demand."""

    @property
    def demand(self) -> "Demand":
        """The scheduled demand."""

    @property
    def use_kwh(self) -> FloatArray:
        """Energy used per slot, kWh, ``(slots,)``."""

    def columns(self) -> Columns:
        """Return its columns of a plan's slots (``luna.contracts.plan.columns``)."""

    def missed(self, timeline: Timeline, zone: ZoneInfo) -> Iterator[MissedDemand]:
        """Yield the unmet parts of its demand."""

    def explain(self, reasons: DeviceReasons) -> Columns | None:
        """Return the reason of every slot; None where the kind gives none."""

    @property
    def storage(self) -> StorageSchedule | None:
        """Its discharge and its limits on supply; None where it stores no energy."""

    def shortfalls(
        self, block: ManualBlock, inside: BoolArray, hours: FloatArray
    ) -> Iterator[tuple[str, float]]:
        """Yield the causes of a missed owner's block, each a code and the missing energy, kWh."""


@dataclass(frozen=True, slots=True)
class DemandColumns:
    """A demand's columns in a model.

    Args:
        use: columns of its use in each slot.
        kwh: energy that each stands for at 1.
        read_schedule: reads its schedule from the values of all columns.
        block: its on/off columns, if their rules tie no other columns.
        surplus: its columns that may use PV surplus alone.
        pinned: its columns that the owner pins.
        storage: its columns of storage.
        switched: its binaries that say whether it uses energy.
        ranged: its ranges of power, if nothing but these has binaries.
        levels: the columns of what it stores and the rows that determine them, one per slot: a
            solve starts from these.
    """

    use: Indices
    kwh: FloatArray | float
    read_schedule: Callable[[FloatArray], DemandSchedule]
    block: ScheduleBlock | None = None
    surplus: SurplusUse | None = None
    pinned: PinnedUse | None = None
    storage: StorageColumns | None = None
    switched: SwitchedUse | None = None
    ranged: RangedUse | None = None
    levels: StartBasis | None = None


class Demand(Protocol):
    """A device's demand over the horizon. ``section`` names the kind in site, state and flows."""

    section: ClassVar[str]

    @property
    def name(self) -> str:
        """The device's name."""

    def forced_kwh(self, hours: FloatArray) -> FloatArray:
        """Return the energy that it uses under any plan, ``(slots,)``."""

    def most_use_kwh(self, hours: FloatArray) -> FloatArray:
        """Return the most energy that it can use, ``(slots,)``."""

    def is_settled(self, hours: FloatArray) -> bool:
        """Return whether its rows express the whole demand.

        If not, it is scheduled once, settled by that schedule (``settle``), and scheduled again.
        """

    def settle(self, used_kwh: FloatArray, hours: FloatArray) -> "Demand":
        """Return the demand with its open choices decided by a schedule's use."""

    def pin(
        self, block: ManualBlock, block_hours: FloatArray, hours: FloatArray
    ) -> "Demand | None":
        """Return the demand with an owner's block, None where that cannot be met.

        The block covers ``block_hours`` of each slot's ``hours``.
        """

    def add(self, builder: ModelBuilder, ahead: LoadPricing) -> DemandColumns:
        """Add its columns and rows to a model."""


# Penalty on missed pinned energy, in multiples of the highest price: an owner's block ranks above
# every demand and below every limit.
PIN_SLACK = 300.0
UNSCHEDULED = "is not scheduled: without a meter of its own it is part of the load forecast"
NO_NOTES: tuple[Assumption, ...] = ()
NO_STATES: Mapping[str, Any] = MappingProxyType({})
DemandReader: TypeAlias = Callable[[Site, StateMessage, Timeline, OutlookMessage], Sequence[Demand]]


@dataclass(frozen=True, slots=True)
class RelaxedBill:
    """A request's least cost without penalties, and the energy missing in each store, kWh."""

    cost: float
    missing_kwh: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StoredStates:
    """Sources of the initial states of a stored site's devices, besides the plan in force.

    Args:
        find: the states by name for a plan that starts at an instant.
        note: assumptions behind the states that a request leaves out.
        contradicts_plan: whether a device's reports up to an instant contradict the plan in force.
        roles: of ``input_sensors``, which carry the reports.
    """

    find: Callable[[Site, "DemandFacts", datetime], Mapping[str, Any]]
    note: Callable[[Site, "DemandFacts", StateMessage, datetime], Iterable[Assumption]]
    contradicts_plan: Callable[[Site, "DemandFacts", datetime], bool]
    roles: tuple[str, ...]


class AddedDevice(Protocol):
    """A device that a variant adds to recorded days.

    The recorded load does not include it, and it never supplies the house.
    """

    @property
    def device(self) -> NamedDevice:
        """The owner's declaration."""

    def begin(self, ahead: Timeline, before: Any) -> StrictModel:
        """Return its state at the start of ``ahead``.

        ``before`` is its state at the end of the timeline before (``end``), None if there is none
        or unknown.
        """

    def end(self, flows: Columns, past: Timeline, before: Any) -> StrictModel | None:
        """Return its state at the end of ``past``.

        ``flows`` are its columns of a plan that begins with ``past``, ``before`` its state there.
        """


SessionPricer: TypeAlias = Callable[
    [PlanRequest, Sequence[DemandSchedule], Callable[[PlanRequest], RelaxedBill]],
    Iterator[SessionReply],
]
AddedReader: TypeAlias = Callable[
    [Sequence[Any], Mapping[str, Habit], ZoneInfo], Sequence[AddedDevice]
]


@dataclass(frozen=True, slots=True)
class PlannedKind:
    """A kind of device that the planner schedules.

    Args:
        section: names the kind in a site, a state and a plan's slots.
        read: reads the demands of its devices over a timeline and an outlook.
        carry: returns the states that a plan in force expects, by name; the second argument are the
            devices that Luna switches.
        refuse_block: returns why an owner's block on a device without demand cannot be met; None:
            it needs nothing.
        assume: notes assumptions for states left out, of devices that the load does not include
            (third argument), when a plan begins (fourth).
        by_weather: whether its demand depends on the outdoor temperature.
        stored: how a stored site's devices get their states; None: they have none.
        price_sessions: prices the deadlines of schedules by the least costs of changed requests;
            None: its devices have no deadlines.
        unavoidable: codes of misses that no longer search avoids.
        add: reads devices that a variant adds to recorded days, by their owners' habits; None: the
            kind cannot be added.
        schedule_by_habit: returns the states, over the plan's timeline, of the devices for which a
            variant of a plan names a habit.
    """

    section: str
    read: DemandReader
    carry: Callable[[Expected, Collection[str]], Mapping[str, Any]]
    refuse_block: Callable[[ManualBlock, Any], str | None] = lambda *_: UNSCHEDULED
    assume: Callable[[Site, StateMessage, Collection[str], datetime], Iterable[Assumption]] = field(
        default=lambda *_: NO_NOTES
    )
    by_weather: bool = False
    stored: StoredStates | None = None
    price_sessions: SessionPricer | None = None
    unavoidable: frozenset[str] = frozenset()
    add: AddedReader | None = None
    schedule_by_habit: Callable[[Site, Mapping[str, Habit], Timeline], Mapping[str, Any]] = field(
        default=lambda *_: NO_STATES
    )


def refuse_strangers(
    section: str, named: Collection[str], site_devices: Sequence[str], *, where: str | None = None
) -> None:
    """Refuse names of devices that a site does not have.

    Raises:
        InvalidInputError: for the first such name.
    """
    parent = where or f"state.{section}"
    for name in named:
        if name not in site_devices:
            raise refuse(
                "no-such-device", field=f"{parent}.{name}", names=tuple(site_devices) or ("–",)
            )
