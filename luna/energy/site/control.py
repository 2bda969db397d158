"""The section ``control`` of a site: drivers of set-points and their read-back."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.energy.devices import COMMANDS
from luna.energy.devices.battery import BatteryControl
from luna.energy.devices.commands import (
    CAR_OF,
    PROFILED,
    ControlPart,
    DeviceControl,
    DeviceWrite,
    Via,
)
from luna.energy.devices.kind import DeviceCommands
from luna.energy.devices.pv import PvControl, PvMode
from luna.energy.devices.switched import LoadControl, LoadMode
from luna.energy.devices.vehicle import VehicleControl, VehicleMode
from luna.energy.refusals import invalid_part

DeviceMode = Literal[VehicleMode, LoadMode, PvMode]

# Sender of set-points; ``advice``: the owner, by hand, as the page Home shows. A driver is the
# module of its name in ``luna.drivers.control``.
ControlledBy = Literal["advice", "dry_run", "home_assistant", "mqtt", "profile"]
NOT_SENT: tuple[ControlledBy, ...] = ("advice", "dry_run")


class Control(ControlPart):
    """Party that commands the devices of a site.

    Nothing is sent before the site is armed: ``luna control arm``.
    """

    by: Annotated[
        ControlledBy,
        Field(
            description=(
                "dry_run: nobody; what would be sent is recorded; advice: the owner by hand, "
                "and no device is named"
            )
        ),
    ] = "dry_run"
    steering: Annotated[
        bool,
        Field(
            description=(
                "whether devices follow the meters every few seconds between two plans; needs "
                "meters that report at least every ten seconds"
            )
        ),
    ] = False
    batteries: Annotated[tuple[BatteryControl, ...], Field(max_length=16)] = ()
    vehicles: Annotated[tuple[VehicleControl, ...], Field(max_length=16)] = ()
    loads: Annotated[tuple[LoadControl, ...], Field(max_length=32)] = ()
    pv: PvControl | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        named = any(self.section(name) for name in self._sections)
        if self.by == "advice" and named:
            raise invalid_part("control-advice-names")
        if self.by != "advice" and not named:
            raise invalid_part("control-names-nothing")
        if self.by not in NOT_SENT and any(battery.soc_place is None for battery in self.batteries):
            raise invalid_part("soc-unread")
        if self.by == "profile" and self.writes:
            raise invalid_part("control-via-missing")
        if self.by == "mqtt" and any(write.read_back is None for write in self.writes):
            raise invalid_part("control-read-back-missing")
        return self

    def section(self, name: str) -> tuple[DeviceControl, ...]:
        """Return a section's entries as a tuple, also a single one or None."""
        entries = getattr(self, name)
        if entries is None:
            return ()
        return entries if isinstance(entries, tuple) else (entries,)

    def names(self, commands: DeviceCommands, device: str) -> bool:
        """Return whether an entry controls a device by name or with all of its kind."""
        return any(entry.device in {None, device} for entry in self.section(commands.section))

    @property
    def is_steered(self) -> bool:
        """Whether the steering process commands the devices."""
        return self.steering and self.by not in NOT_SENT

    @property
    def devices(self) -> tuple[str, ...]:
        """The keys of the controlled devices."""
        keys = [COMMANDS[section].key(entry.device or "") for section, entry in self._entries]
        return tuple(dict.fromkeys(keys))

    @property
    def writes(self) -> tuple[DeviceWrite, ...]:
        """The writes of all devices."""
        writes: list[DeviceWrite] = []
        for _, entry in self._entries:
            writes += entry.writes
        return tuple(writes)

    @property
    def soc_places(self) -> tuple[str, ...]:
        """The entities or topics with states of charge."""
        places = [getattr(entry, "soc", None) for _, entry in self._entries]
        return tuple(place for place in places if place is not None)

    @property
    def measured_places(self) -> tuple[str, ...]:
        """The places that are read whoever commands: states of charge, and what goes into cars."""
        places = list(self.soc_places)
        for battery in self.batteries:
            if battery.via is not None and battery.soc_place is not None:
                places.append(battery.soc_place)
        for vehicle in self.vehicles:
            if vehicle.via is not None:
                places.append(f"{vehicle.place}{CAR_OF}")
        return tuple(places)

    @property
    def vias(self) -> Mapping[str, Via]:
        """The connections of batteries without a home automation, by the batteries' names."""
        vias: dict[str, Via] = {}
        for battery in self.batteries:
            if battery.via is not None:
                vias[battery.battery] = battery.via
        return vias

    @property
    def vias_by_place(self) -> Mapping[str, Via]:
        """The connections of all devices without a home automation, by their places."""
        vias: dict[str, Via] = {}
        for _, entry in self._entries:
            if entry.via is not None:
                vias[entry.place] = entry.via
        return vias

    @property
    def vias_by_key(self) -> Mapping[str, Via]:
        """The same by name of a battery, and by key of another device: ``vehicle:car``."""
        return {place.removeprefix(PROFILED): via for place, via in self.vias_by_place.items()}

    @property
    def _sections(self) -> list[str]:
        return [name for name in type(self).model_fields if name in COMMANDS]

    @property
    def _entries(self) -> Iterator[tuple[str, DeviceControl]]:
        for name in self._sections:
            for entry in self.section(name):
                yield name, entry


# The forms of the keys of all devices that can be controlled.
DEVICE_KEYS = tuple(COMMANDS[name].key("NAME") for name in Control.model_fields if name in COMMANDS)
