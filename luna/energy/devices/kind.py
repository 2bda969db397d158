"""The declaration of a kind of device (``DeviceKind``).

It holds model, limits, sensor roles, commands, flows in plans, assumptions and reasons.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import GenericAlias, MappingProxyType
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from luna.energy.devices.commands import DeviceControl
from luna.energy.part import Name, Part
from luna.energy.sensor_roles import roles_of

DeviceT = TypeVar("DeviceT", bound=Part)
PartT = TypeVar("PartT", bound=Part)


DeviceUseKind = Literal["car", "heater", "appliance"]
# Parts of a household's electricity use for which a site may have devices of their own.
HouseholdPart = Literal["heating", "driving"]


class NamedDevice(Part):
    """A device of which a site may have several, told apart by their names."""

    name: Name


class DeviceAssumption(NamedTuple):
    """An assumption about a device where its owner says nothing.

    ``code`` names the sentence.
    """

    code: str
    figures: Mapping[str, float] = MappingProxyType({})


@runtime_checkable
class ChargedDevice(Protocol):
    """A device that is charged, and may give back.

    Its owner may ask for a power.
    """

    @property
    def charge_limit_kw(self) -> float: ...
    @property
    def min_charge_kw(self) -> float: ...
    @property
    def discharge_limit_kw(self) -> float: ...


class DeviceFlow(Protocol):
    """A device's flow in a slot of a plan."""

    @property
    def used_kwh(self) -> float:
        """Energy drawn from the site, kWh; negative: fed into it."""

    @property
    def mode(self) -> str:
        """The device's mode."""


@dataclass(frozen=True, slots=True)
class DeviceCommands:
    """The commands of a kind's devices.

    Args:
        section: of ``control``, one entry per device, or a single one for all.
        prefix: what their keys begin with, "load" of "load:boiler".
        control: what an entry of the section is.
        modes: what an owner can have them do.
        together: all devices of the kind have one key, the prefix alone.
        orders: the action of an owner's block that asks for the same as a mode; a mode without one
            leaves the device to itself, or depends on the house.
    """

    section: str
    prefix: str
    control: type[DeviceControl]
    modes: tuple[str, ...]
    together: bool = False
    orders: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Return the key of a device in states, control log and URLs."""
        return self.prefix if self.together else f"{self.prefix}:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNotes:
    """The notes of a plan about devices of a kind, by their codes.

    Args:
        assumed: the plan would be another one if what they say turns out otherwise.
        doubted: what was said of a device is not believed yet.
        levels: a level cannot be what its sensor says, worth a message.
        untaken: a device takes nothing of what is planned, worth one too.
    """

    assumed: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    untaken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReasonFigures:
    """The figures in the reasons of a kind.

    Args:
        forms: those that no other kind has: name → how it is written, as those of
            ``luna.words.reason_wordings``.
        compared: by reason, the figures that its sentence sets against each other, the lower first.
    """

    forms: Mapping[str, str] = field(default_factory=dict)
    compared: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConsumption(Generic[DeviceT]):
    """The energy use of a kind's devices beside the rest of the house.

    Args:
        meter: the role that measures what a device uses apart from the house, None where none
            does; None: nothing does.
        kind: how a run of a device is described to its owner.
        household_part: the part of a household's yearly use that a site's devices of this kind
            take over; None: no part.
        wait_hours: for how long after it begins what a device uses may be drawn as well; None: it
            may not wait.
    """

    meter: Callable[[DeviceT], str | None] | None = None
    kind: Callable[[DeviceT], DeviceUseKind] = lambda _: "appliance"
    household_part: HouseholdPart | None = None
    wait_hours: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePlanContent:
    """The content of a plan's request and reply about devices of a kind.

    Args:
        state: what a plan begins with of one, by name under its section; None: nothing, or a
            message of ``luna.contracts``, for others read it by name.
        flow: what a slot of a plan says of one, a ``DeviceFlow``, the same; with a ``reason`` where
            plans give one.
        flows: a device's energies by their names in a plan, each with the column of powers that
            sums them on a timeline; what a device takes first, then what it gives.
        notes: the notes of a plan that are about its devices.
        reasons: the figures of its reasons.
    """

    state: type[Part] | None = None
    flow: type[Part] | None = None
    flows: Mapping[str, str] = field(default_factory=dict, hash=False)
    notes: DeviceNotes = DeviceNotes()
    reasons: DeviceReasonFigures = field(default=DeviceReasonFigures(), hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDefaults(Generic[DeviceT]):
    """Assumptions about a device whose owner leaves fields out.

    Args:
        assume: what is assumed of a device, which it takes with its site; None: nothing.
        costly: the fields of a device that cost money where its owner leaves them out;
            ``default_…`` of its words say what that means.
    """

    assume: Callable[[DeviceT, Any], Iterable[DeviceAssumption]] | None = None
    costly: Callable[[DeviceT], Iterable[str]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class DeviceKind(Generic[DeviceT]):
    """A kind of device.

    Args:
        name: in inventories.
        section: the field of ``Site`` that holds its devices.
        device: the model of one in a site's file.
        power_kw: highest power that a device takes, gives or produces.
        capacity_kwh: what a device stores; None: it stores nothing.
        most: how many a site may have; None: ``Site`` names the section itself, for others read it
            by name.
        sensors: the roles of ``input_sensors`` that measure it; None: nothing does.
        commands: how it is controlled; None: it is not.
        actions: what an owner can ask of it for a while.
        consumption: the energy use that is metered apart from the house.
        plan: what plans contain about it.
        defaults: what holds where an owner leaves fields out.
        check: rules between its devices and the rest of a site that has some, which it takes;
            raises ValueError. None: there are none.
    """

    name: str
    section: str
    device: type[DeviceT]
    power_kw: Callable[[DeviceT], float]
    capacity_kwh: Callable[[DeviceT], float] | None = None
    most: int | None = None
    sensors: type[Part] | None = None
    commands: DeviceCommands | None = None
    actions: frozenset[str] = frozenset()
    consumption: DeviceConsumption[DeviceT] = DeviceConsumption()
    plan: DevicePlanContent = DevicePlanContent()
    defaults: DeviceDefaults[DeviceT] = DeviceDefaults()
    check: Callable[[Any], None] | None = None

    @property
    def named(self) -> bool:
        """Whether a site may have several devices, distinguished by name."""
        return issubclass(self.device, NamedDevice)

    @property
    def submetered(self) -> tuple[str, ...]:
        """The observation columns with the submetered use of its devices."""
        roles = roles_of(self.sensors).values() if self.sensors else ()
        return tuple(role.series for role in roles if role.flow == "submetered" and role.series)

    def of(self, site: Part) -> Sequence[DeviceT]:
        """Return a site's devices of this kind."""
        devices = getattr(site, self.section)
        return devices if isinstance(devices, list) else [devices]


def by_name(model: type[Part]) -> tuple[Any, Any]:
    """Return type and default of a section by device.

    The section is a mapping from a device's name to ``model``.
    """
    return GenericAlias(dict, (str, model)), {}


def read_section(message: BaseModel, section: str, model: type[PartT]) -> dict[str, PartT]:
    """Return a section's entries of ``model`` by device name.

    The section is one of a state, or of a plan's slot.
    """
    entries = getattr(message, section).items()
    return {name: entry for name, entry in entries if isinstance(entry, model)}
