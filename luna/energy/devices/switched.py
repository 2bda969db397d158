"""Switched devices, such as appliances and heat pumps: protocols, commands and control entry."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol, Self, get_args

from pydantic import Field, model_validator

from luna.energy.devices.commands import (
    PROFILED,
    ControlPart,
    DeviceWrite,
    Via,
    Word,
    require_modes,
)
from luna.energy.devices.kind import DeviceCommands
from luna.energy.part import Part
from luna.energy.refusals import invalid_part


class SwitchedDevice(Protocol):
    """A device that is switched."""

    @property
    def name(self) -> str:
        """The name in the site's file."""

    @property
    def power_kw(self) -> float:
        """The most that it draws while it is on."""

    @property
    def least_run(self) -> timedelta:
        """Shortest run once it is on."""

    @property
    def ends_itself(self) -> bool:
        """Whether its own thermostat or controller ends a run."""


class SwitchedFlow:
    """A switched device's ``DeviceFlow`` in a slot of a plan.

    The fields are its kind's, in the order in which they are answered.
    """

    if TYPE_CHECKING:
        energy_kwh: float
        on: bool

    @property
    def used_kwh(self) -> float:
        """Energy drawn from the site, kWh."""
        return self.energy_kwh

    @property
    def mode(self) -> str:
        """The device's mode."""
        return "on" if self.on else "off"


# ``own``: the device's own control, without commands.
LoadMode = Literal["own", "on", "off"]


class LoadSetpoint(Part):
    """Set-point of an appliance."""

    mode: LoadMode


class LoadWrite(DeviceWrite):
    """A value for an appliance."""

    placeholders: ClassVar[tuple[str, ...]] = ("mode",)

    when: tuple[LoadMode, ...] = ()


class LoadControl(ControlPart):
    """Control of an appliance or a heat pump."""

    load: Annotated[
        str,
        Field(min_length=1, max_length=64, description="the name it has under loads or heat_pumps"),
    ]
    via: Annotated[
        Via | None,
        Field(description="Luna speaks to it itself: then its profile knows modes and writes"),
    ] = None
    modes: Annotated[
        dict[LoadMode, Word],
        Field(description="what it calls on, off and, where it has one, a rule of its own"),
    ] = {}
    writes: Annotated[tuple[LoadWrite, ...], Field(max_length=16)] = ()

    @model_validator(mode="after")
    def _can_be_switched(self) -> Self:
        if self.via is not None:
            if self.modes or self.writes:
                raise invalid_part("control-via-and-writes")
            return self
        if not self.writes:
            raise invalid_part("control-writes-missing")
        require_modes(self.modes, ("on", "off"))
        return self

    @property
    def device(self) -> str:
        """The name of the device."""
        return self.load

    @property
    def place(self) -> str:
        """Target of the set-points of a load with a profile, among entities and topics."""
        return f"{PROFILED}load:{self.load}"


SWITCHED = DeviceCommands(
    "loads", "load", LoadControl, get_args(LoadMode), orders={"on": "on", "off": "off"}
)
ON_OFF = frozenset({"on", "off"})
